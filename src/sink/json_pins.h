/*
 * json_pins.h - what keeps arenas that are mostly free, as JSON.
 */
#ifndef HEAPTOP_SINK_JSON_PINS_H
#define HEAPTOP_SINK_JSON_PINS_H

#include <jansson.h>

#include "heaptop/pins.h"

/* At most `rows` kinds, 0 = all; null without a section. */
json_t *json_pins(const struct pins_section *section, int64_t now_mono_ns, int rows);

#endif
