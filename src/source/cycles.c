#include "source/cycles.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "layout/pymalloc_layout.h"

#define STEP          2000
#define PIECE_STEPS   250               /* what a piece of a long table counts */
#define UNREAD_MOST   1000              /* references that were not followed */
#define WORK_LEAST    ((size_t)1 << 14) /* reached objects that are noted at once */
#define TURN_PART     16 /* a turn that comes to less of all objects is little */
#define COUNTED_LEAST ((size_t)1 << 12)
#define COUNTED_MOST  ((size_t)1 << 24)
#define REFCOUNT_MASK UINT64_C(0xffffffff)

static bool is_garbage(const struct cycles *cycles, const struct cycles_mark *mark)
{
    return !mark->is_reachable && !(cycles->freed == &cycles->least && mark->is_held);
}

static void fail(struct cycles *cycles, enum garbage_why why)
{
    cycles->stage = CYCLES_FAILED;
    cycles->why = why;
}

/* What is garbage may lead to more than there is room for: then nothing is known. */
static void work_add(struct cycles *cycles, uint64_t address)
{
    if (cycles->n_work == cycles->work_capacity) {
        size_t capacity = cycles->work_capacity ? cycles->work_capacity * 2 : WORK_LEAST;
        uint64_t *larger = reallocarray(cycles->work, capacity, sizeof(*larger));

        if (!larger) {
            fail(cycles, GARBAGE_WHY_NO_MEMORY);
            return;
        }
        cycles->work = larger;
        cycles->work_capacity = capacity;
    }
    cycles->work[cycles->n_work++] = address;
}

static bool read_collecting(struct cycles *cycles)
{
    const struct layout_gc *gc = &cycles->layout->gc;
    uint32_t collecting = 1;

    return reader_u32(cycles->memory.reader, raddr_add(gc->state, gc->collecting),
                      &collecting) &&
           !collecting;
}

/* ---- reachability ---- */

static const struct cycles_type *type_at(struct cycles *cycles, uint64_t object)
{
    uint64_t type;

    return cycles_memory_u64(&cycles->memory, object + 8, &type)
               ? cycles_type_of(&cycles->edges.types, type)
               : NULL;
}

static void visit_object(struct cycles *cycles, uint64_t object)
{
    const struct cycles_type *type = type_at(cycles, object);

    if (type)
        cycles_edges_visit(&cycles->edges, object, type);
}

static void subtract_one(void *context, uint64_t word)
{
    const struct cycles *cycles = context;
    struct cycles_mark *mark = cycles_set_find(&cycles->set, word);

    if (mark && mark->references < CYCLES_REFERENCES_MOST &&
        mark->references > -CYCLES_REFERENCES_MOST)
        mark->references--;
}

/* To go where a reference leads means reading there; the next turn comes by all objects
 * in the order of their addresses. But a long chain would want as many turns as it has
 * links: where turns come to little, references are followed wherever they lead. What
 * cannot be noted to go on from is met again in the next turn as well. */
static void reach_one(void *context, uint64_t word)
{
    struct cycles *cycles = context;
    struct cycles_mark *mark = cycles_set_find(&cycles->set, word);

    if (!mark || mark->is_reachable || mark->is_held)
        return;
    if (cycles->stage == CYCLES_ROOTS)
        mark->is_reachable = true;
    else
        mark->is_held = true;
    if (cycles->n_work < WORK_LEAST &&
        (cycles->is_far_too || cycles_memory_is_near(&cycles->memory, word)))
        work_add(cycles, word);
    else
        cycles->is_again = true;
}

static void scan(struct cycles *cycles, uint64_t object, struct cycles_mark *mark)
{
    if (!mark || mark->is_scanned)
        return;
    mark->is_scanned = true;
    cycles->n_scanned++;
    visit_object(cycles, object);
}

