#include "layout/dict_keys.h"
#include "layout/malloc_layout.h"
#include "source/objects_charge.h"
#include "source/objects_walk.h"

/*
 * Parts outside the arenas: in chunks that were noted, or alone, where the chunk is too
 * small to be noted, or of another malloc.
 */
#define PAGE             4096u
#define FAR_UNKNOWN_MOST 4096 /* a chunk for a part whose need is not known */

/* Blocks of malloc's own pages are rounded to pages, those of mimalloc to its sizes. */
static uint64_t chunk_slack(const struct walk *walk, uint64_t chunk_bytes)
{
    if (walk->method == WALK_BY_MIMALLOC)
        return chunk_bytes / 8;
    return chunk_bytes % PAGE ? 24 : PAGE + 24;
}

uint64_t walk_chunk_room(const struct walk *walk, uint64_t chunk_bytes)
{
    uint64_t overhead =
        walk_chunk_overhead(walk) +
        (walk->layout.pymalloc.debug_prefix_bytes ? OBJECT_DEBUG_BYTES : 0);

    return chunk_bytes - overhead;
}

uint64_t walk_keys_of_chunk(const struct walk *walk, uint64_t chunk_bytes)
{
    return dict_keys_of_room(&walk->layout.object, walk_chunk_room(walk, chunk_bytes),
                             chunk_slack(walk, chunk_bytes));
}

static bool is_in_a_region(const struct walk *walk, uint64_t address)
{
    for (size_t i = 0; i < walk->chunks.count; i++) {
        if (address - walk->chunks.regions[i].start <
            walk->chunks.regions[i].end - walk->chunks.regions[i].start)
            return true;
    }
    return false;
}

/* Could a part that needs so much lie in a chunk of so many bytes? */
static bool chunk_may_hold(uint64_t bytes, uint64_t need)
{
    return bytes >= CHUNK_MIN && !(bytes & 15) && bytes >= need + CHUNK_OVERHEAD &&
           bytes <= (need ? 2 * need + 2 * PAGE : FAR_UNKNOWN_MOST);
}

/* The size of the chunk with this user data; where the malloc is not glibc's, or what
 * stands there is no chunk, what the part needs. */
static uint64_t far_chunk(struct walk *walk, uint64_t user, uint64_t need)
{
    const struct mimalloc_page *page = mimalloc_map_find(&walk->mimalloc.map, user);
    uint64_t word, next, bytes;

    if (page)
        return page->block_bytes;
    if (walk->chunks.has_chain &&
        reader_u64(walk->reader, raddr_of(user - CHUNK_OVERHEAD), &word)) {
        bytes = malloc_word_bytes(word);
        if (chunk_may_hold(bytes, need) &&
            (word & CHUNK_MMAPPED ||
             (reader_u64(walk->reader, raddr_of(user + bytes - CHUNK_OVERHEAD), &next) &&
              next & CHUNK_PREV_IN_USE && (next & ~CHUNK_FLAGS) >= CHUNK_HEADER)))
            return bytes;
    }
    return need ? (need + 16) & ~UINT64_C(15) : 0; /* needs are kept rounded down */
}

/* A part in a chunk that is too small to be noted, or of another malloc. */
static void far_part_alone(struct walk_worker *worker, const struct charge *charge,
                           const struct far_edge *edge)
{
    struct walk *walk = worker->walk;
    const struct object_layout *layout = &walk->layout.object;
    uint64_t prefix = walk->layout.pymalloc.debug_prefix_bytes;
    uint64_t need = (uint64_t)edge->units << EDGE_UNIT_SHIFT;
    struct size_more more = {MORE_KEYS, edge->address, 0};
    uint8_t bytes[SIZE_MORE_BYTES];
    bool is_shared;

    if (!is_in_a_region(walk, edge->address) || edge->address & 15)
        return;
    if (edge->what == EDGE_KEYS) {
        if (reader_read(walk->reader, raddr_of(edge->address), bytes, sizeof(bytes)))
            return;
        need = object_size_more(layout, &more, bytes, &is_shared);
        charge_size(worker, charge, need);
    }
    charge_bytes(worker, charge, far_chunk(walk, edge->address - prefix, need), true);
}

