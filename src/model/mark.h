/*
 * mark.h - named snapshots to compare with, and what lies between two of them, as a
 * notebook's "measure memory" says it: new blocks, bytes, objects, and the time between.
 * Pure; the marks belong to a history and its thread.
 */
#ifndef HEAPTOP_MODEL_MARK_H
#define HEAPTOP_MODEL_MARK_H

#include "heaptop/snapshot.h"

/* So many are kept; then the oldest that was set by the clock goes, else the oldest. */
#define MARKS_MAX 256

struct mark {
    uint32_t number; /* 1, 2, ... as shown: "mark #1" */
    char name[48];   /* clean; "": it is called by its number and time */
    bool is_automatic;
    const struct snapshot *snapshot; /* a reference */
};

struct marks {
    struct mark *items; /* the oldest first */
    size_t count, capacity;
    uint32_t last_number;
};

void marks_release(struct marks *marks);
/* Keeps a reference to the snapshot. The name may be NULL. */
const struct mark *marks_add(struct marks *marks, const struct snapshot *snapshot,
                             const char *name, bool is_automatic);
/* NULL when it was dropped, or never was. */
const struct mark *marks_find(const struct marks *marks, uint32_t number);

struct mark_difference {
    int64_t elapsed_ns;                               /* between the two snapshots */
    struct reading blocks;                            /* sys.getallocatedblocks() */
    struct reading block_bytes;                       /* of pymalloc's blocks in use */
    struct reading objects, size_bytes, memory_bytes; /* of the walks */
    struct reading walk_elapsed_ns;                   /* between the two walks */
    struct reading res_bytes;
    struct reading arenas;
};

/* Newer minus older; what is not known in both is unknown. Both may be NULL. */
struct mark_difference mark_difference(const struct snapshot *older,
                                       const struct snapshot *newer);

#endif
