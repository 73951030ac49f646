#include "source/objects_walk.h"

#include "util/clock.h"
#include "util/window.h"

/*
 * Arena by arena: what is in memory of it is copied in one read, and its pools are
 * checked and scanned there. A pool that was changing is read again.
 */
#define POOL_READS_MAX 8

static void worker_scan(struct walk_worker *worker, const struct pool *pool,
                        const uint8_t *bytes, uint64_t address,
                        const struct arena_row *row)
{
    uint32_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;

    if (worker->walk->visit)
        walk_visit_pool(worker, pool, bytes, address);
    else
        walk_scan_pool(worker, pool, bytes, address,
                       (uint32_t)((address - row->first_pool) / pool_bytes));
}

static bool worker_pool_is_swapped(struct walk_worker *worker, uint64_t address)
{
    uint64_t end = address + worker->walk->layout.pymalloc.pool_bytes;

    for (; worker->has_absent && address < end; address += PAGEMAP_PAGE_BYTES)
        if (pagemap_is_swapped(&worker->pagemap, address))
            return true;
    return false;
}

/* Pages may have come since the window was read. */
static int worker_pool_read(struct walk_worker *worker, uint8_t *bytes, uint64_t address)
{
    uint32_t length = worker->walk->layout.pymalloc.pool_bytes;
    uint64_t absent_bytes = 0;

    if (!worker->has_absent)
        return reader_read(worker->walk->reader, raddr_of(address), bytes, length);
    pagemap_forget(&worker->pagemap);
    return pagemap_read(&worker->pagemap, worker->walk->reader, address, bytes, length,
                        &absent_bytes);
}

/* Reads a torn pool again and again; objects in a pool that never heals are left out
 * and told. */
static void worker_torn_pool(struct walk_worker *worker, uint8_t *bytes, uint64_t address,
                             const struct arena_row *row)
{
    uint32_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;
    struct pool pool;

    for (int i = 0; i < POOL_READS_MAX; i++) {
        if (worker_pool_read(worker, bytes, address))
            break;
        switch (pool_read(&pool, bytes, pool_bytes, address, row->index)) {
        case POOL_USED:
            worker->counts.healed_pools++;
            worker_scan(worker, &pool, bytes, address, row);
            return;
        case POOL_EMPTY:
            worker->counts.healed_pools++;
            return;
        case POOL_FOREIGN:
        case POOL_TORN:
            break;
        }
    }
    if (worker_pool_is_swapped(worker, address))
        worker->counts.absent_pools++;
    else
        worker->counts.torn_pools++;
}

static void worker_window(struct walk_worker *worker, const struct arena_row *row)
{
    uint32_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;
    struct pool pool;

    for (uint64_t at = 0; worker->window_bytes - at >= pool_bytes; at += pool_bytes) {
        uint8_t *bytes = worker->window + at;
        uint64_t address = worker->window_address + at;

        /* A carved pool's header was written: if it is not there, it is swapped out, or
         * the pool was carved just now. */
        if (worker->has_absent && !pagemap_is_present(&worker->pagemap, address)) {
            worker_torn_pool(worker, bytes, address, row);
            continue;
        }
        switch (pool_read(&pool, bytes, pool_bytes, address, row->index)) {
        case POOL_USED:
            worker_scan(worker, &pool, bytes, address, row);
            break;
        case POOL_FOREIGN:
        case POOL_TORN:
            worker_torn_pool(worker, bytes, address, row);
            break;
        case POOL_EMPTY:
            break;
        }
    }
}

/* What could not be read at once is read pool by pool. */
static void worker_arena_by_pools(struct walk_worker *worker, const struct arena_row *row,
                                  uint64_t length)
{
    uint32_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;
    bool was_read = false;

    worker->window_bytes = pool_bytes;
    for (uint64_t at = 0; length - at >= pool_bytes; at += pool_bytes) {
        worker->window_address = row->first_pool + at;
        if (reader_read(worker->walk->reader, raddr_of(worker->window_address),
                        worker->window, pool_bytes)) {
            worker->counts.torn_pools += was_read;
            continue;
        }
        worker->counts.torn_pools += was_read ? 0 : at / pool_bytes;
        was_read = true;
        worker_window(worker, row);
    }
    worker->counts.arenas_gone += !was_read;
}

/* Pages that are not in memory are left alone: they were never touched, and hold no
 * block, or they are swapped out. */
static int worker_arena_read(struct walk_worker *worker, uint64_t at, uint64_t length)
{
    if (!worker->has_absent)
        return reader_read(worker->walk->reader, raddr_of(at), worker->window, length);
    pagemap_forget(&worker->pagemap);
    return pagemap_read(&worker->pagemap, worker->walk->reader, at, worker->window,
                        length, &worker->counts.absent_bytes);
}

static void worker_arena(struct walk_worker *worker, const struct arena_row *row)
{
    uint32_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;
    uint64_t length = row->pool_high - row->first_pool;

    if (row->pool_high <= row->first_pool || row->first_pool % pool_bytes ||
        length > worker->walk->window_capacity) {
        worker->counts.is_cut |= row->pool_high != row->first_pool;
        return;
    }
    length -= length % pool_bytes;
    worker->window_address = row->first_pool;
    worker->window_bytes = 0;
    worker->has_absent =
        !pagemap_all_present(&worker->pagemap, row->first_pool, row->first_pool + length);
    if (worker_arena_read(worker, row->first_pool, length)) {
        worker->has_absent = false;
        worker_arena_by_pools(worker, row, length);
    } else {
        worker->window_bytes = length;
        worker_window(worker, row);
    }
}

/* The arena, and who owns what in it. */
static void worker_arena_whole(struct walk_worker *worker, size_t row)
{
    const struct arena_row *arena = &worker->walk->table.rows[row];
    struct edges *edges = &worker->edges;
    size_t first_dict = edges->dicts.count, first_far = edges->n_far;
    size_t first_link = edges->n_links;

    walk_kept_open(worker);
    worker->is_in_arena = true;
    worker_arena(worker, arena);
    worker->is_in_arena = false;
    walk_owners_local(worker, arena->first_pool, first_dict);
    if (!walk_kept_close(worker, row))
        edges_pack(edges, first_far, first_link);
}

/* A helper has a window while it scans; then another one may read ahead with it. */
static bool worker_take_window(struct walk_worker *worker)
{
    if (!worker->window)
        worker->window = window_take(worker->walk->window_capacity);
    return worker->window;
}

static void worker_give_window(struct walk_worker *worker)
{
    worker->window_bytes = 0;
    if (!worker->index)
        return;
    window_give(worker->window, worker->walk->window_capacity);
    worker->window = NULL;
}

void walk_worker_arenas(struct walk_worker *worker, int64_t deadline_mono_ns)
{
    struct walk *walk = worker->walk;

    if (!worker_take_window(worker))
        return; /* the first worker has one, and scans all */
    do {
        size_t next = __atomic_fetch_add(&walk->next_arena, 1, __ATOMIC_RELAXED);

        if (next >= walk->table.count)
            break;
        if (walk->visit) {
            worker_arena(worker, &walk->table.rows[next]);
            continue;
        }
        if (!walk_kept_use(worker, next))
            worker_arena_whole(worker, next);
        if (!arena_notes_keep(&walk->notes, next, worker->pad, worker->index))
            worker->edges.is_full = true;
    } while (deadline_mono_ns <= 0 || clock_monotonic_ns() < deadline_mono_ns);
    worker_give_window(worker);
    walk_later_flush(worker);
}
