/*
 * exposition.h - numbers in the text formats that Prometheus and its kin read.
 *
 * The families of metrics.def stand in their order, each with its head and its samples;
 * one without a known value is left out: unknown is not zero. Samples of several
 * instants may be added, each with its time, which OpenMetrics allows and
 * node_exporter's textfile collector does not. Pure; the thread of the sinks.
 */
#ifndef HEAPTOP_SINK_EXPOSITION_H
#define HEAPTOP_SINK_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "heaptop/reading.h"
#include "sink/target_name.h"
#include "util/strbuf.h"

enum metric_id {
#define METRIC(id, type, name, unit, help) METRIC_##id,
#include "sink/metrics.def"
#undef METRIC
    METRICS
};

enum exposition_format {
    EXPOSITION_TEXT = 0,    /* Prometheus text format 0.0.4 */
    EXPOSITION_OPENMETRICS, /* OpenMetrics text format 1.0.0 */
    EXPOSITION_FORMATS,
};

struct exposition {
    struct strbuf samples[METRICS];
    char target[TARGET_NAME_MAX]; /* the label that all samples have */
    char process[32]; /* of a tree: which of its processes; "": they do not have it */
    char parent[32];  /* likewise: whose child it is, when that is one of them too */
    char pid[16];     /* likewise */
    int64_t wall_ns;  /* of the samples that are added; 0: they get no time */
};

void exposition_release(struct exposition *exposition);
/* Forgets all samples. */
void exposition_reset(struct exposition *exposition);

/* A sample, with pairs of a label's name and value (any bytes) up to a NULL. One whose
 * value is not known is left out. */
void exposition_add(struct exposition *exposition, enum metric_id id,
                    struct reading reading, ...) __attribute__((sentinel));

/* -1: it is too long to be whole. What happens to `out` is the caller's to ask. */
int exposition_print(const struct exposition *exposition, enum exposition_format format,
                     FILE *out);

/* "text/plain; version=0.0.4; charset=utf-8" */
const char *exposition_content_type(enum exposition_format format);

#endif
