/*
 * history.h - the snapshots seen so far and the series drawn from them.
 *
 * The newest HISTORY_RECENT snapshots are kept whole, and of the older ones some, the
 * older the sparser, so that a few of any age can be looked at again; all of them are
 * points of the series. Kinds, size classes and the parts of RES are followed by what
 * they grow. Belongs
 * to the main thread; keeps references to the snapshots it holds. Memory is bounded
 * however long it runs.
 */
#ifndef HEAPTOP_MODEL_HISTORY_H
#define HEAPTOP_MODEL_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"
#include "model/growth.h"
#include "model/mark.h"
#include "model/sharing.h"

#define HISTORY_RECENT 64
#define HISTORY_KEPT   64   /* of the older ones */
#define HISTORY_POINTS 4096 /* the older the sparser, see thinning.h */
#define HISTORY_EVENTS 512

/* What the partitions of all whole snapshots may take: where they are larger, fewer are
 * kept. */
#define HISTORY_ROWS_BYTES (UINT64_C(64) << 20)

struct history;

/* What each point of the series has; see series_names in history.c. */
enum history_series {
    SERIES_RES = 0,
    SERIES_PYMALLOC,    /* bytes of arenas */
    SERIES_LIVE,        /* bytes of pymalloc's blocks in use */
    SERIES_MALLOC_USED, /* with mmapped chunks */
    SERIES_MALLOC_FREE, /* with caches and tops */
    SERIES_MEMORY,      /* bytes of all objects */
    SERIES_OBJECTS,     /* number */
    SERIES_GARBAGE,     /* bytes, by the last dry run of the collector */
    SERIES_PAUSES,      /* ns that collections took since the point before */
    SERIES_VIRT,
    SERIES_USS,
    SERIES_SWAP,
    SERIES_FILES,  /* pages of mapped files in memory */
    SERIES_SHARED, /* shared memory */
    SERIES_COUNT,
};

struct history_point {
    int64_t mono_ns, wall_ns;
    struct reading values[SERIES_COUNT];
};

enum history_unit {
    HISTORY_BYTES = 0,
    HISTORY_NUMBER,
    HISTORY_DURATION,
};

const char *history_series_name(enum history_series series);
enum history_unit history_series_unit(enum history_series series);

struct history *history_new(void);
void history_free(struct history *history);

/* Not one of its own, and later. In history_past.c. */
bool history_is_later(const struct event *event, const struct snapshot *snapshot);
/* A new one that ends with this snapshot, which need not be in the first one any more:
 * what was known when it was taken, as far as that is still held. */
struct history *history_as_of(const struct history *history,
                              const struct snapshot *snapshot);

/* Takes its own reference, and copies the snapshot's events. */
void history_add(struct history *history, const struct snapshot *snapshot);

/* Only the numbers of a sample that is not had whole; SERIES_PAUSES is since the process
 * began. Samples and points come in the order of their time. */
void history_add_numbers(struct history *history, const struct history_point *point);
/* The numbers of a snapshot in this form. */
void history_numbers(const struct snapshot *snapshot, struct history_point *point);

/* The newest snapshot, or NULL; back = 1 is the one before. Borrowed. */
const struct snapshot *history_latest(const struct history *history);
const struct snapshot *history_back(const struct history *history, size_t back);

/* All snapshots that are still whole: the oldest is 0. */
size_t history_count(const struct history *history);
const struct snapshot *history_at(const struct history *history, size_t index);
/* The last of them that is not later than this; the first when all are. */
size_t history_at_time(const struct history *history, int64_t mono_ns);

/* The newest snapshot whose walk is older than that of `snapshot`, or NULL. */
const struct snapshot *history_previous_walk(const struct history *history,
                                             const struct snapshot *snapshot);
/* The newest snapshot that is older, or NULL. */
const struct snapshot *history_previous(const struct history *history,
                                        const struct snapshot *snapshot);

size_t history_points(const struct history *history, const struct history_point **points);
size_t history_events(const struct history *history, const struct event **events);

/* Where a reader of the events stands; begins zeroed. */
struct event_cursor {
    bool has_last;
    struct event last; /* the newest one that was read */
};
/* Those that came since the cursor was moved last; moves it. */
size_t history_new_events(const struct history *history, struct event_cursor *cursor,
                          const struct event **events);
void history_add_event(struct history *history, const struct event *event);

/* What is shared with the parent, from whoever compares their pages; wall_ns 0: it is not
 * known. Copied; borrowed. */
void history_set_sharing(struct history *history, const struct sharing *sharing);
const struct sharing *history_sharing(const struct history *history);

/* What grows; keys are 1 + the kind's id, and the block size of a class. Borrowed. */
struct growth *history_kinds_growth(const struct history *history);
struct growth *history_classes_growth(const struct history *history);
/* The headline series: keys are 1 + enum history_series, values stand as bytes. */
struct growth *history_series_growth(const struct history *history);
/* The parts of RES, a point for each round of the account: keys are 1 + enum
 * account_part. */
struct growth *history_parts_growth(const struct history *history);
static inline uint64_t history_kind_key(const struct kind *kind)
{
    return (uint64_t)kind->id + 1;
}

/* Marks the newest snapshot, and notes it as an event; NULL when there is none. The
 * name may be NULL. */
const struct mark *history_mark(struct history *history, const char *name);
/* The same for a snapshot that is or was in the history; `why` ends the event's words. */
const struct mark *history_mark_snapshot(struct history *history,
                                         const struct snapshot *snapshot,
                                         const char *name, bool is_automatic,
                                         const char *why);
/* As it was set before: silently. */
void history_restore_mark(struct history *history, const struct snapshot *snapshot,
                          const char *name, bool is_automatic);
/* All marks of another history, which has none then. */
void history_move_marks(struct history *to, struct history *from);
size_t history_marks(const struct history *history, const struct mark **marks);
const struct mark *history_find_mark(const struct history *history, uint32_t number);

#endif
