#include "source/objects_follow.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"
#include "target/target.h"
#include "util/bytes.h"
#include "util/clock.h"

#define FOLLOW_PER_STEP 512
#define PIECES_PER_STEP 64
#define OBJECT_READ     304 /* of an object: enough to know and to size it */
#define OBJECT_LEAST    48
#define NEED_MAX        (UINT64_C(1) << 40)

void walk_set_target_follow(struct walk *walk, struct target *target)
{
    struct walk_follow *follow = &walk->follow;
    struct err ignored = ERR_INIT;

    images_refresh(&follow->images, target->reader, &target->maps);
    follow->is_wanted =
        *follow->images.allocator && strcmp(follow->images.allocator, "glibc") != 0 &&
        !residency_scan(&follow->residency, target->fds.pagemap, &target->maps, &ignored);
}

void walk_follow_end(struct walk *walk)
{
    struct walk_follow *follow = &walk->follow;

    cycles_memory_release(&follow->memory);
    address_set_release(&follow->seen);
    cycles_types_release(&follow->edges.types);
    free(follow->queue);
    follow->queue = NULL;
    follow->n_queue = follow->queue_capacity = 0;
}

void walk_follow_release(struct walk *walk)
{
    walk_follow_end(walk);
    images_release(&walk->follow.images);
    residency_release(&walk->follow.residency);
}

/* ---- what is met ---- */

static void follow_word(void *context, uint64_t word)
{
    struct walk *walk = context;
    struct walk_follow *follow = &walk->follow;

    if (!raddr_may_hold_word(word) || word - walk->statics_start < walk->statics_bytes ||
        arena_map_has(&walk->map, word) || !address_set_add(&follow->seen, word))
        return;
    if (follow->n_queue == follow->queue_capacity &&
        !edges_grow((void **)&follow->queue, follow->n_queue, &follow->queue_capacity,
                    sizeof(*follow->queue)))
        return;
    follow->queue[follow->n_queue++] = word;
}

static void follow_object(struct walk *walk, uint64_t address, uint64_t type_address)
{
    struct cycles_edges *edges = &walk->follow.edges;
    const struct cycles_type *type = cycles_type_of(&edges->types, type_address);

    if (type)
        cycles_edges_visit(edges, address, type);
}

/* The commonest types refer to nothing. */
static bool has_references(const struct type_entry *entry)
{
    return entry->shape.has_gc_head || entry->is_heap ||
           entry->shape.rule == OBJECT_CODE || entry->shape.dict_offset;
}

static void follow_met(void *with, const struct met_object *met)
{
    if (has_references(met->entry))
        follow_object(with, met->view.address, met->entry->address);
}

/* ---- what was found ---- */

/* The object at the address into `bytes`, behind room for what stands before it; what is
 * not in memory is not touched. */
static bool found_read(struct walk *walk, uint64_t address, uint8_t *bytes)
{
    struct cycles_memory *memory = &walk->follow.memory;
    struct residency_bytes there =
        residency_of(&walk->follow.residency, address, address + OBJECT_LEAST);

    memset(bytes, 0, OBJECT_PREFIX_MAX + OBJECT_READ);
    if (there.resident == 0)
        return false;
    return cycles_memory_read(memory, address - OBJECT_PREFIX_MAX, bytes,
                              OBJECT_PREFIX_MAX + OBJECT_READ);
}

/* Objects that are in arenas, on the collector's lists or nothing of the sort do not
 * count: 0. Else what it needs. */
static uint64_t found_need(struct walk *walk, const struct type_entry *entry,
                           const struct object_view *view)
{
    uint64_t need;

    if (entry->shape.has_gc_head && (u64_at(view->bytes - GC_HEAD_BYTES, 0) ||
                                     walk_large_has(walk, view->address - GC_HEAD_BYTES)))
        return 0;
    need = object_block_need(&walk->layout.object, &entry->shape, view);
    if (walk->method == WALK_BY_ARENAS &&
        need + entry->shape.itemsize <= PYMALLOC_BLOCK_MAX)
        return 0;
    return need < NEED_MAX ? need : 0;
}

