/* json_fleet.h - a sample of a tree of processes as JSON, schema heaptop.tree/1. */
#ifndef HEAPTOP_SINK_JSON_FLEET_H
#define HEAPTOP_SINK_JSON_FLEET_H

#include <jansson.h>

#include "model/fleet.h"

/* The caller's. */
json_t *json_fleet(const struct fleet_sample *sample);

#endif
