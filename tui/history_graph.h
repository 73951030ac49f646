/*
 * history_graph.h - one series over time as a filled graph with a scale, an axis with the
 * events on it, and a cursor. Pure drawing; nothing is kept.
 */
#ifndef HEAPTOP_TUI_HISTORY_GRAPH_H
#define HEAPTOP_TUI_HISTORY_GRAPH_H

#include "heaptop/units.h"
#include "model/history.h"
#include "tui/canvas.h"

struct graph_point {
    int64_t mono_ns, value; /* value: SERIES_UNKNOWN is a gap (tui/series.h) */
};

struct history_graph {
    const struct history *history;
    const struct graph_point *points;
    size_t n_points;
    enum history_unit unit;
    int64_t cursor_mono_ns; /* the sample that is shown */
    bool is_cursor_shown;   /* it is not the newest */
    bool is_sum; /* values of one column are added (pauses), not the greatest */
};

/* The last three lines of the rectangle are the axis, its signs and its times. */
void history_graph_draw(const struct history_graph *graph, struct canvas *canvas,
                        struct rect rect);

/* A value in its unit. */
char *history_value(char buffer[UNITS_MAX], enum history_unit unit, struct reading value);

#endif