/* False when no chunk was noted there. */
static bool far_part(struct walk_worker *worker, const struct charge *charge,
                     const struct far_edge *edge)
{
    struct walk *walk = worker->walk;
    const struct object_layout *layout = &walk->layout.object;
    uint64_t prefix = walk->layout.pymalloc.debug_prefix_bytes;
    struct noted_chunk chunk;

    if (!walk_chunk_find(worker, edge->address, &chunk))
        return false;
    if ((edge->what == EDGE_START && edge->address != chunk.user + prefix) ||
        !noted_chunk_claim(&chunk))
        return true;
    charge_bytes(worker, charge, chunk.bytes, true);
    if (edge->what == EDGE_SIZED)
        charge_size(worker, charge,
                    walk_sized_room(walk, chunk.bytes - walk_chunk_overhead(walk)));
    if (edge->what == EDGE_KEYS)
        charge_keys(worker, charge, edge->address, walk_keys_of_chunk(walk, chunk.bytes));
    else if (edge->is_split && !layout->keys_is_log2)
        charge_size(worker, charge,
                    dict_values_of_room(layout, walk_chunk_room(walk, chunk.bytes)));
    return true;
}

/* True when that is all there is to it. */
bool charge_noted(struct walk_worker *worker, const struct charge *charge,
                  const struct far_edge *edge)
{
    return !charge->entry || edge->what == EDGE_DICT ||
           charge_near(worker, charge, edge->address, (enum edge_what)edge->what) ||
           far_part(worker, charge, edge);
}

/* In order it costs least. */
void walk_far_settle(struct walk_worker *worker, size_t first)
{
    struct edges *edges = &worker->edges;
    size_t kept = first;

    words_sort(edges->far + first, edges->n_far - first, 2);
    for (size_t i = first; i < edges->n_far; i++) {
        struct charge charge = {entry_of(worker->walk, edges->far[i].owner),
                                edges->far[i].is_dict_of};

        if (!charge_noted(worker, &charge, &edges->far[i]))
            edges->far[kept++] = edges->far[i];
    }
    edges->n_far = kept;
}

/* By their number among those of all workers; NULL behind the last. */
static const struct edges_run *run_of_all(const struct walk *walk, size_t number)
{
    for (size_t w = 0; w < walk->n_workers; w++) {
        const struct edges *edges = &walk->workers[w].edges;

        if (number < edges->n_runs)
            return &edges->runs[number];
        number -= edges->n_runs;
    }
    return NULL;
}

/* What is packed; where no chunk was noted, later. */
static void parts_of_runs(struct walk_worker *worker)
{
    struct walk *walk = worker->walk;
    const struct edges_run *run;

    while ((run = run_of_all(walk, owners_take(walk)))) {
        struct pack_reader reader = pack_read_far(&run->pack);

        while (pack_next_far(&reader)) {
            struct charge charge = {entry_of(walk, reader.edge.owner),
                                    reader.edge.is_dict_of};

            if (!charge_noted(worker, &charge, &reader.edge))
                EDGES_ADD(&worker->edges, far, reader.edge);
        }
    }
}

/* Each address once: objects that share a part do not own it twice. */
void walk_parts_far(struct walk_worker *worker, void *with)
{
    struct edges *edges = &worker->edges;
    uint64_t last = 0;

    (void)with;
    parts_of_runs(worker);
    words_sort(edges->far, edges->n_far, 2);
    for (size_t i = 0; i < edges->n_far; i++) {
        const struct far_edge *edge = &edges->far[i];
        struct charge charge = {entry_of(worker->walk, edge->owner), edge->is_dict_of};

        if (edge->address == last && edge->what != EDGE_DICT)
            continue;
        last = edge->what == EDGE_DICT ? last : edge->address;
        if (!charge_noted(worker, &charge, edge))
            far_part_alone(worker, &charge, edge);
    }
    walk_later_flush(worker);
}
