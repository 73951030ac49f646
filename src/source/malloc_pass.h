/*
 * malloc_pass.h - one pass over all chunks: what is in use, what is free, what a trim
 * would return.
 *
 * Two sets say more than the chunks do: `fastbins` are free for malloc_trim, which
 * merges them first; `freed` are chunks that somebody is going to free (the dry run of a
 * collection). Works in slices. Borrows everything. One thread.
 */
#ifndef HEAPTOP_SOURCE_MALLOC_PASS_H
#define HEAPTOP_SOURCE_MALLOC_PASS_H

#include <stdbool.h>

#include "heaptop/snapshot.h"
#include "source/heaps_picture.h"
#include "source/malloc_caches.h"
#include "source/malloc_chain.h"
#include "source/malloc_heaps.h"

/* Resident and swapped bytes by what they are to malloc. */
struct malloc_memory {
    struct account_bytes used, free, top, other;
};

struct malloc_pass {
    struct reader *reader;
    struct residency *residency;
    const struct malloc_heaps *heaps;
    struct malloc_chain chain;
    size_t next_heap;
    bool is_under_way;
    struct chunk_set fastbins;   /* sorted before the pass begins */
    struct chunk_set tcache;     /* found by the pass, sorted at its end */
    struct chunk_set freed;      /* given; sorted */
    uint64_t run_start, run_end; /* free chunks that a trim sees as one; start 0 = none */
    struct malloc_memory memory;
    uint64_t mmap_threshold;       /* given; 0 = not known */
    uint64_t threshold_free_bytes; /* in free chunks of about its size, or few times it */
    uint64_t used_chunks, lost_bytes, fast_bytes;
    uint64_t mmapped_freed_bytes;  /* resident bytes of mmapped chunks in `freed` */
    struct heaps_picture *picture; /* drawn on the way; NULL: none */
    size_t n_rows;
    struct malloc_arena_row rows[MALLOC_ARENAS_MAX]; /* the last one may stand for more */
};

/* False: no memory. */
bool malloc_pass_init(struct malloc_pass *pass, struct reader *reader,
                      struct residency *residency, const struct malloc_heaps *heaps);
void malloc_pass_release(struct malloc_pass *pass);

/* Starts over, with the sets as they are. */
void malloc_pass_begin(struct malloc_pass *pass);
/* A part of it; false when it is over, and the numbers are whole. */
bool malloc_pass_step(struct malloc_pass *pass);

/* The sum over all arenas. */
uint64_t malloc_pass_trim_bytes(const struct malloc_pass *pass);

#endif
