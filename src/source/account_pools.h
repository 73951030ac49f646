/*
 * account_pools.h - pymalloc's part of RES: each resident byte of each arena once.
 *
 * Reads the headers of all pools, arena by arena. Where pages of a used pool are not in
 * memory, its bytes are shared out as its blocks are. A pool that keeps changing is left
 * out: it shows up as unexplained.
 *
 * Borrows everything. One thread.
 */
#ifndef HEAPTOP_SOURCE_ACCOUNT_POOLS_H
#define HEAPTOP_SOURCE_ACCOUNT_POOLS_H

#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "source/arenas.h"
#include "target/reader.h"
#include "target/residency.h"

/* What is in use in one arena, in the order of the table. */
struct arena_use {
    uint64_t blocks_used, resident_bytes;
    bool is_torn;
};

struct account_pools {
    struct reader *reader;
    struct residency *residency;
    const struct layout_pymalloc *pymalloc;
    const struct arena_table *table;
    size_t next;            /* the arena that is counted next */
    struct arena_use *uses; /* table->count of them; NULL: no memory */
};

void account_pools_begin(struct account_pools *pools);

/* Adds the next arena to the parts; false when there is none. */
bool account_pools_step(struct account_pools *pools,
                        struct account_bytes parts[ACCOUNT_PARTS]);

void account_pools_release(struct account_pools *pools);

#endif
