/*
 * The pins: which objects keep arenas that are mostly free. Read in slices after the
 * walk, and on a budget of its own: so seldom that it takes half a per cent of one core;
 * in between the last answer is shared.
 */
#include <stdlib.h>
#include <string.h>

#include "heaptop/source.h"
#include "model/builder.h"
#include "model/pins.h"
#include "source/malloc_caches.h"
#include "source/pins_owners.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define PINS_CPU_FACTOR 200   /* averaged: 0.5 % of one core */
#define YOUNG_MAX       50000 /* objects of the generations 0 and 1 that are noted */

/* Owners are looked for where at least so small a share of the arenas can be returned;
 * never for longer than this, and so seldom that it takes a quarter per cent. */
#define OWNERS_SHARE      32
#define OWNERS_CPU_MAX_NS (8 * NS_PER_S)
#define OWNERS_CPU_FACTOR 400
#define OWNERS_PAUSE_NS   (10 * NS_PER_S)

enum pins_stage {
    PINS_IDLE = 0,
    PINS_ARENAS,
    PINS_BLOCKS,
    PINS_OWNERS,
};

struct pins_state {
    enum pins_stage stage;
    bool is_open; /* the walk is initialised for `arenas_word` */
    uint64_t arenas_word;
    struct walk walk; /* for its types; it never walks */
    struct chunk_set young;
    bool are_generations_known;
    struct pins_arenas arenas;
    struct pins_blocks blocks;
    struct pins_owners owners; /* of the last search, or under way */
    enum pin_owners owners_are;
    int64_t owners_mono_ns, owners_cpu_ns, next_owners_mono_ns;
    uint64_t read_bytes_before;
    int64_t cpu_ns, next_mono_ns;
    const struct pins_section *latest; /* a reference */
};

static int pins_open(struct target *target, void **state, struct err *err)
{
    (void)target;
    (void)err;
    *state = xcalloc(1, sizeof(struct pins_state));
    return 0;
}

static void release_blocks(struct pins_state *state)
{
    pins_arenas_release(&state->arenas);
    pins_blocks_release(&state->blocks);
    chunk_set_release(&state->young);
    arena_map_release(&state->walk.map);
    arenas_release(&state->walk.table);
    edges_release(&state->walk.workers[0].edges);
}

static void pins_abandon(void *opaque)
{
    struct pins_state *state = opaque;

    release_blocks(state);
    pins_owners_release(&state->owners);
    state->stage = PINS_IDLE;
}

static void pins_close(void *opaque)
{
    struct pins_state *state = opaque;

    if (!state)
        return;
    pins_abandon(state);
    if (state->is_open)
        walk_release(&state->walk);
    pins_unref(state->latest);
    free(state);
}

/* The objects of one young generation; false when the list moved, or is too long. */
static bool add_generation(struct pins_state *state, struct reader *reader, uint64_t head)
{
    uint64_t node = head, links[2];

    while (state->young.count < YOUNG_MAX) {
        if (reader_read(reader, raddr_of(node), links, sizeof(links)))
            return false;
        node = links[0] & GC_LINK_MASK;
        if (node == head)
            return true;
        if (node < 4096 || !chunk_set_add(&state->young, node))
            return false;
    }
    return false;
}

/* Young objects lie side by side: a page at a time is read. */
static void read_young(struct pins_state *state)
{
    const struct layout *layout = &state->walk.layout;
    struct reader *reader = reader_kept_new(state->walk.reader, NULL);

    chunk_set_clear(&state->young);
    state->are_generations_known = layout->has_gc && !layout->gc.is_incremental;
    for (int i = 0; state->are_generations_known && i < 2; i++)
        state->are_generations_known = add_generation(
            state, reader, raddr_add(layout->gc.state, layout->gc.generations[i]).value);
    chunk_set_sort(&state->young);
    reader_close(reader);
}

