#include "source/objects_found.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"
#include "util/xalloc.h"

#define TALLY_SUMS  (sizeof(struct tally) / sizeof(uint64_t))
#define TALLY_BYTES ((2 + TALLY_SUMS) * PACK_BYTES_MOST)

_Static_assert(TALLY_SUMS < 32, "a bit for each says that it is not 0");

struct found {
    struct walk_counts counts;
    uint8_t *tallies; /* packed: most sums of most types are 0 */
    size_t n_tallies;
    uint64_t *near, *dicts;
    size_t n_near, n_dicts;
    struct edge_pack pack;
    struct far_dict *far_dicts;
    size_t n_far_dicts;
    struct chain *chains;
    size_t n_chains;
    struct linked_part *linked;
    size_t n_linked;
};

void walk_found_release(struct found *found)
{
    if (!found)
        return;
    free(found->tallies);
    free(found->near);
    free(found->dicts);
    edge_pack_release(&found->pack);
    free(found->far_dicts);
    free(found->chains);
    free(found->linked);
    free(found);
}

/* ---- using it ---- */

static bool words_add(struct word_list *list, const uint64_t *words, size_t count)
{
    bool is_good = true;

    for (size_t i = 0; i < count && is_good; i++)
        is_good = word_list_add(list, words[i]);
    return is_good;
}

static bool found_lend(struct edges *edges, const struct found *found)
{
    struct edges_run run = {
        .near = found->near, .n_near = found->n_near, .pack = found->pack};

    return (!found->n_near && !found->pack.bytes) || edges_borrow(edges, &run);
}

static void edges_use(struct edges *edges, const struct found *found)
{
    for (size_t i = 0; i < found->n_far_dicts; i++)
        EDGES_ADD(edges, far_dicts, found->far_dicts[i]);
    for (size_t i = 0; i < found->n_chains; i++)
        EDGES_ADD(edges, chains, found->chains[i]);
    for (size_t i = 0; i < found->n_linked; i++)
        EDGES_ADD(edges, linked, found->linked[i]);
    if (!found_lend(edges, found) ||
        !words_add(&edges->dicts, found->dicts, found->n_dicts))
        edges->is_full = true;
}

/* The sums of one type are added to the worker's; gives the next one. */
static const uint8_t *tally_use(struct walk_worker *worker, const uint8_t *at)
{
    uint32_t id = (uint32_t)pack_take(&at), bits = (uint32_t)pack_take(&at);
    uint64_t *sums = (uint64_t *)tally_at(worker, id);

    for (; bits; bits &= bits - 1)
        sums[__builtin_ctz(bits)] += pack_take(&at);
    return at;
}

void walk_found_use(struct walk_worker *worker, const struct found *found)
{
    const uint8_t *at = found->tallies;

    for (size_t i = 0; i < found->n_tallies; i++)
        at = tally_use(worker, at);
    walk_counts_add(&worker->counts, &found->counts);
    edges_use(&worker->edges, found);
}

/* ---- finding it ---- */

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

/* The stretch is counted by itself, then added. */
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

void walk_found_open(struct walk_worker *worker)
{
    struct capture *capture = &worker->capture;
    const struct edges *edges = &worker->edges;

    worker->counts_before = worker->counts;
    memset(&worker->counts, 0, sizeof(worker->counts));
    capture->n_near = edges->near.count;
    capture->n_dicts = edges->dicts.count;
    capture->n_far = edges->n_far;
    capture->n_far_dicts = edges->n_far_dicts;
    capture->n_chains = edges->n_chains;
    capture->n_linked = edges->n_linked;
    capture->n_links = edges->n_links;
    capture->n_touched = 0;
    capture_swap(worker);
    capture->is_on = true;
}

static uint64_t *words_copy(const struct word_list *list, size_t from)
{
    uint64_t *words =
        list->count > from ? malloc((list->count - from) * sizeof(*words)) : NULL;

    for (size_t i = from; words && i < list->count; i++)
        words[i - from] = *word_list_at(list, i);
    return words;
}

static void *items_copy(const void *items, size_t from, size_t count, size_t size)
{
    void *copy = count > from ? malloc((count - from) * size) : NULL;

    if (copy)
        memcpy(copy, (const char *)items + from * size, (count - from) * size);
    return copy;
}

