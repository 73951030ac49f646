#include "source/objects_walk.h"

#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

/*
 * Fields that nobody wrote down: numpy's data, the state of modules, locks. Of each type
 * in C some instances are looked at; a field that leads to the beginning of a block
 * that is nobody's, and to nothing else, is one of the type's parts from then on. The
 * instances that were looked at are charged at once; the walk begins again, once, when
 * that leaves too much without an owner.
 *
 * Such a part may lead to one more, as a table's head to its entries. When all else is
 * charged, words of learned parts are looked at in the same way.
 *
 * A walk looks where there is more without an owner than the last look left. A refresh
 * does not look, because it samples only what it read again: it says that the next walk
 * is to be a whole one that does.
 */
#define LEARN_BYTES     512 /* of an instance */
#define LEARN_FIELDS    (LEARN_BYTES / 8)
#define LEARN_FROM      2    /* words: the header holds no part */
#define LINKED_LEAST    2    /* parts that lead to one more: not by chance */
#define UNOWNED_GOOD    2000 /* of used bytes, one part in so many: nothing to learn */
#define UNOWNED_BAD     1000 /* the same: the walk should begin again */
#define LEFT_MORE       4    /* of what the last look left, one part in so many more */
#define WALKS_TO_LEARN  8    /* without a lesson: whole ones take no samples any more */
#define WALKS_TO_LOOK   64   /* until the next look, whatever was left */
#define TYPES_PER_LEARN 30000

/* What the fields of some instances lead to. */
struct lesson {
    uint32_t hits[LEARN_FIELDS];  /* the beginning of nobody's block */
    uint32_t other[LEARN_FIELDS]; /* anything else but nothing */
    uint64_t last[LEARN_FIELDS];  /* instances that share a block do not own it */
    uint32_t shared[LEARN_FIELDS];
};

static void samples_release(struct walk_samples *samples)
{
    for (size_t i = 0; i < samples->n_types; i++)
        free(samples->types[i]);
    free(samples->types);
    memset(samples, 0, sizeof(*samples));
}

void walk_learn_release(struct walk *walk)
{
    for (size_t w = 0; w < WALK_WORKERS_MAX; w++)
        samples_release(&walk->learning.samples[w]);
}

static bool samples_reserve(struct walk_samples *samples, size_t id)
{
    size_t wanted = id + 256;
    struct type_samples **types;

    if (id < samples->n_types)
        return true;
    types = realloc(samples->types, wanted * sizeof(*types));
    if (!types)
        return false;
    memset(types + samples->n_types, 0, (wanted - samples->n_types) * sizeof(*types));
    samples->types = types;
    samples->n_types = wanted;
    return true;
}

/* Neighbours are alike, as the functions of one module: the first would tell little.
 * Those of the least rank are the same whoever met them, and in whichever order. */
static uint64_t sample_rank(uint64_t address)
{
    uint64_t rank = (address >> 4) * UINT64_C(0x9e3779b97f4a7c15);

    return (rank ^ rank >> 32) * UINT64_C(0x9e3779b97f4a7c15);
}

static void samples_add(struct type_samples *samples, uint64_t address)
{
    uint64_t rank = sample_rank(address);

    if (samples->count < LEARN_SAMPLES)
        samples->addresses[samples->count++] = address;
    else if (rank < samples->most)
        samples->addresses[samples->at_most] = address;
    else
        return;
    samples->most = 0;
    for (uint32_t i = 0; i < samples->count; i++) {
        rank = sample_rank(samples->addresses[i]);
        if (rank >= samples->most) {
            samples->most = rank;
            samples->at_most = i;
        }
    }
}

void walk_learn_sample(struct walk_worker *worker, const struct type_entry *entry,
                       uint64_t address)
{
    struct walk_learning *learning = &worker->walk->learning;
    struct walk_samples *samples = &learning->samples[worker->index];
    struct type_samples **met;

    if (!learning->is_sampling || !samples_reserve(samples, entry->id))
        return;
    met = &samples->types[entry->id];
    if (!*met)
        *met = calloc(1, sizeof(**met));
    if (*met)
        samples_add(*met, address);
}

