#include "source/free_lists.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "layout/pymalloc_layout.h"
#include "source/free_list_entries.h"

#define ATTEMPTS_MAX 4

/* Entries by arena: of the list that is read, and of all. */
struct by_arena {
    uint32_t *one, *all;
};

static size_t arena_index(const struct free_lists *lists, uint64_t address)
{
    const struct arena_row *row =
        arenas_find(lists->table, address, lists->layout->pymalloc.arena_bytes);

    return row ? (size_t)(row - lists->table->rows) : SIZE_MAX;
}

/* The bytes of the block (or chunk) that begins at the address; 0 = not known. */
static uint64_t block_bytes(const struct free_lists *lists, uint64_t block, size_t arena)
{
    uint64_t mask = (uint64_t)lists->layout->pymalloc.pool_bytes - 1, word;
    struct pool_header pool;

    if (arena == SIZE_MAX)
        return reader_u64(lists->reader, raddr_of(block - 8), &word) &&
                       (word & ~CHUNK_FLAGS) < (UINT64_C(1) << 20)
                   ? word & ~CHUNK_FLAGS
                   : 0;
    if (reader_read(lists->reader, raddr_of(block & ~mask), &pool, sizeof(pool)) ||
        pool.szidx >= PYMALLOC_SIZE_CLASSES)
        return 0;
    return pymalloc_block_bytes(pool.szidx);
}

static bool count_entry(struct free_lists *lists, const struct free_list_place *place,
                        struct free_list_row *row, struct by_arena *by_arena,
                        uint64_t entry)
{
    uint64_t block = entry - place->prefix - lists->layout->pymalloc.debug_prefix_bytes;
    size_t arena = arena_index(lists, block);
    uint64_t bytes = entry % 8 ? 0 : block_bytes(lists, block, arena);

    if (!bytes)
        return false;
    row->count++;
    row->bytes += bytes;
    if (arena != SIZE_MAX)
        by_arena->one[arena]++;
    return true;
}

/* False when an entry is no block: the list changed after its entries were read. */
static bool count_entries(struct free_lists *lists, const struct free_list_place *place,
                          struct free_list_row *row, struct by_arena *by_arena,
                          const uint64_t *entries, uint64_t count)
{
    *row = (struct free_list_row){.type = place->type, .length = place->length};
    memset(by_arena->one, 0, (lists->table->count + 1) * sizeof(*by_arena->one));
    for (uint64_t i = 0; i < count; i++)
        if (!count_entry(lists, place, row, by_arena, entries[i]))
            return false;
    return true;
}

static bool read_list(struct free_lists *lists, const struct free_list_place *place,
                      uint64_t *head, struct free_list_row *row,
                      struct by_arena *by_arena)
{
    uint64_t entries[FREE_LIST_MOST], count;

    for (int attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
        if (!free_list_entries(lists->reader, place, head, entries, &count))
            return false;
        if (count_entries(lists, place, row, by_arena, entries, count))
            return true;
        *head = 0;
    }
    return false;
}

/* Arenas where nothing is in use but what is on lists. */
static uint64_t arenas_kept(const struct free_lists *lists, const uint32_t *entries)
{
    uint64_t kept = 0;

    for (size_t i = 0; lists->uses && i < lists->table->count; i++)
        kept += entries[i] && !lists->uses[i].is_torn &&
                lists->uses[i].blocks_used <= entries[i];
    return kept;
}

static bool read_all(struct free_lists *lists, const struct free_list_place *places,
                     size_t count, struct by_arena *by_arena)
{
    struct free_lists_section *totals = &lists->totals;

    for (size_t i = 0; i < count; i++) {
        struct free_list_row *row = &lists->rows[totals->n_rows];

        if (!read_list(lists, &places[i], &lists->heads[i], row, by_arena))
            return false;
        if (!row->count)
            continue;
        row->arenas = arenas_kept(lists, by_arena->one);
        for (size_t arena = 0; arena < lists->table->count; arena++)
            by_arena->all[arena] += by_arena->one[arena];
        totals->count += row->count;
        totals->bytes += row->bytes;
        totals->n_rows++;
    }
    totals->arenas = arenas_kept(lists, by_arena->all);
    return true;
}

bool free_lists_read(struct free_lists *lists)
{
    struct free_list_place places[FREE_LIST_PLACES_MOST];
    struct by_arena by_arena = {
        calloc(lists->table->count + 1, sizeof(uint32_t)),
        calloc(lists->table->count + 1, sizeof(uint32_t)),
    };
    size_t count = free_list_places(lists->layout, places);
    bool is_whole = false;

    memset(&lists->totals, 0, sizeof(lists->totals));
    if (count && by_arena.one && by_arena.all)
        is_whole = read_all(lists, places, count, &by_arena);
    free(by_arena.one);
    free(by_arena.all);
    return is_whole;
}
