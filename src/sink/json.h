/*
 * json.h - a sample as an object of jansson's: what sink_json writes, and what other
 * outputs (csv.c) take their members from. Main thread.
 */
#ifndef HEAPTOP_SINK_JSON_H
#define HEAPTOP_SINK_JSON_H

#include <jansson.h>

#include "heaptop/sink.h"

/* `state` is of sink_json.open(). The caller owns the object. */
json_t *json_sample(void *state, const struct snapshot *snapshot,
                    const struct history *history);

#endif
