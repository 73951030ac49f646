#include "source/objects_stretches.h"

#include <stdlib.h>

#include "source/objects_walk.h"
#include "util/rising.h"

/* What was counted and noted with stretches, once all of them are there. Who asks goes
 * through memory in order mostly, so the place of the last answer is tried first. */

static bool stretch_covers(const struct kept_stretch *stretch, uint64_t address)
{
    return address - stretch->start < stretch->end - stretch->start;
}

/* Which of them covers the address, from the one on that did so last. */
static const struct kept_stretch *stretches_at(const struct kept_stretch *stretches,
                                               size_t count,
                                               struct stretch_finder *finder,
                                               size_t *hint, uint64_t address)
{
    size_t behind;

    if (*hint < count && stretch_covers(&stretches[*hint], address))
        return &stretches[*hint];
    behind = stretches_from(stretches, count, address + 1);
    if (!behind || !stretch_covers(&stretches[behind - 1], address))
        return NULL;
    *hint = behind - 1;
    finder->head = finder->note = finder->dict = 0;
    return &stretches[behind - 1];
}

void walk_stretches_sort(struct walk *walk)
{
    struct kept_stretches *all = &walk->stretches;

    if (!all->is_sorted && all->n_fresh)
        qsort(all->fresh, all->n_fresh, sizeof(*all->fresh), stretch_compare);
    all->is_sorted = true;
}

/* A known one that was taken, or a fresh one. */
static const struct kept_stretch *stretch_at(const struct kept_stretches *all,
                                             struct stretch_finder *finder,
                                             uint64_t address)
{
    const struct kept_stretch *stretch =
        stretches_at(all->known, all->n_known, finder, &finder->known, address);

    if (stretch && stretch->state == STRETCH_USED)
        return stretch;
    return stretches_at(all->fresh, all->n_fresh, finder, &finder->fresh, address);
}

/* ---- heads ---- */

static bool stretch_has(const struct kept_stretch *stretch, uint32_t *hint, uint32_t unit)
{
    for (uint32_t i = *hint; i < stretch->n_heads && i <= *hint + 1; i++)
        if (stretch->heads[i] == unit) {
            *hint = i;
            return true;
        }
    *hint = rising_from(stretch->heads, stretch->n_heads, unit);
    return *hint < stretch->n_heads && stretch->heads[*hint] == unit;
}

bool walk_stretches_have(struct walk *walk, uint64_t gc_head)
{
    struct stretch_finder *finder = &walk->workers[0].finder;
    const struct kept_stretch *stretch;

    if (!walk->stretches.is_on || gc_head & 15)
        return false;
    walk_stretches_sort(walk);
    stretch = stretch_at(&walk->stretches, finder, gc_head);
    return stretch &&
           stretch_has(stretch, &finder->head,
                       (uint32_t)((gc_head - stretch->start) >> STRETCH_UNIT_SHIFT));
}

/* ---- notes ---- */

/* How many begin at the offset or before. */
static uint32_t notes_until(const struct kept_stretch *stretch, uint32_t hint,
                            uint64_t offset)
{
    uint64_t unit = offset >> stretch->unit_shift;
    uint32_t low = 0, high = stretch->n_notes;

    for (uint32_t next = hint + 1; next <= hint + 2; next++)
        if (next < high && stretch->notes[next - 1].at <= unit &&
            stretch->notes[next].at > unit)
            return next;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (stretch->notes[middle].at <= unit)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool walk_stretches_find(struct walk_worker *worker, uint64_t address,
                         struct noted_chunk *chunk)
{
    struct stretch_finder *finder = &worker->finder;
    const struct kept_stretch *stretch =
        stretch_at(&worker->walk->stretches, finder, address);
    const struct stretch_note *note;
    uint32_t behind;

    if (!stretch)
        return false;
    behind = finder->note = notes_until(stretch, finder->note, address - stretch->start);
    if (!behind)
        return false;
    note = &stretch->notes[behind - 1];
    chunk->user = stretch->start + ((uint64_t)note->at << stretch->unit_shift);
    chunk->bytes =
        note->units ? (uint64_t)note->units << stretch->unit_shift : stretch->long_bytes;
    chunk->word = &stretch->claims[(behind - 1) / 64];
    chunk->bit = UINT64_C(1) << (behind - 1) % 64;
    return address - chunk->user < chunk->bytes;
}

/* ---- dicts ---- */

uint32_t stretch_dict_number(const struct stretch_dict *dicts, uint32_t count,
                             uint64_t unit, uint32_t *hint)
{
    uint32_t low = 0, high = count;

    for (uint32_t i = *hint; i < high && i <= *hint + 1; i++)
        if (dicts[i].at == unit)
            return *hint = i;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (dicts[middle].at < unit)
            low = middle + 1;
        else
            high = middle;
    }
    *hint = low;
    return low < count && dicts[low].at == unit ? low : count;
}

uint64_t *walk_stretches_dict(struct walk *walk, uint64_t address, uint64_t *bytes)
{
    struct stretch_finder *finder = &walk->workers[0].finder;
    const struct kept_stretch *stretch =
        address & 15 ? NULL : stretch_at(&walk->stretches, finder, address);
    uint32_t at;

    if (!stretch)
        return NULL;
    at = stretch_dict_number(stretch->dicts, stretch->n_dicts,
                             (address - stretch->start) >> stretch->unit_shift,
                             &finder->dict);
    if (at == stretch->n_dicts)
        return NULL;
    *bytes = (uint64_t)stretch->dicts[at].units << stretch->unit_shift;
    return &stretch->records[at];
}

bool walk_stretches_records(const struct walk *walk, size_t index,
                            const uint64_t **records, size_t *count)
{
    const struct kept_stretches *all = &walk->stretches;
    const struct kept_stretch *stretch;

    if (index >= all->n_known + all->n_fresh)
        return false;
    stretch =
        index < all->n_known ? &all->known[index] : &all->fresh[index - all->n_known];
    *records = stretch->records;
    *count =
        index >= all->n_known || stretch->state == STRETCH_USED ? stretch->n_dicts : 0;
    return true;
}

size_t walk_stretches_count_dicts(const struct walk *walk)
{
    const uint64_t *records;
    size_t all = 0, count;

    for (size_t i = 0; walk_stretches_records(walk, i, &records, &count); i++)
        all += count;
    return all;
}
