#include "source/objects_walk.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"
#include "util/xalloc.h"

#define WINDOW_BYTES (1u << 20) /* where no arena says how large it is */

void walk_init(struct walk *walk, struct reader *reader, const struct layout *layout,
               uint64_t type_type)
{
    memset(walk, 0, sizeof(*walk));
    walk->reader = reader;
    walk->layout = *layout;
    types_init(&walk->types, reader, &walk->layout.object, type_type,
               layout->pymalloc.debug_prefix_bytes);
    walk->types.arenas = &walk->map;
    walk->n_workers = 1;
    walk->workers[0].walk = walk;
    walk->learning.is_due = true;
    walk_set_pagemap(walk, -1);
    if (!layout->has_pymalloc)
        walk->layout.pymalloc.arena_bytes = WINDOW_BYTES;
    walk->window_capacity = walk->layout.pymalloc.arena_bytes;
}

void walk_release(struct walk *walk)
{
    types_release(&walk->types);
    walk_kept_forget(walk);
    walk_stretches_release(walk);
    arena_notes_release(&walk->notes);
    chunk_notes_release(&walk->chunk_notes);
    arena_map_release(&walk->map);
    arenas_release(&walk->table);
    walk_learn_release(walk);
    walk_large_release(walk);
    walk_chunks_release(walk);
    walk_mimalloc_release(walk);
    walk_follow_release(walk);
    walk_owners_release(walk);
    walk_rest_release(walk);
    walk_workers_release(walk);
    walk_ahead_close(walk->ahead);
    memset(walk, 0, sizeof(*walk));
}

void walk_set_workers(struct walk *walk, size_t count)
{
    walk->n_workers = count < 1 ? 1 : count > WALK_WORKERS_MAX ? WALK_WORKERS_MAX : count;
}

void walk_set_refresh(struct walk *walk, uint64_t least_bytes, bool is_wanted)
{
    walk->kept.least_bytes = least_bytes;
    walk->kept.is_wanted = is_wanted;
}

void walk_set_pagemap(struct walk *walk, int fd)
{
    pagemap_init(&walk->workers[0].pagemap, fd);
}

void walk_set_image(struct walk *walk, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    walk->statics_start = start;
    walk->statics_bytes = end - start;
    /* Higher ones do not pass for a refcount anyway. */
    if (start <= UINT32_MAX) {
        walk->image_start = start;
        walk->image_bytes = end - start;
    }
}

static void walk_reset(struct walk *walk)
{
    walk->next_arena = 0;
    walk->open_links = 0;
    walk->is_more_outside = false;
    walk->unowned_blocks = walk->unowned_bytes = 0;
    walk->chunks.next = 0;
    walk->chunks.state = CHUNKS_NEW_REGION;
    memset(&walk->facts, 0, sizeof(walk->facts));
    walk->facts.method = walk_method_name(walk->method, walk->follow.is_wanted);
    walk->facts.began_mono_ns = clock_monotonic_ns();
    walk->read_bytes_before = walk->reader->read_bytes;
}

/* The arenas as they are now, and nothing noted of them yet. */
static int walk_begin_arenas(struct walk *walk, struct err *err)
{
    size_t bad = 0;

    arena_notes_release(&walk->notes);
    chunk_notes_release(&walk->chunk_notes);
    arena_map_release(&walk->map);
    arenas_release(&walk->table);
    if (walk->method == WALK_BY_ARENAS &&
        arenas_read(&walk->table, walk->reader, &walk->layout, &bad, err))
        return -1;
    walk->workers[0].counts.is_cut = bad > 0;
    arena_map_init(&walk->map, &walk->table, walk->layout.pymalloc.arena_bytes);
    if (!arena_notes_init(&walk->notes, &walk->map, &walk->layout.pymalloc))
        return err_set(err, ERR_FAILED, "out of memory for notes of the arenas");
    return 0;
}

