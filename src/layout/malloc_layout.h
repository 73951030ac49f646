/*
 * malloc_layout.h - glibc's chunks and arenas, as far as heaptop reads them.
 *
 * Source: glibc malloc/malloc.c and malloc/arena.c, LP64. What moved between versions is
 * not written down but searched for, and proven by the lists that must close.
 *
 * struct malloc_chunk (2.17 - 2.43): {prev_size, size | flags, user data...}. The low
 * three bits of size are flags; whether chunk i is in use is said by chunk i + 1; the
 * prev_size of the next chunk belongs to the user data, but an mmapped chunk has none.
 * With another malloc nothing looks like that.
 */
#ifndef HEAPTOP_LAYOUT_MALLOC_LAYOUT_H
#define HEAPTOP_LAYOUT_MALLOC_LAYOUT_H

#include <stdint.h>

#include "util/bytes.h"

#define CHUNK_HEADER      16 /* bytes before the user data */
#define CHUNK_OVERHEAD    8  /* of a chunk in use: its size word */
#define CHUNK_MIN         32
#define CHUNK_FLAGS       UINT64_C(7)
#define CHUNK_PREV_IN_USE UINT64_C(1)
#define CHUNK_MMAPPED     UINT64_C(2)
#define CHUNK_OTHER_ARENA UINT64_C(4)
#define FASTBIN_MAX       128 /* global_max_fast: larger chunks never go to a fastbin */
#define THREAD_HEAP_BYTES (UINT64_C(64) << 20) /* arena.c HEAP_MAX_SIZE */

/* Of the chunk with this size word. 2.43 does not count the header of an mmapped one. */
static inline uint64_t malloc_word_bytes(uint64_t word)
{
    const uint64_t page_bytes = 4096;
    uint64_t bytes = word & ~CHUNK_FLAGS;

    return word & CHUNK_MMAPPED && bytes % page_bytes == page_bytes - CHUNK_HEADER
               ? bytes + CHUNK_HEADER
               : bytes;
}

/* Of an mmapped chunk whose first CHUNK_HEADER bytes these are: its bytes, whole pages,
 * of at most `left`; 0 when it is none. */
static inline uint64_t malloc_mmapped_bytes(const uint8_t *head, uint64_t left)
{
    const uint64_t page_bytes = 4096;
    uint64_t word = u64_at(head, 8), bytes = malloc_word_bytes(word);

    return u64_at(head, 0) || (word & CHUNK_FLAGS) != CHUNK_MMAPPED ||
                   bytes < page_bytes || bytes % page_bytes || bytes > left
               ? 0
               : bytes;
}

/* malloc.c mtrim(): whole pages behind the header of a free chunk, which has two more
 * links when it is large. systrim(): the top keeps MINSIZE + 1 bytes. */
#define TRIM_CHUNK_HEADER 48
#define TRIM_TOP_KEEPS    33

/* arena.c heap_info: ar_ptr, prev, size, mprotect_size; 2.35+: pagesize. */
#define HEAP_INFO_ARENA 0
#define HEAP_INFO_SIZE  16
#define HEAP_INFO_BYTES 32
/* The first heap of an arena also holds its malloc_state: its first chunk is closer. */
#define HEAP_FIRST_CHUNK_MOST 4096

/*
 * malloc_state: ..., fastbinsY[10] (until 2.42), top, last_remainder, bins[254], ...
 * An empty bin points at itself: (address of its pair - 16) twice. That is how the bins
 * are found (2.17-2.25 at 104, 2.26-2.42 at 112, later in front of that).
 */
#define STATE_BINS_MOST       256 /* no version has them further in */
#define STATE_BIN_WORDS       254
#define STATE_BINS_PROVEN     16 /* so many empty bins are no accident */
#define STATE_TOP_TO_BINS     16
#define STATE_FASTBINS        10
#define STATE_FASTBINS_TO_TOP 80

/*
 * malloc_par mp_ (static): u64 trim_threshold, top_pad, mmap_threshold, arena_test,
 * arena_max; 2.35+: u64 thp_pagesize, hp_pagesize; int hp_flags; then int n_mmaps,
 * n_mmaps_max, max_n_mmaps, no_dyn_threshold. Freeing an mmapped chunk raises
 * mmap_threshold to its size, at most to DEFAULT_MMAP_THRESHOLD_MAX.
 */
#define PAR_TOP_PAD            8
#define PAR_MMAP_THRESHOLD     16
#define PAR_ARENA_TEST         24
#define PAR_N_MMAPS            40
#define PAR_N_MMAPS_35         60
#define PAR_BYTES              80
#define MMAPS_MOST             65536 /* DEFAULT_MMAP_MAX: what n_mmaps_max is */
#define MMAP_THRESHOLD_LEAST   (UINT64_C(128) << 10) /* DEFAULT_MMAP_THRESHOLD_MIN */
#define MMAP_THRESHOLD_HIGHEST (UINT64_C(32) << 20)  /* DEFAULT_MMAP_THRESHOLD_MAX */

/*
 * tcache_perthread_struct: 2.26-2.29 {u8 counts[64]; entry *[64]} in a chunk of 0x250,
 * 2.30-2.41 {u16 counts[64]; entry *[64]} in one of 0x290, 2.42+ {u16 slots[76]; entry
 * *[76]} in one of 0x300, whose slots are what is still free. A list's first 64 sizes
 * are 32, 48, ...; later ones hold several sizes. 2.32+: next = link ^ address >> 12.
 */
#define TCACHE_SIZES         64
#define TCACHE_LISTS_MOST    76
#define TCACHE_PER_LIST_MOST 4096

#endif
