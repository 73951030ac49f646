#include "source/cycles_free.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "layout/pymalloc_layout.h"

#define COUNTED_LEAST ((size_t)1 << 12)
#define COUNTED_MOST  ((size_t)1 << 24)
#define REFCOUNT_MASK UINT64_C(0xffffffff)

/* obmalloc.c asks PyMem_RawMalloc for what is too large for it, and debug hooks put their
 * bytes in front there, too. */
static uint64_t chunk_of(struct cycles *cycles, uint64_t block)
{
    uint8_t id[8];

    if (cycles->layout->pymalloc.debug_prefix_bytes &&
        cycles_memory_read(&cycles->memory, block - sizeof(id), id, sizeof(id)) &&
        object_debug_id(id) == 'r')
        block -= OBJECT_DEBUG_PREFIX_BYTES;
    return block - CHUNK_HEADER;
}

/* In one of malloc's heaps, or pages of its own. */
static bool is_chunk(const struct cycles *cycles, uint64_t chunk, uint64_t bytes)
{
    const struct malloc_heap *heap = malloc_heaps_at(cycles->heaps, chunk);

    return heap ? bytes <= heap->end - chunk
                : !(chunk & 4095) && bytes < (UINT64_C(1) << 47);
}

static uint64_t *counted_at(struct cycles *cycles, uint64_t object)
{
    size_t mask = cycles->counted_slots - 1;
    size_t at = (size_t)((object >> 4) * 0x9e3779b97f4a7c15u >> 20) & mask;

    while (cycles->counted[at * 2] && cycles->counted[at * 2] != object)
        at = (at + 1) & mask;
    return &cycles->counted[at * 2];
}

/* Room for one more; false when there is none. */
static bool counted_reserve(struct cycles *cycles)
{
    uint64_t *old = cycles->counted;
    size_t n_old = cycles->counted_slots;

    if (cycles->n_counted < n_old / 2)
        return true;
    if (n_old >= COUNTED_MOST)
        return false;
    cycles->counted = calloc(n_old * 4, sizeof(*cycles->counted));
    if (!cycles->counted) {
        cycles->counted = old;
        return false;
    }
    cycles->counted_slots = n_old * 2;
    for (size_t i = 0; i < n_old; i++)
        if (old[i * 2])
            memcpy(counted_at(cycles, old[i * 2]), &old[i * 2], 2 * sizeof(*old));
    free(old);
    return true;
}

/* False when it was counted before, or there is no room. */
static bool counted_add(struct cycles *cycles, uint64_t address, uint64_t references)
{
    uint64_t *counted;

    if (!counted_reserve(cycles)) {
        cycles->is_short = true;
        return false;
    }
    counted = counted_at(cycles, address);
    if (*counted)
        return false;
    cycles->n_counted++;
    counted[0] = address;
    counted[1] = references;
    return true;
}

/* A target that works meanwhile can make a circle of what seems to have one owner each:
 * no block is freed twice. */
static bool first_in_arena(struct cycles *cycles, const struct arena_row *row,
                           uint64_t block)
{
    uint64_t **bits = &cycles->freed_bits[row - cycles->arenas->rows];
    uint64_t at = (block - row->address) >> CYCLES_GRANULE_SHIFT, bit = UINT64_C(1)
                                                                        << at % 64;

    if (!*bits)
        *bits = calloc(
            (cycles->layout->pymalloc.arena_bytes >> CYCLES_GRANULE_SHIFT) / 64 + 1,
            sizeof(**bits));
    cycles->is_short |= !*bits;
    if (!*bits || (*bits)[at / 64] & bit)
        return false;
    (*bits)[at / 64] |= bit;
    return true;
}

static bool free_in_arena(struct cycles *cycles, const struct arena_row *row,
                          uint64_t block)
{
    uint64_t pool = block & ~((uint64_t)cycles->layout->pymalloc.pool_bytes - 1);
    struct pool_header header;

    if (!cycles_memory_read(&cycles->memory, pool, &header, sizeof(header)) ||
        header.szidx >= PYMALLOC_SIZE_CLASSES ||
        (block - pool - POOL_HEADER_BYTES) % pymalloc_block_bytes(header.szidx) ||
        !first_in_arena(cycles, row, block))
        return false;
    cycles->freed->by_arena[row - cycles->arenas->rows]++;
    cycles->freed->bytes += pymalloc_block_bytes(header.szidx);
    return true;
}

