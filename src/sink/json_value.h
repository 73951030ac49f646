/*
 * json_value.h - readings, times and texts as JSON values.
 *
 * Every function adds a member to an object that the caller owns. What is not
 * known becomes null. A failed allocation leaves the member out; the sinks
 * notice when they write.
 */
#ifndef HEAPTOP_SINK_JSON_VALUE_H
#define HEAPTOP_SINK_JSON_VALUE_H

#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#include "heaptop/err.h"
#include "heaptop/reading.h"

void json_add(json_t *object, const char *name, json_t *value);
void json_add_count(json_t *object, const char *name, uint64_t number);
void json_add_reading(json_t *object, const char *name, struct reading reading);
void json_add_seconds(json_t *object, const char *name, struct reading ns);
/* Any bytes: made valid UTF-8; NULL and "" become null. */
void json_add_text(json_t *object, const char *name, const char *text);
/* ISO 8601 with milliseconds; 0 becomes null. */
void json_add_time(json_t *object, const char *name, int64_t wall_ns);

/* One line, flushed; releases the object. */
int json_write_line(FILE *out, json_t *object, struct err *err);

#endif
