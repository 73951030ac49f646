/*
 * memory_room.h - how much more memory the system would let a process have: the least
 * that its memory groups, the machine, and strict overcommit leave.
 *
 * Files of the kernel only, as heaptop sees them; a limit that cannot be read does not
 * count.
 */
#ifndef HEAPTOP_TARGET_MEMORY_ROOM_H
#define HEAPTOP_TARGET_MEMORY_ROOM_H

#include <stddef.h>

#include "heaptop/reading.h"

struct memory_room {
    struct reading bytes; /* unknown when nothing limits it that could be read */
    char who[96];         /* whose limit it is: "the memory group /x.service"; clean */
};

/* `dir_fd` is the kept directory /proc/PID. */
struct memory_room memory_room_of(int dir_fd);

/* As memory_room_of() of the text of /proc/PID/cgroup, with the hierarchies at `root`. */
struct memory_room memory_room_of_groups(const char *text, const char *root);

#endif
