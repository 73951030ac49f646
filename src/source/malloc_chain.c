#include "source/malloc_chain.h"

#include <string.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"
#include "util/window.h"

#define PAGE          UINT64_C(4096)
#define LENGTH_PROOF  6 /* so many plausible chunks in a row are no accident */
#define ATTEMPTS_MAX  4 /* at a place that changes while it is read */
#define WINDOW_LEAST  (4 * PAGE)
#define CHUNKS_A_STEP 65536

bool malloc_chain_init(struct malloc_chain *chain, struct reader *reader,
                       struct residency *residency,
                       void (*visit)(void *context, const struct chunk *chunk),
                       void *context)
{
    memset(chain, 0, sizeof(*chain));
    chain->reader = reader;
    chain->residency = residency;
    chain->visit = visit;
    chain->context = context;
    chain->is_over = true;
    chain->window = window_take(CHAIN_WINDOW_BYTES);
    return chain->window != NULL;
}

void malloc_chain_release(struct malloc_chain *chain)
{
    window_give(chain->window, CHAIN_WINDOW_BYTES);
    chain->window = NULL;
}

void malloc_chain_begin(struct malloc_chain *chain, const struct malloc_heap *heap)
{
    chain->heap = heap;
    chain->at = heap->first;
    chain->last = chain->last_bytes = 0;
    chain->attempts = 0;
    chain->broken = 0;
    chain->window_bytes = 0;
    chain->window_want = WINDOW_LEAST;
    chain->is_over = heap->first >= heap->end;
}

/* Fills the window from `at` on, as far as pages are in memory. */
static bool window_fill(struct malloc_chain *chain, uint64_t at)
{
    uint64_t left = chain->heap->end - at, want = chain->window_want, length;
    bool is_near =
        chain->window_bytes && at - chain->window_address <= chain->window_bytes + PAGE;
    bool is_resident;

    /* Small steps in a row deserve large windows, jumps small ones. */
    want = is_near && want < CHAIN_WINDOW_BYTES ? want * 2 : want;
    chain->window_want = is_near ? want : WINDOW_LEAST;
    length =
        residency_stretch(chain->residency, at, left < want ? left : want, &is_resident);
    chain->window_bytes = 0;
    if (!is_resident || length < CHUNK_HEADER ||
        reader_read(chain->reader, raddr_of(at), chain->window, (size_t)length))
        return false;
    chain->window_address = at;
    chain->window_bytes = length;
    return true;
}

static bool window_has(const struct malloc_chain *chain, uint64_t at)
{
    uint64_t offset = at - chain->window_address;

    return offset < chain->window_bytes && chain->window_bytes - offset >= CHUNK_HEADER;
}

/* The size word of the chunk at `at`. */
static bool header_word(struct malloc_chain *chain, uint64_t at, uint64_t *word)
{
    if (at >= chain->heap->end || chain->heap->end - at < CHUNK_HEADER ||
        (!window_has(chain, at) && !window_fill(chain, at)))
        return false;
    *word = u64_at(chain->window, at - chain->window_address + 8);
    return true;
}

/* Chunks of a thread's arena say so when they are in use, free ones do not (set_head). */
static bool word_is_plausible(const struct malloc_chain *chain, uint64_t at,
                              uint64_t word)
{
    uint64_t bytes = word & ~CHUNK_FLAGS;

    return bytes >= CHUNK_MIN && !(bytes & 15) && bytes <= chain->heap->end - at &&
           !(word & CHUNK_MMAPPED) && (!(word & CHUNK_OTHER_ARENA) || chain->heap->arena);
}

bool malloc_chain_holds(struct malloc_chain *chain, uint64_t at)
{
    uint64_t word;

    for (int n = 0; n < LENGTH_PROOF; n++) {
        if (at == chain->heap->end)
            return n > 0;
        if (!header_word(chain, at, &word) || !word_is_plausible(chain, at, word))
            return n >= LENGTH_PROOF / 2;
        at += word & ~CHUNK_FLAGS;
    }
    return true;
}

static void tell(struct malloc_chain *chain, uint64_t address, uint64_t bytes,
                 enum chunk_state state)
{
    struct chunk chunk = {address, bytes, state, NULL, 0};
    uint64_t offset = address + CHUNK_HEADER - chain->window_address;

    if (!bytes)
        return;
    if (offset < chain->window_bytes) {
        chunk.user = chain->window + offset;
        chunk.user_bytes = (size_t)(chain->window_bytes - offset);
        if (chunk.user_bytes > bytes)
            chunk.user_bytes = (size_t)bytes;
    }
    chain->visit(chain->context, &chunk);
}

