#include "source/objects_walk.h"

#include <string.h>

#include "util/bytes.h"

/*
 * Marks the free blocks. A list that leaves the pool, misses a block's start,
 * meets a block twice or is too long was changing while it was read.
 */
static bool pool_free_list(struct pool *pool, uint64_t block, const uint8_t *bytes,
                           uint64_t address)
{
    uint32_t end = POOL_HEADER_BYTES + pool->n_carved * pool->block_bytes;

    pool->n_free = 0;
    if (!block)
        return true;
    memset(pool->free, 0, sizeof(pool->free));
    while (block) {
        uint64_t offset = block - address;
        uint32_t index;

        if (offset < POOL_HEADER_BYTES || offset >= end)
            return false;
        index = ((uint32_t)offset - POOL_HEADER_BYTES) / pool->block_bytes;
        if (POOL_HEADER_BYTES + index * pool->block_bytes != offset ||
            pool->free[index / 64] >> index % 64 & 1)
            return false;
        pool->free[index / 64] |= UINT64_C(1) << index % 64;
        pool->n_free++;
        block = u64_at(bytes, offset);
    }
    return true;
}

enum pool_state pool_read(struct pool *pool, const uint8_t *bytes, uint32_t pool_bytes,
                          uint64_t address, uint32_t arena_index)
{
    struct pool_header header;

    memcpy(&header, bytes, sizeof(header));
    if (!header.count)
        return POOL_EMPTY;
    if (header.arenaindex != arena_index)
        return POOL_FOREIGN;
    if (header.szidx >= PYMALLOC_SIZE_CLASSES)
        return POOL_TORN;
    pool->block_bytes = pymalloc_block_bytes(header.szidx);
    if (header.maxnextoffset != pool_bytes - pool->block_bytes ||
        header.nextoffset < POOL_HEADER_BYTES || header.nextoffset > pool_bytes ||
        (header.nextoffset - POOL_HEADER_BYTES) % pool->block_bytes)
        return POOL_TORN;
    pool->n_carved = (header.nextoffset - POOL_HEADER_BYTES) / pool->block_bytes;
    if (!pool_free_list(pool, header.freeblock, bytes, address) ||
        header.count + pool->n_free != pool->n_carved)
        return POOL_TORN;
    return POOL_USED;
}
