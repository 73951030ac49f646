#include "source/objects_stretches.h"

#include <stdlib.h>
#include <string.h>

#include "source/objects_walk.h"
#include "util/rising.h"
#include "util/clock.h"

/* One stretch, while it is walked. */
#define WAITS 16 /* so that those that changed together do not have one turn */

static void stretch_open(struct walk *walk, uint64_t start, unsigned unit_shift)
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
    pad->start = start;
    pad->unit_shift = unit_shift;
    pad->n_looks = pad->n_heads = pad->n_links = pad->n_notes = pad->n_dicts = 0;
    pad->long_bytes = 0;
    pad->first_far = walk->workers[0].edges.n_far;
    pad->first_link = walk->workers[0].edges.n_links;
    pad->looks_skip = 1;
    pad->looks_wait = 0;
}

void walk_stretch_open(struct walk *walk)
{
    stretch_open(walk, walk->chunks.at, STRETCH_UNIT_SHIFT);
}

/* Blocks of 8 bytes, or of 24, lie anywhere between the units of others. */
void walk_stretch_open_page(struct walk *walk, const struct mimalloc_page *page)
{
    stretch_open(walk, page->start, page->block_bytes % 16 ? 3 : STRETCH_UNIT_SHIFT);
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
    uint64_t units = bytes >> pad->unit_shift;
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
    if (pad->n_notes % 64 == 0)
        pad->claims[pad->n_notes / 64] = 0;
    pad->notes[pad->n_notes++] = (struct stretch_note){unit, (uint16_t)units};
    return true;
}

bool walk_stretch_dict(struct walk *walk, uint64_t address, uint64_t bytes,
                       uint64_t record)
{
    struct stretch_pad *pad = &walk->stretches.pad;
    uint64_t units = bytes >> pad->unit_shift;
    uint16_t unit;

    if (!pad->is_open || units > UINT16_MAX || !stretch_pad_unit(pad, address, &unit) ||
        (pad->n_dicts == pad->dicts_capacity &&
         !edges_grow((void **)&pad->dicts, pad->n_dicts, &pad->dicts_capacity,
                     sizeof(*pad->dicts))) ||
        (pad->n_dicts == pad->records_capacity &&
         !edges_grow((void **)&pad->records, pad->n_dicts, &pad->records_capacity,
                     sizeof(*pad->records))))
        return false;
    if (pad->n_dicts % 64 == 0)
        pad->owned[pad->n_dicts / 64] = 0;
    pad->records[pad->n_dicts] = record;
    pad->dicts[pad->n_dicts++] = (struct stretch_dict){unit, (uint16_t)units};
    return true;
}

