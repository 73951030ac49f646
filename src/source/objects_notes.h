/*
 * objects_notes.h - what the walk remembers of blocks until their owners are known.
 *
 * Two bits a block: "no object, and nobody's yet" and "a plain dict". A part is claimed
 * by clearing its first bit, so it is charged once, whoever comes first. Notes of chunks
 * outside the arenas are a sorted table, for there are few.
 *
 * An arena's notes are written by the one thread that scans it; blocks may then be
 * claimed by several threads at once.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_NOTES_H
#define HEAPTOP_SOURCE_OBJECTS_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/pymalloc_layout.h"
#include "source/objects_map.h"

#define POOL_BLOCKS_MAX   1024
#define POOL_BITMAP_WORDS (POOL_BLOCKS_MAX / 64)

struct pool_note {
    uint16_t first_word; /* of its bits in the arena's words */
    uint16_t first_dict; /* its dicts' records, from the arena's first one on */
    uint16_t block_bytes;
    uint16_t n_words; /* of each bitmap; 0 = nothing to remember */
};

/* Of one arena: first its bitmaps of parts, each followed by the one of dicts. */
struct arena_note {
    uint32_t worker; /* whose dict records these are */
    uint32_t n_words;
    uint32_t first_dict; /* of its dicts' records, in the order of pools and blocks */
    uint64_t *words;     /* NULL: not scanned */
    struct pool_note pools[PYMALLOC_ARENA_POOLS];
};

/* Where one arena's notes are written while it is scanned. */
struct note_pad {
    struct arena_note note; /* its words are those below */
    uint64_t words[PYMALLOC_ARENA_POOLS * POOL_BITMAP_WORDS * 2];
};

struct arena_notes {
    const struct arena_map *map; /* borrowed */
    uint32_t pool_shift;         /* log2 of a pool's size */
    struct arena_note *arenas;   /* one for each row of the table */
    size_t count;
};

/* The block that an address lies in. */
struct noted_block {
    const struct arena_note *arena;
    const struct pool_note *pool;
    uint32_t index;  /* of the block in its pool */
    uint32_t offset; /* of the address in the block */
};

/* False when out of memory. */
bool arena_notes_init(struct arena_notes *notes, const struct arena_map *map,
                      const struct layout_pymalloc *sizes);
void arena_notes_release(struct arena_notes *notes);

/* Bits for a pool with so many blocks; gives its two bitmaps, zeroed. The pad holds the
 * pools of an arena whose notes are not kept yet. NULL: there is no room, or the arena
 * has more dicts than it has room for. */
uint64_t *note_pad_pool(struct note_pad *pad, uint32_t pool, uint32_t block_bytes,
                        uint32_t n_blocks, uint32_t first_dict);

/* Keeps what the pad holds; false when out of memory. The pad is empty then. */
bool arena_notes_keep(struct arena_notes *notes, size_t row, struct note_pad *pad,
                      uint32_t worker);

/* The block at an offset from the arena's first pool; false when none was scanned. */
bool arena_note_find(const struct arena_note *arena, uint32_t pool_shift, uint64_t offset,
                     struct noted_block *block);

/* False when the address is in no block that was scanned. */
bool arena_notes_find(const struct arena_notes *notes, uint64_t address,
                      struct noted_block *block);

/* True for the one who takes the part that was nobody's. */
static inline bool noted_claim(const struct noted_block *block)
{
    uint64_t *word = block->arena->words + block->pool->first_word + block->index / 64;
    uint64_t bit = UINT64_C(1) << block->index % 64;

    return __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED) & bit;
}

/* Is it still nobody's? */
static inline bool noted_is_part(const struct noted_block *block)
{
    const uint64_t *word =
        block->arena->words + block->pool->first_word + block->index / 64;

    return __atomic_load_n(word, __ATOMIC_RELAXED) >> block->index % 64 & 1;
}

/* The record of a dict at that block; UINT64_MAX when none is there. */
uint64_t noted_dict(const struct noted_block *block);

/* What is still nobody's: blocks and bytes. */
void arena_notes_unowned(const struct arena_notes *notes, uint64_t *blocks,
                         uint64_t *bytes);

/* ---- chunks outside the arenas that are no objects ---- */

#define CHUNK_NOTE_IS_CLAIMED (UINT64_C(1) << 63)

struct chunk_note {
    uint64_t user;
    uint64_t word; /* its bytes, and whether it is claimed */
};

/* One of them, or of those that a stretch has (objects_stretches.h). */
struct noted_chunk {
    uint64_t user, bytes;
    uint64_t *word, bit; /* set when it is claimed */
};

static inline bool noted_chunk_is_claimed(const struct noted_chunk *chunk)
{
    return __atomic_load_n(chunk->word, __ATOMIC_RELAXED) & chunk->bit;
}

/* True for the one who takes the chunk that was nobody's. */
static inline bool noted_chunk_claim(const struct noted_chunk *chunk)
{
    return !(__atomic_fetch_or(chunk->word, chunk->bit, __ATOMIC_RELAXED) & chunk->bit);
}

struct chunk_notes {
    struct chunk_note *notes;
    size_t count, capacity;
    bool is_sorted;
};

/* Rising addresses; others are sorted later. Without memory chunks have no owner. */
void chunk_notes_add(struct chunk_notes *chunks, uint64_t user, uint64_t bytes);

/* Before any is asked for. */
void chunk_notes_sort(struct chunk_notes *chunks);

/* The chunk that the address lies in. Ascending questions are cheapest: *hint, 0 at
 * first, is where the last one was found. */
bool chunk_notes_find(const struct chunk_notes *chunks, uint64_t address, size_t *hint,
                      struct noted_chunk *chunk);
void chunk_notes_release(struct chunk_notes *chunks);

#endif
