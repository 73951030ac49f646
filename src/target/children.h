/*
 * children.h - the children that the target has forked and that still run its program.
 *
 * From /proc/PID/task/TID/children (fs/proc/array.c; CONFIG_PROC_CHILDREN): of each
 * thread those that it forked. A child that has executed another program, or that has
 * another name, is not one. Where the kernel has no such files there are none.
 *
 * Owns nothing; one thread.
 */
#ifndef HEAPTOP_TARGET_CHILDREN_H
#define HEAPTOP_TARGET_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>

#include "target/target.h"

#define CHILDREN_MAX 256

struct children {
    pid_t pids[CHILDREN_MAX]; /* when they were looked at last; sorted */
    size_t count;
    bool is_known; /* they were looked at before */
};

/* Looks again. Gives how many came since the last time, and the first of them. */
size_t children_look(struct target *target, struct children *children, pid_t *first);

#endif
