#include "source/objects_stretches.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"

/* Stretches from one walk to the next, and how they are used there. */
#define SHORT_SHARE 4 /* of a window: shorter ones are walked with the one before */

static void stretch_release(struct kept_stretch *stretch)
{
    walk_found_release(stretch->found);
    free(stretch->heads);
    free(stretch->links);
    free(stretch->notes);
    free(stretch->claims);
    free(stretch->dicts);
    free(stretch->records);
    free(stretch->owned);
    free(stretch->looks);
    memset(stretch, 0, sizeof(*stretch));
}

static void stretches_free(struct kept_stretch *stretches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        stretch_release(&stretches[i]);
    free(stretches);
}

int stretch_compare(const void *left, const void *right)
{
    const struct kept_stretch *a = left, *b = right;

    return (a->start > b->start) - (a->start < b->start);
}

/* ---- from one walk to the next ---- */

/* Moves those that are of use behind `to`, and lets the others go. */
static size_t stretches_move(struct kept_stretch *to, size_t count,
                             struct kept_stretch *from, size_t n_from, bool is_fresh)
{
    for (size_t i = 0; i < n_from; i++) {
        if (!from[i].found || (!is_fresh && from[i].state != STRETCH_USED)) {
            stretch_release(&from[i]);
            continue;
        }
        to[count] = from[i];
        to[count++].state = STRETCH_UNSEEN;
    }
    return count;
}

/* Chains do not overlap; what a hostile one says of the same place twice is not known. */
static size_t stretches_apart(struct kept_stretch *stretches, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        if (kept && stretches[i].start < stretches[kept - 1].end)
            stretch_release(&stretches[i]);
        else
            stretches[kept++] = stretches[i];
    }
    return kept;
}

static void stretches_turn(struct kept_stretches *all)
{
    struct kept_stretch *known = calloc(all->n_known + all->n_fresh + 1, sizeof(*known));
    size_t count;

    if (!known) {
        stretches_free(all->known, all->n_known);
        stretches_free(all->fresh, all->n_fresh);
        all->known = all->fresh = NULL;
        all->n_known = all->n_fresh = all->fresh_capacity = 0;
        return;
    }
    count = stretches_move(known, 0, all->known, all->n_known, false);
    count = stretches_move(known, count, all->fresh, all->n_fresh, true);
    if (count)
        qsort(known, count, sizeof(*known), stretch_compare);
    free(all->known);
    all->known = known;
    all->n_known = stretches_apart(known, count);
    all->n_fresh = 0;
}

void walk_stretches_release(struct walk *walk)
{
    struct kept_stretches *all = &walk->stretches;

    stretches_free(all->known, all->n_known);
    stretches_free(all->fresh, all->n_fresh);
    free(all->pad.heads);
    free(all->pad.links);
    free(all->pad.notes);
    free(all->pad.dicts);
    free(all->pad.records);
    memset(all, 0, sizeof(*all));
}

void walk_stretches_begin(struct walk *walk, bool is_kept, bool is_known)
{
    struct kept_stretches *all = &walk->stretches;

    if (is_kept && is_known)
        stretches_turn(all);
    else
        walk_stretches_release(walk);
    all->is_on = walk->method != WALK_BY_LISTS && !walk->visit && !walk->follow.is_wanted;
    all->is_kept = is_kept && all->is_on;
    all->is_first = !all->n_known;
    all->is_sorted = true;
    all->chain_bytes = all->kept_bytes = 0;
}

static int64_t older(int64_t oldest_ns, const struct kept_stretch *stretch)
{
    return stretch->found && (!oldest_ns || stretch->read_mono_ns < oldest_ns)
               ? stretch->read_mono_ns
               : oldest_ns;
}

int64_t walk_stretches_oldest(const struct walk *walk)
{
    const struct kept_stretches *all = &walk->stretches;
    int64_t oldest_ns = 0;

    for (size_t i = 0; i < all->n_known; i++)
        if (all->known[i].state == STRETCH_USED)
            oldest_ns = older(oldest_ns, &all->known[i]);
    for (size_t i = 0; i < all->n_fresh; i++)
        oldest_ns = older(oldest_ns, &all->fresh[i]);
    return oldest_ns;
}

/* ---- is it as it was? ---- */

