/*
 * launch.h - a program that heaptop starts, with the agent in it.
 *
 * The program gets a preloaded object (agent/loader_launch.c) from a memory file. The
 * first process that turns out to be Python takes the agent's page, which heaptop has
 * made; nothing is traced and no foreign memory is touched. The program is never ended
 * by heaptop except when the user interrupts heaptop before any Python came up.
 *
 * Main thread, except launch_take_page().
 */
#ifndef HEAPTOP_ATTACH_LAUNCH_H
#define HEAPTOP_ATTACH_LAUNCH_H

#include <stdbool.h>
#include <sys/types.h>

#include "heaptop/err.h"

struct launch;

struct launch_options {
    char **command;  /* NULL-terminated */
    bool with_agent; /* false: only start it */
    /* Beside the screen the program has a session of its own, /dev/null as its input,
     * and its output goes to a file, or to heaptop's stderr when that is no terminal.
     * Otherwise it keeps heaptop's terminal, and its output goes to stderr. */
    bool beside_screen;
};

int launch_start(const struct launch_options *options, struct launch **launch,
                 struct err *err);

/* Waits until a Python is up in it, and says which process that is. -1: it ended
 * before, or what it runs is no Python that heaptop can see. */
int launch_wait(struct launch *launch, pid_t *pid, struct err *err);

/* The descriptor of the agent's page for this process, once; the caller closes it.
 * -1: no agent came with it. The sampler's thread. */
int launch_take_page(struct launch *launch, pid_t pid);

/* Hands a signal on that was sent to heaptop and is meant for the program. */
void launch_pass_on(const struct launch *launch, int number);

/* After heaptop is done with it: what the shell should be told, and words for the
 * user on stderr. Beside a screen, a program that still runs goes on; otherwise its
 * end is waited for, and signals that are meant for it are handed on. Frees all. */
int launch_end(struct launch *launch);

#endif
