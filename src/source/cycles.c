#include "source/cycles.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "layout/pymalloc_layout.h"

#define STEP          2000
#define REFCOUNT_MASK UINT64_C(0xffffffff)

static bool is_garbage(const struct cycles *cycles, const struct cycles_object *object)
{
    return !object->is_reachable && !(cycles->freed == &cycles->least && object->is_held);
}

/* ---- tables ---- */

static size_t slot_of(const struct cycles *cycles, uint64_t address)
{
    return (size_t)((address >> 4) * 0x9e3779b97f4a7c15u >> 20) & (cycles->n_slots - 1);
}

static struct cycles_object *object_at(struct cycles *cycles, uint64_t address)
{
    size_t at = slot_of(cycles, address);

    while (cycles->slots[at]) {
        struct cycles_object *object = &cycles->objects[cycles->slots[at] - 1];

        if (object->address == address)
            return object;
        at = (at + 1) & (cycles->n_slots - 1);
    }
    return NULL;
}

static bool slots_make(struct cycles *cycles)
{
    cycles->n_slots = 1024;
    while (cycles->n_slots < cycles->count * 2)
        cycles->n_slots *= 2;
    cycles->slots = calloc(cycles->n_slots, sizeof(*cycles->slots));
    if (!cycles->slots)
        return false;
    for (size_t i = 0; i < cycles->count; i++) {
        size_t at = slot_of(cycles, cycles->objects[i].address);

        while (cycles->slots[at])
            at = (at + 1) & (cycles->n_slots - 1);
        cycles->slots[at] = (uint32_t)i + 1;
    }
    return true;
}

static void work_add(struct cycles *cycles, uint64_t address)
{
    if (cycles->n_work == cycles->work_capacity) {
        size_t capacity = cycles->work_capacity ? cycles->work_capacity * 2 : 4096;
        uint64_t *larger = reallocarray(cycles->work, capacity, sizeof(*larger));

        if (!larger) {
            cycles->stage = CYCLES_FAILED;
            return;
        }
        cycles->work = larger;
        cycles->work_capacity = capacity;
    }
    cycles->work[cycles->n_work++] = address;
}

/* ---- the collector's lists ---- */

static bool read_collecting(struct cycles *cycles)
{
    const struct layout_gc *gc = &cycles->layout->gc;
    uint32_t collecting = 1;

    return reader_u32(cycles->memory.reader, raddr_add(gc->state, gc->collecting),
                      &collecting) &&
           !collecting;
}

static uint64_t list_head(const struct cycles *cycles)
{
    const struct layout_gc *gc = &cycles->layout->gc;

    return raddr_add(gc->state, gc->generations[cycles->generation]).value;
}

static bool add_object(struct cycles *cycles, uint64_t address)
{
    uint64_t references;

    if (cycles->count == cycles->capacity) {
        size_t capacity = cycles->capacity ? cycles->capacity * 2 : 4096;
        struct cycles_object *larger =
            capacity <= CYCLES_OBJECTS_MAX
                ? reallocarray(cycles->objects, capacity, sizeof(*larger))
                : NULL;

        if (!larger)
            return false;
        cycles->objects = larger;
        cycles->capacity = capacity;
    }
    if (!cycles_memory_u64(&cycles->memory, address, &references))
        return false;
    cycles->objects[cycles->count++] = (struct cycles_object){
        .address = address, .references = (int64_t)(references & REFCOUNT_MASK)};
    return true;
}

/* The next nodes; the lists have all been read when the generation is 3. */
static bool gather(struct cycles *cycles)
{
    for (int n = 0; n < STEP && cycles->generation < 3; n++) {
        uint64_t head = list_head(cycles), links[2];
        uint64_t node = cycles->node ? cycles->node : head;

        if (!(cycles->node
                  ? cycles_memory_read(&cycles->memory, node, links, 16)
                  : !reader_read(cycles->memory.reader, raddr_of(node), links, 16)))
            return false;
        node = links[0] & GC_LINK_MASK;
        if (node == head) {
            cycles->generation++;
            cycles->node = 0;
            continue;
        }
        if (node < 4096 || node & 7 || node >= RADDR_END ||
            !add_object(cycles, node + GC_HEAD_BYTES))
            return false;
        cycles->node = node;
    }
    return true;
}

/* ---- reachability ---- */

static const struct cycles_type *type_at(struct cycles *cycles, uint64_t object)
{
    uint64_t type;

    return cycles_memory_u64(&cycles->memory, object + 8, &type)
               ? cycles_type_of(&cycles->edges, type)
               : NULL;
}

static void visit_object(struct cycles *cycles, uint64_t object)
{
    const struct cycles_type *type = type_at(cycles, object);

    if (type)
        cycles_edges_visit(&cycles->edges, object, type);
}

/* The list of weak references that an object has is not owned by it. */
static struct cycles_object *referred(struct cycles *cycles, uint64_t word, bool is_table)
{
    struct cycles_object *object = object_at(cycles, word);
    const struct cycles_type *type;

