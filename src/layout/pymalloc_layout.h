/*
 * pymalloc_layout.h - pymalloc's own structs, and what must hold for them.
 *
 * Source: CPython Objects/obmalloc.c (3.8 - 3.11), Include/internal/
 * pycore_obmalloc.h (3.12+): struct arena_object, struct pool_header, struct
 * _obmalloc_state. The first two are 48 bytes and identical in 3.8 - 3.15; they
 * are declared here as they lie in an LP64 little-endian target, so that bytes
 * can be read straight into them.
 *
 * Pure, but for the functions that take a reader; sampler's thread.
 */
#ifndef HEAPTOP_LAYOUT_PYMALLOC_LAYOUT_H
#define HEAPTOP_LAYOUT_PYMALLOC_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "layout/layout.h"
#include "target/reader.h"

#define PYMALLOC_SIZE_CLASSES  32
#define PYMALLOC_ALIGNMENT     16 /* class i holds (i + 1) * 16 bytes */
#define PYMALLOC_BLOCK_MAX     (PYMALLOC_SIZE_CLASSES * PYMALLOC_ALIGNMENT)
#define PYMALLOC_ARENA_ALIGN   4096
#define PYMALLOC_SLOTS_FIRST   16 /* INITIAL_ARENA_OBJECTS; then it doubles */
#define PYMALLOC_SLOTS_MAX     (UINT64_C(1) << 20)
#define PYMALLOC_ARENA_POOLS   128    /* at most: 64, or 128 in 2 MiB arenas */
#define PYMALLOC_NO_SIZE_CLASS 0xffff /* szidx of a pool before its first use */

struct arena_object {
    uint64_t address;      /* 0 = the slot is unused */
    uint64_t pool_address; /* next never-carved pool */
    uint32_t nfreepools;   /* empty pools and never-carved ones */
    uint32_t ntotalpools;
    uint64_t freepools;
    uint64_t nextarena;
    uint64_t prevarena;
};

struct pool_header {
    uint32_t count; /* ref.count: blocks in use; 0 = the pool is empty */
    uint32_t padding;
    uint64_t freeblock;
    uint64_t nextpool;
    uint64_t prevpool;
    uint32_t arenaindex;    /* slot of the owning arena */
    uint32_t szidx;         /* size class; stale in an empty pool */
    uint32_t nextoffset;    /* end of the carved blocks */
    uint32_t maxnextoffset; /* pool size - block size */
};

_Static_assert(sizeof(struct arena_object) == 48, "struct arena_object, obmalloc.c");
_Static_assert(sizeof(struct pool_header) == 48, "struct pool_header, obmalloc.c");

#define POOL_HEADER_BYTES ((uint32_t)sizeof(struct pool_header))

/* struct _obmalloc_state, 3.12 - 3.15: offsets from its beginning. */
enum obmalloc_state_offset {
    OBMALLOC_ARENAS = 512,
    OBMALLOC_MAXARENAS = 520,
    OBMALLOC_NARENAS = 1064,
    OBMALLOC_HIGHWATER = 1080,
    OBMALLOC_RAW_BLOCKS = 1088,
};

static inline uint32_t pymalloc_block_bytes(uint32_t size_class)
{
    return (size_class + 1) * PYMALLOC_ALIGNMENT;
}

static inline uint32_t pymalloc_pool_blocks(const struct layout_pymalloc *pymalloc,
                                            uint32_t size_class)
{
    return (pymalloc->pool_bytes - (uint32_t)sizeof(struct pool_header)) /
           pymalloc_block_bytes(size_class);
}

/* The arena's first pool: its address aligned up to the pool size. */
static inline uint64_t pymalloc_first_pool(const struct layout_pymalloc *pymalloc,
                                           uint64_t arena)
{
    uint64_t mask = (uint64_t)pymalloc->pool_bytes - 1;

    return (arena + mask) & ~mask;
}

/* An unused slot, or one whose numbers fit an arena; the first thing that does not
 * fit is named in *why (static text; why may be NULL). */
bool arena_object_is_plausible(const struct arena_object *arena,
                               const struct layout_pymalloc *pymalloc, const char **why);

/* A header that was not read in the middle of a change, of a pool of that arena. */
bool pool_header_is_consistent(const struct pool_header *pool,
                               const struct layout_pymalloc *pymalloc,
                               uint32_t arena_index);

/* 16 * 2^k and not more than PYMALLOC_SLOTS_MAX: a possible `maxarenas`. */
bool pymalloc_is_slot_count(uint64_t slots);

/* How many slots the table at `arenas` has: from maxarenas when it is known, else
 * from what lies in front of the table (debug prefix, glibc's chunk header). 0 =
 * not known: read on until a slot is implausible. */
uint64_t pymalloc_slots(const struct layout_pymalloc *pymalloc, struct reader *reader,
                        uint64_t arenas);

/* Every table of arenas that the target has: the main interpreter's first, then those
 * of interpreters with their own allocator (3.12+). Interpreters come and go: ask
 * for each sample. The entries are `pymalloc` with the words of that table. Returns
 * how many there are, 1 .. LAYOUT_OBMALLOC_STATES_MAX. */
size_t pymalloc_states(const struct layout_pymalloc *pymalloc, struct reader *reader,
                       struct layout_pymalloc states[LAYOUT_OBMALLOC_STATES_MAX]);

#endif
