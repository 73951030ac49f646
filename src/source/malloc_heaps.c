#include "source/malloc_heaps.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"

#define PAGE           UINT64_C(4096)
#define HEADS_A_READ   256
#define STRANGE_PAGES  16384 /* of one region without a chunk: it is not malloc's */
#define HEAPS_MAX      4096
#define MMAPPED_MAX    (1u << 20)
#define STATE_READ_MAX (UINT64_C(2) << 20)

void malloc_heaps_release(struct malloc_heaps *heaps)
{
    free(heaps->heaps);
    free(heaps->mmapped);
    memset(heaps, 0, sizeof(*heaps));
}

static void *grown(void *old, size_t count, size_t *capacity, size_t size, size_t most)
{
    size_t more = *capacity ? *capacity * 2 : 64;
    void *larger;

    if (count < *capacity)
        return old;
    larger = more <= most ? reallocarray(old, more, size) : NULL;
    if (larger)
        *capacity = more;
    return larger;
}

static void heap_add(struct malloc_heaps *heaps, const struct malloc_heap *heap)
{
    struct malloc_heap *larger =
        grown(heaps->heaps, heaps->count, &heaps->capacity, sizeof(*heap), HEAPS_MAX);

    if (!larger) {
        heaps->is_cut = true;
        return;
    }
    heaps->heaps = larger;
    heaps->heaps[heaps->count++] = *heap;
}

static void mmapped_add(struct malloc_heaps *heaps, uint64_t start, uint64_t end)
{
    struct malloc_mmapped *larger =
        grown(heaps->mmapped, heaps->n_mmapped, &heaps->mmapped_capacity,
              sizeof(*heaps->mmapped), MMAPPED_MAX);

    if (!larger) {
        heaps->is_cut = true;
        return;
    }
    heaps->mmapped = larger;
    heaps->mmapped[heaps->n_mmapped++] = (struct malloc_mmapped){start, end};
}

const struct malloc_heap *malloc_heaps_at(const struct malloc_heaps *heaps,
                                          uint64_t address)
{
    size_t low = 0, high = heaps->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (address < heaps->heaps[middle].start)
            high = middle;
        else if (address >= heaps->heaps[middle].end)
            low = middle + 1;
        else
            return &heaps->heaps[middle];
    }
    return NULL;
}

/* ---- heaps ---- */

static bool is_resident(const struct malloc_places *places, uint64_t address)
{
    bool is_there;

    residency_stretch(places->residency, address, PAGE, &is_there);
    return is_there;
}

/* The next chunk says that this one is free, or it is the heap's top. */
static bool is_unused(struct malloc_chain *chain, const struct malloc_heap *heap,
                      uint64_t at, uint64_t word)
{
    uint64_t bytes = word & ~CHUNK_FLAGS, before, next;

    if (bytes < CHUNK_MIN || bytes > heap->end - at)
        return false;
    if (bytes == heap->end - at)
        return true;
    return reader_u64(chain->reader, raddr_of(at + bytes), &before) && before == bytes &&
           reader_u64(chain->reader, raddr_of(at + bytes + 8), &next) &&
           !(next & CHUNK_PREV_IN_USE);
}

/* In a thread's arena the first one says whose it is, unless it is free: a heap whose
 * thread ended may be a single free chunk and the top. */
static bool may_be_first(struct malloc_chain *chain, const struct malloc_heap *heap,
                         uint64_t at)
{
    uint64_t word;

    if (!heap->arena)
        return true;
    return reader_u64(chain->reader, raddr_of(at + 8), &word) &&
           (word & CHUNK_PREV_IN_USE) &&
           ((word & CHUNK_OTHER_ARENA) || is_unused(chain, heap, at, word));
}

/* The first chunk from `at` on where a chain holds; 0 = none. */
static uint64_t first_chunk(struct malloc_chain *chain, struct malloc_heap *heap,
                            uint64_t at, uint64_t most)
{
    malloc_chain_begin(chain, heap);
    for (; at < most && at + CHUNK_HEADER <= heap->end; at += 16)
        if (may_be_first(chain, heap, at) && malloc_chain_holds(chain, at))
            return at;
    return 0;
}

static void main_heap_find(struct malloc_heaps *heaps, const struct malloc_places *places,
                           struct malloc_chain *chain)
{
    struct malloc_heap heap = {0, 0, 0, 0};

