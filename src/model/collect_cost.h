/*
 * collect_cost.h - what a collection would cost: how many objects it looks at, and
 * how long that took the last time. Pure; main thread, which owns the history.
 */
#ifndef HEAPTOP_MODEL_COLLECT_COST_H
#define HEAPTOP_MODEL_COLLECT_COST_H

#include "model/history.h"

struct collect_cost {
    struct reading objects;      /* on the lists of this generation and the younger */
    struct reading last_ns;      /* the newest collection of this generation seen */
    struct reading last_objects; /* how many there were then */
    struct reading expected_ns;  /* last_ns, for as many as there are now */
    bool is_of_youngest;         /* no other was seen: last_* are of generation 0 */
};

/* Objects on the collector's lists up to this generation; estimated from the walk
 * where a list was too long to be gone along. */
struct reading collect_objects(const struct snapshot *snapshot, int generation);

void collect_cost(const struct history *history, int generation,
                  struct collect_cost *cost);

#endif