int walk_begin(struct walk *walk, struct err *err)
{
    int64_t cpu_ns = clock_thread_cpu_ns();

    walk->stage = WALK_IDLE;
    if (walk_choose_method(walk, err))
        return -1;
    /* Where all chunks are known nothing needs to be followed. */
    walk->follow.is_wanted &= !walk_has_no_arenas(walk);
    walk_reset(walk);
    if (walk_workers_begin(walk, err) || walk_begin_arenas(walk, err))
        return -1;
    types_begin_walk(&walk->types);
    walk_owners_init(walk);
    walk_kept_begin(walk);
    walk_learn_release(walk);
    walk_rest_begin(walk);
    walk_large_begin(walk);
    if (walk->method == WALK_BY_MIMALLOC)
        walk_mimalloc_begin(walk);
    if (walk_is_shared(walk))
        walk_large_seed(walk);
    walk->stage = WALK_ARENAS;
    walk->facts.cpu_ns = clock_thread_cpu_ns() - cpu_ns;
    return 0;
}

/* With what was learned; the price of both is the price of the walk. */
static void walk_again(struct walk *walk)
{
    struct walk_facts facts = walk->facts;
    uint64_t read_bytes_before = walk->read_bytes_before;
    struct err ignored = ERR_INIT;

    if (walk_begin(walk, &ignored)) {
        walk->stage = WALK_OVER;
        return;
    }
    walk->facts.began_mono_ns = facts.began_mono_ns;
    walk->facts.cpu_ns += facts.cpu_ns;
    walk->read_bytes_before = read_bytes_before;
}

static void walk_end_chunks(struct walk *walk)
{
    for (size_t i = 0; i < walk->n_workers; i++) {
        walk->workers[i].window_bytes = 0;
        walk_later_flush(&walk->workers[i]);
    }
    walk_windows_give(walk);
    if (walk->visit) {
        walk_workers_merge(walk);
        walk->stage = WALK_OVER;
        return;
    }
    walk_kept_end(walk);
    walk_owners_begin(walk);
    walk->stage = WALK_OWNERS;
}

/* One piece of work. */
static void walk_advance(struct walk *walk, int64_t deadline_mono_ns)
{
    switch (walk->stage) {
    case WALK_ARENAS:
        if (walk->next_arena < walk->table.count) {
            walk_share(walk, deadline_mono_ns);
            break;
        }
        for (size_t i = 0; i < walk->n_workers; i++)
            edges_trim(&walk->workers[i].edges);
        walk->is_seeded = walk_has_no_arenas(walk);
        walk->stage = WALK_OUTSIDE;
        break;
    case WALK_OUTSIDE:
        if (walk_share(walk, deadline_mono_ns))
            break;
        if (walk->follow.is_wanted)
            walk_follow_begin(walk);
        walk->stage = WALK_FOLLOW;
        break;
    case WALK_FOLLOW:
        if (walk->follow.is_wanted && walk_follow_step(walk, deadline_mono_ns))
            break;
        walk_follow_end(walk);
        walk_end_chunks(walk);
        break;
    case WALK_OWNERS:
        if (walk_owners_step(walk))
            break;
        walk_claim_free_lists(walk);
        walk_workers_merge(walk);
        walk->stage = WALK_LEARN;
        break;
    case WALK_LEARN:
        walk_learn(walk);
        walk->stage = WALK_REST;
        break;
    case WALK_REST:
        if (walk_rest_step(walk))
            break;
        walk->stage = WALK_OVER;
        if (walk_learn_end(walk))
            walk_again(walk);
        break;
    case WALK_IDLE:
    case WALK_OVER:
        break;
    }
}

static bool walk_is_going(const struct walk *walk)
{
    return walk->stage != WALK_IDLE && walk->stage != WALK_OVER;
}

bool walk_step(struct walk *walk, int64_t deadline_mono_ns)
{
    int64_t cpu_ns = clock_thread_cpu_ns();

    while (walk_is_going(walk)) {
        walk_advance(walk, deadline_mono_ns);
        if (deadline_mono_ns > 0 && clock_monotonic_ns() >= deadline_mono_ns)
            break;
    }
    walk->facts.cpu_ns += clock_thread_cpu_ns() - cpu_ns;
    return !walk_is_going(walk);
}

const struct objects_section *walk_finish(struct walk *walk)
{
    const struct objects_section *section = walk_section(walk);

    for (size_t i = 0; i < walk->n_workers; i++)
        edges_release(&walk->workers[i].edges);
    walk->stage = WALK_IDLE;
    return section;
}
