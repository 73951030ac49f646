#include "source/malloc_pass.h"

#include <string.h>

#include "layout/malloc_layout.h"
#include "source/malloc_threshold.h"

#define PAGE UINT64_C(4096)

static void pass_chunk(void *context, const struct chunk *chunk);

bool malloc_pass_init(struct malloc_pass *pass, struct reader *reader,
                      struct residency *residency, const struct malloc_heaps *heaps)
{
    memset(pass, 0, sizeof(*pass));
    pass->reader = reader;
    pass->residency = residency;
    pass->heaps = heaps;
    return malloc_chain_init(&pass->chain, reader, residency, pass_chunk, pass);
}

void malloc_pass_release(struct malloc_pass *pass)
{
    malloc_chain_release(&pass->chain);
    chunk_set_release(&pass->fastbins);
    chunk_set_release(&pass->tcache);
    chunk_set_release(&pass->freed);
}

void malloc_pass_begin(struct malloc_pass *pass)
{
    pass->next_heap = 0;
    pass->is_under_way = false;
    pass->run_start = pass->run_end = 0;
    memset(&pass->memory, 0, sizeof(pass->memory));
    pass->used_chunks = pass->lost_bytes = pass->fast_bytes = pass->mmapped_freed_bytes =
        0;
    pass->threshold_free_bytes = 0;
    pass->n_rows = 0;
    chunk_set_clear(&pass->tcache);
    pass->fastbins.hint = pass->freed.hint = 0;
}

static struct malloc_arena_row *row_of(struct malloc_pass *pass, uint64_t arena)
{
    for (size_t i = 0; i < pass->n_rows; i++)
        if (pass->rows[i].address == arena)
            return &pass->rows[i];
    if (pass->n_rows == MALLOC_ARENAS_MAX)
        return &pass->rows[MALLOC_ARENAS_MAX - 1];
    pass->rows[pass->n_rows] = (struct malloc_arena_row){.address = arena};
    return &pass->rows[pass->n_rows++];
}

static struct malloc_arena_row *row_now(struct malloc_pass *pass)
{
    return row_of(pass, pass->chain.heap->arena);
}

static uint64_t add_resident(struct malloc_pass *pass, struct account_bytes *to,
                             uint64_t start, uint64_t end)
{
    struct residency_bytes bytes = residency_of(pass->residency, start, end);

    to->resident += bytes.resident;
    to->swapped += bytes.swapped;
    return bytes.resident;
}

/* malloc.c mtrim(): the whole pages of one free chunk. */
static void run_end(struct malloc_pass *pass)
{
    uint64_t start = (pass->run_start + TRIM_CHUNK_HEADER + PAGE - 1) & ~(PAGE - 1);
    uint64_t end = pass->run_end & ~(PAGE - 1);

    if (pass->run_start &&
        pass->run_end - pass->run_start > PAGE - 1 + TRIM_CHUNK_HEADER && start < end)
        row_now(pass)->trim_bytes += residency_of(pass->residency, start, end).resident;
    pass->run_start = pass->run_end = 0;
}

static void run_add(struct malloc_pass *pass, const struct chunk *chunk)
{
    if (pass->run_start && pass->run_end != chunk->address)
        run_end(pass);
    if (!pass->run_start)
        pass->run_start = chunk->address;
    pass->run_end = chunk->address + chunk->bytes;
}

/* malloc.c systrim(): the main arena's top, whole pages but MINSIZE. What is free right
 * in front of a top belongs to it by then. */
static void pass_top(struct malloc_pass *pass, const struct chunk *chunk)
{
    uint64_t start = chunk->address, end = start + chunk->bytes, released;

    add_resident(pass, &pass->memory.top, start, end);
    row_now(pass)->top_bytes += chunk->bytes;
    if (pass->run_start && pass->run_end == start) {
        start = pass->run_start;
        pass->run_start = pass->run_end = 0;
    } else {
        run_end(pass);
    }
    if (pass->chain.heap->arena || end - start <= TRIM_TOP_KEEPS)
        return;
    released = (end - start - TRIM_TOP_KEEPS) & ~(PAGE - 1);
    row_now(pass)->trim_bytes +=
        residency_of(pass->residency, end - released, end).resident;
}

