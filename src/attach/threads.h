/*
 * threads.h - which thread of the target to try next.
 */
#ifndef HEAPTOP_ATTACH_THREADS_H
#define HEAPTOP_ATTACH_THREADS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "target/target.h"

#define THREADS_MAX 256 /* of more, the first ones are enough to choose from */

/* Their numbers, the main thread's first. */
size_t threads_list(struct target *target, pid_t tids[THREADS_MAX]);

/* A random thread but the main one, which is tried at every fourth turn or when
 * there is no other; threads in calls that would notice being stopped only when
 * nothing else is left. 0 when no thread may be stopped now, -1 when there is none. */
pid_t threads_choose(struct target *target, uint32_t turn);

/* A number below n, which the target cannot foresee. Needs no seed: each page that a
 * forked injector touches for the first time costs up to 20 us. */
size_t threads_any(size_t n);

/* Is it in a call that nothing can interrupt, such as a vfork or a read from a disk? It
 * would stop only at the call's end. */
bool threads_is_uninterruptible(struct target *target, pid_t tid);

/* Is it in a call that would notice being stopped? */
bool threads_is_awkward(struct target *target, pid_t tid);

/* Where in the kernel the thread waits; "" = nowhere, or the kernel does not say. */
void threads_wait_channel(struct target *target, pid_t tid, char *text, size_t size);

/* Where the thread waits, seen without stopping it; false: it runs. */
bool threads_where(struct target *target, pid_t tid, uint64_t *pc, uint64_t *sp);

/* The thread whose system call waits on a word in [from, to); -1 = none. */
pid_t threads_find_waiting(struct target *target, uint64_t from, uint64_t to);

#endif
