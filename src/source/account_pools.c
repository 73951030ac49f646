#include "source/account_pools.h"

#include <stdlib.h>
#include <string.h>

#include "layout/pymalloc_layout.h"

#define ATTEMPTS_MAX 4

void account_pools_begin(struct account_pools *pools)
{
    free(pools->uses);
    pools->next = 0;
    pools->uses = calloc(pools->table->count + 1, sizeof(*pools->uses));
}

void account_pools_release(struct account_pools *pools)
{
    free(pools->uses);
    pools->uses = NULL;
}

static void add(struct account_bytes *to, struct residency_bytes bytes)
{
    to->resident += bytes.resident;
    to->swapped += bytes.swapped;
}

/* The carved blocks, in use and free; which ones lie on which page is not looked at. */
static void add_carved(struct account_bytes parts[ACCOUNT_PARTS],
                       const struct pool_header *pool, struct residency_bytes bytes)
{
    uint64_t each = pymalloc_block_bytes(pool->szidx);
    uint64_t carved = (pool->nextoffset - POOL_HEADER_BYTES) / each;
    struct residency_bytes used = {0, 0, 0};

    if (carved) {
        used.resident = bytes.resident * pool->count / carved;
        used.swapped = bytes.swapped * pool->count / carved;
    }
    add(&parts[PART_OBJECTS], used);
    parts[PART_FREE_BLOCKS].resident += bytes.resident - used.resident;
    parts[PART_FREE_BLOCKS].swapped += bytes.swapped - used.swapped;
}

static void add_pool(struct account_pools *pools,
                     struct account_bytes parts[ACCOUNT_PARTS],
                     const struct pool_header *pool, uint64_t address)
{
    uint64_t end = address + pools->pymalloc->pool_bytes;
    uint64_t first = address + POOL_HEADER_BYTES, carved_end, blocks_end;

    if (!pool->count) {
        add(&parts[PART_FREE_POOLS], residency_of(pools->residency, address, end));
        return;
    }
    blocks_end = first + (uint64_t)pymalloc_pool_blocks(pools->pymalloc, pool->szidx) *
                             pymalloc_block_bytes(pool->szidx);
    carved_end =
        address + pool->nextoffset < blocks_end ? address + pool->nextoffset : blocks_end;
    add(&parts[PART_POOL_HEADERS], residency_of(pools->residency, address, first));
    add_carved(parts, pool, residency_of(pools->residency, first, carved_end));
    add(&parts[PART_FREE_BLOCKS], residency_of(pools->residency, carved_end, blocks_end));
    add(&parts[PART_POOL_HEADERS], residency_of(pools->residency, blocks_end, end));
}

static bool is_good(const struct account_pools *pools, const struct arena_row *row,
                    const struct pool_header *pool)
{
    return pool_header_is_consistent(pool, pools->pymalloc, row->index);
}

/* A header that was read in the middle of a change, or that cannot be read. */
static bool read_again(struct account_pools *pools, const struct arena_row *row,
                       uint64_t address, struct pool_header *pool)
{
    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++)
        if (!reader_read(pools->reader, raddr_of(address), pool, sizeof(*pool)) &&
            is_good(pools, row, pool))
            return true;
    return false;
}

static bool is_swapped(struct account_pools *pools, uint64_t address)
{
    return residency_of(pools->residency, address, address + 1).swapped != 0;
}

static void add_arena(struct account_pools *pools,
                      struct account_bytes parts[ACCOUNT_PARTS],
                      const struct arena_row *row, struct arena_use *use)
{
    struct pool_header headers[PYMALLOC_ARENA_POOLS];
    struct piece pieces[PYMALLOC_ARENA_POOLS];
    uint64_t each = pools->pymalloc->pool_bytes;
    uint64_t n = (row->pool_high - row->first_pool) / each;
    uint64_t end = row->address + pools->pymalloc->arena_bytes;
    uint64_t pools_end = row->first_pool + row->total_pools * each;

    for (uint64_t i = 0; i < n && i < PYMALLOC_ARENA_POOLS; i++)
        pieces[i] = (struct piece){raddr_of(row->first_pool + i * each), &headers[i],
                                   sizeof(headers[i]), false};
    if (n > PYMALLOC_ARENA_POOLS)
        n = PYMALLOC_ARENA_POOLS;
    /* A header that is swapped out is not brought back: its pool stays unexplained. */
    for (uint64_t i = 0; i < n; i++)
        if (is_swapped(pools, pieces[i].address.value))
            pieces[i].length = 0;
    reader_readv(pools->reader, pieces, (size_t)n);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t address = row->first_pool + i * each;

        if (pieces[i].length && ((pieces[i].done && is_good(pools, row, &headers[i])) ||
                                 read_again(pools, row, address, &headers[i]))) {
            add_pool(pools, parts, &headers[i], address);
            use->blocks_used += headers[i].count;
        } else {
            use->is_torn = true;
        }
    }
    add(&parts[PART_NEVER_CARVED],
        residency_of(pools->residency, row->first_pool + n * each, pools_end));
    add(&parts[PART_POOL_HEADERS],
        residency_of(pools->residency, row->address, row->first_pool));
    add(&parts[PART_POOL_HEADERS], residency_of(pools->residency, pools_end, end));
    use->resident_bytes = residency_of(pools->residency, row->address, end).resident;
}

bool account_pools_step(struct account_pools *pools,
                        struct account_bytes parts[ACCOUNT_PARTS])
{
    if (!pools->uses || pools->next >= pools->table->count)
        return false;
    add_arena(pools, parts, &pools->table->rows[pools->next], &pools->uses[pools->next]);
    pools->next++;
    return true;
}