/* Of those that all workers met. */
static bool samples_of(const struct walk_learning *learning, size_t id,
                       struct type_samples *all)
{
    all->count = 0;
    for (size_t w = 0; w < WALK_WORKERS_MAX; w++) {
        const struct walk_samples *samples = &learning->samples[w];
        const struct type_samples *met =
            id < samples->n_types ? samples->types[id] : NULL;

        for (uint32_t i = 0; met && i < met->count; i++)
            samples_add(all, met->addresses[i]);
    }
    return all->count > 0;
}

/* Does the block that begins at the address belong to nobody? */
static bool begins_part(struct walk *walk, uint64_t address)
{
    uint32_t prefix = walk->layout.pymalloc.debug_prefix_bytes;
    struct noted_block block;
    struct noted_chunk chunk;

    if (arena_map_has(&walk->map, address))
        return arena_notes_find(&walk->notes, address, &block) &&
               block.offset == prefix && noted_is_part(&block);
    return walk_chunk_find(&walk->workers[0], address, &chunk) &&
           !noted_chunk_is_claimed(&chunk) && address == chunk.user + prefix;
}

uint64_t walk_part_room(struct walk *walk, uint64_t address)
{
    uint32_t prefix = walk->layout.pymalloc.debug_prefix_bytes;
    uint64_t overhead = prefix ? OBJECT_DEBUG_BYTES : 0, bytes = 0;
    struct noted_block block;
    struct noted_chunk chunk;

    if (arena_map_has(&walk->map, address)) {
        if (arena_notes_find(&walk->notes, address, &block) && block.offset == prefix)
            bytes = block.pool->block_bytes;
    } else if (walk_chunk_find(&walk->workers[0], address, &chunk) &&
               address == chunk.user + prefix) {
        bytes = chunk.bytes;
        overhead += walk_chunk_overhead(walk);
    }
    return bytes > overhead ? bytes - overhead : 0;
}

static void lesson_add(struct walk *walk, struct lesson *lesson, const uint8_t *bytes,
                       uint32_t from, uint64_t length)
{
    for (uint32_t i = from; i < LEARN_FIELDS && (i + 1) * 8 <= length; i++) {
        uint64_t word = u64_at(bytes, i * 8);

        if (!word)
            continue;
        if (word & 15 || !begins_part(walk, word))
            lesson->other[i]++;
        else if (word == lesson->last[i])
            lesson->shared[i]++;
        else
            lesson->hits[i]++;
        lesson->last[i] = word;
    }
}

static size_t samples_read(struct walk *walk, const struct type_entry *entry,
                           const struct type_samples *samples,
                           uint8_t bytes[][LEARN_BYTES], struct piece *pieces)
{
    size_t length =
        entry->shape.basicsize < LEARN_BYTES ? entry->shape.basicsize & ~7u : LEARN_BYTES;

    for (size_t i = 0; i < samples->count; i++)
        pieces[i] =
            (struct piece){raddr_of(samples->addresses[i]), bytes[i], length, false};
    return reader_readv(walk->reader, pieces, samples->count);
}

/* What the instances that were looked at have there is theirs already. */
static void charge_samples(struct walk *walk, const struct type_entry *entry,
                           uint8_t bytes[][LEARN_BYTES], const struct piece *pieces,
                           size_t count, uint32_t offset)
{
    struct walk_worker *worker = &walk->workers[0];

    for (size_t i = 0; i < count; i++) {
        uint64_t address = pieces[i].done ? u64_at(bytes[i], offset) : 0;
        struct far_edge edge = far_edge_of(address, entry->id, EDGE_START);

        if (!address || address & 15)
            continue;
        if (arena_map_has(&walk->map, address))
            EDGES_ADD_WORD(&worker->edges, near,
                           edge_pack(address, entry->id, EDGE_START));
        else
            EDGES_ADD(&worker->edges, far, edge);
    }
}

