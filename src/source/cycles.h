/*
 * cycles.h - what gc.collect would free, found out from outside: a dry run.
 *
 * As gcmodule.c does it: from each object's count of references those are taken that
 * come from tracked objects; who has some left is held from elsewhere, and so is all
 * that it leads to. The rest is garbage, and with it what nobody else refers to. What an
 * opaque type holds cannot be seen, so there are two answers: at least (nothing that an
 * opaque type in the garbage leads to), and at most.
 *
 * All turns over the objects are in the order of their addresses, so the target's memory
 * is read about once a turn, and the memory that it takes is bounded: four bytes for
 * each tracked object, six outside the arenas, a hundredth of these, and what is kept of
 * lines read.
 *
 * Runs in steps. A target that works meanwhile blurs it: the answer is an estimate.
 * Borrows everything; one thread.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_H
#define HEAPTOP_SOURCE_CYCLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "source/account_pools.h"
#include "source/arenas.h"
#include "source/cycles_edges.h"
#include "source/cycles_gather.h"
#include "source/cycles_set.h"
#include "source/malloc_caches.h"

enum cycles_stage {
    CYCLES_GATHER,
    CYCLES_SUBTRACT,
    CYCLES_ROOTS,
    CYCLES_OPAQUE,
    CYCLES_FREE_LEAST,
    CYCLES_FREE_MOST,
    CYCLES_OVER,
    CYCLES_FAILED,
};

/* What would be freed. */
struct cycles_freed {
    uint64_t objects, bytes;
    uint64_t arena_bytes;    /* resident bytes of arenas that become empty */
    struct chunk_set chunks; /* malloc's chunks; sorted */
    uint32_t *by_arena;      /* blocks */
};

struct cycles {
    const struct layout *layout;
    const struct arena_table *arenas;
    const struct arena_use *uses;
    const struct malloc_heaps *heaps;
    struct cycles_memory memory;
    struct cycles_edges edges;
    enum cycles_stage stage;
    enum garbage_why why; /* it failed */
    struct cycles_gather gather;
    struct cycles_set set;
    struct cycles_at at; /* the object that comes next */
    bool is_again;       /* some were left to another turn over all objects */
    size_t n_scanned;    /* in this turn */
    uint64_t *work;      /* addresses to go on from */
    size_t n_work, work_capacity;
    uint64_t *counted; /* pairs {address, references left} of what is not tracked */
    size_t n_counted, counted_slots;
    bool is_short;         /* of memory, or of room: not all that is freed was counted */
    uint64_t **freed_bits; /* by arena: a bit for each 16 bytes, or NULL */
    bool has_opaque;       /* else both answers are the same */
    struct cycles_freed least, most;
    struct cycles_freed *freed; /* the one that is made */
};

/* Why no dry run can be made of this interpreter; GARBAGE_WHY_UNTOLD: it can. */
enum garbage_why cycles_why_not(const struct layout *layout);

/* False when there is no memory, or nothing to be known: `why` is set. */
bool cycles_begin(struct cycles *cycles, const struct layout *layout,
                  struct reader *reader, struct residency *residency,
                  const struct arena_table *arenas, const struct arena_use *uses,
                  const struct malloc_heaps *heaps);

/* A part of it; false when it is over or failed (`why` is set). */
bool cycles_step(struct cycles *cycles);

bool cycles_is_known(const struct cycles *cycles);
void cycles_release(struct cycles *cycles);

#endif
