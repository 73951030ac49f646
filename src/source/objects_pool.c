#include "source/objects_walk.h"

#include <string.h>

static uint32_t u32_at(const uint8_t *bytes, size_t offset)
{
    uint32_t value;

    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

static uint64_t u64_at(const uint8_t *bytes, size_t offset)
{
    uint64_t value;

    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

/*
 * Marks the free blocks. A list that leaves the pool, misses a block's start,
 * meets a block twice or is too long was changing while it was read.
 */
static bool pool_free_list(struct pool *pool, const uint8_t *bytes, uint64_t address)
{
    uint64_t block = u64_at(bytes, 8);
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

/* obmalloc.c struct pool_header: ref.count @0, freeblock @8, arenaindex @32,
 * szidx @36, nextoffset @40, maxnextoffset @44. */
enum pool_state pool_read(struct pool *pool, const uint8_t *bytes, uint32_t pool_bytes,
                          uint64_t address, uint32_t arena_index)
{
    uint32_t n_used = u32_at(bytes, 0), size_class = u32_at(bytes, 36);
    uint32_t next_offset = u32_at(bytes, 40);

    if (!n_used)
        return POOL_EMPTY;
    if (u32_at(bytes, 32) != arena_index)
        return POOL_FOREIGN;
    if (size_class >= BLOCK_BYTES_MAX / 16)
        return POOL_TORN;
    pool->block_bytes = (size_class + 1) * 16;
    if (u32_at(bytes, 44) != pool_bytes - pool->block_bytes ||
        next_offset < POOL_HEADER_BYTES || next_offset > pool_bytes ||
        (next_offset - POOL_HEADER_BYTES) % pool->block_bytes)
        return POOL_TORN;
    pool->n_carved = (next_offset - POOL_HEADER_BYTES) / pool->block_bytes;
    if (!pool_free_list(pool, bytes, address) || n_used + pool->n_free != pool->n_carved)
        return POOL_TORN;
    return POOL_USED;
}
