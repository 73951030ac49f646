#include "source/cycles_set.h"

#include <stdlib.h>
#include <string.h>

#define FAR_FIRST   1024
#define MARKS_FIRST ((size_t)1 << 16)
#define MARKS_MAX   ((size_t)1 << 28)

_Static_assert(sizeof(struct cycles_mark) == 4, "four bytes an object");

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
    free(set->far);
    free(set->slots);
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
    set->n_near = set->count;
}

static size_t slot_of(const struct cycles_set *set, uint64_t address)
{
    return (size_t)((address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 24) &
           (set->n_slots - 1);
}

static void slot_put(struct cycles_set *set, size_t index)
{
    size_t at = slot_of(set, set->far[index]);

    while (set->slots[at])
        at = (at + 1) & (set->n_slots - 1);
    set->slots[at] = (uint32_t)index + 1;
}

static bool far_grow(struct cycles_set *set)
{
    size_t capacity = set->far_capacity ? set->far_capacity * 2 : FAR_FIRST;
    uint64_t *far = reallocarray(set->far, capacity, sizeof(*far));
    uint32_t *slots = far ? calloc(capacity * 2, sizeof(*slots)) : NULL;

    if (far)
        set->far = far;
    if (!slots)
        return false;
    free(set->slots);
    set->slots = slots;
    set->n_slots = capacity * 2;
    set->far_capacity = capacity;
    for (size_t i = 0; i < set->count - set->n_near; i++)
        slot_put(set, i);
    return true;
}

bool cycles_set_add_far(struct cycles_set *set, uint64_t address, struct cycles_mark mark)
{
    size_t n_far = set->count - set->n_near;

    if (cycles_set_index(set, address) != CYCLES_NONE)
        return true;
    if ((n_far == set->far_capacity && !far_grow(set)) || !marks_add(set, mark))
        return false;
    set->far[n_far] = address;
    slot_put(set, n_far);
    return true;
}

static size_t far_index(const struct cycles_set *set, uint64_t address)
{
    size_t at = set->slots ? slot_of(set, address) : 0;

    while (set->slots && set->slots[at]) {
        size_t index = set->slots[at] - 1;

        if (set->far[index] == address)
            return set->n_near + index;
        at = (at + 1) & (set->n_slots - 1);
    }
    return CYCLES_NONE;
}

size_t cycles_set_index(const struct cycles_set *set, uint64_t address)
{
    int64_t row = arena_map_row(&set->map, address);
    const struct cycles_arena *arena;
    uint64_t at, bits;

    if (row < 0)
        return far_index(set, address);
    arena = &set->rows[row];
    at = (address - set->arenas->rows[row].address) >> CYCLES_GRANULE_SHIFT;
    if (!arena->bits || at / 64 >= set->n_words || address & 15)
        return CYCLES_NONE;
    bits = arena->bits[at / 64];
    if (!(bits >> at % 64 & 1))
        return CYCLES_NONE;
    return arena->first + arena->ranks[at / 64] +
           (size_t)__builtin_popcountll(bits & ((UINT64_C(1) << at % 64) - 1));
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

bool cycles_set_next(const struct cycles_set *set, struct cycles_at *at,
                     uint64_t *address, size_t *index)
{
    if (next_word(set, at)) {
        unsigned bit = (unsigned)__builtin_ctzll(at->bits);

        *address = set->arenas->rows[at->row].address +
                   ((at->word * 64 + bit) << CYCLES_GRANULE_SHIFT);
        at->bits &= at->bits - 1;
    } else {
        if (at->index >= set->count)
            return false;
        *address = set->far[at->index - set->n_near];
    }
    *index = at->index++;
    return true;
}
