#include "source/inspect.h"

#include <inttypes.h>
#include <stdlib.h>

#include "source/objects_walk.h"
#include "util/clock.h"

#define POOL_READS_MAX 8

/* One inspection while it is made. */
struct inspecting {
    struct walk walk; /* for its types; it never walks */
    struct inspection *inspection;
    uint8_t *bytes; /* of one pool */
};

static uint16_t inspect_block(struct inspecting *inspecting, const struct pool *pool,
                              uint32_t index, uint64_t address)
{
    const uint8_t *block =
        inspecting->bytes + POOL_HEADER_BYTES + (size_t)index * pool->block_bytes;
    const struct type_entry *entry;
    bool is_free_listed;

    if (index >= pool->n_carved)
        return BLOCK_UNTOUCHED;
    if (pool->n_free && pool->free[index / 64] >> index % 64 & 1)
        return BLOCK_FREE;
    entry =
        walk_block_type(&inspecting->walk, pool->block_bytes, block,
                        address + POOL_HEADER_BYTES + (uint64_t)index * pool->block_bytes,
                        &is_free_listed);
    if (is_free_listed)
        return BLOCK_FREE_LIST;
    return entry
               ? inspection_count(inspecting->inspection, entry->kind, pool->block_bytes)
               : BLOCK_PART;
}

static void inspect_blocks(struct inspecting *inspecting, struct inspected_pool *into,
                           const struct pool *pool)
{
    uint32_t pool_bytes = inspecting->walk.layout.pymalloc.pool_bytes;

    into->n_blocks = (pool_bytes - POOL_HEADER_BYTES) / pool->block_bytes;
    into->blocks = calloc(into->n_blocks, sizeof(*into->blocks));
    if (!into->blocks) {
        into->n_blocks = 0;
        return;
    }
    into->state = INSPECTED_USED;
    into->block_bytes = pool->block_bytes;
    into->free = pool->n_free;
    into->untouched = into->n_blocks - pool->n_carved;
    into->used = pool->n_carved - pool->n_free;
    for (uint32_t i = 0; i < into->n_blocks; i++)
        into->blocks[i] = inspect_block(inspecting, pool, i, into->address);
}

/* A pool that changes while it is read is read again, a few times. */
static void inspect_pool(struct inspecting *inspecting, struct inspected_pool *into,
                         const struct arena_row *row)
{
    struct walk *walk = &inspecting->walk;
    uint32_t pool_bytes = walk->layout.pymalloc.pool_bytes;
    bool is_present;
    struct pool pool;

    into->state = INSPECTED_TORN;
    /* What was swapped out is not brought back by looking at it. */
    if (pagemap_run(&walk->workers[0].pagemap, into->address, pool_bytes, &is_present) <
            pool_bytes ||
        !is_present)
        return;
    for (int i = 0; i < POOL_READS_MAX; i++) {
        if (reader_read(walk->reader, raddr_of(into->address), inspecting->bytes,
                        pool_bytes))
            return;
        switch (
            pool_read(&pool, inspecting->bytes, pool_bytes, into->address, row->index)) {
        case POOL_USED:
            inspect_blocks(inspecting, into, &pool);
            return;
        case POOL_EMPTY:
        case POOL_FOREIGN:
            into->state = INSPECTED_FREE;
            return;
        case POOL_TORN:
            break;
        }
    }
}

static void inspect_pools(struct inspecting *inspecting, const struct arena_row *row)
{
    struct inspection *inspection = inspecting->inspection;
    uint32_t pool_bytes = inspecting->walk.layout.pymalloc.pool_bytes;

    for (size_t i = 0; i < row->total_pools && i < INSPECTION_POOLS; i++) {
        struct inspected_pool *pool = &inspection->pools[inspection->n_pools++];

        pool->address = row->first_pool + i * pool_bytes;
        pool->state = INSPECTED_UNTOUCHED;
        if (pool->address < row->pool_high)
            inspect_pool(inspecting, pool, row);
    }
}

static int inspect_begin(struct inspecting *inspecting, uint64_t arena,
                         const struct arena_row **row, struct err *err)
{
    struct walk *walk = &inspecting->walk;
    size_t bad;

    inspecting->inspection = calloc(1, sizeof(*inspecting->inspection));
    inspecting->bytes = malloc(walk->layout.pymalloc.pool_bytes);
    if (!inspecting->inspection || !inspecting->bytes)
        return err_set(err, ERR_FAILED, "out of memory for a look at an arena");
    if (arenas_read(&walk->table, walk->reader, &walk->layout, &bad, err))
        return -1;
    arena_map_init(&walk->map, &walk->table, walk->layout.pymalloc.arena_bytes);
    *row = arenas_find(&walk->table, arena, walk->layout.pymalloc.arena_bytes);
    if (!*row || (*row)->address != arena)
        return err_set(err, ERR_GONE, "the arena at %#" PRIx64 " is gone: it was freed",
                       arena);
    return 0;
}

struct inspection *inspect_arena(struct target *target, const struct layout *layout,
                                 uint64_t arena, struct err *err)
{
    struct inspecting inspecting = {.inspection = NULL};
    const struct arena_row *row = NULL;

    if (!layout || !layout->has_pymalloc || !target->reader) {
        err_set(err, ERR_UNSUPPORTED, "the target's arenas are not known");
        return NULL;
    }
    walk_init(&inspecting.walk, target->reader, layout, target->type_type.value);
    walk_set_target_image(&inspecting.walk, target);
    walk_set_pagemap(&inspecting.walk, target->fds.pagemap);
    if (inspect_begin(&inspecting, arena, &row, err)) {
        free(inspecting.inspection);
        inspecting.inspection = NULL;
    } else {
        inspecting.inspection->arena = arena;
        inspecting.inspection->wall_ns = clock_wall_ns();
        inspect_pools(&inspecting, row);
    }
    free(inspecting.bytes);
    walk_release(&inspecting.walk);
    return inspecting.inspection;
}
