/*
 * difference.h - what lies between two samples, of one process or of two: the headline
 * numbers, the parts of RES, the size classes, the kinds, each before and after, with
 * what it grew per minute then.
 *
 * Growth is of the history that a sample is the newest of (growth.h): it is claimed or
 * unknown. What one of the samples does not have is unknown; a kind that a complete walk
 * did not meet is 0. Pure; borrows from the snapshots, which must outlive it.
 */
#ifndef HEAPTOP_MODEL_DIFFERENCE_H
#define HEAPTOP_MODEL_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "model/history.h"

enum difference_table_id {
    DIFFERENCE_SERIES = 0,
    DIFFERENCE_PARTS,
    DIFFERENCE_CLASSES, /* blocks in use */
    DIFFERENCE_KINDS,   /* those with the largest change of memory first */
    DIFFERENCE_TABLES,
};

struct difference_side {
    const struct snapshot *snapshot;
    const struct history *history; /* NULL: its growth is unknown */
    int64_t window_ns;             /* that the growth is looked for in */
};

struct difference_value {
    struct reading count, bytes;
    struct reading bytes_per_minute, count_per_minute;
};

struct difference_row {
    const char *name;     /* as in JSON; NULL: it is called by its block size */
    const char *title;    /* as on the screen */
    uint32_t block_bytes; /* of a size class */
    struct difference_value before, after;
};

struct difference {
    struct {
        size_t n_rows;
        struct difference_row *rows; /* NULL: one of the samples has no such table */
    } tables[DIFFERENCE_TABLES];
    const char *why_no_kinds; /* a sentence; "" */
};

/* `filter`: of the kinds, as in partition.h. */
void difference_make(struct difference *difference, const struct difference_side *before,
                     const struct difference_side *after, const char *filter);
void difference_release(struct difference *difference);

/* Are these two of one process? Its start is known to a second or two. */
bool difference_is_within_one(const struct snapshot *one, const struct snapshot *other);

/* After minus before. */
struct reading difference_bytes(const struct difference_row *row);
struct reading difference_count(const struct difference_row *row);

#endif
