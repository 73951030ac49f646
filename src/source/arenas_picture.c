#include "source/arenas_picture.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

int picture_begin(struct picture *picture, const struct arena_table *table,
                  const struct layout_pymalloc *pymalloc)
{
    memset(picture, 0, sizeof(*picture));
    picture->capacity = table->count;
    picture->facts = (struct arenas_section){
        .taken_mono_ns = clock_monotonic_ns(),
        .is_order_exact = table->is_order_exact,
        .arena_bytes_each = pymalloc->arena_bytes,
        .pool_bytes_each = pymalloc->pool_bytes,
        .class_bytes = pymalloc_block_bytes(0),
        .pools_each = pymalloc->arena_bytes / pymalloc->pool_bytes,
    };
    picture->arenas = calloc(table->count + 1, sizeof(*picture->arenas));
    picture->cells = malloc((table->count + 1) * picture->facts.pools_each);
    picture->facts.arenas = picture->arenas;
    picture->facts.cells = picture->cells;
    return picture->arenas && picture->cells ? 0 : -1;
}

void picture_release(struct picture *picture)
{
    free(picture->arenas);
    free(picture->cells);
    memset(picture, 0, sizeof(*picture));
}

/* Its pools are taken for never carved until one is handed in. */
void picture_arena(struct picture *picture, const struct arena_row *row)
{
    size_t pools_each = picture->facts.pools_each, at = picture->facts.n_arenas;
    uint32_t pools = row->total_pools;

    if (at == picture->capacity)
        return;
    if (pools > pools_each)
        pools = (uint32_t)pools_each;
    picture->facts.n_arenas++;
    picture->arenas[at] = (struct arena_picture){
        .address = row->address,
        .order = row->order,
        .pools = (uint8_t)pools,
        .pools_untouched = (uint8_t)pools,
    };
    memset(picture->cells + at * pools_each, POOL_CELL_UNTOUCHED, pools_each);
}

void picture_pool(struct picture *picture, size_t index, const struct pool_header *pool,
                  const struct layout_pymalloc *pymalloc)
{
    struct arena_picture *arena;
    uint8_t *cell;

    if (!picture->facts.n_arenas || index >= picture->facts.pools_each)
        return;
    arena = &picture->arenas[picture->facts.n_arenas - 1];
    cell = picture->cells + (picture->facts.n_arenas - 1) * picture->facts.pools_each +
           index;
    if (arena->pools_untouched)
        arena->pools_untouched--;
    if (!pool) {
        *cell = POOL_CELL_TORN;
        return;
    }
    if (!pool->count) {
        *cell = POOL_CELL_FREE;
        arena->pools_free++;
        return;
    }
    *cell = pool_cell_of(pool->szidx, pool->count,
                         pymalloc_pool_blocks(pymalloc, pool->szidx));
    arena->pools_used++;
    arena->blocks_used += pool->count;
    arena->used_bytes += pool->count * pymalloc_block_bytes(pool->szidx);
}