    if (!object || is_table)
        return object;
    type = type_at(cycles, word);
    return type && type->is_weakref ? NULL : object;
}

static void subtract_one(void *context, uint64_t word, bool is_table)
{
    struct cycles_object *object = referred(context, word, is_table);

    if (object)
        object->references--;
}

static void reach_one(void *context, uint64_t word, bool is_table)
{
    struct cycles *cycles = context;
    struct cycles_object *object = referred(cycles, word, is_table);

    if (!object || object->is_reachable || object->is_held)
        return;
    if (cycles->stage == CYCLES_ROOTS)
        object->is_reachable = true;
    else
        object->is_held = true;
    work_add(cycles, word);
}

/* What has references from elsewhere, and from there on; false when all is done. */
static bool reach(struct cycles *cycles)
{
    for (int n = 0; n < STEP; n++) {
        if (cycles->n_work) {
            visit_object(cycles, cycles->work[--cycles->n_work]);
            continue;
        }
        if (cycles->next >= cycles->count)
            return false;
        const struct cycles_object *object = &cycles->objects[cycles->next++];

        if (cycles->stage == CYCLES_ROOTS ? object->references > 0
                                          : object->is_opaque && !object->is_reachable)
            reach_one(cycles, object->address, true);
    }
    return true;
}

/* Classes written in Python share one tp_traverse; most heap types are such. */
static void find_traverse(struct cycles *cycles)
{
    int64_t votes = 0;

    for (size_t i = 0; i < CYCLES_TYPES_MAX; i++) {
        const struct cycles_type *type = &cycles->edges.types[i];

        if (!type->is_type || !(type->flags & TYPE_FLAG_HEAP))
            continue;
        if (!votes)
            cycles->traverse = type->traverse;
        votes += type->traverse == cycles->traverse ? 1 : -1;
    }
}

static void find_opaque(struct cycles *cycles)
{
    find_traverse(cycles);
    for (size_t i = 0; i < cycles->count; i++) {
        struct cycles_object *object = &cycles->objects[i];
        const struct cycles_type *type;

        if (object->is_reachable)
            continue;
        type = type_at(cycles, object->address);
        object->is_opaque =
            !type || (!type->is_known && (!(type->flags & TYPE_FLAG_HEAP) ||
                                          type->traverse != cycles->traverse));
    }
}

/* ---- what is freed with the garbage ---- */

static void free_block(struct cycles *cycles, uint64_t block)
{
    struct cycles_freed *freed = cycles->freed;
    const struct arena_row *row =
        arenas_find(cycles->arenas, block, cycles->layout->pymalloc.arena_bytes);
    uint64_t pool = block & ~((uint64_t)cycles->layout->pymalloc.pool_bytes - 1), word;
    struct pool_header header;

    if (row) {
        if (!cycles_memory_read(&cycles->memory, pool, &header, sizeof(header)) ||
            header.szidx >= PYMALLOC_SIZE_CLASSES)
            return;
        freed->by_arena[row - cycles->arenas->rows]++;
        freed->bytes += pymalloc_block_bytes(header.szidx);
        return;
    }
    block -= CHUNK_HEADER;
    if (!cycles_memory_u64(&cycles->memory, block + 8, &word) ||
        !chunk_set_add(&freed->chunks, block))
        return;
    freed->bytes += word & ~CHUNK_FLAGS;
}

static void free_table(void *context, uint64_t address)
{
    struct cycles *cycles = context;

    free_block(cycles, address - cycles->layout->pymalloc.debug_prefix_bytes);
}

/* Takes one reference away from what is not tracked; true when it was the last. */
static bool release_one(struct cycles *cycles, uint64_t object)
{
    size_t mask = cycles->counted_slots - 1;
    size_t at = (size_t)((object >> 4) * 0x9e3779b97f4a7c15u >> 20) & mask;
    uint64_t references;

    while (cycles->counted[at * 2] && cycles->counted[at * 2] != object)
        at = (at + 1) & mask;
    if (!cycles->counted[at * 2]) {
        if (cycles->n_counted >= cycles->counted_slots / 2 ||
            !cycles_memory_u64(&cycles->memory, object, &references))
            return false;
        cycles->n_counted++;
        cycles->counted[at * 2] = object;
        cycles->counted[at * 2 + 1] = references & REFCOUNT_MASK;
    }
    return cycles->counted[at * 2 + 1] && !--cycles->counted[at * 2 + 1];
}

static bool is_in_heap(const struct cycles *cycles, uint64_t address)
{
    if (arenas_find(cycles->arenas, address, cycles->layout->pymalloc.arena_bytes) ||
        malloc_heaps_at(cycles->heaps, address))
        return true;
    /* Right behind the header of an mmapped chunk, and what Python puts in front. */
    return (address & 4095) <= CHUNK_HEADER + OBJECT_PREFIX_MAX + 16 && address >= 4096;
}

