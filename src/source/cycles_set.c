#include "source/cycles_set.h"

#include <stdlib.h>
#include <string.h>

#define MARKS_FIRST ((size_t)1 << 16)
#define MARKS_MAX   ((size_t)1 << 28)

bool cycles_set_init(struct cycles_set *set, const struct arena_table *arenas,
                     uint32_t arena_bytes)
{
    memset(set, 0, sizeof(*set));
    set->arenas = arenas;
    set->n_words = (arena_bytes >> CYCLES_GRANULE_SHIFT) / 64;
    set->rows = calloc(arenas->count + 1, sizeof(*set->rows));
    arena_map_init(&set->map, arenas, arena_bytes);
    return set->rows != NULL;
}

void cycles_set_release(struct cycles_set *set)
{
    for (size_t i = 0; set->rows && i < set->arenas->count; i++) {
        free(set->rows[i].bits);
        free(set->rows[i].ranks);
    }
    arena_map_release(&set->map);
    free(set->rows);
    free(set->marks);
    cycles_far_release(&set->far);
    memset(set, 0, sizeof(*set));
}

static bool marks_add(struct cycles_set *set, struct cycles_mark mark)
{
    if (set->count == set->capacity) {
        size_t capacity = set->capacity ? set->capacity + set->capacity / 4 : MARKS_FIRST;
        struct cycles_mark *larger =
            capacity <= MARKS_MAX ? reallocarray(set->marks, capacity, sizeof(*larger))
                                  : NULL;

        if (!larger)
            return false;
        set->marks = larger;
        set->capacity = capacity;
    }
    set->marks[set->count++] = mark;
    return true;
}

bool cycles_set_add(struct cycles_set *set, size_t row, uint64_t address,
                    struct cycles_mark mark)
{
    struct cycles_arena *arena = &set->rows[row];
    uint64_t at = (address - set->arenas->rows[row].address) >> CYCLES_GRANULE_SHIFT;

    if (!arena->bits) {
        arena->bits = calloc(set->n_words, sizeof(*arena->bits));
        arena->ranks = calloc(set->n_words, sizeof(*arena->ranks));
        arena->first = set->count;
    }
    if (!arena->bits || !arena->ranks || at / 64 >= set->n_words || !marks_add(set, mark))
        return false;
    arena->bits[at / 64] |= UINT64_C(1) << at % 64;
    return true;
}

void cycles_set_end_arena(struct cycles_set *set, size_t row)
{
    struct cycles_arena *arena = &set->rows[row];
    uint16_t rank = 0;

    for (size_t i = 0; arena->bits && i < set->n_words; i++) {
        arena->ranks[i] = rank;
        rank = (uint16_t)(rank + __builtin_popcountll(arena->bits[i]));
    }
}

struct cycles_mark *cycles_set_find(const struct cycles_set *set, uint64_t address)
{
    int64_t row = arena_map_row(&set->map, address);
    const struct cycles_arena *arena;
    uint64_t at, bits;

    if (row < 0)
        return cycles_far_find(&set->far, address);
    arena = &set->rows[row];
    at = (address - set->arenas->rows[row].address) >> CYCLES_GRANULE_SHIFT;
    if (!arena->bits || at / 64 >= set->n_words || address & 15)
        return NULL;
    bits = arena->bits[at / 64];
    if (!(bits >> at % 64 & 1))
        return NULL;
    return set->marks + arena->first + arena->ranks[at / 64] +
           __builtin_popcountll(bits & ((UINT64_C(1) << at % 64) - 1));
}

/* The next word with bits; false behind the last arena. */
static bool next_word(const struct cycles_set *set, struct cycles_at *at)
{
    for (; at->row < set->arenas->count; at->row++, at->word = 0) {
        const uint64_t *bits = set->rows[at->row].bits;

        for (; bits && at->word < set->n_words; at->word++) {
            if (!at->is_in_word)
                at->bits = bits[at->word];
            at->is_in_word = at->bits != 0;
            if (at->is_in_word)
                return true;
        }
    }
    return false;
}

static struct cycles_mark *next_far(const struct cycles_set *set, struct cycles_at *at,
                                    uint64_t *address)
{
    for (; at->region < set->far.count; at->region++, at->index = 0) {
        const struct far_region *region = &set->far.regions[at->region];

        if (at->index < region->count) {
            *address = cycles_far_address(&set->far, at->region, at->index);
            return &region->marks[at->index++];
        }
    }
    return NULL;
}

struct cycles_mark *cycles_set_next(const struct cycles_set *set, struct cycles_at *at,
                                    uint64_t *address)
{
    unsigned bit;

    if (!next_word(set, at)) {
        at->index = at->is_far ? at->index : 0;
        at->is_far = true;
        return next_far(set, at, address);
    }
    bit = (unsigned)__builtin_ctzll(at->bits);
    *address = set->arenas->rows[at->row].address +
               ((at->word * 64 + bit) << CYCLES_GRANULE_SHIFT);
    at->bits &= at->bits - 1;
    return &set->marks[at->index++];
}