/* True when something new is known of the type. */
static bool learn_type(struct walk *walk, struct type_entry *entry,
                       const struct type_samples *samples)
{
    uint8_t bytes[LEARN_SAMPLES][LEARN_BYTES];
    struct piece pieces[LEARN_SAMPLES];
    struct lesson lesson;
    bool has_learned = false;

    memset(&lesson, 0, sizeof(lesson));
    if (!samples_read(walk, entry, samples, bytes, pieces))
        return false;
    for (size_t i = 0; i < samples->count; i++) {
        if (pieces[i].done)
            lesson_add(walk, &lesson, bytes[i], LEARN_FROM, entry->shape.basicsize);
    }
    for (uint32_t i = LEARN_FROM; i < LEARN_FIELDS; i++) {
        uint32_t before = entry->shape.n_learned;

        /* Views of another's data lead into blocks that have an owner. */
        if (!lesson.hits[i] || lesson.hits[i] < lesson.other[i] + lesson.shared[i] ||
            !object_shape_learn(&entry->shape, i * 8) || entry->shape.n_learned == before)
            continue;
        has_learned = true;
        entry->is_just_list = entry->is_just_managed = false;
        charge_samples(walk, entry, bytes, pieces, samples->count, i * 8);
    }
    return has_learned;
}

/* Subclasses have what their bases have. */
static void learn_from_bases(struct walk *walk)
{
    for (size_t i = 0; i < walk->types.n_entries; i++) {
        struct type_entry *entry = walk->types.entries[i];
        const struct type_entry *base =
            entry->base ? types_get(&walk->types, entry->base) : NULL;

        for (int depth = 0; base && depth < 8; depth++) {
            for (uint32_t n = 0; n < base->shape.n_learned; n++) {
                object_shape_learn(&entry->shape, base->shape.learned[n]);
                entry->is_just_list = entry->is_just_managed = false;
            }
            for (uint32_t n = 0; n < base->shape.n_linked; n++)
                object_shape_link(&entry->shape, base->shape.linked[n].field,
                                  base->shape.linked[n].link_at);
            base = base->base ? types_get(&walk->types, base->base) : NULL;
        }
    }
}

static bool learn_types(struct walk *walk)
{
    bool has_learned = false;

    for (size_t i = 0; i < walk->types.n_entries && i < TYPES_PER_LEARN; i++) {
        struct type_entry *entry = walk->types.entries[i];
        struct type_samples samples;

        if (samples_of(&walk->learning, entry->id, &samples))
            has_learned |= learn_type(walk, entry, &samples);
    }
    if (has_learned)
        learn_from_bases(walk);
    return has_learned;
}

/* ---- what learned parts lead to ---- */

/* Learned parts of some instances, and what they begin with. */
struct linked_samples {
    size_t count;
    uint64_t addresses[LEARN_SAMPLES];
    struct piece pieces[LEARN_SAMPLES];
    uint8_t bytes[LEARN_SAMPLES][LEARN_BYTES];
};

static void linked_add(struct walk *walk, struct linked_samples *parts, uint64_t address)
{
    uint64_t room = address & 15 ? 0 : walk_part_room(walk, address) & ~UINT64_C(7);

    if (!room)
        return;
    parts->addresses[parts->count] = address;
    parts->pieces[parts->count] =
        (struct piece){raddr_of(address), parts->bytes[parts->count],
                       room < LEARN_BYTES ? (size_t)room : LEARN_BYTES, false};
    parts->count++;
}

static bool linked_learn(struct walk *walk, struct type_entry *entry, uint32_t field,
                         const struct linked_samples *parts)
{
    struct edges *edges = &walk->workers[0].edges;
    struct lesson lesson;
    bool has_learned = false;

    memset(&lesson, 0, sizeof(lesson));
    for (size_t i = 0; i < parts->count; i++) {
        if (parts->pieces[i].done)
            lesson_add(walk, &lesson, parts->bytes[i], 0, parts->pieces[i].length);
    }
    for (uint32_t i = 0; i < LEARN_FIELDS; i++) {
        if (lesson.hits[i] < LINKED_LEAST ||
            lesson.hits[i] < lesson.other[i] + lesson.shared[i] ||
            !object_shape_link(&entry->shape, field, i * 8))
            continue;
        has_learned = true;
        for (size_t n = 0; n < parts->count; n++) {
            struct linked_part linked = {parts->addresses[n], entry->id, i * 8};

            EDGES_ADD(edges, linked, linked);
        }
    }
    return has_learned;
}

