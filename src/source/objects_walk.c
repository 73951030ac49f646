#include "source/objects_walk.h"

#include <stdlib.h>
#include <string.h>

#include "model/builder.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define POOL_READS_MAX 8
#define WINDOW_BYTES   (1u << 20) /* where no arena says how large it is */

void walk_init(struct walk *walk, struct reader *reader, const struct layout *layout,
               uint64_t type_type)
{
    memset(walk, 0, sizeof(*walk));
    walk->reader = reader;
    walk->layout = *layout;
    types_init(&walk->types, reader, &walk->layout.object, type_type,
               layout->pymalloc.debug_prefix_bytes);
    walk->types.arenas = &walk->map;
    walk->later = xcalloc(1, sizeof(*walk->later));
    pagemap_init(&walk->pagemap, -1);
    if (!layout->has_pymalloc)
        walk->layout.pymalloc.arena_bytes = WINDOW_BYTES;
    walk->window_capacity = walk->layout.pymalloc.arena_bytes;
    walk->window = malloc(walk->window_capacity);
}

void walk_release(struct walk *walk)
{
    types_release(&walk->types);
    arena_map_release(&walk->map);
    arenas_release(&walk->table);
    walk_large_release(walk);
    walk_chunks_release(walk);
    free(walk->later);
    free(walk->window);
    memset(walk, 0, sizeof(*walk));
}

void walk_set_pagemap(struct walk *walk, int fd)
{
    pagemap_init(&walk->pagemap, fd);
}

void walk_set_image(struct walk *walk, uint64_t start, uint64_t end)
{
    /* Higher ones do not pass for a refcount anyway. */
    if (start < end && start <= UINT32_MAX) {
        walk->image_start = start;
        walk->image_bytes = end - start;
    }
}

static void walk_reset(struct walk *walk)
{
    walk->next_arena = 0;
    walk->window_bytes = 0;
    walk->other_blocks = walk->other_bytes = walk->freelist_objects = 0;
    walk->large_bytes = 0;
    walk->arenas_gone = 0;
    walk->absent_bytes = walk->absent_pools = walk->absent_chunks = 0;
    walk->open_links = 0;
    walk->has_absent = false;
    walk->is_cut = false;
    pagemap_forget(&walk->pagemap);
    walk->later->count = 0;
    walk->chunks.next = 0;
    walk->chunks.state = CHUNKS_NEW_REGION;
    memset(walk->later->memory, 0, sizeof(walk->later->memory));
    memset(&walk->facts, 0, sizeof(walk->facts));
    walk->facts.method = walk_method_name(walk->method);
    walk->facts.began_mono_ns = clock_monotonic_ns();
    walk->read_bytes_before = walk->reader->read_bytes;
}

int walk_begin(struct walk *walk, struct err *err)
{
    int64_t cpu_ns = clock_thread_cpu_ns();
    size_t bad = 0;

    walk->stage = WALK_IDLE;
    if (!walk->window)
        return err_set(err, ERR_FAILED, "out of memory for the window of the walk");
    if (walk_choose_method(walk, err))
        return -1;
    walk_reset(walk);
    arena_map_release(&walk->map);
    arenas_release(&walk->table);
    if (walk->method == WALK_BY_ARENAS &&
        arenas_read(&walk->table, walk->reader, &walk->layout, &bad, err))
        return -1;
    walk->is_cut = bad > 0;
    arena_map_init(&walk->map, &walk->table, walk->layout.pymalloc.arena_bytes);
    types_begin_walk(&walk->types);
    walk_large_begin(walk);
    walk->stage = WALK_ARENAS;
    walk->facts.cpu_ns = clock_thread_cpu_ns() - cpu_ns;
    return 0;
}

/* Reads a torn pool again and again; objects in a pool that never heals are left out
 * and told. */
static void walk_torn_pool(struct walk *walk, uint8_t *bytes, uint64_t address,
                           uint32_t arena_index)
{
    uint32_t pool_bytes = walk->layout.pymalloc.pool_bytes;
    struct pool pool;

    for (int i = 0; i < POOL_READS_MAX; i++) {
        if (reader_read(walk->reader, raddr_of(address), bytes, pool_bytes))
            break;
        switch (pool_read(&pool, bytes, pool_bytes, address, arena_index)) {
        case POOL_USED:
            walk_scan_pool(walk, &pool, bytes, address);
            return;
        case POOL_EMPTY:
        case POOL_FOREIGN:
            return;
        case POOL_TORN:
            break;
        }
    }
    walk->facts.torn_pools++;
}