static bool free_chunk(struct cycles *cycles, uint64_t chunk)
{
    uint64_t size;

    if (!cycles_memory_u64(&cycles->memory, chunk + 8, &size) ||
        !is_chunk(cycles, chunk, size & ~CHUNK_FLAGS) || !counted_add(cycles, chunk, 0))
        return false;
    cycles->is_short |= !chunk_set_add(&cycles->freed->chunks, chunk);
    cycles->freed->bytes += size & ~CHUNK_FLAGS;
    return true;
}

/* False when it cannot be, or was. */
static bool free_block(struct cycles *cycles, uint64_t block)
{
    const struct arena_row *row =
        arenas_find(cycles->arenas, block, cycles->layout->pymalloc.arena_bytes);

    if (row)
        return free_in_arena(cycles, row, block);
    return free_chunk(cycles, chunk_of(cycles, block));
}

/* The block of what begins at the address: numpy and libraries in C ask malloc
 * themselves, and debug hooks put nothing in front of that. */
static uint64_t block_at(struct cycles *cycles, uint64_t address)
{
    uint8_t id[8];

    if (!cycles->layout->pymalloc.debug_prefix_bytes ||
        !cycles_memory_read(&cycles->memory, address - sizeof(id), id, sizeof(id)) ||
        !object_debug_id(id))
        return address;
    return address - cycles->layout->pymalloc.debug_prefix_bytes;
}

static void free_table(void *context, uint64_t address)
{
    struct cycles *cycles = context;

    free_block(cycles, block_at(cycles, address));
}

/* Takes one reference away from what is not tracked; true when it was the last. What has
 * but one need not be remembered. */
static bool release_one(struct cycles *cycles, uint64_t object, uint64_t references)
{
    uint64_t *counted;

    references &= REFCOUNT_MASK;
    if (references == 1)
        return true;
    if (!*counted_at(cycles, object) && !counted_add(cycles, object, references))
        return false;
    counted = counted_at(cycles, object);
    return counted[1] && !--counted[1];
}

static bool is_in_heap(const struct cycles *cycles, uint64_t address)
{
    if (arenas_find(cycles->arenas, address, cycles->layout->pymalloc.arena_bytes) ||
        malloc_heaps_at(cycles->heaps, address))
        return true;
    /* Right behind the header of an mmapped chunk, and what Python puts in front. */
    return (address & 4095) <= CHUNK_HEADER + OBJECT_PREFIX_MAX + 16 && address >= 4096;
}

/* The collector does not come to know who holds it, or what does is held so: it is freed
 * with the last of its references. What has more from tracked objects than it counts has
 * a pointer from somewhere that is none. */
static bool is_held_by_garbage(const struct cycles *cycles,
                               const struct cycles_mark *mark)
{
    return !cycles_is_garbage(cycles, mark) && mark->references >= 0;
}

/* The size of what may be a chunk in this heap; 0 = it is none. */
static uint64_t size_in_heap(struct cycles *cycles, const struct malloc_heap *heap,
                             uint64_t chunk, uint64_t *word)
{
    uint64_t size;

    if (!cycles_memory_u64(&cycles->memory, chunk + 8, word))
        return 0;
    size = *word & ~CHUNK_FLAGS;
    return *word & CHUNK_MMAPPED || size & 15 || size < CHUNK_MIN ||
                   size > heap->end - chunk
               ? 0
               : size;
}

/* In one of malloc's heaps a chunk in use is followed by one that says so. */
static bool is_followed(struct cycles *cycles, uint64_t chunk)
{
    const struct malloc_heap *heap = malloc_heaps_at(cycles->heaps, chunk);
    uint64_t word, size;

    if (!heap || chunk & 15)
        return false;
    size = size_in_heap(cycles, heap, chunk, &word);
    return size && size < heap->end - chunk &&
           size_in_heap(cycles, heap, chunk + size, &word) && word & CHUNK_PREV_IN_USE;
}

/* What begins where a word of the object leads, and is no object, is its own: a buffer, a
 * lock, what a library in C has for it. */
