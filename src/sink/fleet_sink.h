/*
 * fleet_sink.h - what is handed each sample of a whole fleet: the outputs of --tree.
 * As heaptop/sink.h: main thread; the sample is borrowed.
 */
#ifndef HEAPTOP_SINK_FLEET_SINK_H
#define HEAPTOP_SINK_FLEET_SINK_H

#include "heaptop/err.h"
#include "heaptop/sink.h"
#include "model/fleet.h"

struct fleet_sink_ops {
    const char *name; /* what --output takes */
    int (*open)(const struct sink_options *options, void **state, struct err *err);
    int (*sample)(void *state, const struct fleet_sample *sample, struct err *err);
    void (*close)(void *state);
};

extern const struct fleet_sink_ops fleet_sink_json;        /* src/sink/json_fleet.c */
extern const struct fleet_sink_ops fleet_sink_csv;         /* csv_fleet.c */
extern const struct fleet_sink_ops fleet_sink_openmetrics; /* openmetrics_fleet.c */
extern const struct fleet_sink_ops fleet_sink_text;        /* tui/fleet_text.c */

#endif
