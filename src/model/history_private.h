/*
 * history_private.h - the inside of struct history: only history.c and history_past.c
 * include it.
 */
#ifndef HEAPTOP_MODEL_HISTORY_PRIVATE_H
#define HEAPTOP_MODEL_HISTORY_PRIVATE_H

#include "model/cause.h"
#include "model/history.h"
#include "model/thinning.h"

struct history {
    const struct snapshot *recent[HISTORY_RECENT]; /* newest at (added - 1) % RECENT */
    size_t added, released; /* released: of the added ones, to keep within room */
    const struct snapshot *kept[HISTORY_KEPT]; /* the oldest first */
    size_t n_kept;
    struct history_point points[HISTORY_POINTS];
    size_t n_points;
    struct reading pause_total_ns; /* at the last point */
    struct event events[HISTORY_EVENTS];
    size_t n_events;
    struct marks marks;
    struct growth *kinds, *classes, *series, *parts;
    int64_t walk_ended_ns;    /* of the walk that the kinds' growth saw last */
    struct sharing sharing;   /* with the parent, as it was compared last */
    struct cause cause;       /* of what grows */
    int64_t account_ended_ns; /* of the round that the parts' growth saw last */
};

#endif