    for (size_t i = 0; i < places->maps->count; i++) {
        const struct mapping *mapping = &places->maps->mappings[i];

        if (strcmp(mapping->path, "[heap]") != 0)
            continue;
        if (!heap.end)
            heap.start = heap.first = mapping->start;
        if (heap.end && heap.end != mapping->start)
            break;
        heap.end = mapping->end;
    }
    if (!heap.end)
        return;
    heap.first = first_chunk(chain, &heap, heap.start, heap.start + PAGE);
    if (heap.first)
        heap_add(heaps, &heap);
}

/* A heap of a thread's arena at `start`, as arena.c heap_info says; its end, or 0. */
static uint64_t thread_heap_find(struct malloc_heaps *heaps,
                                 const struct malloc_places *places,
                                 struct malloc_chain *chain, uint64_t start, uint64_t end)
{
    struct malloc_heap heap = {start, 0, start + HEAP_INFO_BYTES, 0};
    uint8_t info[HEAP_INFO_BYTES];
    uint64_t size, from;

    if (!is_resident(places, start) ||
        reader_read(places->reader, raddr_of(start), info, sizeof(info)))
        return 0;
    size = u64_at(info, HEAP_INFO_SIZE);
    heap.arena = u64_at(info, HEAP_INFO_ARENA);
    if (size % PAGE || size < PAGE || size > end - start || size > THREAD_HEAP_BYTES ||
        heap.arena % THREAD_HEAP_BYTES < HEAP_INFO_BYTES ||
        heap.arena % THREAD_HEAP_BYTES > PAGE || heap.arena >= RADDR_END)
        return 0;
    heap.end = start + size;
    from = heap.arena - start < PAGE ? heap.arena + STATE_BIN_WORDS * 8
                                     : start + HEAP_INFO_BYTES;
    heap.first = first_chunk(chain, &heap, (from + 15) & ~UINT64_C(15),
                             start + HEAP_FIRST_CHUNK_MOST);
    if (!heap.first)
        return 0;
    heap_add(heaps, &heap);
    return heap.end;
}

/* ---- mmapped chunks ---- */

/* A stretch of anonymous memory that is looked through page by page. */
struct region {
    uint64_t at, end;
    uint64_t stop; /* no chunk that begins here or later is looked for */
    uint64_t strange_pages;
};

/* The next page that may begin a chunk: in memory, and not in an arena. */
static uint64_t next_page(const struct malloc_places *places, uint64_t at, uint64_t end)
{
    while (at < end) {
        const struct arena_row *arena =
            places->arenas ? arenas_find(places->arenas, at, places->arena_bytes) : NULL;
        bool is_there;
        uint64_t run;

        if (arena) {
            at = (arena->address + places->arena_bytes + PAGE - 1) & ~(PAGE - 1);
            continue;
        }
        run = residency_stretch(places->residency, at, end - at, &is_there);
        if (is_there)
            return at;
        at += run;
    }
    return end;
}

/* Looks at some pages' first words. */
static void region_look(struct malloc_heaps *heaps, const struct malloc_places *places,
                        struct region *region)
{
    uint8_t heads[HEADS_A_READ][CHUNK_HEADER];
    struct piece pieces[HEADS_A_READ];
    uint64_t at = region->at;
    size_t count = 0;

    /* A chunk at the first page decides alone; else a batch is looked at. */
    for (; count < HEADS_A_READ; at += PAGE) {
        at = next_page(places, at, region->stop);
        if (at >= region->stop || (count == 1 && !region->strange_pages))
            break;
        pieces[count] = (struct piece){raddr_of(at), heads[count], CHUNK_HEADER, false};
        count++;
    }
    reader_readv(places->reader, pieces, count);
    for (size_t i = 0; i < count; i++) {
        uint64_t start = pieces[i].address.value, bytes;

        bytes = pieces[i].done ? malloc_mmapped_bytes(heads[i], region->end - start) : 0;
        if (bytes) {
            mmapped_add(heaps, start, start + bytes);
            region->at = start + bytes;
            region->strange_pages = 0;
            return;
        }
        region->strange_pages++;
    }
    region->at = at;
    if (region->strange_pages > STRANGE_PAGES)
        region->at = region->stop;
}

/* The address itself, or where 64 MiB divide one behind it that only pages in front of
 * which nothing is to be looked at lie between. */
static uint64_t behind_nothing(const struct malloc_places *places, uint64_t at,
                               uint64_t end)
{
    uint64_t next = next_page(places, at, end);
    uint64_t heap = next & ~(THREAD_HEAP_BYTES - 1);

    if (next >= end)
        return end;
    return heap > at ? heap : at;
}

