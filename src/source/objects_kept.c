#include "source/objects_kept.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"
#include "util/clock.h"

struct kept_arena {
    uint64_t address; /* 0 = nothing is kept */
    uint64_t first_pool, pool_high;
    bool has_absent;               /* pages that were never touched */
    uint32_t index;                /* of its slot in the table of arenas */
    uint32_t age;                  /* refreshes since it was read */
    uint64_t headers[KEPT_PHASES]; /* of every fourth pool: a hash */
    int64_t read_mono_ns;
    struct arena_note note; /* with the bits as they were before other arenas claimed */
    struct found *found;
};

static void kept_release(struct kept_arena *kept)
{
    free(kept->note.words);
    walk_found_release(kept->found);
    memset(kept, 0, sizeof(*kept));
}

void walk_kept_forget(struct walk *walk)
{
    struct kept_arenas *all = &walk->kept;

    for (size_t i = 0; all->arenas && i < all->count; i++)
        kept_release(&all->arenas[i]);
    free(all->arenas);
    all->arenas = NULL;
    all->count = 0;
}

static bool is_same_arena(const struct kept_arena *kept, const struct arena_row *row)
{
    return kept->address == row->address && kept->index == row->index &&
           kept->first_pool == row->first_pool && kept->pool_high == row->pool_high;
}

/* Both are sorted by address. */
static void kept_take_over(struct kept_arenas *all, const struct arena_table *table,
                           struct kept_arena *arenas)
{
    size_t old = 0;

    for (size_t i = 0; i < table->count; i++) {
        while (old < all->count && all->arenas[old].address < table->rows[i].address)
            kept_release(&all->arenas[old++]);
        if (old == all->count)
            break;
        if (is_same_arena(&all->arenas[old], &table->rows[i]))
            arenas[i] = all->arenas[old++];
    }
    while (old < all->count)
        kept_release(&all->arenas[old++]);
    free(all->arenas);
    all->arenas = arenas;
    all->count = table->count;
}

/* Is the heap worth it, by its arenas, by mimalloc's segments, and by what malloc had in
 * the walk before, or, in the first one, has in the main heap? */
static bool kept_is_on(const struct walk *walk)
{
    const struct kept_arenas *all = &walk->kept;
    uint64_t bytes = walk->table.count * (uint64_t)walk->layout.pymalloc.arena_bytes;

    for (size_t i = 0; i < walk->mimalloc.map.n_segments; i++)
        bytes += walk->mimalloc.map.segments[i].bytes;
    if (walk->stretches.chain_bytes)
        bytes += walk->stretches.chain_bytes;
    else if (!walk->follow.is_wanted)
        bytes += walk_chunks_left(walk);
    return walk->method != WALK_BY_LISTS && all->least_bytes && bytes >= all->least_bytes;
}

void walk_kept_begin(struct walk *walk)
{
    struct kept_arenas *all = &walk->kept;
    bool is_on = kept_is_on(walk), is_known;
    struct kept_arena *arenas;

    is_known = all->is_wanted && !walk->learning.is_due &&
               all->types_generation == walk->types.generation;
    all->n_kept = 0;
    all->oldest_mono_ns = 0;
    all->types_generation = walk->types.generation;
    walk_stretches_begin(walk, is_on, is_known);
    if (!is_known || !is_on)
        walk_kept_forget(walk);
    all->is_first = !all->arenas;
    walk_learn_begin(walk,
                     is_on && is_known && !(all->is_first && walk->stretches.is_first));
    if (!is_on)
        return;
    arenas = calloc(walk->table.count + 1, sizeof(*arenas));
    if (arenas)
        kept_take_over(all, &walk->table, arenas);
    else
        walk_kept_forget(walk);
}

void walk_kept_end(struct walk *walk)
{
    struct kept_arenas *all = &walk->kept;
    int64_t oldest_ns;

    for (size_t i = 0; all->arenas && i < all->count; i++) {
        const struct kept_arena *kept = &all->arenas[i];

        if (kept->address &&
            (!all->oldest_mono_ns || kept->read_mono_ns < all->oldest_mono_ns))
            all->oldest_mono_ns = kept->read_mono_ns;
    }
    oldest_ns = walk_stretches_oldest(walk);
    if (oldest_ns && (!all->oldest_mono_ns || oldest_ns < all->oldest_mono_ns))
        all->oldest_mono_ns = oldest_ns;
}

/* ---- the headers ---- */

/* Not the links to other pools: those change when others do. */
static uint64_t header_hash(uint64_t hash, const struct pool_header *header)
{
    const uint64_t words[] = {header->count, header->freeblock,
                              (uint64_t)header->arenaindex << 32 | header->szidx,
                              header->nextoffset};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    return hash | 1;
}

static void window_hashes(const struct walk_worker *worker, uint64_t hashes[KEPT_PHASES])
{
    uint32_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;
    uint64_t count = worker->window_bytes / pool_bytes;
    struct pool_header header;

    for (uint64_t i = 0; i < KEPT_PHASES; i++)
        hashes[i] = 1;
    for (uint64_t i = 0; i < count; i++) {
        memcpy(&header, worker->window + i * pool_bytes, sizeof(header));
        hashes[i % KEPT_PHASES] = header_hash(hashes[i % KEPT_PHASES], &header);
    }
}

