/*
 * helper_message.h - one message between helper and client: a head, bytes of a known
 * size, descriptors. Both sides of the socket pair use it.
 */
#ifndef HEAPTOP_GUARD_HELPER_MESSAGE_H
#define HEAPTOP_GUARD_HELPER_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "guard/helper.h"

/* Sends; 0 or -1 with errno. `fds` may be NULL. */
int helper_send(int socket, uint32_t service, const void *bytes, size_t length,
                const struct helper_fds *fds);

/* Receives a message of at most `size` bytes: its length, 0 at the end, or -1.
 * What comes as descriptors is put into `fds`, or closed when `fds` is NULL. */
long helper_receive(int socket, uint32_t *service, void *bytes, size_t size,
                    struct helper_fds *fds);

/* helper.c: the helper's life; never returns. */
void helper_main(int socket, const struct helper_service *const *services)
    __attribute__((noreturn));

#endif
