/*
 * maps.h - /proc/PID/maps as a sorted array.
 *
 * The text comes from the kernel, but paths in it come from the target: they
 * are kept raw here and cleaned where they are shown. maps_parse() takes any
 * bytes (it is fuzzed) and skips lines that make no sense.
 */
#ifndef HEAPTOP_TARGET_MAPS_H
#define HEAPTOP_TARGET_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "target/raddr.h"

#define MAPS_LIMIT 200000 /* mappings; more are dropped and `cut` is set */

struct mapping {
    uint64_t start;
    uint64_t end;
    uint64_t offset;
    uint64_t inode;
    uint32_t device_major;
    uint32_t device_minor;
    bool is_readable;
    bool is_writable;
    bool is_executable;
    bool is_shared;
    const char *path; /* "" for anonymous, "[heap]", "[stack]", a path; raw */
};

struct maps {
    struct mapping *mappings; /* sorted by start, not overlapping */
    size_t count;
    bool cut;
    char *paths; /* storage of the paths */
};

/* Fills `maps` from text; always succeeds, perhaps with fewer mappings. */
void maps_parse(struct maps *maps, const char *text, size_t length);

/* Reads the kept descriptor of /proc/PID/maps from its beginning. */
int maps_read(struct maps *maps, int maps_fd, struct err *err);

void maps_release(struct maps *maps);

/* The mapping that contains the address, or NULL. Borrowed from `maps`. */
const struct mapping *maps_find(const struct maps *maps, struct raddr address);

/* Readable, writable, private, without a file (heap, stacks and [anon] included). */
bool mapping_is_anonymous(const struct mapping *mapping);

#endif
