/*
 * arenas.h - the target's table of arenas, read and checked.
 *
 * Shared by the pymalloc source (counts) and the objects walk (contents).
 * The table moves when it grows, so it is read anew each time.
 */
#ifndef HEAPTOP_SOURCE_ARENAS_H
#define HEAPTOP_SOURCE_ARENAS_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "layout/layout.h"
#include "layout/pymalloc_layout.h"
#include "target/reader.h"

struct arena_row {
    uint32_t index;      /* slot in the table: pools carry it in arenaindex */
    uint64_t address;    /* base, page aligned */
    uint64_t first_pool; /* address aligned up to the pool size */
    uint64_t pool_high; /* next never-carved pool: [first_pool, pool_high) have headers */
    uint32_t total_pools; /* ntotalpools */
    uint64_t arenas_word; /* of its table: interpreters may have their own (3.12+) */
    uint32_t order;       /* place in usable_arenas, from 1; 0 = no pool is free */
};

struct arena_table {
    struct arena_row *rows; /* sorted by address */
    size_t count;
    uint64_t n_slots;
    uint32_t n_usable;   /* with a free pool */
    bool is_order_exact; /* the lists of usable arenas were whole */
};

/* Reads every used slot of every interpreter's table; implausible slots are left out and
 * counted in *bad. */
int arenas_read(struct arena_table *table, struct reader *reader,
                const struct layout *layout, size_t *bad, struct err *err);
void arenas_release(struct arena_table *table);

/* One slot as a row; false when it is unused or implausible. */
bool arena_row_from_slot(struct arena_row *row, const struct arena_object *slot,
                         uint32_t index, const struct layout_pymalloc *pymalloc);

/* The place of every slot in the list of usable arenas, from 1; 0 = not on it. `orders`
 * comes zeroed. False when the list was changing: then they are ordered as it must be,
 * by their free pools. */
bool arenas_order(const struct arena_object *slots, uint64_t count,
                  uint64_t table_address, uint32_t *orders);

/* The arena that contains the address, or NULL. */
const struct arena_row *arenas_find(const struct arena_table *table, uint64_t address,
                                    uint64_t arena_bytes);

#endif