/* The next object in turn, when it is one to begin or to go on from. */
static void reach_at(struct cycles *cycles, uint64_t object, struct cycles_mark *mark)
{
    if (cycles->stage == CYCLES_ROOTS) {
        if (mark->references > 0)
            mark->is_reachable = true;
        if (mark->is_reachable)
            scan(cycles, object, mark);
        return;
    }
    if (mark->is_opaque && !mark->is_reachable)
        mark->is_held = true;
    if (mark->is_held)
        scan(cycles, object, mark);
}

static void restart(struct cycles *cycles)
{
    memset(&cycles->at, 0, sizeof(cycles->at));
    cycles->is_again = cycles->is_far_too = false;
    cycles->n_scanned = 0;
}

static void another_turn(struct cycles *cycles)
{
    bool is_little = cycles->n_scanned < cycles->set.count / TURN_PART;

    restart(cycles);
    cycles->is_far_too = is_little;
}

/* What has references from elsewhere, and from there on; false when all is done. */
static bool reach(struct cycles *cycles)
{
    uint64_t object;
    struct cycles_mark *mark;

    for (int n = 0; n < STEP; n++) {
        if (cycles->n_work) {
            object = cycles->work[--cycles->n_work];
            scan(cycles, object, cycles_set_find(&cycles->set, object));
        } else if (cycles_edges_visit_more(&cycles->edges)) {
            n += PIECE_STEPS;
        } else if ((mark = cycles_set_next(&cycles->set, &cycles->at, &object))) {
            reach_at(cycles, object, mark);
        } else if (cycles->is_again) {
            another_turn(cycles);
        } else {
            return false;
        }
    }
    return true;
}

static void find_opaque(struct cycles *cycles)
{
    struct cycles_at at = {0};
    struct cycles_mark *mark;
    uint64_t address;

    cycles_types_find_traverse(&cycles->edges.types);
    while ((mark = cycles_set_next(&cycles->set, &at, &address))) {
        if (!mark->is_reachable)
            mark->is_opaque =
                cycles_type_is_opaque(&cycles->edges.types, type_at(cycles, address));
    }
}

/* ---- what is freed with the garbage ---- */

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

static bool counted_add(struct cycles *cycles, uint64_t address, uint64_t references)
{
    uint64_t *counted = counted_reserve(cycles) ? counted_at(cycles, address) : NULL;

    if (!counted || *counted)
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
    if (!*bits || (*bits)[at / 64] & bit)
        return false;
    (*bits)[at / 64] |= bit;
    return true;
}

/* False when it cannot be, or was. */
static bool free_block(struct cycles *cycles, uint64_t block)
{
    struct cycles_freed *freed = cycles->freed;
    const struct arena_row *row =
        arenas_find(cycles->arenas, block, cycles->layout->pymalloc.arena_bytes);
    uint64_t pool = block & ~((uint64_t)cycles->layout->pymalloc.pool_bytes - 1), word;
    struct pool_header header;

    if (row) {
        if (!cycles_memory_read(&cycles->memory, pool, &header, sizeof(header)) ||
            header.szidx >= PYMALLOC_SIZE_CLASSES ||
            (block - pool - POOL_HEADER_BYTES) % pymalloc_block_bytes(header.szidx) ||
            !first_in_arena(cycles, row, block))
            return false;
        freed->by_arena[row - cycles->arenas->rows]++;
        freed->bytes += pymalloc_block_bytes(header.szidx);
        return true;
    }
    block = chunk_of(cycles, block);
    if (!cycles_memory_u64(&cycles->memory, block + 8, &word) ||
        !is_chunk(cycles, block, word & ~CHUNK_FLAGS) || !counted_add(cycles, block, 0) ||
        !chunk_set_add(&freed->chunks, block))
        return false;
    freed->bytes += word & ~CHUNK_FLAGS;
    return true;
}

static void free_table(void *context, uint64_t address)
{
    struct cycles *cycles = context;

    free_block(cycles, address - cycles->layout->pymalloc.debug_prefix_bytes);
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
    return !is_garbage(cycles, mark) && mark->references >= 0;
}