static bool learn_type_links(struct walk *walk, struct type_entry *entry,
                             const struct type_samples *samples)
{
    uint8_t bytes[LEARN_SAMPLES][LEARN_BYTES];
    struct piece pieces[LEARN_SAMPLES];
    struct linked_samples parts;
    bool has_learned = false;

    if (!samples_read(walk, entry, samples, bytes, pieces))
        return false;
    for (uint32_t n = 0; n < entry->shape.n_learned; n++) {
        uint32_t field = entry->shape.learned[n];

        parts.count = 0;
        for (size_t i = 0; i < samples->count; i++) {
            if (pieces[i].done && field + 8u <= pieces[i].length)
                linked_add(walk, &parts, u64_at(bytes[i], field));
        }
        if (reader_readv(walk->reader, parts.pieces, parts.count))
            has_learned |= linked_learn(walk, entry, field, &parts);
    }
    return has_learned;
}

/* Charges the rest of what was learned, from this phase on. */
static void learn_settle(struct walk *walk, int phase)
{
    walk_owners_begin(walk);
    walk->owners.phase = phase;
    while (walk_owners_step(walk))
        ;
    walk_workers_merge(walk);
    arena_notes_unowned(&walk->notes, &walk->unowned_blocks, &walk->unowned_bytes);
}

static bool learn_links(struct walk *walk)
{
    bool has_learned = false;

    for (size_t i = 0; i < walk->types.n_entries && i < TYPES_PER_LEARN; i++) {
        struct type_entry *entry = walk->types.entries[i];
        struct type_samples samples;

        if (entry->shape.n_learned && samples_of(&walk->learning, entry->id, &samples))
            has_learned |= learn_type_links(walk, entry, &samples);
    }
    if (!has_learned)
        return false;
    learn_from_bases(walk);
    learn_settle(walk, OWNERS_LINKED);
    return true;
}

void walk_learn_begin(struct walk *walk, bool is_refresh)
{
    struct walk_learning *learning = &walk->learning;

    learning->is_sampling =
        learning->is_due || (!is_refresh && learning->walks < WALKS_TO_LEARN);
}

/* True when something is known that was not. */
static bool learn_look(struct walk *walk)
{
    uint64_t used = walk->workers[0].counts.used_bytes;
    bool has_learned;

    for (size_t w = 0; w < walk->n_workers; w++)
        edges_forget_parts(&walk->workers[w].edges);
    has_learned = learn_types(walk);
    learn_settle(walk, OWNERS_PARTS);
    if (walk->unowned_bytes > used / UNOWNED_GOOD)
        has_learned |= learn_links(walk);
    if (has_learned)
        walk_kept_forget(walk); /* parts were not noted that are known now */
    walk->learning.left_bytes = has_learned ? 0 : walk->unowned_bytes;
    return has_learned;
}

void walk_learn(struct walk *walk)
{
    struct walk_learning *learning = &walk->learning;
    uint64_t good = walk->workers[0].counts.used_bytes / UNOWNED_GOOD;
    uint64_t left = learning->left_bytes;
    bool is_due = learning->is_due, is_more;

    arena_notes_unowned(&walk->notes, &walk->unowned_blocks, &walk->unowned_bytes);
    is_more = walk->unowned_bytes > left + left / LEFT_MORE + good;
    learning->has_learned = learning->is_sampling &&
                            (is_more || (is_due && walk->unowned_bytes > good)) &&
                            learn_look(walk);
    learning->walks = learning->has_learned ? 0 : learning->walks + 1;
    learning->is_due =
        (is_more && !learning->is_sampling) || learning->walks % WALKS_TO_LOOK == 0;
}

bool walk_learn_end(struct walk *walk)
{
    struct walk_learning *learning = &walk->learning;
    uint64_t used = walk->workers[0].counts.used_bytes;
    bool is_repeated = learning->has_learned && !learning->has_repeated &&
                       walk->unowned_bytes > used / UNOWNED_BAD;

    learning->has_repeated = is_repeated;
    walk_learn_release(walk);
    return is_repeated;
}