static bool walk_pool_is_present(struct walk *walk, uint64_t address)
{
    uint64_t length = walk->layout.pymalloc.pool_bytes;
    bool is_present;

    return pagemap_run(&walk->pagemap, address, length, &is_present) == length &&
           is_present;
}

static void walk_window(struct walk *walk, uint32_t arena_index)
{
    uint32_t pool_bytes = walk->layout.pymalloc.pool_bytes;
    struct pool pool;

    for (uint64_t at = 0; walk->window_bytes - at >= pool_bytes; at += pool_bytes) {
        uint8_t *bytes = walk->window + at;
        uint64_t address = walk->window_address + at;

        /* A carved pool's header was written: if it is not there, it is swapped out. */
        if (walk->has_absent && !pagemap_is_present(&walk->pagemap, address)) {
            walk->absent_pools++;
            continue;
        }
        switch (pool_read(&pool, bytes, pool_bytes, address, arena_index)) {
        case POOL_USED:
            walk_scan_pool(walk, &pool, bytes, address);
            break;
        case POOL_TORN:
            if (walk->has_absent && !walk_pool_is_present(walk, address))
                walk->absent_pools++;
            else
                walk_torn_pool(walk, bytes, address, arena_index);
            break;
        case POOL_EMPTY:
        case POOL_FOREIGN:
            break;
        }
    }
}

/* What could not be read at once is read pool by pool. */
static void walk_arena_by_pools(struct walk *walk, const struct arena_row *row,
                                uint64_t length)
{
    uint32_t pool_bytes = walk->layout.pymalloc.pool_bytes;
    bool was_read = false;

    walk->window_bytes = pool_bytes;
    for (uint64_t at = 0; length - at >= pool_bytes; at += pool_bytes) {
        walk->window_address = row->first_pool + at;
        if (reader_read(walk->reader, raddr_of(walk->window_address), walk->window,
                        pool_bytes)) {
            walk->facts.torn_pools += was_read;
            continue;
        }
        walk->facts.torn_pools += was_read ? 0 : at / pool_bytes;
        was_read = true;
        walk_window(walk, row->index);
    }
    walk->arenas_gone += !was_read;
}

/* Pages that are not in memory are left alone: they were never touched, and hold no
 * block, or they are swapped out. */
static int walk_arena_read(struct walk *walk, uint64_t at, uint64_t length)
{
    if (!walk->has_absent)
        return reader_read(walk->reader, raddr_of(at), walk->window, length);
    pagemap_forget(&walk->pagemap);
    return pagemap_read(&walk->pagemap, walk->reader, at, walk->window, length,
                        &walk->absent_bytes);
}

static void walk_arena(struct walk *walk, const struct arena_row *row)
{
    uint32_t pool_bytes = walk->layout.pymalloc.pool_bytes;
    uint64_t length = row->pool_high - row->first_pool;

    if (row->pool_high <= row->first_pool || row->first_pool % pool_bytes ||
        length > walk->window_capacity) {
        walk->is_cut |= row->pool_high != row->first_pool;
        return;
    }
    length -= length % pool_bytes;
    walk->window_address = row->first_pool;
    walk->window_bytes = 0;
    walk->has_absent =
        !pagemap_all_present(&walk->pagemap, row->first_pool, row->first_pool + length);
    if (walk_arena_read(walk, row->first_pool, length)) {
        walk->has_absent = false;
        walk_arena_by_pools(walk, row, length);
    } else {
        walk->window_bytes = length;
        walk_window(walk, row->index);
    }
}

