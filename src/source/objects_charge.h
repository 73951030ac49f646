/*
 * objects_charge.h - charging a part to its owner, between the files that do so
 * (objects_owners.c, objects_far.c).
 *
 * A worker charges to its own tallies.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_CHARGE_H
#define HEAPTOP_SOURCE_OBJECTS_CHARGE_H

#include "source/objects_walk.h"

/* Where a part's bytes go: to a type's instances, or to their dicts. */
struct charge {
    struct type_entry *entry;
    bool is_dict_of;
};

static inline struct type_entry *entry_of(const struct walk *walk, uint32_t id)
{
    return id && id <= walk->types.n_entries ? walk->types.entries[id - 1] : NULL;
}

static inline void charge_bytes(struct walk_worker *worker, const struct charge *charge,
                                uint64_t memory_bytes, bool is_malloc)
{
    struct tally *tally = tally_of(worker, charge->entry);
    uint64_t malloc_bytes = is_malloc ? memory_bytes : 0;

    if (charge->is_dict_of) {
        tally->dict_memory_bytes += memory_bytes;
        tally->dict_parts_bytes += memory_bytes;
        tally->dict_malloc_bytes += malloc_bytes;
        return;
    }
    tally->memory_bytes += memory_bytes;
    tally->parts_bytes += memory_bytes;
    tally->malloc_bytes += malloc_bytes;
}

static inline void charge_size(struct walk_worker *worker, const struct charge *charge,
                               uint64_t size_bytes)
{
    struct tally *tally = tally_of(worker, charge->entry);

    if (charge->is_dict_of)
        tally->dict_size_bytes += size_bytes;
    else
        tally->size_bytes += size_bytes;
}

/* Keys are sized by their block, of which this is the size, or, where the block does not
 * tell (0), by looking. */
void charge_keys(struct walk_worker *worker, const struct charge *charge,
                 uint64_t address, uint64_t size);

/* Of a chunk what a table in it may fill, and the size of the keys that do; 0: the chunk
 * does not tell. objects_far.c */
uint64_t walk_chunk_room(const struct walk *walk, uint64_t chunk_bytes);
uint64_t walk_keys_of_chunk(const struct walk *walk, uint64_t chunk_bytes);

/* The part in an arena; false when the address is in no block that was scanned. */
bool charge_near(struct walk_worker *worker, const struct charge *charge,
                 uint64_t address, enum edge_what what);

/* Charges what the worker's far edges from `first` on lead to; those where no chunk was
 * noted stay. objects_far.c */
void walk_far_settle(struct walk_worker *worker, size_t first);

/* Charges a part in an arena, or in a chunk that was noted; false when it is in neither.
 * objects_far.c */
bool charge_noted(struct walk_worker *worker, const struct charge *charge,
                  const struct far_edge *edge);

/* The number of the next piece of a phase, which no other worker takes. */
static inline size_t owners_take(struct walk *walk)
{
    return __atomic_fetch_add(&walk->owners.next, 1, __ATOMIC_RELAXED);
}

/* What edges lead to outside the arenas: of packed ones, piece by piece, whoever's they
 * are, and of the worker's own. objects_far.c */
void walk_parts_far(struct walk_worker *worker, void *with);

#endif
