/*
 * scope.h - which processes the privileged helper opens: with --tree PID that process and
 * those below it, and none besides.
 *
 * The tree is known before the helper is forked, so a heaptop that was taken over cannot
 * widen it. Who was seen below the root stays in the scope when its parents end. Without
 * a root there is no bound: the list of processes, and a pattern, need them all. Used by
 * the helper, which has one thread.
 */
#ifndef HEAPTOP_TARGET_SCOPE_H
#define HEAPTOP_TARGET_SCOPE_H

#include <stdbool.h>
#include <sys/types.h>

#include "heaptop/err.h"

/* Before the helper is started; 0 is no root. */
void scope_set_root(pid_t root);

/* -1: the process is not in it (ERR_DENIED). Ask when a descriptor of the process is open
 * already: its number cannot belong to another one then without that being noticed. */
int scope_check(pid_t pid, struct err *err);

/* By the parents that the kernel names. */
bool scope_is_below(pid_t pid, pid_t root);

#endif