static void free_one(void *context, uint64_t word)
{
    struct cycles *cycles = context;
    const struct cycles_mark *mark = cycles_set_find(&cycles->set, word);
    uint64_t references;

    if ((mark && !is_held_by_garbage(cycles, mark)) || !is_in_heap(cycles, word) ||
        !cycles_memory_u64(&cycles->memory, word, &references) ||
        !(references & REFCOUNT_MASK) ||
        references & cycles->layout->object.refcnt_never || !type_at(cycles, word))
        return;
    if (release_one(cycles, word, references))
        work_add(cycles, word);
}

static void free_object(struct cycles *cycles, uint64_t object)
{
    const struct cycles_type *type = type_at(cycles, object);

    if (!type || !free_block(cycles, object - type->prefix -
                                         cycles->layout->pymalloc.debug_prefix_bytes))
        return;
    cycles->freed->objects++;
    cycles_edges_visit(&cycles->edges, object, type);
}

/* obmalloc.c keeps the last arena of its list even when nothing is in use in it. */
static void freed_end(struct cycles *cycles)
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

static void freed_bits_release(struct cycles *cycles)
{
    for (size_t i = 0; cycles->freed_bits && i < cycles->arenas->count; i++)
        free(cycles->freed_bits[i]);
    free(cycles->freed_bits);
    cycles->freed_bits = NULL;
}

static bool free_begin(struct cycles *cycles, struct cycles_freed *freed)
{
    cycles->freed = freed;
    cycles->n_counted = 0;
    freed->by_arena = calloc(cycles->arenas->count + 1, sizeof(*freed->by_arena));
    freed_bits_release(cycles);
    cycles->freed_bits = calloc(cycles->arenas->count + 1, sizeof(*cycles->freed_bits));
    free(cycles->counted);
    cycles->counted_slots = COUNTED_LEAST;
    cycles->counted = calloc(cycles->counted_slots * 2, sizeof(*cycles->counted));
    cycles->edges.visit = free_one;
    cycles->edges.visit_table = free_table;
    return freed->by_arena && cycles->freed_bits && cycles->counted;
}

static bool free_some(struct cycles *cycles)
{
    uint64_t object;
    struct cycles_mark *mark;

    for (int n = 0; n < STEP; n++) {
        if (cycles->n_work) {
            free_object(cycles, cycles->work[--cycles->n_work]);
        } else if (cycles_edges_visit_more(&cycles->edges)) {
            n += PIECE_STEPS;
        } else if (!(mark = cycles_set_next(&cycles->set, &cycles->at, &object))) {
            freed_end(cycles);
            return false;
        } else if (is_garbage(cycles, mark)) {
            free_object(cycles, object);
        }
    }
    return true;
}

/* ---- the stages ---- */

enum garbage_why cycles_why_not(const struct layout *layout)
{
    if (layout && layout->is_free_threaded)
        return GARBAGE_WHY_FREE_THREADED;
    if (!layout || !layout->has_gc)
        return GARBAGE_WHY_NO_COLLECTOR;
    return layout->has_pymalloc ? GARBAGE_WHY_UNTOLD : GARBAGE_WHY_NO_ARENAS;
}

bool cycles_begin(struct cycles *cycles, const struct layout *layout,
                  struct reader *reader, struct residency *residency,
                  const struct arena_table *arenas, const struct arena_use *uses,
                  const struct malloc_heaps *heaps)
{
    memset(cycles, 0, sizeof(*cycles));
    fail(cycles, cycles_why_not(layout));
    if (cycles->why)
        return false;
    cycles->why = GARBAGE_WHY_NO_MEMORY;
    cycles->layout = layout;
    cycles->arenas = arenas;
    cycles->uses = uses;
    cycles->heaps = heaps;
    cycles->memory.reader = reader;
    cycles->memory.residency = residency;
    cycles->edges = (struct cycles_edges){
        .memory = &cycles->memory,
        .layout = &layout->object,
        .context = cycles,
    };
    cycles->gather = (struct cycles_gather){.layout = layout,
                                            .memory = &cycles->memory,
                                            .types = &cycles->edges.types,
                                            .set = &cycles->set};
    if (!uses ||
        !cycles_types_init(&cycles->edges.types, &cycles->memory, &layout->object) ||
        !cycles_set_init(&cycles->set, arenas, layout->pymalloc.arena_bytes) ||
        !cycles_gather_init(&cycles->gather))
        return false;
    cycles->why = GARBAGE_WHY_COLLECTING;
    if (!read_collecting(cycles))
        return false;
    cycles->why = GARBAGE_WHY_UNTOLD;
    cycles->stage = CYCLES_GATHER;
    return true;
}

