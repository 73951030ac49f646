/*
 * sink.h - what is handed each sealed snapshot: text, JSON, CSV, OpenMetrics.
 * Runs in the main thread. A sink's error stops that sink,
 * is shown and logged, and never stops sampling. Borrows the snapshot; who
 * keeps one takes a reference.
 */
#ifndef HEAPTOP_SINK_H
#define HEAPTOP_SINK_H

#include <stdio.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"

struct history;

struct sink_options {
    FILE *out;          /* borrowed */
    const char *pane;   /* --pane, or NULL */
    const char *sort;   /* --sort "[+-]column", or NULL */
    const char *filter; /* --filter, or NULL */
    int rows;           /* --rows, 0 = all (json) or what the sink finds right */
    int columns;        /* text: width of a line, 0 = 80 */
    bool use_unicode;
    const char *target;   /* openmetrics: --name, or NULL */
    unsigned metric_sets; /* openmetrics: --metrics; bits of enum metric_set */
    bool label_pid;       /* openmetrics: --label-pid */
    bool has_past;        /* the samples are of a recording, not of now */
};

struct sink_ops {
    const char *name; /* what --output takes */
    int (*open)(const struct sink_options *options, void **state, struct err *err);
    int (*snapshot)(void *state, const struct snapshot *snapshot,
                    const struct history *history, struct err *err);
    int (*close)(void *state, struct err *err);
};

extern const struct sink_ops sink_json;        /* src/sink/json.c */
extern const struct sink_ops sink_csv;         /* src/sink/csv.c */
extern const struct sink_ops sink_openmetrics; /* src/sink/openmetrics.c */
extern const struct sink_ops sink_verdict;     /* src/sink/verdict.c: --verdict */
extern const struct sink_ops
    sink_text; /* tui/sink_text.c: the same cells as the screen */

#endif