static bool keep_edges(struct found *found, struct walk_worker *worker)
{
    const struct capture *from = &worker->capture;
    struct edges *edges = &worker->edges;

    found->n_near = edges->near.count - from->n_near;
    found->near = words_copy(&edges->near, from->n_near);
    found->n_dicts = edges->dicts.count - from->n_dicts;
    found->dicts = words_copy(&edges->dicts, from->n_dicts);
    found->n_far_dicts = edges->n_far_dicts - from->n_far_dicts;
    found->far_dicts = items_copy(edges->far_dicts, from->n_far_dicts, edges->n_far_dicts,
                                  sizeof(*edges->far_dicts));
    found->n_chains = edges->n_chains - from->n_chains;
    found->chains = items_copy(edges->chains, from->n_chains, edges->n_chains,
                               sizeof(*edges->chains));
    found->n_linked = edges->n_linked - from->n_linked;
    found->linked = items_copy(edges->linked, from->n_linked, edges->n_linked,
                               sizeof(*edges->linked));
    return (found->near || !found->n_near) && (found->dicts || !found->n_dicts) &&
           (found->far_dicts || !found->n_far_dicts) &&
           (found->chains || !found->n_chains) && (found->linked || !found->n_linked) &&
           edge_pack_make(&found->pack, edges->far + from->n_far,
                          edges->n_far - from->n_far, edges->links + from->n_links,
                          edges->n_links - from->n_links);
}

void walk_found_settle(struct walk_worker *worker, const struct found *found)
{
    const struct capture *from = &worker->capture;
    struct edges *edges = &worker->edges;

    if (!found_lend(edges, found))
        return;
    edges->near.count = from->n_near;
    edges->n_far = from->n_far;
    edges->n_links = from->n_links;
}

static uint8_t *tally_put(uint8_t *at, uint32_t id, const struct tally *tally)
{
    const uint64_t *sums = (const uint64_t *)tally;
    uint32_t bits = 0;

    for (size_t i = 0; i < TALLY_SUMS; i++)
        bits |= (uint32_t)(sums[i] != 0) << i;
    at = pack_put(pack_put(at, id), bits);
    for (; bits; bits &= bits - 1)
        at = pack_put(at, sums[__builtin_ctz(bits)]);
    return at;
}

/* Of those that were touched, by their captured sums; NULL when out of memory. */
static uint8_t *tallies_pack(const struct capture *capture)
{
    uint8_t *bytes = malloc(capture->n_touched * TALLY_BYTES + 1), *end = bytes, *packed;

    for (size_t i = 0; bytes && i < capture->n_touched; i++)
        end = tally_put(end, capture->touched[i], &capture->tallies[capture->touched[i]]);
    packed = bytes ? malloc((size_t)(end - bytes) + 1) : NULL;
    if (packed)
        memcpy(packed, bytes, (size_t)(end - bytes));
    free(bytes);
    return packed;
}

/* The totals are the worker's again, with what was counted since. */
static bool tallies_close(struct found *found, struct walk_worker *worker)
{
    struct capture *capture = &worker->capture;

    capture->is_on = false;
    capture_swap(worker);
    if (found)
        found->tallies = tallies_pack(capture);
    for (size_t i = 0; i < capture->n_touched; i++) {
        uint32_t id = capture->touched[i];

        walk_tally_add(tally_at(worker, id), &capture->tallies[id]);
        memset(&capture->tallies[id], 0, sizeof(capture->tallies[id]));
        capture->seen[id] = 0;
    }
    if (found) {
        found->n_tallies = capture->n_touched;
        found->counts = worker->counts;
    }
    walk_counts_add(&worker->counts, &worker->counts_before);
    return found && found->tallies;
}

struct found *walk_found_close(struct walk_worker *worker, bool is_wanted)
{
    struct found *found = is_wanted ? calloc(1, sizeof(*found)) : NULL;

    walk_later_flush(worker);
    if (tallies_close(found, worker) && keep_edges(found, worker))
        return found;
    walk_found_release(found);
    return NULL;
}

void walk_found_release_worker(struct walk_worker *worker)
{
    free(worker->capture.tallies);
    free(worker->capture.seen);
    free(worker->capture.touched);
    memset(&worker->capture, 0, sizeof(worker->capture));
}
