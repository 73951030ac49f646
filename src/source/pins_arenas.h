/*
 * pins_arenas.h - which arenas are mostly free, from the headers of their pools.
 *
 * Counts on the way the pools that are mostly free, by size class. Borrows everything.
 * One thread; everything read is hostile.
 */
#ifndef HEAPTOP_SOURCE_PINS_ARENAS_H
#define HEAPTOP_SOURCE_PINS_ARENAS_H

#include "heaptop/pins.h"
#include "layout/layout.h"
#include "layout/pymalloc_layout.h"
#include "source/arenas.h"
#include "target/pagemap.h"
#include "target/reader.h"

struct pin_arena {
    const struct arena_row *row;
    uint64_t blocks, used_bytes; /* in use, by the headers */
    uint64_t resident_bytes;
    uint64_t
        objects; /* entries of free lists are none; known when its blocks were read */
    bool is_torn;
};

struct pins_arenas {
    struct reader *reader;
    struct pagemap *pagemap;
    const struct layout_pymalloc *pymalloc;
    const struct arena_table *table;
    size_t next;              /* the row that is looked at next */
    struct pin_arena *arenas; /* those mostly free */
    size_t count;
    struct pin_class classes[PYMALLOC_SIZE_CLASSES];
    bool has_free_arena; /* nothing at all is in use in one: pymalloc keeps it */
};

/* At most a tenth of it is in use. */
static inline bool pin_arena_is_cheap(const struct pins_arenas *pins,
                                      const struct pin_arena *arena)
{
    return arena->used_bytes * 10 <= pins->pymalloc->arena_bytes;
}

/* The members above `next` are given. False when out of memory. */
bool pins_arenas_begin(struct pins_arenas *pins);

/* Looks at the next arena; false when there is none. Then the cheapest stand first. */
bool pins_arenas_step(struct pins_arenas *pins);

void pins_arenas_release(struct pins_arenas *pins);

#endif
