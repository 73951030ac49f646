#include "source/cycles.h"

#include <stdlib.h>
#include <string.h>

#include "source/cycles_free.h"

#define STEP        2000
#define PIECE_STEPS 250               /* what a piece of a long table counts */
#define UNREAD_MOST 1000              /* references that were not followed */
#define WORK_LEAST  ((size_t)1 << 14) /* reached objects that are noted at once */
#define TURN_PART   16 /* a turn that comes to less of all objects is little */

bool cycles_is_garbage(const struct cycles *cycles, const struct cycles_mark *mark)
{
    return !mark->is_reachable && !(cycles->freed == &cycles->least && mark->is_held);
}

static void fail(struct cycles *cycles, enum garbage_why why)
{
    cycles->stage = CYCLES_FAILED;
    cycles->why = why;
}

/* What is garbage may lead to more than there is room for: then nothing is known. */
void cycles_work_add(struct cycles *cycles, uint64_t address)
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

const struct cycles_type *cycles_type_at(struct cycles *cycles, uint64_t object)
{
    uint64_t type;

    return cycles_memory_u64(&cycles->memory, object + 8, &type)
               ? cycles_type_of(&cycles->edges.types, type)
               : NULL;
}

static void visit_object(struct cycles *cycles, uint64_t object)
{
    const struct cycles_type *type = cycles_type_at(cycles, object);

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
        (cycles->memory.is_scattered || cycles_memory_is_near(&cycles->memory, word)))
        cycles_work_add(cycles, word);
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
    cycles->is_again = cycles->memory.is_scattered = false;
    cycles->n_scanned = 0;
}

static void another_turn(struct cycles *cycles)
{
    bool is_little = cycles->n_scanned < cycles->set.count / TURN_PART;

    restart(cycles);
    cycles->memory.is_scattered = is_little;
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
        if (mark->is_reachable)
            continue;
        mark->is_opaque =
            cycles_type_is_opaque(&cycles->edges.types, cycles_type_at(cycles, address));
        cycles->has_opaque |= mark->is_opaque;
    }
}

/* ---- what is freed with the garbage ---- */

static bool free_some(struct cycles *cycles)
{
    uint64_t object;
    struct cycles_mark *mark;

    for (int n = 0; n < STEP; n++) {
        if (cycles->n_work) {
            cycles_free_object(cycles, cycles->work[--cycles->n_work]);
        } else if (cycles_edges_visit_more(&cycles->edges)) {
            n += PIECE_STEPS;
        } else if (!(mark = cycles_set_next(&cycles->set, &cycles->at, &object))) {
            cycles_freed_end(cycles);
            return false;
        } else if (cycles_is_garbage(cycles, mark)) {
            cycles_free_object(cycles, object);
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
        is_good = cycles_free_begin(cycles, &cycles->least);
    if (stage == CYCLES_FREE_MOST)
        is_good = cycles->has_opaque ? cycles_free_begin(cycles, &cycles->most)
                                     : cycles_freed_copy(cycles);
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
        is_more = free_some(cycles);
        break;
    case CYCLES_FREE_MOST:
        is_more = cycles->has_opaque && free_some(cycles);
        break;
    case CYCLES_OVER:
    case CYCLES_FAILED:
        return false;
    }
    if (cycles->edges.is_excessive)
        fail(cycles, GARBAGE_WHY_CHANGED);
    if (cycles->is_short || cycles->edges.types.is_short)
        fail(cycles, GARBAGE_WHY_NO_MEMORY);
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
    cycles_freed_bits_release(cycles);
    free(cycles->least.by_arena);
    free(cycles->most.by_arena);
    chunk_set_release(&cycles->least.chunks);
    chunk_set_release(&cycles->most.chunks);
    memset(cycles, 0, sizeof(*cycles));
}
