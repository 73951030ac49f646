#include "source/objects_stretches.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"
#include "util/clock.h"

/* One stretch, while it is walked. */
#define WAITS 16 /* so that those that changed together do not have one turn */

void walk_stretch_open(struct walk *walk)
{
    struct stretch_pad *pad = &walk->stretches.pad;

    if (!walk->stretches.is_on)
        return;
    if (walk->stretches.is_kept) {
        walk_later_flush(&walk->workers[0]);
        walk_found_open(&walk->workers[0]);
    }
    pad->is_open = true;
    pad->is_broken = false;
    pad->start = walk->chunks.at;
    pad->n_looks = pad->n_heads = pad->n_links = pad->n_notes = 0;
    pad->long_bytes = 0;
    pad->looks_skip = 1;
    pad->looks_wait = 0;
}

void walk_stretch_broke(struct walk *walk)
{
    walk->stretches.pad.is_broken = true;
}

bool walk_stretch_head(struct walk *walk, uint64_t gc_head, const uint8_t *head)
{
    struct stretch_pad *pad = &walk->stretches.pad;
    uint64_t links[2];
    uint16_t unit;

    if (!pad->is_open || !stretch_pad_unit(pad, gc_head, &unit))
        return false;
    walk_large_links(walk, head, links);
    if ((pad->n_heads == pad->heads_capacity &&
         !edges_grow((void **)&pad->heads, pad->n_heads, &pad->heads_capacity,
                     sizeof(*pad->heads))) ||
        (pad->n_links + 2 > pad->links_capacity &&
         !edges_grow((void **)&pad->links, pad->n_links, &pad->links_capacity,
                     sizeof(*pad->links)))) {
        walk->workers[0].edges.is_full = true;
        return true;
    }
    pad->heads[pad->n_heads++] = unit;
    for (int i = 0; i < 2; i++)
        if (links[i])
            pad->links[pad->n_links++] = links[i];
    return true;
}

bool walk_stretch_note(struct walk *walk, uint64_t user, uint64_t bytes)
{
    struct stretch_pad *pad = &walk->stretches.pad;
    uint64_t units = bytes >> STRETCH_UNIT_SHIFT;
    uint16_t unit;

    if (!pad->is_open || pad->long_bytes || !units ||
        !stretch_pad_unit(pad, user, &unit) ||
        (pad->n_notes == pad->notes_capacity &&
         !edges_grow((void **)&pad->notes, pad->n_notes, &pad->notes_capacity,
                     sizeof(*pad->notes))))
        return false;
    if (units > UINT16_MAX) {
        pad->long_bytes = bytes;
        units = 0;
    }
    pad->notes[pad->n_notes++] = (struct stretch_note){unit, (uint16_t)units};
    return true;
}

static bool pad_has_head(const struct stretch_pad *pad, uint64_t gc_head)
{
    size_t low = 0, high = pad->n_heads;
    uint16_t unit;

    if (!stretch_pad_unit(pad, gc_head, &unit))
        return false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (pad->heads[middle] < unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low < pad->n_heads && pad->heads[low] == unit;
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

/* False when out of memory; *copy is NULL where there is nothing. */
static bool pad_copy(void *copy, const void *items, size_t bytes)
{
    void *copied = bytes ? malloc(bytes) : NULL;

    if (copied)
        memcpy(copied, items, bytes);
    memcpy(copy, &copied, sizeof(copied));
    return copied || !bytes;
}

/* What this walk needs in any case: heads, and notes that are nobody's yet. */
static bool stretch_fill(struct kept_stretch *stretch, const struct stretch_pad *pad)
{
    size_t claims_bytes = stretch_claims_bytes((uint32_t)pad->n_notes);

    stretch->long_bytes = pad->long_bytes;
    if (pad_copy(&stretch->heads, pad->heads, pad->n_heads * sizeof(*pad->heads)))
        stretch->n_heads = (uint32_t)pad->n_heads;
    stretch->claims = claims_bytes ? calloc(1, claims_bytes) : NULL;
    if ((stretch->claims || !claims_bytes) &&
        pad_copy(&stretch->notes, pad->notes, pad->n_notes * sizeof(*pad->notes)))
        stretch->n_notes = (uint32_t)pad->n_notes;
    return stretch->n_heads == pad->n_heads && stretch->n_notes == pad->n_notes;
}

static bool stretch_keep(struct walk *walk, struct kept_stretch *stretch)
{
    const struct stretch_pad *pad = &walk->stretches.pad;

    if (!pad_copy(&stretch->links, pad->links, pad->n_links * sizeof(*pad->links)))
        return false;
    stretch->n_links = (uint32_t)pad->n_links;
    return stretch_looks_keep(walk, stretch);
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
    found =
        all->is_kept ? walk_found_close(&walk->workers[0], stretch_is_good(walk)) : NULL;
    pad_links(walk, pad);
    if (!found && !pad->n_heads && !pad->n_notes)
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
    if (!stretch_fill(stretch, pad))
        walk->workers[0].edges.is_full = true;
    if (!found)
        return;
    if (stretch_keep(walk, stretch)) {
        walk_found_settle(&walk->workers[0], found);
    } else {
        walk_found_release(found);
        stretch->found = NULL;
    }
}