/* Heaps of threads stand where 64 MiB divide the address, chunks before and behind. */
static void region_find(struct malloc_heaps *heaps, const struct malloc_places *places,
                        struct malloc_chain *chain, uint64_t start, uint64_t end)
{
    struct region region = {start, end, end, 0};

    while (region.at < end) {
        uint64_t heap_end = 0;

        region.at = behind_nothing(places, region.at, end);
        if (region.at < end && region.at % THREAD_HEAP_BYTES == 0)
            heap_end = thread_heap_find(heaps, places, chain, region.at, end);
        if (heap_end) {
            region.at = heap_end;
            region.strange_pages = 0;
            continue;
        }
        region.stop = (region.at | (THREAD_HEAP_BYTES - 1)) + 1;
        if (region.stop > end)
            region.stop = end;
        while (region.at < region.stop)
            region_look(heaps, places, &region);
    }
}

static bool is_region(const struct mapping *mapping)
{
    return mapping_is_anonymous(mapping) && mapping->is_writable &&
           mapping->path[0] != '/' && strcmp(mapping->path, "[heap]") != 0 &&
           strncmp(mapping->path, "[stack", 6) != 0;
}

bool malloc_region_next(const struct maps *maps, size_t *next, uint64_t *start,
                        uint64_t *end)
{
    size_t i = *next;

    while (i < maps->count && !is_region(&maps->mappings[i]))
        i++;
    if (i == maps->count)
        return false;
    *start = maps->mappings[i].start;
    do
        *end = maps->mappings[i++].end;
    while (i < maps->count && is_region(&maps->mappings[i]) &&
           maps->mappings[i].start == *end);
    *next = i;
    return true;
}

static int heap_compare(const void *left, const void *right)
{
    const struct malloc_heap *a = left, *b = right;

    return a->start < b->start ? -1 : a->start > b->start;
}

void malloc_heaps_find(struct malloc_heaps *heaps, const struct malloc_places *places)
{
    struct malloc_chain chain;
    uint64_t start, end;
    size_t next = 0;

    heaps->count = heaps->n_mmapped = 0;
    heaps->is_cut = false;
    if (!malloc_chain_init(&chain, places->reader, places->residency, NULL, NULL)) {
        heaps->is_cut = true;
        return;
    }
    main_heap_find(heaps, places, &chain);
    while (malloc_region_next(places->maps, &next, &start, &end))
        region_find(heaps, places, &chain, start, end);
    malloc_chain_release(&chain);
    if (heaps->count)
        qsort(heaps->heaps, heaps->count, sizeof(*heaps->heaps), heap_compare);
}

/* ---- the states of arenas ---- */

/* Are the 127 pairs from `at` on bins: each empty, or with two links? */
static bool are_lists(const uint8_t *bytes, uint64_t address)
{
    size_t n_empty = 0;

    for (size_t pair = 0; pair < STATE_BIN_WORDS / 2; pair++) {
        uint64_t next = u64_at(bytes, pair * 16), previous = u64_at(bytes, pair * 16 + 8);

        if (next == address + pair * 16 - 16 && previous == next) {
            n_empty++;
            continue;
        }
        if (!next || !previous || (next | previous) & 15 || next >= RADDR_END ||
            previous >= RADDR_END)
            return false;
    }
    return n_empty >= STATE_BINS_PROVEN;
}

/* The top ends at a page, where its heap ends or beyond. */
static bool is_top(struct reader *reader, const struct malloc_heaps *heaps,
                   uint64_t address)
{
    const struct malloc_heap *heap = malloc_heaps_at(heaps, address);
    uint64_t word;

    return heap && !(address & 15) && reader_u64(reader, raddr_of(address + 8), &word) &&
           (address + (word & ~CHUNK_FLAGS)) % PAGE == 0;
}

uint64_t malloc_lists_find(struct reader *reader, const struct malloc_heaps *heaps,
                           uint64_t start, uint64_t end)
{
    uint64_t length = end - start, found = 0;
    uint8_t *bytes;

    if (end <= start || length > STATE_READ_MAX)
        return 0;
    bytes = malloc((size_t)length);
    if (bytes && !reader_read(reader, raddr_of(start), bytes, (size_t)length))
        for (uint64_t at = STATE_TOP_TO_BINS;
             at + STATE_BIN_WORDS * 8 <= length && !found; at += 8)
            if (are_lists(bytes + at, start + at) &&
                is_top(reader, heaps, u64_at(bytes, at - STATE_TOP_TO_BINS)))
                found = start + at;
    free(bytes);
    return found;
}
