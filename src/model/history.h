/*
 * history.h - the snapshots seen so far and the series drawn from them.
 *
 * A ring: the newest HISTORY_RECENT snapshots whole, older ones only as points
 * of the series (RES, pymalloc, objects). Belongs to the main thread; keeps
 * references to the snapshots it holds. Marks are named snapshots kept until
 * they are removed.
 */
#ifndef HEAPTOP_MODEL_HISTORY_H
#define HEAPTOP_MODEL_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"

#define HISTORY_RECENT 64
#define HISTORY_POINTS 4096 /* thinned 2:1 by age when full */
#define HISTORY_MARKS  32
#define HISTORY_EVENTS 512

struct history;

struct history_point {
    int64_t mono_ns, wall_ns;
    struct reading res_bytes, pymalloc_bytes, objects;
};

struct mark {
    uint32_t number; /* 1, 2, ... as shown: "mark #1" */
    char name[32];   /* "" when it has only a number */
    const struct snapshot *snapshot;
};

struct history *history_new(void);
void history_free(struct history *history);

/* Takes its own reference, and copies the snapshot's events. */
void history_add(struct history *history, const struct snapshot *snapshot);

/* The newest snapshot, or NULL; back = 1 is the one before. Borrowed. */
const struct snapshot *history_latest(const struct history *history);
const struct snapshot *history_back(const struct history *history, size_t back);

/* The newest snapshot whose walk is older than that of `snapshot`, or NULL. */
const struct snapshot *history_previous_walk(const struct history *history,
                                             const struct snapshot *snapshot);

size_t history_points(const struct history *history, const struct history_point **points);
size_t history_events(const struct history *history, const struct event **events);
void history_add_event(struct history *history, const struct event *event);

/* Marks the newest snapshot; NULL when there is none. The oldest mark goes when full. */
const struct mark *history_mark(struct history *history, const char *name);
size_t history_marks(const struct history *history, const struct mark **marks);

#endif
