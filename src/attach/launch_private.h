/* launch_private.h - what launch.c (the start) and launch_life.c (the rest) share. */
#ifndef HEAPTOP_ATTACH_LAUNCH_PRIVATE_H
#define HEAPTOP_ATTACH_LAUNCH_PRIVATE_H

#include <limits.h>

#include "agent/protocol.h"
#include "attach/launch.h"

#define LAUNCH_PAGE_BYTES ((sizeof(struct agent_page) + 4095) & ~(size_t)4095)

struct launch {
    char name[64]; /* of the program, clean */
    pid_t pid;
    bool beside_screen;
    bool has_ended;
    int wait_status;         /* of waitpid, once it has ended */
    pid_t python;            /* 0 = none was seen */
    int page_fd;             /* -1 = no agent, or taken */
    struct agent_page *page; /* hostile; NULL = no agent */
    int output_fd;           /* -1 = no file */
    char output[PATH_MAX];   /* the file's name */
};

/* Asks whether the program has ended, without waiting. */
bool launch_has_ended(struct launch *launch);
void launch_free(struct launch *launch);

#endif
