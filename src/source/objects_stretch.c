#include "source/objects_stretches.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"
#include "util/clock.h"

/* One stretch, while it is walked. */
#define UNITS_MOST (UINT64_C(1) << 31)
#define WAITS      16 /* so that those that changed together do not have one turn */

void walk_stretch_open(struct walk *walk)
{
    struct stretch_pad *pad = &walk->stretches.pad;

    if (!walk->stretches.is_on)
        return;
    walk_later_flush(&walk->workers[0]);
    walk_found_open(&walk->workers[0]);
    pad->is_open = true;
    pad->is_broken = false;
    pad->start = walk->chunks.at;
    pad->n_looks = pad->n_heads = pad->n_links = 0;
    pad->looks_skip = 1;
    pad->looks_wait = 0;
    pad->first_note = walk->chunk_notes.count;
}

void walk_stretch_broke(struct walk *walk)
{
    walk->stretches.pad.is_broken = true;
}

void walk_stretch_head(struct walk *walk, uint64_t gc_head, const uint8_t *head)
{
    struct stretch_pad *pad = &walk->stretches.pad;
    uint64_t links[2];

    walk_large_links(walk, head, links);
    if ((pad->n_heads == pad->heads_capacity &&
         !edges_grow((void **)&pad->heads, pad->n_heads, &pad->heads_capacity,
                     sizeof(*pad->heads))) ||
        (pad->n_links + 2 > pad->links_capacity &&
         !edges_grow((void **)&pad->links, pad->n_links, &pad->links_capacity,
                     sizeof(*pad->links)))) {
        walk->workers[0].edges.is_full = true;
        return;
    }
    pad->heads[pad->n_heads++] = gc_head;
    for (int i = 0; i < 2; i++)
        if (links[i])
            pad->links[pad->n_links++] = links[i];
}

static bool pad_has_head(const struct stretch_pad *pad, uint64_t gc_head)
{
    size_t low = 0, high = pad->n_heads;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (pad->heads[middle] < gc_head)
            low = middle + 1;
        else
            high = middle;
    }
    return low < pad->n_heads && pad->heads[low] == gc_head;
}

/* Neighbours in the same stretch are counted there. */
static void pad_links(struct walk *walk, struct stretch_pad *pad)
{
    size_t kept = 0;

    for (size_t i = 0; i < pad->n_links; i++) {
        if (pad_has_head(pad, pad->links[i]))
            continue;
        walk_large_add(walk, pad->links[i]);
        pad->links[kept++] = pad->links[i];
    }
    pad->n_links = kept;
}

/* The heads, which this walk needs in any case. */
static bool stretch_heads(struct kept_stretch *stretch, const struct stretch_pad *pad)
{
    stretch->heads = malloc((pad->n_heads + 1) * sizeof(*stretch->heads));
    if (!stretch->heads)
        return false;
    stretch->n_heads = (uint32_t)pad->n_heads;
    for (size_t i = 0; i < pad->n_heads; i++)
        stretch->heads[i] = stretch_unit(stretch, pad->heads[i]);
    return true;
}

static bool stretch_notes(struct kept_stretch *stretch, const struct chunk_notes *notes,
                          size_t first)
{
    size_t count = notes->count - first;

    stretch->notes = malloc((count + 1) * sizeof(*stretch->notes));
    if (!stretch->notes)
        return false;
    stretch->n_notes = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        uint64_t units = (uint64_t)notes->notes[first + i].bytes >> STRETCH_UNIT_SHIFT;

        if (units >= UNITS_MOST)
            return false;
        stretch->notes[i] = (struct stretch_note){
            stretch_unit(stretch, notes->notes[first + i].user), (uint32_t)units};
    }
    return true;
}

static bool stretch_keep(struct walk *walk, struct kept_stretch *stretch)
{
    const struct stretch_pad *pad = &walk->stretches.pad;

    stretch->links = malloc((pad->n_links + 1) * sizeof(*stretch->links));
    if (!stretch->links)
        return false;
    if (pad->n_links)
        memcpy(stretch->links, pad->links, pad->n_links * sizeof(*stretch->links));
    stretch->n_links = (uint32_t)pad->n_links;
    return stretch_notes(stretch, &walk->chunk_notes, pad->first_note) &&
           stretch_looks_keep(walk, stretch);
}

static struct kept_stretch *stretches_add(struct kept_stretches *all)
{
    struct kept_stretch *stretch;

    if (all->n_fresh == all->fresh_capacity &&
        !edges_grow((void **)&all->fresh, all->n_fresh, &all->fresh_capacity,
                    sizeof(*all->fresh)))
        return NULL;
    stretch = &all->fresh[all->n_fresh++];
    memset(stretch, 0, sizeof(*stretch));
    all->is_sorted = false;
    return stretch;
}

/* Was it read at once, whole, and standing still? */
static bool stretch_is_good(const struct walk *walk)
{
    const struct walk_chunks *chunks = &walk->chunks;
    const struct walk_worker *worker = &walk->workers[0];

    return !walk->stretches.pad.is_broken && worker->window_bytes &&
           chunks->at > walk->stretches.pad.start && chunks->at < chunks->end &&
           !worker->counts.absent_chunks && !worker->counts.is_cut &&
           !worker->edges.is_full;
}

void walk_stretch_close(struct walk *walk)
{
    struct kept_stretches *all = &walk->stretches;
    struct stretch_pad *pad = &all->pad;
    struct kept_stretch *stretch;
    struct found *found;

    if (!pad->is_open)
        return;
    pad->is_open = false;
    found = walk_found_close(&walk->workers[0], stretch_is_good(walk));
    pad_links(walk, pad);
    if (!found && !pad->n_heads)
        return;
    stretch = stretches_add(all);
    if (!stretch) {
        walk->workers[0].edges.is_full = true;
        walk_found_release(found);
        return;
    }
    stretch->start = pad->start;
    stretch->end = walk->chunks.at;
    stretch->last =
        walk->chunks.boundary > pad->start ? walk->chunks.boundary : pad->start;
    stretch->flag = walk->chunks.flag;
    stretch->found = found;
    stretch->read_mono_ns = clock_monotonic_ns();
    /* So that not all have their turn at once. */
    stretch->age = (uint32_t)(all->n_fresh % (all->is_first ? KEPT_TURNS : WAITS));
    if (!stretch_heads(stretch, pad))
        walk->workers[0].edges.is_full = true;
    if (found && !stretch_keep(walk, stretch)) {
        walk_found_release(found);
        stretch->found = NULL;
    }
}