/* Once in each walk. */
static bool stretch_is_same(struct walk *walk, struct kept_stretch *stretch)
{
    const struct walk_chunks *chunks = &walk->chunks;

    if (stretch->state == STRETCH_UNSEEN) {
        bool is_same = stretch->flag == chunks->flag && stretch->end <= chunks->end &&
                       ++stretch->age < KEPT_TURNS &&
                       stretch_looks_are_same(walk, stretch);

        stretch->state = is_same ? STRETCH_SAME : STRETCH_GONE;
    }
    return stretch->state == STRETCH_SAME;
}

/* ---- using it ---- */

size_t stretches_from(const struct kept_stretch *stretches, size_t count, uint64_t at)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;

        if (stretches[middle].start < at)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

/* What others claimed in the walk before is nobody's again. */
static void stretch_unclaim(struct kept_stretch *stretch)
{
    size_t words = stretch_bit_words(stretch->n_notes);

    if (words)
        memcpy(stretch->claims, stretch->claims + words,
               words * sizeof(*stretch->claims));
    for (uint32_t i = 0; i < stretch->n_dicts; i++)
        if (!(stretch->owned[i / 64] >> i % 64 & 1))
            stretch->records[i] = edge_with_owner(stretch->records[i], 0);
}

static void stretch_take(struct walk *walk, struct kept_stretch *stretch)
{

    stretch->state = STRETCH_USED;
    walk->stretches.kept_bytes += stretch->end - stretch->start;
    walk_found_use(&walk->workers[0], stretch->found);
    stretch_unclaim(stretch);
    for (uint32_t i = 0; i < stretch->n_links; i++)
        walk_large_add(walk, stretch->links[i]);
}

static void chain_take(struct walk *walk, struct kept_stretch *stretch)
{
    struct walk_chunks *chunks = &walk->chunks;

    stretch_take(walk, stretch);
    chunks->at = chunks->counted = stretch->end;
    chunks->boundary = stretch->last;
    chunks->restarts = 0;
}

/* Short ones are walked with the one before, so that they grow together. */
static uint64_t stretches_until(struct walk *walk, size_t next)
{
    struct kept_stretches *all = &walk->stretches;
    uint64_t end = walk->chunks.end;

    for (; next < all->n_known && all->known[next].start < end; next++) {
        struct kept_stretch *stretch = &all->known[next];

        if (stretch->state == STRETCH_UNSEEN &&
            stretch->end - stretch->start < walk->window_capacity / SHORT_SHARE)
            stretch->state = STRETCH_GONE;
        if (stretch_is_same(walk, stretch))
            return stretch->start;
    }
    return end;
}

bool walk_stretch_use(struct walk *walk)
{
    struct kept_stretches *all = &walk->stretches;
    struct walk_chunks *chunks = &walk->chunks;
    size_t next;

    if (!all->is_on)
        return false;
    next = stretches_from(all->known, all->n_known, chunks->at);
    if (next < all->n_known && all->known[next].start == chunks->at &&
        stretch_is_same(walk, &all->known[next])) {
        chain_take(walk, &all->known[next]);
        return true;
    }
    if (chunks->at >= chunks->until)
        walk_chain_until(walk, stretches_until(walk, next));
    return false;
}

/* ---- pages of mimalloc ---- */

uint64_t stretch_page_end(const struct mimalloc_page *page)
{
    return page->start + page->capacity * page->block_bytes;
}

/* Not its keys: those stay. */
uint64_t stretch_page_hash(const struct mimalloc_page *page)
{
    const uint64_t words[] = {page->block_bytes,
                              (uint64_t)page->capacity << 32 | page->used, page->lists[0],
                              page->lists[1], page->lists[2]};
    uint64_t hash = 1;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        hash = (hash ^ words[i]) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
    return hash;
}

bool walk_stretch_use_page(struct walk *walk, const struct mimalloc_page *page)
{
    struct kept_stretches *all = &walk->stretches;
    struct pagemap *pagemap = &walk->workers[0].pagemap;
    uint64_t end = stretch_page_end(page);
    struct kept_stretch *stretch;
    size_t next;

    if (!all->is_on || !all->n_known)
        return false;
    next = stretches_from(all->known, all->n_known, page->start);
    stretch = &all->known[next];
    if (next == all->n_known || stretch->start != page->start || stretch->end != end ||
        stretch->flag != STRETCH_IS_PAGE || stretch->state != STRETCH_UNSEEN)
        return false;
    stretch->state = STRETCH_GONE;
    if (++stretch->age >= KEPT_TURNS || stretch->hashes[0] != stretch_page_hash(page) ||
        !pagemap_all_present(pagemap, page->start, end))
        return false;
    stretch_take(walk, stretch);
    return true;
}