static void begin_stage(struct cycles *cycles, enum cycles_stage stage)
{
    bool is_good = true;

    cycles->stage = stage;
    restart(cycles);
    /* What a large table led to would look like garbage, had it moved meanwhile. */
    if (stage == CYCLES_OPAQUE && cycles->edges.n_unread >= UNREAD_MOST) {
        fail(cycles, GARBAGE_WHY_CHANGED);
        return;
    }
    cycles_edges_begin(&cycles->edges);
    cycles->edges.visit_table = NULL;
    cycles->edges.visit = stage == CYCLES_SUBTRACT ? subtract_one : reach_one;
    if (stage == CYCLES_SUBTRACT)
        cycles_gather_release(&cycles->gather);
    if (stage == CYCLES_OPAQUE)
        find_opaque(cycles);
    if (stage == CYCLES_FREE_LEAST)
        is_good = free_begin(cycles, &cycles->least);
    if (stage == CYCLES_FREE_MOST)
        is_good = free_begin(cycles, &cycles->most);
    if (!is_good)
        fail(cycles, GARBAGE_WHY_NO_MEMORY);
}

/* What is never counted down holds all that it leads to anyway. */
static bool subtract(struct cycles *cycles)
{
    uint64_t object;
    struct cycles_mark *mark;

    for (int n = 0; n < STEP; n++) {
        if (cycles_edges_visit_more(&cycles->edges)) {
            n += PIECE_STEPS;
            continue;
        }
        if (!(mark = cycles_set_next(&cycles->set, &cycles->at, &object)))
            return false;
        if (mark->references < CYCLES_REFERENCES_MOST)
            visit_object(cycles, object);
    }
    return true;
}

static void gather(struct cycles *cycles)
{
    enum gather_result result = cycles_gather_step(&cycles->gather);

    if (result == GATHER_FAILED)
        fail(cycles, GARBAGE_WHY_NO_MEMORY);
    else if (result == GATHER_OVER)
        begin_stage(cycles, CYCLES_SUBTRACT);
}

bool cycles_step(struct cycles *cycles)
{
    bool is_more = true;

    switch (cycles->stage) {
    case CYCLES_GATHER:
        gather(cycles);
        return cycles->stage != CYCLES_FAILED;
    case CYCLES_SUBTRACT:
        is_more = subtract(cycles);
        break;
    case CYCLES_ROOTS:
    case CYCLES_OPAQUE:
        is_more = reach(cycles);
        break;
    case CYCLES_FREE_LEAST:
    case CYCLES_FREE_MOST:
        is_more = free_some(cycles);
        break;
    case CYCLES_OVER:
    case CYCLES_FAILED:
        return false;
    }
    if (cycles->edges.is_excessive)
        fail(cycles, GARBAGE_WHY_CHANGED);
    if (!is_more && cycles->stage != CYCLES_FAILED)
        begin_stage(cycles, (enum cycles_stage)(cycles->stage + 1));
    return cycles->stage < CYCLES_OVER;
}

bool cycles_is_known(const struct cycles *cycles)
{
    return cycles->stage == CYCLES_OVER;
}

void cycles_release(struct cycles *cycles)
{
    cycles_memory_release(&cycles->memory);
    cycles_types_release(&cycles->edges.types);
    cycles_gather_release(&cycles->gather);
    cycles_set_release(&cycles->set);
    free(cycles->work);
    free(cycles->counted);
    freed_bits_release(cycles);
    free(cycles->least.by_arena);
    free(cycles->most.by_arena);
    chunk_set_release(&cycles->least.chunks);
    chunk_set_release(&cycles->most.chunks);
    memset(cycles, 0, sizeof(*cycles));
}
