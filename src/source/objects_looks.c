#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "source/objects_stretches.h"
#include "source/objects_walk.h"
#include "util/bytes.h"

/* What a refresh looks at to see whether a stretch of chunks is as it was. */
/* From the size word on: an object's first words, with all that may stand before it. */
#define LOOK_BYTES 56

static uint64_t hash_word(uint64_t hash, uint64_t word)
{
    return ((hash ^ word) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29)) | 1;
}

/* From a chunk's size word on: how large it is, whether the one before it is in use, and
 * the type of the object in it. Its refcount and its links change all the time. */
static uint64_t hash_look(struct walk *walk, uint64_t hash, const uint8_t *bytes)
{
    hash = hash_word(hash, u64_at(bytes, 0));
    if (walk->layout.pymalloc.debug_prefix_bytes) /* who asked, and for how much */
        return hash_word(hash_word(hash, u64_at(bytes, 8)), u64_at(bytes, 16));
    for (uint32_t at = 8; at <= 8 + OBJECT_PREFIX_MAX; at += 16) {
        uint64_t type = u64_at(bytes, at + 8);
        const struct type_entry *entry;

        if (!walk_is_alive(walk, u64_at(bytes, at)) || type < 4096 || type & 7)
            continue;
        entry = types_get(&walk->types, type);
        if (entry && entry->shape.prefix == at - 8)
            return hash_word(hash, type);
    }
    return hash;
}

static uint64_t look_address(const struct kept_stretch *stretch, size_t look)
{
    return stretch->start + ((uint64_t)stretch->looks[look] << STRETCH_UNIT_SHIFT) + 8;
}

/* So many chunks are looked at in each turn, at most. */
static size_t looks_of_turn(const struct walk *walk)
{
    size_t every = walk_has_no_arenas(walk) ? STRETCH_LOOK_SMALL : STRETCH_LOOK_EVERY;
    size_t looks = walk->window_capacity / every;

    return looks < 2 ? 2 : looks > STRETCH_TURN_MOST ? STRETCH_TURN_MOST : looks;
}

/* Where there are few, all have each turn. */
static uint32_t phases_of(const struct walk *walk, const struct kept_stretch *stretch)
{
    return stretch->n_looks > looks_of_turn(walk) ? STRETCH_PHASES : 1;
}

/* A page that is not in memory is not touched. */
static bool looks_are_present(struct walk *walk, const struct kept_stretch *stretch,
                              size_t phase)
{
    struct pagemap *pagemap = &walk->workers[0].pagemap;

    if (pagemap->fd < 0)
        return true;
    pagemap_forget(pagemap);
    if (!pagemap->has_no_scan &&
        pagemap_all_present(pagemap, stretch->start,
                            look_address(stretch, stretch->n_looks - 1) + LOOK_BYTES) &&
        !pagemap->has_no_scan)
        return true;
    for (size_t i = phase; i < stretch->n_looks; i += phases_of(walk, stretch)) {
        uint64_t address = look_address(stretch, i);

        if (!pagemap_is_present(pagemap, address) ||
            !pagemap_is_present(pagemap, address + LOOK_BYTES - 1))
            return false;
    }
    return true;
}

bool stretch_looks_are_same(struct walk *walk, const struct kept_stretch *stretch)
{
    size_t phases = phases_of(walk, stretch), phase = stretch->age % phases, count = 0;
    uint8_t bytes[STRETCH_TURN_MOST][LOOK_BYTES];
    struct piece pieces[STRETCH_TURN_MOST];
    uint64_t hash = 1;

    if (!looks_are_present(walk, stretch, phase))
        return false;
    for (size_t i = phase; i < stretch->n_looks; i += phases, count++)
        pieces[count] = (struct piece){raddr_of(look_address(stretch, i)), bytes[count],
                                       LOOK_BYTES, false};
    if (reader_readv(walk->reader, pieces, count) < count)
        return false;
    for (size_t i = 0; i < count; i++)
        hash = hash_look(walk, hash, bytes[i]);
    return hash == stretch->hashes[phase];
}

/* Every second one goes when there are more than have room. */
void walk_stretch_look(struct walk *walk, uint64_t chunk)
{
    struct stretch_pad *pad = &walk->stretches.pad;
    size_t most = looks_of_turn(walk) * STRETCH_PHASES;
    uint16_t unit;

    if (!walk->stretches.is_kept || !stretch_pad_unit(pad, chunk, &unit) ||
        pad->looks_wait--)
        return;
    if (pad->n_looks >= most) {
        for (size_t i = 0; i < most / 2; i++)
            pad->looks[i] = pad->looks[2 * i];
        pad->n_looks = most / 2;
        pad->looks_skip *= 2;
    }
    pad->looks_wait = pad->looks_skip - 1;
    pad->looks[pad->n_looks++] = unit;
}

bool stretch_looks_keep(struct walk *walk, struct kept_stretch *stretch)
{
    const struct stretch_pad *pad = &walk->stretches.pad;
    const struct walk_worker *worker = &walk->workers[0];

    stretch->looks = malloc((pad->n_looks + 1) * sizeof(*stretch->looks));
    if (!stretch->looks || !pad->n_looks)
        return false;
    memcpy(stretch->looks, pad->looks, pad->n_looks * sizeof(*stretch->looks));
    stretch->n_looks = (uint32_t)pad->n_looks;
    for (uint32_t phase = 0, phases = phases_of(walk, stretch); phase < phases; phase++) {
        uint64_t hash = 1;

        for (size_t i = phase; i < stretch->n_looks; i += phases) {
            uint64_t offset = look_address(stretch, i) - worker->window_address;

            if (offset >= worker->window_bytes ||
                worker->window_bytes - offset < LOOK_BYTES)
                return false;
            hash = hash_look(walk, hash, worker->window + offset);
        }
        stretch->hashes[phase] = hash;
    }
    return true;
}
