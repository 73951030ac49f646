/*
 * choose.h - from words to a process, where there is no screen to choose on.
 * Main thread only.
 */
#ifndef HEAPTOP_CHOOSE_H
#define HEAPTOP_CHOOSE_H

#include <stdio.h>
#include <sys/types.h>

#include "heaptop/err.h"

/*
 * The CPython processes whose number or command contains the pattern. One: its
 * PID and 0. None: ERR_GONE. Several: *pid is 0 and the error (ERR_USAGE) says
 * so; the screen's picker takes it from there, batch prints choose_list().
 */
int choose_pid(const char *pattern, pid_t *pid, struct err *err);

/* The list as text; `pattern` NULL for all. */
int choose_list(FILE *out, const char *pattern, struct err *err);

#endif
