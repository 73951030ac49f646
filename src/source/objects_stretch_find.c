#include "source/objects_stretches.h"

#include <stdlib.h>

#include "source/objects_walk.h"

/* What was counted and noted with stretches, once all of them are there. Who asks goes
 * through memory in order mostly, so the place of the last answer is tried first. */

static bool stretch_covers(const struct kept_stretch *stretch, uint64_t address)
{
    return address - stretch->start < stretch->end - stretch->start;
}

/* Which of them covers the address, from the one on that did so last. */
static struct kept_stretch *stretches_at(struct kept_stretch *stretches, size_t count,
                                         size_t *hint, uint64_t address)
{
    size_t behind;

    if (*hint < count && stretch_covers(&stretches[*hint], address))
        return &stretches[*hint];
    behind = stretches_from(stretches, count, address + 1);
    if (!behind || !stretch_covers(&stretches[behind - 1], address))
        return NULL;
    *hint = behind - 1;
    return &stretches[behind - 1];
}

static int fresh_compare(const void *left, const void *right)
{
    const struct kept_stretch *a = left, *b = right;

    return (a->start > b->start) - (a->start < b->start);
}

/* A known one that was taken, or a fresh one. */
static struct kept_stretch *stretch_at(struct walk *walk, uint64_t address)
{
    struct kept_stretches *all = &walk->stretches;
    struct kept_stretch *stretch;

    if (!all->is_on)
        return NULL;
    if (!all->is_sorted && all->n_fresh)
        qsort(all->fresh, all->n_fresh, sizeof(*all->fresh), fresh_compare);
    all->is_sorted = true;
    stretch = stretches_at(all->known, all->n_known, &all->known_hint, address);
    if (stretch && stretch->state == STRETCH_USED)
        return stretch;
    return stretches_at(all->fresh, all->n_fresh, &all->fresh_hint, address);
}

/* ---- heads ---- */

static bool stretch_has(struct kept_stretch *stretch, uint32_t unit)
{
    uint32_t low = 0, high = stretch->n_heads;

    for (uint32_t i = stretch->head_hint; i < high && i <= stretch->head_hint + 1; i++)
        if (stretch->heads[i] == unit) {
            stretch->head_hint = i;
            return true;
        }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (stretch->heads[middle] < unit)
            low = middle + 1;
        else
            high = middle;
    }
    stretch->head_hint = low;
    return low < stretch->n_heads && stretch->heads[low] == unit;
}

bool walk_stretches_have(struct walk *walk, uint64_t gc_head)
{
    struct kept_stretch *stretch = gc_head & 15 ? NULL : stretch_at(walk, gc_head);

    return stretch && stretch_has(stretch, (uint32_t)((gc_head - stretch->start) >>
                                                      STRETCH_UNIT_SHIFT));
}

/* ---- notes ---- */

/* How many begin at the offset or before. */
static uint32_t notes_until(struct kept_stretch *stretch, uint64_t offset)
{
    uint64_t unit = offset >> STRETCH_UNIT_SHIFT;
    uint32_t low = 0, high = stretch->n_notes;

    for (uint32_t next = stretch->note_hint; next <= stretch->note_hint + 2; next++)
        if (next && next < high && stretch->notes[next - 1].at <= unit &&
            stretch->notes[next].at > unit)
            return (stretch->note_hint = next);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (stretch->notes[middle].at <= unit)
            low = middle + 1;
        else
            high = middle;
    }
    return (stretch->note_hint = low);
}

bool walk_stretches_find(struct walk *walk, uint64_t address, struct noted_chunk *chunk)
{
    struct kept_stretch *stretch = stretch_at(walk, address);
    const struct stretch_note *note;
    uint32_t behind;

    if (!stretch || !stretch->n_notes)
        return false;
    behind = notes_until(stretch, address - stretch->start);
    if (!behind)
        return false;
    note = &stretch->notes[behind - 1];
    chunk->user = stretch->start + ((uint64_t)note->at << STRETCH_UNIT_SHIFT);
    chunk->bytes =
        note->units ? (uint64_t)note->units << STRETCH_UNIT_SHIFT : stretch->long_bytes;
    chunk->word = &stretch->claims[(behind - 1) / 64];
    chunk->bit = UINT64_C(1) << (behind - 1) % 64;
    return address - chunk->user < chunk->bytes;
}
