/*
 * difference.h - what lies between two samples, written: as one line of JSON
 * (heaptop.difference/1), or as tables. Main thread.
 */
#ifndef HEAPTOP_SINK_DIFFERENCE_H
#define HEAPTOP_SINK_DIFFERENCE_H

#include <stdio.h>

#include "heaptop/err.h"
#include "model/difference.h"

/* Where a sample stands. */
struct difference_place {
    const char *recording; /* the file */
    const struct snapshot *snapshot;
    int64_t window_ns; /* that growth was looked for in */
};

struct difference_report {
    struct difference_place before, after;
    const struct difference *difference;
    size_t rows; /* of a table at most; 0: all of them, in text the usual number */
};

int difference_write_json(FILE *out, const struct difference_report *report,
                          struct err *err);
int difference_write_text(FILE *out, const struct difference_report *report,
                          struct err *err);

#endif
