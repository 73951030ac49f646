/*
 * arenas.h - the picture of fragmentation: every pool of every arena in one byte.
 *
 * A section of its own, counted like the objects section, because it is as large as
 * the heap has pools and is shared by the snapshots in which nothing moved, and by
 * those that come before it is taken anew.
 */
#ifndef HEAPTOP_ARENAS_H
#define HEAPTOP_ARENAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

/* A cell is one of the first three, or POOL_CELL_USED + class * POOL_FILLS + fill. */
enum pool_cell {
    POOL_CELL_FREE = 0,  /* empty: any size class may take it */
    POOL_CELL_UNTOUCHED, /* never carved */
    POOL_CELL_TORN,      /* changed while it was read, or could not be read */
    POOL_CELL_USED,
};

/* 0: hardly a block in use ... POOL_FILLS - 1: no block is free. */
#define POOL_FILLS     7
#define POOL_FILL_FULL (POOL_FILLS - 1)

static inline bool pool_cell_is_used(uint8_t cell)
{
    return cell >= POOL_CELL_USED;
}

static inline int pool_cell_fill(uint8_t cell)
{
    return (cell - POOL_CELL_USED) % POOL_FILLS;
}

static inline uint32_t pool_cell_class(uint8_t cell)
{
    return (uint32_t)((cell - POOL_CELL_USED) / POOL_FILLS);
}

/* `used` of `capacity` blocks, used > 0. */
static inline uint8_t pool_cell_of(uint32_t size_class, uint32_t used, uint32_t capacity)
{
    uint32_t fill = used >= capacity ? POOL_FILL_FULL : used * POOL_FILL_FULL / capacity;

    return (uint8_t)(POOL_CELL_USED + size_class * POOL_FILLS + fill);
}

struct arena_picture {
    uint64_t address;
    uint32_t
        order; /* place in usable_arenas: 1 gives the next pool; 0: no pool is free */
    uint32_t blocks_used, used_bytes;
    uint8_t pools, pools_used, pools_free, pools_untouched; /* the rest is torn */
};

struct arenas_section {
    int64_t taken_mono_ns;
    bool is_order_exact; /* else the list was changing: ordered by free pools instead */
    uint64_t arena_bytes_each, pool_bytes_each;
    uint32_t class_bytes; /* class i has blocks of i + 1 times this */
    size_t n_arenas;
    const struct arena_picture *arenas; /* in no order */
    size_t pools_each;                  /* cells of one arena */
    const uint8_t *cells;               /* pools_each for each arena, in order */
    struct arena *memory;               /* owns all; private */
    int references;                     /* private, atomic */
};

static inline const uint8_t *arena_cells(const struct arenas_section *section,
                                         size_t arena)
{
    return section->cells + arena * section->pools_each;
}

const struct arenas_section *arenas_ref(const struct arenas_section *section);
void arenas_unref(const struct arenas_section *section);

#endif
