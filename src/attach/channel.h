/*
 * channel.h - heaptop's end of the agent's page: shared memory, or private
 * memory of the target where seccomp forbids sharing.
 *
 * The other side may write anything at any time, so whole pieces are copied
 * out before they are looked at. Belongs to the session's thread.
 */
#ifndef HEAPTOP_ATTACH_CHANNEL_H
#define HEAPTOP_ATTACH_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "agent/protocol.h"
#include "attach/injector_start.h"
#include "heaptop/err.h"

struct channel {
    struct agent_page *shared;   /* NULL when the page is private */
    const struct target *target; /* of the private page, as the rest */
    const struct injector *injector;
    uint64_t address;
    pid_t owner_tid; /* who is registered as the client's life; 0 = nobody */
    void *old_robust;
    size_t old_robust_bytes;
    struct {
        void *next;
        long futex_offset;
        void *pending;
    } robust; /* struct robust_list_head, linux/futex.h */
};

/* Maps the descriptor, which stays the caller's. */
int channel_open_shared(struct channel *channel, int fd, struct err *err);
/* Both are borrowed; `injector` is NULL in the injector itself. */
void channel_open_private(struct channel *channel, const struct target *target,
                          const struct injector *injector, uint64_t address);
void channel_close(struct channel *channel);

/* False when the page cannot be read any more. */
bool channel_copy(const struct channel *channel, size_t offset, void *to, size_t length);
bool channel_get(const struct channel *channel, size_t offset, uint32_t *value);
bool channel_put(struct channel *channel, size_t offset, const void *from, size_t length);
/* Stores the word after everything put before, and wakes the agent. */
void channel_publish(struct channel *channel, size_t offset, uint32_t value);
/* Sleeps while the word has the value, at most `limit_ns`. */
void channel_wait(const struct channel *channel, size_t offset, uint32_t value,
                  int64_t limit_ns);

#endif