/* The types that were met stay known as long as the layout is the same. */
static void open_walk(struct pins_state *state, const struct source_context *context)
{
    const struct layout *layout = context->layout;
    struct target *target = context->target;

    if (state->is_open && (state->arenas_word != layout->pymalloc.arenas_word.value ||
                           state->walk.reader != target->reader)) {
        walk_release(&state->walk);
        state->is_open = false;
    }
    if (!state->is_open) {
        walk_init(&state->walk, target->reader, layout, target->type_type.value);
        walk_set_target_image(&state->walk, target);
        state->arenas_word = layout->pymalloc.arenas_word.value;
        state->is_open = true;
    }
    walk_set_pagemap(&state->walk, target->fds.pagemap);
}

static int pins_begin(struct pins_state *state, const struct source_context *context,
                      struct err *err)
{
    struct walk *walk = &state->walk;
    size_t bad;

    pins_abandon(state);
    state->cpu_ns = 0;
    open_walk(state, context);
    state->read_bytes_before = walk->reader->read_bytes;
    if (arenas_read(&walk->table, walk->reader, &walk->layout, &bad, err))
        return -1;
    arena_map_init(&walk->map, &walk->table, walk->layout.pymalloc.arena_bytes);
    types_begin_walk(&walk->types);
    read_young(state);
    state->arenas = (struct pins_arenas){.reader = walk->reader,
                                         .pagemap = &walk->workers[0].pagemap,
                                         .pymalloc = &walk->layout.pymalloc,
                                         .table = &walk->table};
    if (!pins_arenas_begin(&state->arenas))
        return err_set(err, ERR_FAILED, "out of memory for what keeps arenas");
    state->stage = PINS_ARENAS;
    return 0;
}

static bool begin_blocks(struct pins_state *state)
{
    state->blocks.walk = &state->walk;
    state->blocks.arenas = &state->arenas;
    state->blocks.young = state->are_generations_known ? &state->young : NULL;
    state->stage = PINS_BLOCKS;
    return pins_blocks_begin(&state->blocks);
}

/* ---- the section ---- */

/* So that a step doubles the arenas of the one before, and the last one has all. */
static size_t step_after(size_t arenas, size_t all)
{
    size_t next = arenas < 8 ? arenas + 1 : arenas + arenas / 4;

    return next < all ? next : all;
}

static void add_to_step(struct pin_step *step, const struct pin_arena *arena)
{
    step->arenas++;
    step->objects += arena->objects;
    step->blocks += arena->blocks;
    step->bytes += arena->used_bytes;
    step->return_bytes += arena->resident_bytes;
}

/* pymalloc keeps one arena in which nothing is in use (obmalloc.c): when none is there
 * yet, the first one that becomes free is not returned. */
static void fill_steps(const struct pins_state *state, struct pins_section *section)
{
    const struct pin_arena *arenas = state->arenas.arenas;
    size_t looked_at = state->blocks.next, next = step_after(0, looked_at);
    uint64_t kept =
        looked_at && !state->arenas.has_free_arena ? arenas[0].resident_bytes : 0;
    struct pin_step sum = {.return_bytes = 0};

    for (size_t i = 0; i < looked_at; i++) {
        add_to_step(&sum, &arenas[i]);
        if (pin_arena_is_cheap(&state->arenas, &arenas[i]))
            add_to_step(&section->cheap, &arenas[i]);
        if (i + 1 != next)
            continue;
        if (section->n_steps < PIN_STEPS_MAX)
            section->n_steps++;
        section->steps[section->n_steps - 1] = sum;
        section->steps[section->n_steps - 1].return_bytes -= kept;
        next = step_after(next, looked_at);
    }
    section->resident_bytes = sum.return_bytes;
    section->return_bytes = sum.return_bytes - kept;
    section->cheap.return_bytes -= section->cheap.return_bytes ? kept : 0;
}

static void fill_classes(const struct pins_state *state, struct pins_section *section)
{
    for (size_t i = 0; i < PYMALLOC_SIZE_CLASSES; i++)
        if (state->arenas.classes[i].pools)
            section->classes[section->n_classes++] = state->arenas.classes[i];
}

static void fill_totals(struct pins_section *section, const struct pin_block *blocks,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_object = blocks[i].what == PIN_OBJECT || blocks[i].what == PIN_DICT;

        section->objects += is_object;
        section->object_bytes += is_object ? blocks[i].bytes : 0;
        section->parts += !is_object;
        section->part_bytes += is_object ? 0 : blocks[i].bytes;
    }
}

