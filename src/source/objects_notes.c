#include "source/objects_notes.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(PYMALLOC_ARENA_POOLS *POOL_BITMAP_WORDS * 2 <= UINT16_MAX,
               "sixteen bits number the words of an arena");

bool arena_notes_init(struct arena_notes *notes, const struct arena_map *map,
                      const struct layout_pymalloc *sizes)
{
    memset(notes, 0, sizeof(*notes));
    notes->map = map;
    notes->pool_shift = (uint32_t)__builtin_ctz(sizes->pool_bytes | 1u << 31);
    notes->count = map->table ? map->table->count : 0;
    notes->arenas = calloc(notes->count + 1, sizeof(*notes->arenas));
    return notes->arenas != NULL;
}

void arena_notes_release(struct arena_notes *notes)
{
    for (size_t i = 0; notes->arenas && i < notes->count; i++)
        free(notes->arenas[i].words);
    free(notes->arenas);
    memset(notes, 0, sizeof(*notes));
}

uint64_t *note_pad_pool(struct note_pad *pad, uint32_t pool, uint32_t block_bytes,
                        uint32_t n_blocks, uint32_t first_dict)
{
    uint32_t n_words = (n_blocks + 63) / 64;
    struct arena_note *note = &pad->note;
    uint64_t *words = pad->words + note->n_words;

    if (pool >= PYMALLOC_ARENA_POOLS || n_words > POOL_BITMAP_WORDS)
        return NULL;
    if (note->n_words + 2 * n_words > sizeof(pad->words) / sizeof(pad->words[0]))
        return NULL;
    note->words = pad->words;
    if (!note->n_words)
        note->first_dict = first_dict;
    if (first_dict - note->first_dict > UINT16_MAX)
        return NULL;
    note->pools[pool] = (struct pool_note){(uint16_t)note->n_words,
                                           (uint16_t)(first_dict - note->first_dict),
                                           (uint16_t)block_bytes, (uint16_t)n_words};
    note->n_words += 2 * n_words;
    memset(words, 0, 2 * n_words * sizeof(*words));
    return words;
}

bool arena_notes_keep(struct arena_notes *notes, size_t row, struct note_pad *pad,
                      uint32_t worker)
{
    struct arena_note *note = &notes->arenas[row];
    uint64_t *words = malloc((pad->note.n_words + 1) * sizeof(*words));

    free(note->words);
    if (words)
        memcpy(words, pad->words, pad->note.n_words * sizeof(*words));
    *note = pad->note;
    note->worker = worker;
    note->words = words;
    memset(&pad->note, 0, sizeof(pad->note));
    return words != NULL;
}

/* offset / block_bytes by multiplication: exact for offsets below 2^15 and blocks of up
 * to 2^9 bytes. */
static uint32_t block_index(uint32_t offset, uint32_t block_bytes)
{
    static uint32_t inverses[PYMALLOC_SIZE_CLASSES + 1];
    uint32_t class = block_bytes / PYMALLOC_ALIGNMENT;
    uint32_t inverse = __atomic_load_n(&inverses[class], __ATOMIC_RELAXED);

    if (!inverse) {
        inverse = (uint32_t)((UINT64_C(1) << 32) / block_bytes + 1);
        __atomic_store_n(&inverses[class], inverse, __ATOMIC_RELAXED);
    }
    return (uint32_t)((uint64_t)offset * inverse >> 32);
}

bool arena_note_find(const struct arena_note *arena, uint32_t pool_shift, uint64_t offset,
                     struct noted_block *block)
{
    size_t pool = (size_t)(offset >> pool_shift);
    uint32_t in_pool = (uint32_t)(offset & ((UINT64_C(1) << pool_shift) - 1));

    if (pool >= PYMALLOC_ARENA_POOLS || in_pool < POOL_HEADER_BYTES)
        return false;
    block->arena = arena;
    block->pool = &arena->pools[pool];
    if (!block->pool->n_words)
        return false;
    in_pool -= POOL_HEADER_BYTES;
    block->index = block_index(in_pool, block->pool->block_bytes);
    block->offset = in_pool - block->index * block->pool->block_bytes;
    return block->index / 64 < block->pool->n_words;
}

