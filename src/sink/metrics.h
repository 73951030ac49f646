/*
 * metrics.h - which number of a sample is which metric of metrics.def.
 *
 * The basic metrics are about fifty series; kinds and size classes come only when asked
 * for, and kinds only so many, the rest summed up. Pure; the thread of the sinks.
 */
#ifndef HEAPTOP_SINK_METRICS_H
#define HEAPTOP_SINK_METRICS_H

#include "heaptop/sink.h"
#include "model/fleet.h"
#include "model/partition.h"
#include "sink/exposition.h"

/* What comes besides the basic metrics; bits. */
enum metric_set {
    METRIC_SET_KINDS = 1,
    METRIC_SET_CLASSES = 2,
    METRIC_SET_ALL = 3,
};

struct metrics_options {
    const char *target; /* what it is called; NULL: by its command line */
    unsigned sets;
    bool label_pid; /* all series have it, not only the first */
    int kinds;      /* at most, the others as one; 0: METRIC_KINDS */
    struct partition_options partition;
};

#define METRIC_KINDS 20

/* "kinds,classes", "all"; "basic" adds nothing. */
int metrics_parse(const char *text, unsigned *sets, struct err *err);

/* From what the command line says. -1: there is no such column to sort by. */
int metrics_options_from(const struct sink_options *options,
                         struct metrics_options *metrics, struct err *err);

/* Adds the numbers of this sample. `history` may be NULL. */
void metrics_add(struct exposition *exposition, const struct snapshot *snapshot,
                 const struct history *history, const struct metrics_options *options);
/* Those of all living processes of a tree: the label `process` tells them apart. */
void metrics_add_fleet(struct exposition *exposition, const struct fleet_sample *sample,
                       const struct metrics_options *options);

#endif