static void free_own(struct cycles *cycles, uint64_t word)
{
    uint64_t block = block_at(cycles, word);

    if (arenas_find(cycles->arenas, word, cycles->layout->pymalloc.arena_bytes) ||
        is_followed(cycles, chunk_of(cycles, block)))
        free_block(cycles, block);
}

static bool is_object(struct cycles *cycles, uint64_t address, uint64_t *references)
{
    return cycles_memory_u64(&cycles->memory, address, references) &&
           *references & REFCOUNT_MASK &&
           !(*references & cycles->layout->object.refcnt_never) &&
           cycles_type_at(cycles, address);
}

static void free_one(void *context, uint64_t word)
{
    struct cycles *cycles = context;
    const struct cycles_mark *mark = cycles_set_find(&cycles->set, word);
    uint64_t references;

    if ((mark && !is_held_by_garbage(cycles, mark)) || !is_in_heap(cycles, word))
        return;
    if (!is_object(cycles, word, &references)) {
        if (cycles->edges.is_own)
            free_own(cycles, word);
    } else if (release_one(cycles, word, references)) {
        cycles_work_add(cycles, word);
    }
}

void cycles_free_object(struct cycles *cycles, uint64_t object)
{
    const struct cycles_type *type = cycles_type_at(cycles, object);

    if (!type || !free_block(cycles, object - type->prefix -
                                         cycles->layout->pymalloc.debug_prefix_bytes))
        return;
    cycles->freed->objects++;
    cycles_edges_visit(&cycles->edges, object, type);
}

/* obmalloc.c keeps the last arena of its list even when nothing is in use in it. */
void cycles_freed_end(struct cycles *cycles)
{
    struct cycles_freed *freed = cycles->freed;
    uint64_t kept_bytes = 0;

    chunk_set_sort(&freed->chunks);
    for (size_t i = 0; i < cycles->arenas->count; i++)
        if (freed->by_arena[i] && !cycles->uses[i].is_torn &&
            freed->by_arena[i] >= cycles->uses[i].blocks_used) {
            freed->arena_bytes += cycles->uses[i].resident_bytes;
            if (cycles->uses[i].resident_bytes > kept_bytes)
                kept_bytes = cycles->uses[i].resident_bytes;
        }
    freed->arena_bytes -= kept_bytes;
}

void cycles_freed_bits_release(struct cycles *cycles)
{
    for (size_t i = 0; cycles->freed_bits && i < cycles->arenas->count; i++)
        free(cycles->freed_bits[i]);
    free(cycles->freed_bits);
    cycles->freed_bits = NULL;
}

bool cycles_free_begin(struct cycles *cycles, struct cycles_freed *freed)
{
    cycles->freed = freed;
    cycles->n_counted = 0;
    freed->by_arena = calloc(cycles->arenas->count + 1, sizeof(*freed->by_arena));
    cycles_freed_bits_release(cycles);
    cycles->freed_bits = calloc(cycles->arenas->count + 1, sizeof(*cycles->freed_bits));
    free(cycles->counted);
    cycles->counted_slots = COUNTED_LEAST;
    cycles->counted = calloc(cycles->counted_slots * 2, sizeof(*cycles->counted));
    cycles->edges.visit = free_one;
    cycles->edges.visit_table = free_table;
    return freed->by_arena && cycles->freed_bits && cycles->counted;
}

bool cycles_freed_copy(struct cycles *cycles)
{
    const struct cycles_freed *least = &cycles->least;
    struct cycles_freed *most = &cycles->most;
    size_t arenas = cycles->arenas->count + 1, chunks = least->chunks.count;

    *most = *least;
    most->by_arena = malloc(arenas * sizeof(*most->by_arena));
    most->chunks.addresses = malloc((chunks + 1) * sizeof(*most->chunks.addresses));
    most->chunks.capacity = most->chunks.addresses ? chunks + 1 : 0;
    if (!most->by_arena || !most->chunks.addresses)
        return false;
    memcpy(most->by_arena, least->by_arena, arenas * sizeof(*most->by_arena));
    if (chunks)
        memcpy(most->chunks.addresses, least->chunks.addresses,
               chunks * sizeof(*most->chunks.addresses));
    return true;
}
