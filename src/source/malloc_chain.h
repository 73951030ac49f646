/*
 * malloc_chain.h - the chunks of one of glibc's heaps, one behind the other.
 *
 * Headers are read through a window that is filled only with pages that are in memory:
 * the inside of a large chunk is jumped over, and what was given back is never touched.
 * Whether a chunk is in use is known when the next header is, so each is told then.
 * Where the chain breaks, because the target changes it, it is taken up again at the
 * next place where it holds, and what lies between is told as a gap.
 *
 * Borrows reader and residency. Everything read is hostile. One thread.
 */
#ifndef HEAPTOP_SOURCE_MALLOC_CHAIN_H
#define HEAPTOP_SOURCE_MALLOC_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/reader.h"
#include "target/residency.h"

enum chunk_state {
    CHUNK_USED,
    CHUNK_FREE,
    CHUNK_TOP,   /* the last chunk of the heap */
    CHUNK_GAP,   /* no chunk: the chain was broken here */
    CHUNK_OTHER, /* memory of others, or what stands at a heap's end */
};

struct chunk {
    uint64_t address, bytes;
    enum chunk_state state;
    /* Its user data, as far as the window has it; NULL when it does not. */
    const uint8_t *user;
    size_t user_bytes;
};

/* One heap: a stretch of chunks. */
struct malloc_heap {
    uint64_t start, end; /* of the memory that belongs to it */
    uint64_t first;      /* its first chunk */
    uint64_t arena;      /* malloc_state of its arena; 0 = the main one */
};

struct malloc_chain {
    struct reader *reader;
    struct residency *residency;
    const struct malloc_heap *heap;
    uint8_t *window;
    uint64_t window_address, window_bytes, window_want;
    uint64_t at;               /* the header to be read next */
    uint64_t last, last_bytes; /* the chunk before it, not told yet; 0 = none */
    uint64_t broken;           /* the furthest place where it broke */
    int attempts;              /* at this place */
    bool is_over;
    void (*visit)(void *context, const struct chunk *chunk);
    void *context;
};

#define CHAIN_WINDOW_BYTES (UINT64_C(1) << 20)

/* False when there is no memory for the window. */
bool malloc_chain_init(struct malloc_chain *chain, struct reader *reader,
                       struct residency *residency,
                       void (*visit)(void *context, const struct chunk *chunk),
                       void *context);
void malloc_chain_release(struct malloc_chain *chain);

void malloc_chain_begin(struct malloc_chain *chain, const struct malloc_heap *heap);

/* Tells the chunks of about one window; false when the heap is at its end. */
bool malloc_chain_step(struct malloc_chain *chain);

/* Do several chunks follow each other from `at` on? Reads. */
bool malloc_chain_holds(struct malloc_chain *chain, uint64_t at);

#endif
