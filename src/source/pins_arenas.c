#include "source/pins_arenas.h"

#include <stdlib.h>
#include <string.h>

bool pins_arenas_begin(struct pins_arenas *pins)
{
    pins->next = pins->count = 0;
    pins->has_free_arena = false;
    memset(pins->classes, 0, sizeof(pins->classes));
    for (uint32_t i = 0; i < PYMALLOC_SIZE_CLASSES; i++)
        pins->classes[i].block_bytes = pymalloc_block_bytes(i);
    free(pins->arenas);
    pins->arenas = calloc(pins->table->count + 1, sizeof(*pins->arenas));
    return pins->arenas != NULL;
}

void pins_arenas_release(struct pins_arenas *pins)
{
    free(pins->arenas);
    pins->arenas = NULL;
    pins->count = 0;
}

static uint64_t resident_bytes(struct pins_arenas *pins, const struct arena_row *row)
{
    uint64_t at = row->address, end = at + pins->pymalloc->arena_bytes, bytes = 0;

    while (at < end) {
        bool is_present;
        uint64_t run = pagemap_run(pins->pagemap, at, end - at, &is_present);

        bytes += is_present ? run : 0;
        at += run ? run : end - at;
    }
    return bytes;
}

static void count_pool(struct pins_arenas *pins, struct pin_arena *arena,
                       const struct pool_header *pool)
{
    struct pin_class *class = &pins->classes[pool->szidx];
    uint32_t capacity = pymalloc_pool_blocks(pins->pymalloc, pool->szidx);

    arena->blocks += pool->count;
    arena->used_bytes += (uint64_t)pool->count * class->block_bytes;
    if (pool->count * 2 >= capacity)
        return;
    class->pools++;
    class->blocks += pool->count;
    class->free_bytes += (uint64_t)(capacity - pool->count) * class->block_bytes;
}

/* Headers that are not in memory are not brought back: the arena counts as torn. */
static void read_headers(struct pins_arenas *pins, struct pin_arena *arena)
{
    const struct arena_row *row = arena->row;
    struct pool_header headers[PYMALLOC_ARENA_POOLS];
    struct piece pieces[PYMALLOC_ARENA_POOLS];
    uint64_t each = pins->pymalloc->pool_bytes;
    size_t count = (size_t)((row->pool_high - row->first_pool) / each);

    if (count > PYMALLOC_ARENA_POOLS)
        count = PYMALLOC_ARENA_POOLS;
    pagemap_forget(pins->pagemap);
    for (size_t i = 0; i < count; i++) {
        uint64_t address = row->first_pool + i * each;

        pieces[i] = (struct piece){
            raddr_of(address), &headers[i],
            pagemap_is_present(pins->pagemap, address) ? sizeof(headers[i]) : 0, false};
    }
    reader_readv(pins->reader, pieces, count);
    for (size_t i = 0; i < count; i++) {
        if (!pieces[i].length || !pieces[i].done ||
            !pool_header_is_consistent(&headers[i], pins->pymalloc, row->index))
            arena->is_torn = true;
        else if (headers[i].count)
            count_pool(pins, arena, &headers[i]);
    }
}

/* What it costs to empty it: objects for each byte that comes back. */
static int arena_compare(const void *left, const void *right)
{
    const struct pin_arena *a = left, *b = right;
    double price_a = (double)a->blocks * (double)b->resident_bytes;
    double price_b = (double)b->blocks * (double)a->resident_bytes;

    if (price_a < price_b || price_a > price_b)
        return price_a < price_b ? -1 : 1;
    return (a->row->address > b->row->address) - (a->row->address < b->row->address);
}

bool pins_arenas_step(struct pins_arenas *pins)
{
    struct pin_arena *arena = &pins->arenas[pins->count];

    if (pins->next >= pins->table->count) {
        qsort(pins->arenas, pins->count, sizeof(*pins->arenas), arena_compare);
        return false;
    }
    memset(arena, 0, sizeof(*arena));
    arena->row = &pins->table->rows[pins->next++];
    read_headers(pins, arena);
    pins->has_free_arena |= !arena->blocks && !arena->is_torn;
    if (arena->used_bytes * 2 >= pins->pymalloc->arena_bytes ||
        (!arena->blocks && !arena->is_torn))
        return true;
    arena->resident_bytes = resident_bytes(pins, arena->row);
    pins->count++;
    return true;
}