static void tell_last(struct malloc_chain *chain, enum chunk_state state)
{
    tell(chain, chain->last, chain->last_bytes, state);
    chain->last_bytes = 0;
}

/* The end of the heap: the last chunk is its top. */
static bool chain_end(struct malloc_chain *chain)
{
    tell_last(chain, CHUNK_TOP);
    chain->is_over = true;
    return false;
}

/* malloc.c sysmalloc: where memory of others lies behind, and where a thread's heap is
 * full, two headers stand without a chunk. */
static bool is_fence(const struct malloc_chain *chain, uint64_t at, uint64_t word)
{
    uint64_t offset = at - chain->window_address;

    if ((word & ~CHUNK_FLAGS) != CHUNK_HEADER)
        return false;
    return chain->heap->end - at <= 2 * CHUNK_MIN ||
           chain->window_bytes - offset < CHUNK_MIN ||
           (u64_at(chain->window, offset + 24) & ~CHUNK_FLAGS) <= CHUNK_HEADER;
}

/* The next place where a chain holds; the end when there is none. */
static uint64_t find_chain(struct malloc_chain *chain, uint64_t at)
{
    uint64_t end = chain->heap->end, word;
    bool is_resident;

    for (at += 16; at < end && end - at >= CHUNK_HEADER; at += 16) {
        uint64_t run = residency_stretch(chain->residency, at, end - at, &is_resident);

        if (!is_resident) {
            at += run - 16;
            continue;
        }
        if (header_word(chain, at, &word) && word_is_plausible(chain, at, word) &&
            malloc_chain_holds(chain, at))
            return at;
    }
    return end;
}

/* No chunk stands at `at`: once more with fresh bytes, from the last one on; at last
 * from the next place that holds. */
static void chain_broke(struct malloc_chain *chain)
{
    uint64_t from = chain->last_bytes ? chain->last : chain->at, word, resumed;

    if (chain->at > chain->broken)
        chain->broken = chain->at;
    if (chain->attempts++ < ATTEMPTS_MAX && window_fill(chain, from) &&
        header_word(chain, from, &word) && word_is_plausible(chain, from, word)) {
        chain->last_bytes = 0;
        chain->at = from;
        return;
    }
    chain->window_bytes = 0;
    resumed = find_chain(chain, chain->at);
    tell_last(chain, CHUNK_USED);
    tell(chain, chain->at, resumed - chain->at, CHUNK_GAP);
    chain->at = resumed;
    chain->attempts = 0;
}

/* Behind two fenceposts more of the main heap may follow, past memory of others. */
static bool chain_fence(struct malloc_chain *chain, uint64_t word)
{
    uint64_t resumed = find_chain(chain, chain->at + CHUNK_HEADER);

    tell_last(chain, word & CHUNK_PREV_IN_USE ? CHUNK_USED : CHUNK_FREE);
    tell(chain, chain->at, resumed - chain->at, CHUNK_OTHER);
    chain->at = resumed;
    chain->is_over = resumed >= chain->heap->end;
    return !chain->is_over;
}

/* A top that grew or shrank since the pages were looked at. */
static bool is_moved_top(struct malloc_chain *chain, uint64_t word)
{
    uint64_t bytes = word & ~CHUNK_FLAGS, end = chain->at + bytes;

    return bytes > chain->heap->end - chain->at && !(word & CHUNK_MMAPPED) &&
           bytes < THREAD_HEAP_BYTES * 1024 && end % PAGE == 0;
}

/* One header; false at the end. */
static bool chain_next(struct malloc_chain *chain)
{
    uint64_t word;

    if (chain->at >= chain->heap->end)
        return chain_end(chain);
    if (!header_word(chain, chain->at, &word)) {
        chain_broke(chain);
        return true;
    }
    if (is_fence(chain, chain->at, word))
        return chain_fence(chain, word);
    if (is_moved_top(chain, word)) {
        tell_last(chain, CHUNK_USED);
        chain->last = chain->at;
        chain->last_bytes = chain->heap->end - chain->at;
        return chain_end(chain);
    }
    if (!word_is_plausible(chain, chain->at, word)) {
        chain_broke(chain);
        return true;
    }
    tell_last(chain, word & CHUNK_PREV_IN_USE ? CHUNK_USED : CHUNK_FREE);
    chain->last = chain->at;
    chain->last_bytes = word & ~CHUNK_FLAGS;
    chain->at += chain->last_bytes;
    /* It went on: the next trouble has its own attempts. */
    if (chain->at > chain->broken)
        chain->attempts = 0;
    return true;
}

bool malloc_chain_step(struct malloc_chain *chain)
{
    for (int n = 0; n < CHUNKS_A_STEP && !chain->is_over; n++)
        chain_next(chain);
    return !chain->is_over;
}
