#include "source/objects_kept.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"
#include "util/clock.h"
#include "util/xalloc.h"

struct kept_tally {
    uint32_t id;
    struct tally tally;
};

struct kept_arena {
    uint64_t address; /* 0 = nothing is kept */
    uint64_t first_pool, pool_high;
    uint32_t index;                /* of its slot in the table of arenas */
    uint32_t age;                  /* refreshes since it was read */
    uint64_t headers[KEPT_PHASES]; /* of every fourth pool: a hash */
    int64_t read_mono_ns;
    struct arena_note note; /* with the bits as they were before other arenas claimed */
    struct walk_counts counts;
    struct kept_tally *tallies;
    size_t n_tallies;
    uint64_t *near, *dicts, *links;
    size_t n_near, n_dicts, n_links;
    struct far_edge *far;
    size_t n_far;
    struct chain *chains;
    size_t n_chains;
};

static void kept_release(struct kept_arena *kept)
{
    free(kept->note.words);
    free(kept->tallies);
    free(kept->near);
    free(kept->dicts);
    free(kept->links);
    free(kept->far);
    free(kept->chains);
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

void walk_kept_begin(struct walk *walk)
{
    struct kept_arenas *all = &walk->kept;
    uint64_t bytes = walk->table.count * (uint64_t)walk->layout.pymalloc.arena_bytes;
    struct kept_arena *arenas;

    all->n_kept = 0;
    all->oldest_mono_ns = 0;
    if (!all->is_wanted || walk->learning.is_sampling ||
        all->types_generation != walk->types.generation)
        walk_kept_forget(walk);
    all->types_generation = walk->types.generation;
    all->is_first = !all->arenas;
    if (walk->method != WALK_BY_ARENAS || !all->least_bytes || bytes < all->least_bytes ||
        walk->learning.is_sampling) {
        walk_kept_forget(walk);
        return;
    }
    arenas = calloc(walk->table.count + 1, sizeof(*arenas));
    if (arenas)
        kept_take_over(all, &walk->table, arenas);
    else
        walk_kept_forget(walk);
}

void walk_kept_end(struct walk *walk)
{
    struct kept_arenas *all = &walk->kept;

    for (size_t i = 0; all->arenas && i < all->count; i++) {
        const struct kept_arena *kept = &all->arenas[i];

        if (kept->address &&
            (!all->oldest_mono_ns || kept->read_mono_ns < all->oldest_mono_ns))
            all->oldest_mono_ns = kept->read_mono_ns;
    }
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

    if (pools > PYMALLOC_ARENA_POOLS ||
        !pagemap_all_present(&worker->pagemap, kept->first_pool, kept->pool_high))
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

static bool words_add(struct word_list *list, const uint64_t *words, size_t count)
{
    bool is_good = true;

    for (size_t i = 0; i < count && is_good; i++)
        is_good = word_list_add(list, words[i]);
    return is_good;
}

static void kept_edges(struct walk_worker *worker, const struct kept_arena *kept)
{
    struct edges *edges = &worker->edges;

    for (size_t i = 0; i < kept->n_far; i++)
        EDGES_ADD(edges, far, kept->far[i]);
    for (size_t i = 0; i < kept->n_chains; i++)
        EDGES_ADD(edges, chains, kept->chains[i]);
    for (size_t i = 0; i < kept->n_links; i++)
        EDGES_ADD(edges, links, kept->links[i]);
    if (!words_add(&edges->near, kept->near, kept->n_near) ||
        !words_add(&edges->dicts, kept->dicts, kept->n_dicts))
        edges->is_full = true;
}

/* The dicts' records are counted from the worker's first one. */
static void kept_note(struct walk_worker *worker, const struct kept_arena *kept)
{
    struct note_pad *pad = worker->pad;
    uint32_t first = (uint32_t)worker->edges.dicts.count;

    memcpy(pad->words, kept->note.words, kept->note.n_words * sizeof(*pad->words));
    pad->note = kept->note;
    pad->note.words = pad->words;
    for (size_t i = 0; i < PYMALLOC_ARENA_POOLS; i++)
        pad->note.pools[i].first_dict += first;
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
    for (size_t i = 0; i < kept->n_tallies; i++)
        walk_tally_add(tally_at(worker, kept->tallies[i].id), &kept->tallies[i].tally);
    walk_counts_add(&worker->counts, &kept->counts);
    kept_note(worker, kept);
    kept_edges(worker, kept);
    __atomic_fetch_add(&all->n_kept, 1, __ATOMIC_RELAXED);
    return true;
}

/* ---- keeping it ---- */

void walk_tally_touch(struct walk_worker *worker, uint32_t id)
{
    struct capture *capture = &worker->capture;

    if (capture->n_touched == capture->touched_capacity) {
        capture->touched_capacity = capture->touched_capacity * 2 + 256;
        capture->touched = xreallocarray(capture->touched, capture->touched_capacity,
                                         sizeof(*capture->touched));
    }
    capture->seen[id] = 1;
    capture->touched[capture->n_touched++] = id;
}

/* The arena is counted by itself, then added. */
static void capture_swap(struct walk_worker *worker)
{
    struct capture *capture = &worker->capture;
    struct tally *tallies = worker->tallies;
    size_t n_tallies = worker->n_tallies;

    worker->tallies = capture->tallies;
    worker->n_tallies = capture->n_tallies;
    capture->tallies = tallies;
    capture->n_tallies = n_tallies;
}

void walk_kept_open(struct walk_worker *worker)
{
    struct capture *capture = &worker->capture;
    const struct edges *edges = &worker->edges;

    if (!worker->walk->kept.arenas)
        return;
    worker->counts_before = worker->counts;
    memset(&worker->counts, 0, sizeof(worker->counts));
    capture->n_near = edges->near.count;
    capture->n_dicts = edges->dicts.count;
    capture->n_far = edges->n_far;
    capture->n_chains = edges->n_chains;
    capture->n_links = edges->n_links;
    capture->n_touched = 0;
    capture_swap(worker);
    capture->is_on = true;
}

static uint64_t *words_copy(const struct word_list *list, size_t from)
{
    uint64_t *words = malloc((list->count - from + 1) * sizeof(*words));

    for (size_t i = from; words && i < list->count; i++)
        words[i - from] = *word_list_at(list, i);
    return words;
}

static void *items_copy(const void *items, size_t from, size_t count, size_t size)
{
    void *copy = malloc((count - from + 1) * size);

    if (copy && count > from)
        memcpy(copy, (const char *)items + from * size, (count - from) * size);
    return copy;
}

static bool keep_edges(struct kept_arena *kept, const struct walk_worker *worker)
{
    const struct capture *from = &worker->capture;
    const struct edges *edges = &worker->edges;

    kept->near = words_copy(&edges->near, from->n_near);
    kept->n_near = edges->near.count - from->n_near;
    kept->dicts = words_copy(&edges->dicts, from->n_dicts);
    kept->n_dicts = edges->dicts.count - from->n_dicts;
    kept->far = items_copy(edges->far, from->n_far, edges->n_far, sizeof(*edges->far));
    kept->n_far = edges->n_far - from->n_far;
    kept->chains = items_copy(edges->chains, from->n_chains, edges->n_chains,
                              sizeof(*edges->chains));
    kept->n_chains = edges->n_chains - from->n_chains;
    kept->links =
        items_copy(edges->links, from->n_links, edges->n_links, sizeof(*edges->links));
    kept->n_links = edges->n_links - from->n_links;
    return kept->near && kept->dicts && kept->far && kept->chains && kept->links;
}

static bool keep_note(struct kept_arena *kept, const struct walk_worker *worker)
{
    const struct arena_note *note = &worker->pad->note;

    kept->note = *note;
    kept->note.words = malloc((note->n_words + 1) * sizeof(*note->words));
    if (!kept->note.words)
        return false;
    memcpy(kept->note.words, worker->pad->words, note->n_words * sizeof(*note->words));
    for (size_t i = 0; i < PYMALLOC_ARENA_POOLS; i++)
        kept->note.pools[i].first_dict -= (uint32_t)worker->capture.n_dicts;
    return true;
}

/* Adds what was counted of the arena, and keeps it when there is room. */
static bool keep_tallies(struct kept_arena *kept, struct walk_worker *worker)
{
    struct capture *capture = &worker->capture;

    capture->is_on = false;
    capture_swap(worker);
    kept->tallies = malloc((capture->n_touched + 1) * sizeof(*kept->tallies));
    for (size_t i = 0; i < capture->n_touched; i++) {
        uint32_t id = capture->touched[i];

        walk_tally_add(tally_at(worker, id), &capture->tallies[id]);
        if (kept->tallies)
            kept->tallies[i] = (struct kept_tally){id, capture->tallies[id]};
        memset(&capture->tallies[id], 0, sizeof(capture->tallies[id]));
        capture->seen[id] = 0;
    }
    kept->n_tallies = capture->n_touched;
    kept->counts = worker->counts;
    walk_counts_add(&worker->counts, &worker->counts_before);
    return kept->tallies != NULL;
}

/* Was it read at once, whole, and standing still? */
static bool is_good(const struct walk_worker *worker, const struct arena_row *row)
{
    return !worker->has_absent && worker->window_address == row->first_pool &&
           worker->window_bytes == row->pool_high - row->first_pool &&
           !worker->counts.torn_pools && !worker->counts.healed_pools &&
           !worker->edges.is_full;
}

void walk_kept_close(struct walk_worker *worker, size_t row)
{
    struct walk *walk = worker->walk;
    const struct arena_row *arena = &walk->table.rows[row];
    struct kept_arena *kept;
    bool is_kept;

    if (!worker->capture.is_on)
        return;
    kept = &walk->kept.arenas[row];
    is_kept = is_good(worker, arena);
    walk_later_flush(worker);
    kept_release(kept);
    is_kept &= keep_tallies(kept, worker);
    if (!is_kept || !keep_edges(kept, worker) || !keep_note(kept, worker)) {
        kept_release(kept);
        return;
    }
    window_hashes(worker, kept->headers);
    kept->address = arena->address;
    kept->first_pool = arena->first_pool;
    kept->pool_high = arena->pool_high;
    kept->index = arena->index;
    kept->read_mono_ns = clock_monotonic_ns();
    /* So that not all have their turn at once. */
    kept->age = walk->kept.is_first ? (uint32_t)(row % KEPT_TURNS) : 0;
}

void walk_kept_release_worker(struct walk_worker *worker)
{
    free(worker->capture.tallies);
    free(worker->capture.seen);
    free(worker->capture.touched);
    memset(&worker->capture, 0, sizeof(worker->capture));
}
