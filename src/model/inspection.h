/*
 * inspection.h - one arena looked at closely: every block of every pool.
 *
 * Made on request by the sampler's thread (source/inspect.h), then owned by whoever
 * took the message; nothing is shared. Kinds are interned and live on.
 */
#ifndef HEAPTOP_MODEL_INSPECTION_H
#define HEAPTOP_MODEL_INSPECTION_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"

#define INSPECTION_POOLS 128
#define INSPECTION_KINDS 1024 /* what more there are is counted as BLOCK_OTHER_KIND */

/* What a block holds; BLOCK_KIND + i is an object of kinds[i]. */
enum inspected_block {
    BLOCK_UNTOUCHED = 0, /* never used */
    BLOCK_FREE,
    BLOCK_PART,      /* in use, and no object: a part of one, or another's memory */
    BLOCK_FREE_LIST, /* a dead object that is kept for reuse */
    BLOCK_OTHER_KIND,
    BLOCK_KIND,
};

enum inspected_state {
    INSPECTED_USED = 0,
    INSPECTED_FREE,      /* empty: any size class may take it */
    INSPECTED_UNTOUCHED, /* never carved */
    INSPECTED_TORN,      /* changed each time it was read, or could not be read */
};

struct inspected_pool {
    uint64_t address;
    enum inspected_state state;
    uint32_t block_bytes; /* the rest is 0 unless the pool is used */
    uint32_t n_blocks, used, free, untouched;
    uint16_t *blocks; /* enum inspected_block, n_blocks of them */
};

struct inspected_kind {
    const struct kind *kind;
    uint32_t blocks;
    uint64_t bytes;
};

struct inspection {
    uint64_t arena;
    int64_t wall_ns;
    size_t n_pools, n_kinds;
    struct inspected_pool pools[INSPECTION_POOLS];
    struct inspected_kind kinds[INSPECTION_KINDS];
};

void inspection_free(struct inspection *inspection);

/* The block of an object of this kind, counted. */
uint16_t inspection_count(struct inspection *inspection, const struct kind *kind,
                          uint32_t block_bytes);

/* The kinds of one pool by their blocks, most first: at most `most` indices of
 * inspection->kinds; returns how many. `blocks` gets how many each has. */
size_t inspection_pool_kinds(const struct inspection *inspection, size_t pool,
                             uint16_t *kinds, uint32_t *blocks, size_t most);

#endif
