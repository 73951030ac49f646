/*
 * cycles_set.h - the objects that the collector tracks, and four bytes for each.
 *
 * An object in an arena is one bit among those of all places where an object may begin,
 * and its mark is found by counting the bits in front: that is a hundredth of the heap
 * and four bytes an object, and a word that leads to none is mostly told so by one bit.
 * The few outside the arenas are in a table of addresses.
 *
 * Filled in rising order, arena by arena, then sealed. One thread.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_SET_H
#define HEAPTOP_SOURCE_CYCLES_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/objects_map.h"

#define CYCLES_GRANULE_SHIFT   4               /* objects begin at multiples of 16 */
#define CYCLES_REFERENCES_MOST ((1 << 26) - 1) /* and more: never counted down */

struct cycles_mark {
    int32_t references : 27; /* that are not accounted for */
    uint32_t is_reachable : 1;
    uint32_t is_held : 1; /* by an opaque type in the garbage, perhaps */
    uint32_t is_scanned : 1;
    uint32_t is_opaque : 1;
    uint32_t is_weakref : 1;
};

struct cycles_arena {
    uint64_t *bits;  /* NULL: no object */
    uint16_t *ranks; /* objects in front of each word of bits */
    size_t first;    /* the arena's first object */
};

struct cycles_set {
    struct arena_map map;
    const struct arena_table *arenas; /* borrowed */
    size_t n_words;                   /* of an arena's bits */
    struct cycles_arena *rows;
    struct cycles_mark *marks;
    size_t count, capacity;
    size_t n_near; /* marks of objects in arenas; the others follow */
    uint64_t *far; /* addresses of the others */
    size_t far_capacity;
    uint32_t *slots; /* by address: index in far + 1 */
    size_t n_slots;
};

/* Where an iteration over all objects stands; all zero at its beginning. */
struct cycles_at {
    size_t row, word, index;
    uint64_t bits; /* of the word, that are to come */
    bool is_in_word;
};

#define CYCLES_NONE SIZE_MAX

bool cycles_set_init(struct cycles_set *set, const struct arena_table *arenas,
                     uint32_t arena_bytes);
void cycles_set_release(struct cycles_set *set);

/* An object of that arena, behind all that were added; false when there is no room. */
bool cycles_set_add(struct cycles_set *set, size_t row, uint64_t address,
                    struct cycles_mark mark);
/* No more objects of the arena will come. */
void cycles_set_end_arena(struct cycles_set *set, size_t row);

/* An object outside the arenas, when all arenas are done; also true when it is there. */
bool cycles_set_add_far(struct cycles_set *set, uint64_t address,
                        struct cycles_mark mark);

/* The object's index, or CYCLES_NONE. */
size_t cycles_set_index(const struct cycles_set *set, uint64_t address);

/* The next object in rising order of the arenas; false when there is none. */
bool cycles_set_next(const struct cycles_set *set, struct cycles_at *at,
                     uint64_t *address, size_t *index);

#endif