static bool pad_has_head(const struct stretch_pad *pad, uint64_t gc_head)
{
    uint16_t unit;
    uint32_t at;

    if (!stretch_pad_unit(pad, gc_head, &unit))
        return false;
    at = rising_from(pad->heads, (uint32_t)pad->n_heads, unit);
    return at < pad->n_heads && pad->heads[at] == unit;
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

/* Others will claim, too: who keeps the stretch has the bits as they are now once more.
 */
static bool claims_copy(struct kept_stretch *stretch, const struct stretch_pad *pad)
{
    size_t words = stretch_bit_words(pad->n_notes);
    size_t bytes = words * sizeof(*pad->claims);

    stretch->claims = malloc((stretch->found ? 2 : 1) * bytes + 1);
    if (!stretch->claims)
        return false;
    memcpy(stretch->claims, pad->claims, bytes);
    if (stretch->found)
        memcpy(stretch->claims + words, pad->claims, bytes);
    return true;
}

static bool dicts_copy(struct kept_stretch *stretch, const struct stretch_pad *pad)
{
    size_t owned_bytes = stretch_bit_words(pad->n_dicts) * sizeof(*pad->owned);

    if (pad_copy(&stretch->dicts, pad->dicts, pad->n_dicts * sizeof(*pad->dicts)) &&
        pad_copy(&stretch->records, pad->records, pad->n_dicts * sizeof(*pad->records)) &&
        pad_copy(&stretch->owned, pad->owned, owned_bytes))
        stretch->n_dicts = (uint32_t)pad->n_dicts;
    return stretch->n_dicts == pad->n_dicts;
}

/* What this walk needs in any case: heads, notes and dicts. */
static bool stretch_fill(struct kept_stretch *stretch, const struct stretch_pad *pad)
{
    stretch->long_bytes = pad->long_bytes;
    if (pad_copy(&stretch->heads, pad->heads, pad->n_heads * sizeof(*pad->heads)))
        stretch->n_heads = (uint32_t)pad->n_heads;
    if ((!pad->n_notes || claims_copy(stretch, pad)) &&
        pad_copy(&stretch->notes, pad->notes, pad->n_notes * sizeof(*pad->notes)))
        stretch->n_notes = (uint32_t)pad->n_notes;
    return dicts_copy(stretch, pad) && stretch->n_heads == pad->n_heads &&
           stretch->n_notes == pad->n_notes;
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

/* The stretch of what the pad holds. NULL: there is nothing, or no memory. */
static struct kept_stretch *stretch_new(struct walk *walk, struct found *found,
                                        uint64_t end)
{
    struct kept_stretches *all = &walk->stretches;
    const struct stretch_pad *pad = &all->pad;
    struct kept_stretch *stretch;

    if (!found && !pad->n_heads && !pad->n_notes && !pad->n_dicts)
        return NULL;
    stretch = stretches_add(all);
    if (!stretch) {
        walk->workers[0].edges.is_full = true;
        return NULL;
    }
    stretch->start = pad->start;
    stretch->end = end;
    stretch->unit_shift = pad->unit_shift;
    stretch->found = found;
    stretch->read_mono_ns = clock_monotonic_ns();
    /* So that not all have their turn at once. */
    stretch->age = (uint32_t)(all->n_fresh % (all->is_first ? KEPT_TURNS : WAITS));
    if (!stretch_fill(stretch, pad))
        walk->workers[0].edges.is_full = true;
    return stretch;
}

/* What was found in the stretch is no run of its own that outlives the walk. */
static void stretch_forget(struct walk *walk, struct kept_stretch *stretch)
{
    struct stretch_pad *pad = &walk->stretches.pad;

    if (stretch) {
        walk_found_release(stretch->found);
        stretch->found = NULL;
    }
    edges_pack(&walk->workers[0].edges, pad->first_far, pad->first_link);
}

/* The stretch that is over; NULL: nothing was in it. Then, and when `found` of it is
 * NULL, nothing is kept. */
static struct kept_stretch *stretch_close(struct walk *walk, uint64_t end, bool is_good)
{
    struct stretch_pad *pad = &walk->stretches.pad;
    struct kept_stretch *stretch;
    struct found *found = NULL;

    pad->is_open = false;
    walk_stretch_local(walk);
    if (walk->stretches.is_kept)
        found = walk_found_close(&walk->workers[0], is_good);
    pad_links(walk, pad);
    stretch = stretch_new(walk, found, end);
    if (!stretch)
        walk_found_release(found);
    if (!stretch || !found)
        stretch_forget(walk, stretch);
    return stretch;
}

void walk_stretch_close(struct walk *walk)
{
    const struct walk_chunks *chunks = &walk->chunks;
    const struct stretch_pad *pad = &walk->stretches.pad;
    struct kept_stretch *stretch;

    if (!pad->is_open)
        return;
    stretch = stretch_close(walk, chunks->at, stretch_is_good(walk));
    if (!stretch)
        return;
    stretch->last = chunks->boundary > pad->start ? chunks->boundary : pad->start;
    stretch->flag = chunks->flag;
    if (!stretch->found)
        return;
    if (stretch_keep(walk, stretch))
        walk_found_settle(&walk->workers[0], stretch->found);
    else
        stretch_forget(walk, stretch);
}

void walk_stretch_close_page(struct walk *walk, const struct mimalloc_page *page,
                             bool is_good)
{
    const struct walk_worker *worker = &walk->workers[0];
    struct kept_stretch *stretch;

    if (!walk->stretches.pad.is_open)
        return;
    is_good &= !walk->stretches.pad.is_broken && !worker->counts.is_cut &&
               !worker->edges.is_full;
    stretch = stretch_close(walk, stretch_page_end(page), is_good);
    if (!stretch)
        return;
    stretch->flag = STRETCH_IS_PAGE;
    stretch->hashes[0] = stretch_page_hash(page);
    if (stretch->found)
        walk_found_settle(&walk->workers[0], stretch->found);
}
