/*
 * loader.h - the shared object that brings the agent in from inside, where heaptop
 * need not or may not touch the target from outside.
 *
 * Preloaded (loader_launch.c) it waits for a process that turns out to be Python;
 * imported by a remotely executed script (loader_remote.c) it loads the agent at
 * once and unloads itself. In both cases the agent's code comes into anonymous
 * memory, as in every other way in.
 *
 * heaptop writes the cargo into its copy of the object: it finds it by the magic.
 * Freestanding; included by heaptop too.
 */
#ifndef HEAPTOP_AGENT_LOADER_H
#define HEAPTOP_AGENT_LOADER_H

#include <stdint.h>

#include "agent/protocol.h"

#define LOADER_MAGIC           0x6f67726163707468ull /* "htpcargo" */
#define LOADER_IMAGE_BYTES_MAX 65536                 /* as AGENT_IMAGE_BYTES_MAX */

/* The preloaded object is /proc/self/fd/N for some N, the page's memory file N + 1.
 * Until the agent has taken the page it begins with this instead of AGENT_MAGIC. */
#define LOADER_PATH       "/proc/self/fd/"
#define LOADER_PAGE_MAGIC 0x6567617068637468ull

struct loader_cargo {
    uint64_t magic;
    uint64_t mailbox, ticket; /* remote: where the answer goes, and its first word */
    uint64_t length;          /* of the image, whole pages */
    uint64_t data_offset;     /* of its writable part */
    uint64_t entry, place;    /* offsets in it */
    uint8_t image[LOADER_IMAGE_BYTES_MAX];
};

/* What the remote way answers into the mailbox. */
struct loader_answer {
    uint64_t ticket;
    int64_t region; /* its address, or a negative errno */
};

#endif
