/* json_history.h - what the history says: verdicts, what grows, the marks. */
#ifndef HEAPTOP_SINK_JSON_HISTORY_H
#define HEAPTOP_SINK_JSON_HISTORY_H

#include <jansson.h>

#include "model/history.h"

/* On the newest sample; null without a history. */
json_t *json_verdicts(const struct history *history);

/* What grows: all parts of RES and headline series, and of the kinds and size classes
 * those with a trend, at most `rows` of each. */
json_t *json_growth(const struct history *history, size_t rows);

/* Each mark against the one before it and against the newest sample. */
json_t *json_marks(const struct history *history);

#endif
