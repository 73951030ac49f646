/*
 * injector_start.h - who forks the injector: this process, or the privileged helper
 * when this one has given its rights up (guard/helper.h).
 *
 * The helper's injector opens and identifies the target anew: it takes a number and a
 * start time from its client, never an address, and never code. Belongs to the
 * sampler's thread; one injector a session.
 */
#ifndef HEAPTOP_ATTACH_INJECTOR_START_H
#define HEAPTOP_ATTACH_INJECTOR_START_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "guard/helper.h"
#include "heaptop/err.h"
#include "target/target.h"

struct injector {
    pid_t pid;    /* 0: has ended */
    int socket;   /* its report comes here; -1: none */
    int32_t ward; /* the number by which the helper knows it; 0: it is our own child */
};

#define INJECTOR_NONE \
    {                 \
        0, -1, 0      \
    }

int injector_start(struct target *target, struct injector *injector, struct err *err);

/* Ends it if it still runs; that is harmless at any moment. */
void injector_end(struct injector *injector);

/* Writes into the agent's private page, which the helper's injector made: false when
 * it is not ours to write, or cannot be written. */
bool injector_write_page(const struct injector *injector, size_t offset,
                         const void *bytes, size_t length);

/* As child_fork(), with all signals blocked: none of the parent's reaches the child,
 * which dies with the thread that wants it. It finds what injector_prepare() makes. */
pid_t injector_fork(int type, int *socket);
/* Kills it, and sets it to 0; 0 and less is none. */
void injector_end_child(pid_t *child);

/* For the helper's list of services. */
extern const struct helper_service injector_start_service, injector_end_service,
    injector_write_service;

#endif
