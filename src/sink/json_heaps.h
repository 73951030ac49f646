/*
 * json_heaps.h - malloc's heaps as JSON: what lies on their tops; and each heap with its
 * cells, which is long, where it is asked for.
 */
#ifndef HEAPTOP_SINK_JSON_HEAPS_H
#define HEAPTOP_SINK_JSON_HEAPS_H

#include <jansson.h>

#include "heaptop/snapshot.h"

json_t *json_heap_tops(const struct malloc_section *section);
/* At most `rows` heaps, 0 = all. */
json_t *json_heaps(const struct malloc_section *section, int rows);

#endif
