/*
 * duplicates.h - equal values held many times: the answer to INQUIRY_DUPLICATES.
 *
 * Of str, bytes and int, all objects of which the contents are equal, and what would be
 * saved if one of each stayed. Made by the sampler's thread, then owned by whoever took
 * the message; nothing is shared. Pure.
 */
#ifndef HEAPTOP_MODEL_DUPLICATES_H
#define HEAPTOP_MODEL_DUPLICATES_H

#include <stddef.h>
#include <stdint.h>

#include "model/inquiry.h"

#define INQUIRY_DUPLICATES "duplicates"

#define DUPLICATES_ROWS  100
#define DUPLICATES_KINDS 3
#define DUPLICATES_VALUE 64 /* bytes of a value's preview */

/* One value. */
struct duplicate_row {
    const struct kind *kind;
    uint64_t address; /* of one of the objects */
    uint64_t count;
    struct reading value_bytes; /* of the contents of one; unknown: it has gone */
    uint64_t memory_bytes, wasted_bytes; /* of all; of all but one */
    char value[DUPLICATES_VALUE];        /* clean; "" = not shown */
};

struct duplicate_kind {
    const struct kind *kind;
    uint64_t objects;      /* looked at */
    uint64_t values;       /* held more than once */
    uint64_t duplicates;   /* objects that hold such a value, but one of each */
    uint64_t wasted_bytes; /* by these */
};

struct duplicates {
    struct answer answer;
    struct duplicate_kind kinds[DUPLICATES_KINDS];
    size_t n_kinds;
    uint64_t left_out; /* objects whose value could not be read, or is too long */
    size_t n_rows;
    struct duplicate_row rows[DUPLICATES_ROWS]; /* by wasted_bytes, most first */
};

/* The answer as what it is; NULL when it is about something else. */
const struct duplicates *duplicates_of(const struct answer *answer);

/* The sums of that kind, made when it is new; NULL when there is no room. */
struct duplicate_kind *duplicates_kind(struct duplicates *duplicates,
                                       const struct kind *kind);

/* Counts a value that is held more than once, and keeps it when it is one of the worst.
 */
void duplicates_add(struct duplicates *duplicates, const struct duplicate_row *row);

#endif