/* What was swapped out may hold objects; what was never touched holds none. */
static bool has_swapped(struct pagemap *pagemap, uint64_t start, uint64_t end)
{
    for (uint64_t at = start; at < end; at += PAGEMAP_PAGE_BYTES)
        if (pagemap_is_swapped(pagemap, at))
            return true;
    return false;
}

/* May the headers of the pools of this phase be read without touching what is not in
 * memory? */
static bool headers_are_present(struct walk_worker *worker, const struct kept_arena *kept)
{
    uint64_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;
    uint64_t at = kept->first_pool + kept->age % KEPT_PHASES * pool_bytes;

    if (pagemap_all_present(&worker->pagemap, kept->first_pool, kept->pool_high))
        return true;
    if (!kept->has_absent)
        return false;
    pagemap_forget(&worker->pagemap);
    if (has_swapped(&worker->pagemap, kept->first_pool, kept->pool_high))
        return false;
    for (; at < kept->pool_high; at += KEPT_PHASES * pool_bytes)
        if (!pagemap_is_present(&worker->pagemap, at))
            return false;
    return true;
}

/* Are those whose turn it is as they were? Not known without touching what is not in
 * memory, or when they cannot be read: then no. */
static bool headers_are_same(struct walk_worker *worker, const struct kept_arena *kept)
{
    uint32_t pool_bytes = worker->walk->layout.pymalloc.pool_bytes;
    struct pool_header headers[PYMALLOC_ARENA_POOLS];
    struct piece pieces[PYMALLOC_ARENA_POOLS];
    size_t pools = (size_t)((kept->pool_high - kept->first_pool) / pool_bytes);
    size_t phase = kept->age % KEPT_PHASES, count = 0;
    uint64_t hash = 1;

    if (pools > PYMALLOC_ARENA_POOLS || !headers_are_present(worker, kept))
        return false;
    for (size_t i = phase; i < pools; i += KEPT_PHASES, count++)
        pieces[count] = (struct piece){raddr_of(kept->first_pool + i * pool_bytes),
                                       &headers[count], sizeof(headers[count]), false};
    if (reader_readv(worker->walk->reader, pieces, count) < count)
        return false;
    for (size_t i = 0; i < count; i++)
        hash = header_hash(hash, &headers[i]);
    return hash == kept->headers[phase];
}

/* ---- using it ---- */

/* The dicts' records are counted from the worker's first one. */
static void kept_note(struct walk_worker *worker, const struct kept_arena *kept)
{
    struct note_pad *pad = worker->pad;

    memcpy(pad->words, kept->note.words, kept->note.n_words * sizeof(*pad->words));
    pad->note = kept->note;
    pad->note.words = pad->words;
    pad->note.first_dict += (uint32_t)worker->edges.dicts.count;
}

bool walk_kept_use(struct walk_worker *worker, size_t row)
{
    struct kept_arenas *all = &worker->walk->kept;
    struct kept_arena *kept = all->arenas ? &all->arenas[row] : NULL;

    if (!kept || !kept->address)
        return false;
    if (++kept->age >= KEPT_TURNS || !headers_are_same(worker, kept)) {
        kept_release(kept);
        return false;
    }
    kept_note(worker, kept);
    walk_found_use(worker, kept->found);
    __atomic_fetch_add(&all->n_kept, 1, __ATOMIC_RELAXED);
    return true;
}

/* ---- keeping it ---- */

void walk_kept_open(struct walk_worker *worker)
{
    if (worker->walk->kept.arenas)
        walk_found_open(worker);
}

static bool keep_note(struct kept_arena *kept, const struct walk_worker *worker)
{
    const struct arena_note *note = &worker->pad->note;

    kept->note = *note;
    kept->note.words = malloc((note->n_words + 1) * sizeof(*note->words));
    if (!kept->note.words)
        return false;
    memcpy(kept->note.words, worker->pad->words, note->n_words * sizeof(*note->words));
    kept->note.first_dict -= (uint32_t)worker->capture.n_dicts;
    return true;
}

/* Was it read at once, whole, and standing still? */
static bool is_good(struct walk_worker *worker, const struct arena_row *row)
{
    return worker->window_address == row->first_pool &&
           worker->window_bytes == row->pool_high - row->first_pool &&
           !worker->counts.torn_pools && !worker->counts.healed_pools &&
           !worker->counts.absent_pools && !worker->edges.is_full &&
           !(worker->has_absent &&
             has_swapped(&worker->pagemap, row->first_pool, row->pool_high));
}

bool walk_kept_close(struct walk_worker *worker, size_t row)
{
    struct walk *walk = worker->walk;
    const struct arena_row *arena = &walk->table.rows[row];
    struct kept_arena *kept;

    if (!worker->capture.is_on)
        return false;
    kept = &walk->kept.arenas[row];
    kept_release(kept);
    kept->found = walk_found_close(worker, is_good(worker, arena));
    if (!kept->found || !keep_note(kept, worker)) {
        kept_release(kept);
        return false;
    }
    walk_found_settle(worker, kept->found);
    window_hashes(worker, kept->headers);
    kept->address = arena->address;
    kept->first_pool = arena->first_pool;
    kept->pool_high = arena->pool_high;
    kept->has_absent = worker->has_absent;
    kept->index = arena->index;
    kept->read_mono_ns = clock_monotonic_ns();
    /* So that not all have their turn at once. */
    kept->age = walk->kept.is_first ? (uint32_t)(row % KEPT_TURNS) : 0;
    return true;
}
