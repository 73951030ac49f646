#include <string.h>

#include "source/objects_charge.h"
#include "source/objects_stretches.h"
#include "source/objects_walk.h"

/*
 * Most parts in malloc's heaps lie near their owner, and dicts near their instance: those
 * in the same stretch are charged when all of its chunks are noted, and nothing is left
 * of the edges that lead to them. So are tables of dicts, whosever these are. As in
 * arenas (objects_local.c), what the fields of C that were learned lead to waits.
 */

/* ---- what the pad holds ---- */

static void pad_index(struct stretch_pad *pad)
{
    uint32_t count = 0;

    pad->n_words = pad->n_notes ? pad->notes[pad->n_notes - 1].at / 64 + 1 : 0;
    memset(pad->begins, 0, pad->n_words * sizeof(pad->begins[0]));
    for (size_t i = 0; i < pad->n_notes; i++)
        pad->begins[pad->notes[i].at / 64] |= UINT64_C(1) << pad->notes[i].at % 64;
    for (size_t i = 0; i < pad->n_words; i++) {
        pad->before[i] = (uint16_t)count;
        count += (uint32_t)__builtin_popcountll(pad->begins[i]);
    }
}

/* The noted chunk that the address lies in. */
static bool pad_find(struct stretch_pad *pad, uint64_t address, struct noted_chunk *chunk)
{
    uint64_t unit = (address - pad->start) >> pad->unit_shift, until;
    const struct stretch_note *note;
    size_t behind;

    if (unit > UINT16_MAX || !pad->n_words)
        return false;
    behind = pad->n_notes;
    if (unit / 64 < pad->n_words) {
        until = pad->begins[unit / 64] & UINT64_MAX >> (63 - unit % 64);
        behind = pad->before[unit / 64] + (size_t)__builtin_popcountll(until);
    }
    if (!behind)
        return false;
    note = &pad->notes[behind - 1];
    chunk->user = pad->start + ((uint64_t)note->at << pad->unit_shift);
    chunk->bytes =
        note->units ? (uint64_t)note->units << pad->unit_shift : pad->long_bytes;
    chunk->word = &pad->claims[(behind - 1) / 64];
    chunk->bit = UINT64_C(1) << (behind - 1) % 64;
    return address - chunk->user < chunk->bytes;
}

/* The number of the dict that begins at the address; n_dicts: none does. */
static size_t pad_find_dict(const struct stretch_pad *pad, uint64_t address,
                            uint32_t *hint)
{
    uint16_t unit;

    return stretch_pad_unit(pad, address, &unit)
               ? stretch_dict_number(pad->dicts, (uint32_t)pad->n_dicts, unit, hint)
               : pad->n_dicts;
}

static bool pad_claim(const struct noted_chunk *chunk)
{
    bool is_claimed = *chunk->word & chunk->bit;

    *chunk->word |= chunk->bit;
    return !is_claimed;
}

/* ---- charging ---- */

/* Keys or values of a dict, whoever will turn out to have that. */
static void local_table(struct walk *walk, uint64_t *record)
{
    uint32_t flags = edge_flags(*record);
    struct noted_chunk chunk;

    if (!edge_address(*record) ||
        !pad_find(&walk->stretches.pad, edge_address(*record), &chunk) ||
        (!(flags & RECORD_IS_SPLIT) && !walk_keys_of_chunk(walk, chunk.bytes)))
        return;
    if (pad_claim(&chunk))
        *record = edge_pack(chunk.bytes, edge_owner(*record), flags | RECORD_IS_CLAIMED);
}

/* The owner's dict; false: it is not in this stretch. */
static bool local_dict(struct walk_worker *worker, const struct far_edge *edge,
                       uint32_t *hint)
{
    struct stretch_pad *pad = &worker->walk->stretches.pad;
    size_t at = pad_find_dict(pad, edge->address, hint);
    uint64_t bit = UINT64_C(1) << at % 64;

    if (at == pad->n_dicts || !worker->plain_dict)
        return false;
    if (pad->owned[at / 64] & bit)
        return true;
    pad->owned[at / 64] |= bit;
    pad->records[at] = edge_with_owner(pad->records[at], edge->owner);
    walk_dict_take(worker, worker->plain_dict, edge->owner, pad->records[at],
                   (uint64_t)pad->dicts[at].units << pad->unit_shift, true);
    return true;
}

/* False: it does not lead to a part in this stretch, or its turn is later. */
static bool local_charge(struct walk_worker *worker, const struct far_edge *edge,
                         uint32_t *hint)
{
    struct charge charge = {entry_of(worker->walk, edge->owner), false};
    struct noted_chunk chunk;

    if (charge.entry && edge->what == EDGE_DICT)
        return local_dict(worker, edge, hint);
    if (edge->what != EDGE_PART || !charge.entry ||
        !pad_find(&worker->walk->stretches.pad, edge->address, &chunk))
        return false;
    if (pad_claim(&chunk))
        charge_bytes(worker, &charge, chunk.bytes, true);
    return true;
}

void walk_stretch_local(struct walk *walk)
{
    struct stretch_pad *pad = &walk->stretches.pad;
    struct walk_worker *worker = &walk->workers[0];
    struct edges *edges = &worker->edges;
    size_t kept = pad->first_far;
    uint32_t hint = 0;

    if (!pad->n_dicts && edges->n_far == pad->first_far)
        return;
    pad_index(pad);
    for (size_t i = 0; i < pad->n_dicts; i++)
        local_table(walk, &pad->records[i]);
    for (size_t i = pad->first_far; i < edges->n_far; i++)
        if (!local_charge(worker, &edges->far[i], &hint))
            edges->far[kept++] = edges->far[i];
    edges->n_far = kept;
}