/* One piece of work. */
static void walk_advance(struct walk *walk)
{
    if (walk->stage == WALK_ARENAS && walk->next_arena < walk->table.count) {
        walk_arena(walk, &walk->table.rows[walk->next_arena++]);
        return;
    }
    if (walk->stage == WALK_ARENAS) {
        walk->window_bytes = 0;
        if (walk->method != WALK_BY_CHUNKS)
            walk_large_seed(walk);
        walk->stage = WALK_LARGE;
        return;
    }
    if (walk->stage == WALK_LARGE) {
        if (walk->method == WALK_BY_CHUNKS || !walk_large_step(walk))
            walk->stage = WALK_CHUNKS;
        return;
    }
    if (walk->method != WALK_BY_LISTS && walk_chunks_step(walk))
        return;
    walk_later_flush(walk);
    walk->stage = WALK_OVER;
}

static bool walk_is_going(const struct walk *walk)
{
    return walk->stage != WALK_IDLE && walk->stage != WALK_OVER;
}

bool walk_step(struct walk *walk, int64_t deadline_mono_ns)
{
    int64_t cpu_ns = clock_thread_cpu_ns();

    while (walk_is_going(walk)) {
        walk_advance(walk);
        if (deadline_mono_ns > 0 && clock_monotonic_ns() >= deadline_mono_ns)
            break;
    }
    walk->facts.cpu_ns += clock_thread_cpu_ns() - cpu_ns;
    return !walk_is_going(walk);
}

static int entry_compare_kind(const void *left, const void *right)
{
    const struct type_entry *a = *(struct type_entry *const *)left;
    const struct type_entry *b = *(struct type_entry *const *)right;

    return (a->kind->id > b->kind->id) - (a->kind->id < b->kind->id);
}

static void row_add(struct kind_row *row, const struct type_entry *entry)
{
    row->kind = entry->kind;
    row->count += entry->count;
    row->size_bytes += entry->size_bytes;
    row->memory_bytes += entry->memory_bytes;
    row->tracked += entry->tracked;
}

/* One row a kind: two types of the same name share it. */
static size_t walk_rows(struct walk *walk, struct type_entry **entries,
                        struct kind_row *rows)
{
    size_t n_entries = 0, n_rows = 0;

    for (size_t i = 0; i < walk->types.n_entries; i++) {
        if (walk->types.entries[i]->count)
            entries[n_entries++] = walk->types.entries[i];
    }
    qsort(entries, n_entries, sizeof(struct type_entry *), entry_compare_kind);
    for (size_t i = 0; i < n_entries; i++) {
        if (!n_rows || rows[n_rows - 1].kind != entries[i]->kind)
            n_rows++;
        row_add(&rows[n_rows - 1], entries[i]);
    }
    return n_rows;
}

static void walk_end_facts(struct walk *walk)
{
    struct walk_facts *facts = &walk->facts;

    facts->ended_mono_ns = clock_monotonic_ns();
    facts->ended_wall_ns = clock_wall_ns();
    facts->wall_ns = facts->ended_mono_ns - facts->began_mono_ns;
    facts->read_bytes = walk->reader->read_bytes - walk->read_bytes_before;
    facts->absent_bytes = walk->absent_bytes;
    facts->absent_pools = walk->absent_pools;
    facts->absent_chunks = walk->absent_chunks;
    facts->open_links = walk->method == WALK_BY_LISTS ? walk->open_links : 0;
    facts->tracked_only = walk->method == WALK_BY_LISTS;
    facts->complete = walk->method != WALK_BY_LISTS && !walk->is_cut &&
                      !walk->absent_pools && !walk->absent_chunks &&
                      !walk->large.is_full && !walk->types.is_full;
}

const struct objects_section *walk_finish(struct walk *walk)
{
    size_t count = walk->types.n_entries + 1;
    struct type_entry **entries = calloc(count, sizeof(struct type_entry *));
    struct kind_row *rows = calloc(count, sizeof(*rows));
    const struct objects_section *section = NULL;
    struct objects_section facts;

    memset(&facts, 0, sizeof(facts));
    walk_end_facts(walk);
    facts.walk = walk->facts;
    facts.other_blocks = walk->other_blocks;
    facts.other_bytes = walk->other_bytes;
    facts.freelist_objects = walk->freelist_objects;
    facts.large_bytes = walk->large_bytes;
    if (entries && rows)
        section = objects_seal(&facts, rows, walk_rows(walk, entries, rows));
    free(entries);
    free(rows);
    walk->stage = WALK_IDLE;
    return section;
}
