/*
 * copy.h - the sleeping copy of a target that its agent makes (src/agent/copy.c): a
 * process that is read from outside like any other, and in which nothing changes.
 *
 * Belongs to the sampler's thread.
 */
#ifndef HEAPTOP_ATTACH_COPY_H
#define HEAPTOP_ATTACH_COPY_H

#include <stdint.h>

#include "attach/session.h"
#include "heaptop/err.h"
#include "heaptop/reading.h"
#include "target/target.h"

#define COPY_LIFE_MS INT64_C(60000) /* it ends by itself after this */

/* May one be made? 0, or -1 with the reason and the remedy. */
int copy_possible(struct target *target, struct session *session, struct err *err);

/* What it will cost, from what the process has for itself: how long everything stands
 * still while the page tables are copied, and the most memory, when the target writes to
 * all its pages meanwhile. */
struct reading copy_pause_ns(struct reading anon_bytes);

/* Opens the copy; `inside` is its number as the target sees it. -1 when it is not found
 * or has ended. */
int copy_open(const struct target *target, pid_t inside, struct target **copy,
              struct err *err);

/* What the copy has come to cost: pages that it no longer shares with the target. */
struct reading copy_own_bytes(const struct target *copy);

#endif