static void free_one(void *context, uint64_t word, bool is_table)
{
    struct cycles *cycles = context;
    uint64_t references;

    (void)is_table;
    if (object_at(cycles, word) || !is_in_heap(cycles, word) ||
        !cycles_memory_u64(&cycles->memory, word, &references) ||
        !(references & REFCOUNT_MASK) ||
        references & cycles->layout->object.refcnt_never || !type_at(cycles, word))
        return;
    if (release_one(cycles, word))
        work_add(cycles, word);
}

static void free_object(struct cycles *cycles, uint64_t object)
{
    const struct cycles_type *type = type_at(cycles, object);

    if (!type)
        return;
    cycles->freed->objects++;
    free_block(cycles,
               object - type->prefix - cycles->layout->pymalloc.debug_prefix_bytes);
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

static bool free_begin(struct cycles *cycles, struct cycles_freed *freed)
{
    cycles->freed = freed;
    cycles->next = 0;
    cycles->n_counted = 0;
    freed->by_arena = calloc(cycles->arenas->count + 1, sizeof(*freed->by_arena));
    free(cycles->counted);
    cycles->counted_slots = 4096;
    for (size_t i = 0; i < cycles->count; i++)
        if (is_garbage(cycles, &cycles->objects[i]) &&
            cycles->counted_slots < ((size_t)1 << 24))
            cycles->counted_slots += 16;
    while (cycles->counted_slots & (cycles->counted_slots - 1))
        cycles->counted_slots += cycles->counted_slots & -cycles->counted_slots;
    cycles->counted = calloc(cycles->counted_slots * 2, sizeof(*cycles->counted));
    cycles->edges.visit = free_one;
    cycles->edges.visit_table = free_table;
    return freed->by_arena && cycles->counted;
}

static bool free_some(struct cycles *cycles)
{
    for (int n = 0; n < STEP; n++) {
        if (cycles->n_work) {
            free_object(cycles, cycles->work[--cycles->n_work]);
            continue;
        }
        if (cycles->next >= cycles->count) {
            freed_end(cycles);
            return false;
        }
        const struct cycles_object *object = &cycles->objects[cycles->next++];

        if (is_garbage(cycles, object))
            free_object(cycles, object->address);
    }
    return true;
}

/* ---- the stages ---- */

bool cycles_begin(struct cycles *cycles, const struct layout *layout,
                  struct reader *reader, struct residency *residency,
                  const struct arena_table *arenas, const struct arena_use *uses,
                  const struct malloc_heaps *heaps)
{
    memset(cycles, 0, sizeof(*cycles));
    cycles->stage = CYCLES_FAILED;
    if (!layout || !layout->has_gc || !layout->has_pymalloc || layout->is_free_threaded ||
        !uses)
        return false;
    cycles->layout = layout;
    cycles->arenas = arenas;
    cycles->uses = uses;
    cycles->heaps = heaps;
    cycles->memory.reader = reader;
    cycles->memory.residency = residency;
    cycles->edges = (struct cycles_edges){
        .memory = &cycles->memory,
        .layout = &layout->object,
        .types = calloc(CYCLES_TYPES_MAX, sizeof(struct cycles_type)),
        .context = cycles,
    };
    if (!cycles->edges.types || !read_collecting(cycles))
        return false;
    cycles->stage = CYCLES_GATHER;
    return true;
}

static void begin_stage(struct cycles *cycles, enum cycles_stage stage)
{
    bool is_good = true;

    cycles->stage = stage;
    cycles->next = 0;
    cycles->edges.visit_table = NULL;
    cycles->edges.visit = stage == CYCLES_SUBTRACT ? subtract_one : reach_one;
    if (stage == CYCLES_SUBTRACT)
        is_good = slots_make(cycles);
    if (stage == CYCLES_OPAQUE)
        find_opaque(cycles);
    if (stage == CYCLES_FREE_LEAST)
        is_good = free_begin(cycles, &cycles->least);
    if (stage == CYCLES_FREE_MOST)
        is_good = free_begin(cycles, &cycles->most);
    if (!is_good)
        cycles->stage = CYCLES_FAILED;
}

static bool subtract(struct cycles *cycles)
{
    for (int n = 0; n < STEP && cycles->next < cycles->count; n++)
        visit_object(cycles, cycles->objects[cycles->next++].address);
    return cycles->next < cycles->count;
}

bool cycles_step(struct cycles *cycles)
{
    bool is_more = true;

    switch (cycles->stage) {
    case CYCLES_GATHER:
        if (!gather(cycles))
            cycles->stage = CYCLES_FAILED;
        else if (cycles->generation == 3)
            begin_stage(cycles, CYCLES_SUBTRACT);
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
    free(cycles->edges.types);
    free(cycles->objects);
    free(cycles->slots);
    free(cycles->work);
    free(cycles->counted);
    free(cycles->least.by_arena);
    free(cycles->most.by_arena);
    chunk_set_release(&cycles->least.chunks);
    chunk_set_release(&cycles->most.chunks);
    memset(cycles, 0, sizeof(*cycles));
}
