/*
 * arenas_picture.h - collects the arenas section while the pools are counted.
 *
 * Arenas come in any order, each followed by its pools. What the target could make too
 * large is left out, never written past. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_ARENAS_PICTURE_H
#define HEAPTOP_SOURCE_ARENAS_PICTURE_H

#include "heaptop/arenas.h"
#include "source/arenas.h"

struct picture {
    struct arenas_section facts;
    struct arena_picture *arenas;
    uint8_t *cells;
    size_t capacity; /* arenas */
};

/* -1 when out of memory; release in any case. */
int picture_begin(struct picture *picture, const struct arena_table *table,
                  const struct layout_pymalloc *pymalloc);
void picture_release(struct picture *picture);

void picture_arena(struct picture *picture, const struct arena_row *row);
/* The pool of this index in the arena that came last; NULL = torn. */
void picture_pool(struct picture *picture, size_t index, const struct pool_header *pool,
                  const struct layout_pymalloc *pymalloc);

#endif
