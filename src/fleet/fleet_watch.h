/*
 * fleet_watch.h - how much of their time the members spend in collections, without an
 * agent: a thread looks again and again whether each collector is at work.
 *
 * A look is four bytes through a descriptor of its own. There are at most some 160 a
 * second, so that they cost the same however many members there are: fifty of each of
 * three, five of each of 32. The share of the last minute is an estimate. The functions
 * are called from the main thread and never wait for a target; a target whose memory does
 * not answer holds up the thread alone, and then no share is known.
 */
#ifndef HEAPTOP_FLEET_FLEET_WATCH_H
#define HEAPTOP_FLEET_FLEET_WATCH_H

#include <stdint.h>
#include <sys/types.h>

#include "heaptop/reading.h"
#include "target/raddr.h"

struct watch;

/* NULL when there can be no thread. */
struct watch *watch_new(void);
void watch_free(struct watch *watch);

/* Looks at this process too, instead of what was known of its number. `collecting` is 1
 * during a collection; the descriptor of its memory becomes the watch's. */
void watch_add(struct watch *watch, pid_t pid, int mem_fd, struct raddr collecting);
void watch_remove(struct watch *watch, pid_t pid);

/* Milli per cent of the last minute; unknown for the first seconds. */
struct reading watch_share(struct watch *watch, pid_t pid);

#endif