bool arena_notes_find(const struct arena_notes *notes, uint64_t address,
                      struct noted_block *block)
{
    int64_t row = arena_map_row(notes->map, address);

    if (row < 0 || (size_t)row >= notes->count || !notes->arenas[row].words)
        return false;
    return arena_note_find(&notes->arenas[row], notes->pool_shift,
                           address - notes->map->table->rows[row].first_pool, block);
}

uint64_t noted_dict(const struct noted_block *block)
{
    const uint64_t *words =
        block->arena->words + block->pool->first_word + block->pool->n_words;
    uint64_t record = (uint64_t)block->arena->first_dict + block->pool->first_dict;

    if (!(words[block->index / 64] >> block->index % 64 & 1))
        return UINT64_MAX;
    for (uint32_t i = 0; i < block->index / 64; i++)
        record += (uint64_t)__builtin_popcountll(words[i]);
    return record +
           (uint64_t)__builtin_popcountll(words[block->index / 64] &
                                          ((UINT64_C(1) << block->index % 64) - 1));
}

static uint64_t pool_unowned(const struct arena_note *arena, const struct pool_note *pool)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < pool->n_words; i++)
        count += (uint64_t)__builtin_popcountll(arena->words[pool->first_word + i]);
    return count;
}

void arena_notes_unowned(const struct arena_notes *notes, uint64_t *blocks,
                         uint64_t *bytes)
{
    *blocks = *bytes = 0;
    for (size_t i = 0; i < notes->count; i++) {
        for (size_t n = 0; notes->arenas[i].words && n < PYMALLOC_ARENA_POOLS; n++) {
            const struct pool_note *pool = &notes->arenas[i].pools[n];
            uint64_t count = pool_unowned(&notes->arenas[i], pool);

            *blocks += count;
            *bytes += count * pool->block_bytes;
        }
    }
}

void chunk_notes_add(struct chunk_notes *chunks, uint64_t user, uint64_t bytes)
{
    if (chunks->count == chunks->capacity) {
        size_t capacity =
            chunks->capacity ? chunks->capacity + chunks->capacity / 2 : 4096;
        struct chunk_note *notes = realloc(chunks->notes, capacity * sizeof(*notes));

        if (!notes)
            return;
        chunks->notes = notes;
        chunks->capacity = capacity;
    }
    chunks->notes[chunks->count++] =
        (struct chunk_note){user, bytes & ~CHUNK_NOTE_IS_CLAIMED};
    chunks->is_sorted = false;
}

static int chunk_compare(const void *left, const void *right)
{
    const struct chunk_note *a = left, *b = right;

    return (a->user > b->user) - (a->user < b->user);
}

/* The regions are sorted, so mostly the chunks are. */
void chunk_notes_sort(struct chunk_notes *chunks)
{
    bool is_rising = true;

    if (chunks->is_sorted)
        return;
    for (size_t i = 1; i < chunks->count && is_rising; i++)
        is_rising = chunks->notes[i - 1].user < chunks->notes[i].user;
    if (!is_rising)
        qsort(chunks->notes, chunks->count, sizeof(*chunks->notes), chunk_compare);
    chunks->is_sorted = true;
}

/* How many begin at the address or before; mostly one more than the last time. */
static size_t chunk_notes_until(const struct chunk_notes *chunks, uint64_t address,
                                size_t hint)
{
    size_t low = 0, high = chunks->count;

    for (size_t next = hint + 1; next <= hint + 2; next++)
        if (next < high && chunks->notes[next - 1].user <= address &&
            chunks->notes[next].user > address)
            return next;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (chunks->notes[middle].user <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool chunk_notes_find(const struct chunk_notes *chunks, uint64_t address, size_t *hint,
                      struct noted_chunk *chunk)
{
    struct chunk_note *note;

    *hint = chunk_notes_until(chunks, address, *hint);
    if (!*hint)
        return false;
    note = &chunks->notes[*hint - 1];
    *chunk = (struct noted_chunk){note->user, note->word & ~CHUNK_NOTE_IS_CLAIMED,
                                  &note->word, CHUNK_NOTE_IS_CLAIMED};
    return address - chunk->user < chunk->bytes;
}

void chunk_notes_release(struct chunk_notes *chunks)
{
    free(chunks->notes);
    memset(chunks, 0, sizeof(*chunks));
}
