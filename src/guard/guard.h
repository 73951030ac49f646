/*
 * guard.h - what this process may still do once it reads foreign memory.
 *
 * main() begins the guard once: after the options, the configuration and the log,
 * before anything of a target is parsed, and while there is one thread. Who started
 * heaptop with rights worth dropping leaves them to the helper (helper.h); from then
 * on this process runs as another user, without capabilities, without a way to get
 * rights, not dumpable, with few descriptors, and with the system calls of
 * syscalls.def only. What the kernel does not offer is left out and named in
 * guard_words(): the guard never keeps heaptop from working.
 */
#ifndef HEAPTOP_GUARD_GUARD_H
#define HEAPTOP_GUARD_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "guard/helper.h"

/* What the process still does itself; bits. */
enum guard_need {
    GUARD_ALWAYS = 0,
    GUARD_ATTACHES = 1, /* loads the agent: an ordinary user has no helper */
    GUARD_WRITES = 2,   /* opens files for writing after the guard began */
    GUARD_LAUNCHED = 4, /* has started the target, and takes leave of it */
    GUARD_SERVES = 8,   /* answers clients at a socket that listens already */
};

struct guard_options {
    const struct helper_service *const *services; /* of the helper */
    pid_t target;   /* whose user it becomes; 0: not known yet */
    unsigned needs; /* bits of enum guard_need */
    /* A program that heaptop started has its very rights, and is waited for and
     * signalled until its end: giving them up would win nothing. */
    bool keeps_user;
    bool watches_many; /* a tree of processes, a folder of recordings: many descriptors */
};

/* Not setuid, not setgid, no capabilities of the file: -1 with a sentence otherwise. */
int guard_check_start(struct err *err);

/* Root, or any capability that is in effect? */
bool guard_is_privileged(void);

/* -1 only when rights would be kept that should have been dropped. */
int guard_begin(const struct guard_options *options, struct err *err);

/* For a process beside heaptop that has all it needs, and meets strangers: nobody's
 * rights, few descriptors, no core. -1 when rights would be kept. */
int guard_give_up_rights(struct err *err);

/* One line: what is in force. "" before guard_begin(). */
const char *guard_words(void);

#endif