/* Is all of it mapped? What is swapped out is. */
static bool is_whole(struct walk *walk, uint64_t address, uint64_t bytes)
{
    struct residency_bytes there =
        residency_of(&walk->follow.residency, address, address + bytes);

    return there.resident + there.swapped + 2 * PAGEMAP_PAGE_BYTES > bytes;
}

static void follow_found(struct walk *walk, uint64_t address)
{
    uint8_t bytes[OBJECT_PREFIX_MAX + OBJECT_READ];
    struct object_view view = {bytes + OBJECT_PREFIX_MAX, OBJECT_READ, address};
    struct type_entry *entry;
    uint64_t need;

    if (!found_read(walk, address, bytes) ||
        !walk_is_alive(walk, u64_at(view.bytes, walk->layout.object.ob_refcnt)))
        return;
    entry = types_get(&walk->types, u64_at(view.bytes, walk->layout.object.ob_type));
    if (!entry || entry->shape.rule == OBJECT_TYPE)
        return;
    need = found_need(walk, entry, &view);
    if (!need || !is_whole(walk, address, need - entry->shape.prefix))
        return;
    walk_count_far(walk, entry, &view, false, (need + 15) & ~UINT64_C(15));
    if (has_references(entry))
        follow_object(walk, address, entry->address);
}

/* ---- the steps ---- */

void walk_follow_begin(struct walk *walk)
{
    struct walk_follow *follow = &walk->follow;

    walk_follow_end(walk);
    memset(&follow->memory, 0, sizeof(follow->memory));
    follow->memory.reader = walk->reader;
    follow->memory.residency = &follow->residency;
    follow->edges = (struct cycles_edges){.memory = &follow->memory,
                                          .layout = &walk->layout.object,
                                          .visit = follow_word,
                                          .context = walk};
    cycles_edges_begin(&follow->edges);
    follow->phase =
        cycles_types_init(&follow->edges.types, &follow->memory, &walk->layout.object)
            ? FOLLOW_ARENAS
            : FOLLOW_FOUND;
    follow->next = 0;
    walk->next_arena = 0;
}

/* Once more over the arenas, to see the objects; nothing is counted there. */
static void follow_arenas(struct walk *walk, int64_t deadline_mono_ns)
{
    walk_visitor *visit = walk->visit;
    void *with = walk->visit_with;
    struct walk_counts counts = walk->workers[0].counts;

    walk->visit = follow_met;
    walk->visit_with = walk;
    walk_worker_arenas(&walk->workers[0], deadline_mono_ns);
    walk->visit = visit;
    walk->visit_with = with;
    walk->workers[0].counts = counts;
}

static void follow_large(struct walk *walk)
{
    struct walk_follow *follow = &walk->follow;
    uint64_t type;

    for (size_t n = 0; n < FOLLOW_PER_STEP && follow->next < walk->large.count; n++) {
        uint64_t object = walk_large_head(walk, follow->next++) + GC_HEAD_BYTES;

        if (cycles_memory_u64(&follow->memory, object + walk->layout.object.ob_type,
                              &type))
            follow_object(walk, object, type);
    }
}

/* What the last step left of long tables; true when there is more of it. */
static bool follow_pieces(struct walk_follow *follow)
{
    for (size_t n = 0; n < PIECES_PER_STEP; n++)
        if (!cycles_edges_visit_more(&follow->edges))
            return false;
    return follow->edges.n_pieces > 0;
}

bool walk_follow_step(struct walk *walk, int64_t deadline_mono_ns)
{
    struct walk_follow *follow = &walk->follow;

    if (follow_pieces(follow))
        return true;
    switch (follow->phase) {
    case FOLLOW_ARENAS:
        if (walk->next_arena < walk->table.count)
            follow_arenas(walk, deadline_mono_ns);
        else
            follow->phase = FOLLOW_LARGE;
        return true;
    case FOLLOW_LARGE:
        follow_large(walk);
        if (follow->next >= walk->large.count)
            follow->phase = FOLLOW_FOUND;
        return true;
    case FOLLOW_FOUND:
        for (size_t n = 0; n < FOLLOW_PER_STEP && follow->n_queue; n++)
            follow_found(walk, follow->queue[--follow->n_queue]);
        walk->workers[0].counts.is_cut |=
            follow->edges.is_excessive || follow->edges.types.is_short;
        return follow->n_queue > 0 || follow->edges.n_pieces > 0;
    }
    return false;
}
