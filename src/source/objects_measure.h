/*
 * objects_measure.h - what one object takes altogether: for passes over the objects.
 *
 * Size as sys.getsizeof would say, and memory as the allocators gave it: the object's
 * block and its parts, each looked up where it lies. What other objects share with it (a
 * table of keys) is not counted, and neither is its dict, which is an object of its own.
 *
 * Reads the target, one place after the other: for what was asked about, not for all.
 * Borrows the walk, which must be under way. One thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_MEASURE_H
#define HEAPTOP_SOURCE_OBJECTS_MEASURE_H

#include "source/objects_walk.h"

struct measure {
    struct walk *walk;
    uint8_t (
        *classes)[PYMALLOC_ARENA_POOLS]; /* by row of the arenas: class + 1; 0: none */
    uint8_t *is_known;                   /* by row */
};

struct measured {
    uint64_t size_bytes, memory_bytes;
    uint64_t dict; /* the address of its own; 0 = it has none */
};

/* After walk_begin(); -1 when out of memory. */
int measure_begin(struct measure *measure, struct walk *walk, struct err *err);
void measure_release(struct measure *measure);

void measure_object(struct measure *measure, const struct met_object *met,
                    struct measured *measured);

/* The block or chunk that an object at this address begins, with its prefix; 0 = not
 * known. */
uint64_t measure_block(struct measure *measure, const struct type_entry *entry,
                       const struct object_view *view);

/* Copies from the walk's window where the address lies in it, else reads the target; -1
 * also when the page is not in memory. */
int measure_read(struct measure *measure, uint64_t address, void *buffer, size_t length);

#endif
