/*
 * series.h - history points as the cells of a graph. Pure.
 */
#ifndef HEAPTOP_TUI_SERIES_H
#define HEAPTOP_TUI_SERIES_H

#include <stdint.h>

#include "heaptop/units.h"
#include "model/history.h"

/* What canvas_spark() takes for a gap. */
#define SERIES_UNKNOWN INT64_MIN

/*
 * Fills at most `cells` values that cover the last `span_ns`: the points as they
 * are when they are few, else the greatest of each slice of time. *covered_ns
 * gets the time between the first and the last. Returns how many were filled.
 */
int series_cells(const struct history *history, enum history_series series,
                 int64_t span_ns, int cells, int64_t *values, int64_t *covered_ns);

/* The time slices always cover the whole width: for graphs with a time axis. */
void series_slices(const struct history *history, enum history_series series,
                   int64_t span_ns, int cells, int64_t *values);

/* From the oldest point to the newest. */
int64_t series_age_ns(const struct history *history);

/* "5 min", "40 s", "6 h". */
char *series_span(char buffer[UNITS_MAX], int64_t span_ns);

#endif