/* What is known of them ages, and is dropped when it is not worth to look again. */
static void check_owners(struct pins_state *state, const struct pins_section *section)
{
    uint64_t all_bytes = state->walk.table.count * section->arena_bytes_each;
    bool is_due = clock_monotonic_ns() >= state->next_owners_mono_ns;

    if (section->return_bytes * OWNERS_SHARE >= all_bytes && section->return_bytes) {
        if (state->owners_are == PIN_OWNERS_TOO_LITTLE)
            state->owners_are = PIN_OWNERS_UNKNOWN;
    } else if (is_due) {
        state->owners_are = PIN_OWNERS_TOO_LITTLE;
    }
}

static void fill_owners(const struct pins_state *state, struct pins_section *section,
                        struct pin_row *rows, size_t count)
{
    section->owners = state->owners_are;
    section->owners_mono_ns = state->owners_mono_ns;
    section->owners_cpu_ns = state->owners_cpu_ns;
    if (state->owners_are == PIN_OWNERS_KNOWN)
        pins_owners_fill(&state->owners, rows, count);
}

/* False when they are not looked for. */
static bool begin_owners(struct pins_state *state, const struct source_context *context)
{
    struct err err = ERR_INIT;

    if (state->owners_are == PIN_OWNERS_TOO_LITTLE ||
        clock_monotonic_ns() < state->next_owners_mono_ns)
        return false;
    state->owners_are = PIN_OWNERS_UNKNOWN;
    state->owners_cpu_ns = 0;
    return !pins_owners_begin(&state->owners, state->latest, &state->blocks, context,
                              &err);
}

static const struct pins_section *pins_make(struct pins_state *state)
{
    const struct pins_section *section = NULL;
    struct pins_section facts;
    struct pin_row *rows;
    size_t count;

    memset(&facts, 0, sizeof(facts));
    facts.taken_mono_ns = clock_monotonic_ns();
    facts.cpu_ns = state->cpu_ns;
    facts.read_bytes = state->walk.reader->read_bytes - state->read_bytes_before;
    facts.arena_bytes_each = state->walk.layout.pymalloc.arena_bytes;
    facts.arenas = state->arenas.count;
    facts.arenas_skipped = state->arenas.count - state->blocks.next;
    facts.are_generations_known = state->are_generations_known;
    for (size_t i = 0; i < state->blocks.next; i++)
        facts.arenas_torn += state->arenas.arenas[i].is_torn;
    fill_steps(state, &facts);
    fill_classes(state, &facts);
    fill_totals(&facts, state->blocks.blocks, state->blocks.count);
    rows = pins_blocks_rows(&state->blocks, &count);
    check_owners(state, &facts);
    if (rows) {
        fill_owners(state, &facts, rows, count);
        section = pins_seal(&facts, rows, count);
    }
    free(rows);
    return section;
}

static enum source_result pins_keep(struct pins_state *state,
                                    const struct pins_section *section, struct err *err)
{
    if (!section) {
        err_set(err, ERR_FAILED, "out of memory for what keeps arenas");
        return SOURCE_FAILED;
    }
    pins_unref(state->latest);
    state->latest = section;
    return SOURCE_DONE;
}

/* What was found is shown while the owners are looked for. */
static enum source_result pins_end(struct pins_state *state,
                                   const struct source_context *context, struct err *err)
{
    enum source_result result = pins_keep(state, pins_make(state), err);

    state->next_mono_ns = clock_monotonic_ns() + state->cpu_ns * PINS_CPU_FACTOR;
    if (result == SOURCE_DONE && begin_owners(state, context)) {
        release_blocks(state);
        state->stage = PINS_OWNERS;
        return SOURCE_MORE;
    }
    pins_abandon(state);
    return result;
}

/* ---- whose they are ---- */

