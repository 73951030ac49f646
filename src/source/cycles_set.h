/*
 * cycles_set.h - the objects that the collector tracks, and four bytes for each.
 *
 * An object in an arena is one bit among those of all places where an object may begin,
 * and its mark is found by counting the bits in front: that is a hundredth of the heap
 * and four bytes an object, and a word that leads to none is mostly told so by one bit.
 * The few outside the arenas are in lists of their own (cycles_far.h).
 *
 * Filled in rising order, arena by arena, then sorted. One thread.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_SET_H
#define HEAPTOP_SOURCE_CYCLES_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/cycles_far.h"
#include "source/objects_map.h"

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
    struct cycles_mark *marks; /* of objects in arenas */
    size_t count, capacity;
    struct cycles_far far;
};

/* Where an iteration over all objects stands; all zero at its beginning. */
struct cycles_at {
    size_t row, word;
    size_t index; /* in arenas, then in the region outside */
    size_t region;
    uint64_t bits; /* of the word, that are to come */
    bool is_in_word, is_far;
};

bool cycles_set_init(struct cycles_set *set, const struct arena_table *arenas,
                     uint32_t arena_bytes);
void cycles_set_release(struct cycles_set *set);

/* An object of that arena, behind all that were added; false when there is no room. */
bool cycles_set_add(struct cycles_set *set, size_t row, uint64_t address,
                    struct cycles_mark mark);
/* No more objects of the arena will come. */
void cycles_set_end_arena(struct cycles_set *set, size_t row);

/* An object outside the arenas, at a multiple of 16; also true when it is there. */
static inline bool cycles_set_add_far(struct cycles_set *set, uint64_t address,
                                      struct cycles_mark mark)
{
    return cycles_far_add(&set->far, address, mark);
}

/* The object's mark, or NULL. Valid until one is added. */
struct cycles_mark *cycles_set_find(const struct cycles_set *set, uint64_t address);

/* The mark of the next object in rising order of the arenas, then of what is outside;
 * NULL: there is none. All must have been added, and cycles_far_sort() called. */
struct cycles_mark *cycles_set_next(const struct cycles_set *set, struct cycles_at *at,
                                    uint64_t *address);

#endif
