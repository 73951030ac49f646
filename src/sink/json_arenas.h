/*
 * json_arenas.h - every arena as JSON: many lines' worth, so only where it is asked for.
 */
#ifndef HEAPTOP_SINK_JSON_ARENAS_H
#define HEAPTOP_SINK_JSON_ARENAS_H

#include <jansson.h>

#include "heaptop/arenas.h"

/* At most `rows` arenas in the order of use, 0 = all; null without a section. */
json_t *json_arenas(const struct arenas_section *section, int64_t now_mono_ns, int rows);

#endif