static const struct pins_section *pins_with_owners(const struct pins_state *state)
{
    struct pins_section facts = *state->latest;
    size_t count = facts.n_rows;
    struct pin_row *rows = calloc(count + 1, sizeof(*rows));
    const struct pins_section *section = NULL;

    if (rows) {
        memcpy(rows, facts.rows, count * sizeof(*rows));
        fill_owners(state, &facts, rows, count);
        section = pins_seal(&facts, rows, count);
    }
    free(rows);
    return section;
}

static enum source_result end_owners(struct pins_state *state, enum pin_owners are,
                                     struct err *err)
{
    int64_t now_ns = clock_monotonic_ns(),
            pause_ns = state->owners_cpu_ns * OWNERS_CPU_FACTOR;

    state->next_owners_mono_ns =
        now_ns + (pause_ns > OWNERS_PAUSE_NS ? pause_ns : OWNERS_PAUSE_NS);
    state->owners_mono_ns = now_ns;
    state->owners_are = are;
    if (are == PIN_OWNERS_KNOWN)
        pins_owners_name(&state->owners);
    pins_abandon(state);
    return pins_keep(state, pins_with_owners(state), err);
}

/* Trouble on the way is as if they were not looked for. */
static enum source_result go_on_with_owners(struct pins_state *state,
                                            struct source_context *context,
                                            struct err *err)
{
    int64_t began_ns = clock_thread_cpu_ns(), spent_ns;
    enum source_result result =
        pins_owners_step(&state->owners, context->deadline_mono_ns, err);

    spent_ns = clock_thread_cpu_ns() - began_ns;
    state->owners_cpu_ns += spent_ns;
    context->own_budget_cpu_ns += spent_ns;
    if (result == SOURCE_DONE)
        return end_owners(state, PIN_OWNERS_KNOWN, err);
    if (result == SOURCE_FAILED)
        return end_owners(state, PIN_OWNERS_UNKNOWN, err);
    if (state->owners_cpu_ns > OWNERS_CPU_MAX_NS) /* who has a list may stay open */
        return end_owners(state,
                          state->owners.search.stage == FIND_OWNERS ? PIN_OWNERS_KNOWN
                                                                    : PIN_OWNERS_TOO_DEAR,
                          err);
    return SOURCE_MORE;
}

/* ---- in slices ---- */

/* False when all is read. */
static bool pins_step(struct pins_state *state)
{
    if (state->stage == PINS_ARENAS)
        return pins_arenas_step(&state->arenas) || begin_blocks(state);
    return state->stage == PINS_BLOCKS && pins_blocks_step(&state->blocks);
}

static enum source_result pins_go_on(struct pins_state *state,
                                     struct source_context *context, struct err *err)
{
    int64_t began_ns = clock_thread_cpu_ns(), spent_ns;
    bool is_over = false;

    while (!is_over && clock_monotonic_ns() < context->deadline_mono_ns)
        is_over = !pins_step(state);
    spent_ns = clock_thread_cpu_ns() - began_ns;
    state->cpu_ns += spent_ns;
    context->own_budget_cpu_ns += spent_ns;
    return is_over ? pins_end(state, context, err) : SOURCE_MORE;
}

/* Without pymalloc there are no arenas to be kept; that is no failure. */
static enum source_result pins_sample(void *opaque, struct source_context *context,
                                      struct err *err)
{
    struct pins_state *state = opaque;
    enum source_result result = SOURCE_DONE;

    if (!context->target->reader || !context->layout || !context->layout->has_pymalloc)
        return SOURCE_DONE;
    if (state->stage == PINS_IDLE && clock_monotonic_ns() >= state->next_mono_ns &&
        pins_begin(state, context, err))
        return SOURCE_FAILED;
    if (state->stage == PINS_OWNERS)
        result = go_on_with_owners(state, context, err);
    else if (state->stage != PINS_IDLE)
        result = pins_go_on(state, context, err);
    if (result != SOURCE_FAILED)
        builder_pins(context->builder, state->latest);
    return result;
}

const struct source_ops source_pins = {
    .name = "pins",
    .title = "What keeps arenas",
    .cost = SOURCE_WALK,
    .open = pins_open,
    .sample = pins_sample,
    .abandon = pins_abandon,
    .close = pins_close,
};