static void pass_used(struct malloc_pass *pass, const struct chunk *chunk)
{
    struct malloc_arena_row *row = row_now(pass);
    bool is_fast =
        chunk->bytes <= FASTBIN_MAX && chunk_set_has(&pass->fastbins, chunk->address);

    if (is_fast || chunk_set_has(&pass->freed, chunk->address))
        run_add(pass, chunk);
    else
        run_end(pass);
    if (is_fast) {
        row->cached_bytes += chunk->bytes;
        pass->fast_bytes += chunk->bytes;
        add_resident(pass, &pass->memory.free, chunk->address,
                     chunk->address + chunk->bytes);
        return;
    }
    row->used_bytes += chunk->bytes;
    pass->used_chunks++;
    add_resident(pass, &pass->memory.used, chunk->address, chunk->address + chunk->bytes);
    if (malloc_is_tcache_size(chunk->bytes))
        malloc_tcache_add(&pass->tcache, pass->reader, pass->heaps,
                          chunk->address + CHUNK_HEADER, chunk->bytes);
}

static void pass_chunk(void *context, const struct chunk *chunk)
{
    struct malloc_pass *pass = context;

    if (pass->picture)
        heaps_picture_chunk(pass->picture, chunk, pass->residency);
    switch (chunk->state) {
    case CHUNK_USED:
        pass_used(pass, chunk);
        break;
    case CHUNK_FREE:
        run_add(pass, chunk);
        row_now(pass)->free_bytes += chunk->bytes;
        if (malloc_is_about_threshold(chunk->bytes, pass->mmap_threshold))
            pass->threshold_free_bytes += chunk->bytes;
        add_resident(pass, &pass->memory.free, chunk->address,
                     chunk->address + chunk->bytes);
        break;
    case CHUNK_TOP:
        pass_top(pass, chunk);
        break;
    case CHUNK_GAP:
        run_end(pass);
        pass->lost_bytes += chunk->bytes;
        break;
    case CHUNK_OTHER:
        run_end(pass);
        add_resident(pass, &pass->memory.other, chunk->address,
                     chunk->address + chunk->bytes);
        break;
    }
}

static void heap_begin(struct malloc_pass *pass)
{
    const struct malloc_heap *heap = &pass->heaps->heaps[pass->next_heap++];
    struct malloc_arena_row *row = row_of(pass, heap->arena);

    row->heaps++;
    row->heap_bytes += heap->end - heap->start;
    add_resident(pass, &pass->memory.top, heap->start, heap->first);
    if (pass->picture)
        heaps_picture_heap(pass->picture, pass->next_heap - 1);
    malloc_chain_begin(&pass->chain, heap);
    pass->is_under_way = true;
}

/* What is in a tcache was counted as in use before that was known. */
static void pass_cached(struct malloc_pass *pass)
{
    chunk_set_sort(&pass->tcache);
    for (size_t i = 0; i < pass->tcache.count; i++) {
        uint64_t chunk = pass->tcache.addresses[i], word, bytes;
        const struct malloc_heap *heap = malloc_heaps_at(pass->heaps, chunk);
        struct malloc_arena_row *row = heap ? row_of(pass, heap->arena) : NULL;
        struct account_bytes cached = {0, 0};

        if (!row || !reader_u64(pass->reader, raddr_of(chunk + 8), &word))
            continue;
        bytes = word & ~CHUNK_FLAGS;
        if (bytes > row->used_bytes || bytes > heap->end - chunk)
            continue;
        add_resident(pass, &cached, chunk, chunk + bytes);
        if (cached.resident > pass->memory.used.resident)
            continue;
        row->used_bytes -= bytes;
        row->cached_bytes += bytes;
        pass->used_chunks--;
        pass->memory.used.resident -= cached.resident;
        pass->memory.free.resident += cached.resident;
    }
}

/* Mmapped chunks that are going to be freed go back to the system at once. */
static void pass_mmapped(struct malloc_pass *pass)
{
    for (size_t i = 0; i < pass->heaps->n_mmapped; i++) {
        const struct malloc_mmapped *chunk = &pass->heaps->mmapped[i];

        add_resident(pass, &pass->memory.used, chunk->start, chunk->end);
        if (chunk_set_has(&pass->freed, chunk->start))
            pass->mmapped_freed_bytes +=
                residency_of(pass->residency, chunk->start, chunk->end).resident;
    }
}

bool malloc_pass_step(struct malloc_pass *pass)
{
    if (!pass->is_under_way && pass->next_heap < pass->heaps->count)
        heap_begin(pass);
    if (pass->is_under_way) {
        pass->is_under_way = malloc_chain_step(&pass->chain);
        if (!pass->is_under_way)
            run_end(pass);
        return true;
    }
    pass_cached(pass);
    pass_mmapped(pass);
    return false;
}

uint64_t malloc_pass_trim_bytes(const struct malloc_pass *pass)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < pass->n_rows; i++)
        bytes += pass->rows[i].trim_bytes;
    return bytes;
}
