/*
 * cycles_gather.h - finds what the collector tracks: in the arenas, one after the other,
 * and, along the collector's links that leave them, the few objects elsewhere.
 *
 * The lists themselves lead all over the memory; the arenas are read in order, once.
 * What gc.freeze() took out of the lists counts as held for ever. One thread.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_GATHER_H
#define HEAPTOP_SOURCE_CYCLES_GATHER_H

#include "layout/layout.h"
#include "source/cycles_set.h"
#include "source/cycles_types.h"

struct cycles_gather {
    const struct layout *layout;
    struct cycles_memory *memory;
    struct cycles_types *types;
    struct cycles_set *set;
    uint8_t *window; /* one arena */
    size_t next;     /* arena */
};

enum gather_result {
    GATHER_FAILED = -1,
    GATHER_OVER = 0,
    GATHER_MORE = 1,
};

/* False when there is no memory. */
bool cycles_gather_init(struct cycles_gather *gather);
void cycles_gather_release(struct cycles_gather *gather);

/* One arena and what its links lead to, or what is left. */
enum gather_result cycles_gather_step(struct cycles_gather *gather);

#endif
