/*
 * ways.h - which way the agent takes into a process that runs already.
 *
 * One choice for the whole program, made by main() before anything is attached;
 * injectors inherit it.
 */
#ifndef HEAPTOP_ATTACH_WAYS_H
#define HEAPTOP_ATTACH_WAYS_H

enum attach_way {
    ATTACH_AUTO = 0, /* by ptrace, else by remote execution */
    ATTACH_PTRACE,
    ATTACH_REMOTE, /* CPython 3.14+ executes a script on request */
};

void attach_choose_way(enum attach_way way);
enum attach_way attach_way(void);

#endif
