/*
 * objects_follow.h - objects that no allocator's structures lead to: by what others refer
 * to.
 *
 * With another malloc than glibc's, large objects that the garbage collector does not
 * track (str, bytes, int of more than 512 bytes) stand in memory whose order is not
 * known. But somebody refers to them: each object's references are followed, those of
 * tracked ones first, and what is found is followed in turn. What only code in C holds is
 * missed.
 *
 * Part of the walk, which borrows nothing for it. Everything read is hostile: what is
 * found must be a living object of a known type, and readable to its end.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_FOLLOW_H
#define HEAPTOP_SOURCE_OBJECTS_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/cycles_edges.h"
#include "source/images.h"
#include "target/residency.h"
#include "util/address_set.h"

struct walk;
struct target;

enum follow_phase {
    FOLLOW_ARENAS = 0, /* what objects in arenas refer to */
    FOLLOW_LARGE,      /* what large tracked objects refer to */
    FOLLOW_FOUND,      /* what was found, and what that refers to */
};

struct walk_follow {
    bool is_wanted; /* the target's malloc is not glibc's */
    enum follow_phase phase;
    size_t next;
    struct images images; /* kept from walk to walk: whose malloc it is */
    struct residency residency;
    struct cycles_memory memory;
    struct cycles_edges edges;
    struct address_set seen;
    uint64_t *queue; /* of seen: not looked at yet */
    size_t n_queue, queue_capacity;
};

/* Finds out whether references must be followed in the walk that begins next. */
void walk_set_target_follow(struct walk *walk, struct target *target);

/* Goes on with it; false when all was followed. */
bool walk_follow_step(struct walk *walk, int64_t deadline_mono_ns);
void walk_follow_begin(struct walk *walk);
/* What is needed during one walk only. */
void walk_follow_end(struct walk *walk);
void walk_follow_release(struct walk *walk);

#endif
