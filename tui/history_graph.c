#include "tui/history_graph.h"

#include <string.h>

#include "tui/glyphs.h"
#include "tui/series.h"
#include "util/clock.h"

#define LABEL_COLUMNS 9
#define COLUMNS_MOST  512
#define AXIS_LINES    2

/* The drawing of one graph. */
struct plot {
    const struct history_graph *graph;
    struct canvas *canvas;
    struct rect rect; /* of the area alone */
    int64_t values[COLUMNS_MOST];
    int64_t low, high, start_ns, end_ns;
};

char *history_value(char buffer[UNITS_MAX], enum history_unit unit, struct reading value)
{
    if (unit == HISTORY_NUMBER)
        return units_count(buffer, value);
    if (unit == HISTORY_DURATION)
        return units_duration(buffer, value);
    return units_bytes(buffer, value);
}

static int column_of(const struct plot *plot, int64_t mono_ns)
{
    double span = (double)(plot->end_ns - plot->start_ns) + 1;
    double share = (double)(mono_ns - plot->start_ns) / span;

    if (mono_ns < plot->start_ns || mono_ns > plot->end_ns)
        return -1;
    return (int)(share * plot->rect.width);
}

static void put_point(struct plot *plot, const struct graph_point *point)
{
    int column = column_of(plot, point->mono_ns);
    int64_t *value = &plot->values[column < 0 ? 0 : column];

    if (column < 0 || point->value == SERIES_UNKNOWN)
        return;
    if (*value == SERIES_UNKNOWN)
        *value = point->value;
    else if (plot->graph->is_sum)
        *value += point->value;
    else if (point->value > *value)
        *value = point->value;
}

/* Between two points the last value holds; what is a sum is 0 there. */
static void fill_gaps(struct plot *plot)
{
    for (int i = 1; i < plot->rect.width; i++)
        if (plot->values[i] == SERIES_UNKNOWN && plot->values[i - 1] != SERIES_UNKNOWN)
            plot->values[i] = plot->graph->is_sum ? 0 : plot->values[i - 1];
}

static bool find_scale(struct plot *plot)
{
    bool is_any = false;

    for (int i = 0; i < plot->rect.width; i++) {
        int64_t value = plot->values[i];

        if (value == SERIES_UNKNOWN)
            continue;
        if (!is_any || value < plot->low)
            plot->low = value;
        if (!is_any || value > plot->high)
            plot->high = value;
        is_any = true;
    }
    if (plot->graph->is_sum)
        plot->low = 0;
    return is_any;
}

/* In eighths of a line, at least one where there is a value. */
static int height_of(const struct plot *plot, int64_t value)
{
    double span = (double)plot->high - (double)plot->low;
    double share = span > 0 ? ((double)value - (double)plot->low) / span : 0;
    int most = plot->rect.height * GLYPHS_EIGHTHS;

    return 1 + (int)(share * (most - 1) + 0.5);
}

static const char *cell_glyph(const struct plot *plot, int eighths)
{
    if (!plot->canvas->use_unicode)
        return eighths >= GLYPHS_EIGHTHS ? "#" : eighths > 3 ? ":" : ".";
    return glyphs_spark(true,
                        eighths > GLYPHS_EIGHTHS ? GLYPHS_SPARK_LEVELS - 1 : eighths - 1);
}

static void draw_area(const struct plot *plot)
{
    for (int column = 0; column < plot->rect.width; column++) {
        int left;

        if (plot->values[column] == SERIES_UNKNOWN)
            continue;
        left = height_of(plot, plot->values[column]);
        for (int y = plot->rect.y + plot->rect.height - 1; left > 0; y--) {
            canvas_text(plot->canvas, y, plot->rect.x + column, 1, ROLE_GRAPH,
                        cell_glyph(plot, left));
            left -= GLYPHS_EIGHTHS;
        }
    }
}

static void draw_label(const struct plot *plot, int y, int64_t value)
{
    char text[UNITS_MAX];

    canvas_text_right(plot->canvas, y, plot->rect.x - LABEL_COLUMNS, LABEL_COLUMNS - 2,
                      ROLE_DIM,
                      history_value(text, plot->graph->unit, reading_exact(value)));
}

static void draw_scale(const struct plot *plot)
{
    const struct rect *at = &plot->rect;

    for (int i = 0; i < at->height; i++)
        canvas_text(plot->canvas, at->y + i, at->x - 1, 1, ROLE_DIM, "|");
    draw_label(plot, at->y, plot->high);
    if (at->height > 4 && plot->high > plot->low)
        draw_label(plot, at->y + at->height / 2,
                   plot->low + (plot->high - plot->low) / 2);
    if (at->height > 1 && plot->high > plot->low)
        draw_label(plot, at->y + at->height - 1, plot->low);
}

static const char *sign_of(enum event_type type)
{
    switch (type) {
    case EVENT_MARK:
        return "M";
    case EVENT_COLLECT:
        return "C";
    case EVENT_GC:
        return "G";
    case EVENT_STATE:
        return "S";
    default:
        return NULL;
    }
}

static void draw_signs(const struct plot *plot, int y)
{
    const struct snapshot *latest = history_latest(plot->graph->history);
    const struct event *events;
    size_t count = history_events(plot->graph->history, &events);

    for (size_t i = 0; latest && i < count; i++) {
        const char *sign = sign_of(events[i].type);
        int column =
            column_of(plot, latest->mono_ns - (latest->wall_ns - events[i].wall_ns));

        if (sign && column >= 0)
            canvas_text(plot->canvas, y, plot->rect.x + column, 1, ROLE_WARNING, sign);
    }
}

static void draw_axis(const struct plot *plot)
{
    const struct rect *at = &plot->rect;
    int y = at->y + at->height, parts = at->width / 16 > 4 ? 4 : at->width / 16;
    int64_t span_ns = plot->end_ns - plot->start_ns;
    char text[UNITS_MAX];

    if (span_ns < NS_PER_S) /* of one sample: four times "-0 s" */
        parts = 0;
    canvas_text(plot->canvas, y, at->x - 1, 1, ROLE_DIM, "+");
    for (int i = 0; i < at->width; i++)
        canvas_text(plot->canvas, y, at->x + i, 1, ROLE_DIM, "-");
    draw_signs(plot, y);
    for (int i = 0; i < parts; i++)
        canvas_textf(plot->canvas, y + 1, at->x - 1 + at->width * i / parts,
                     at->width / parts, ROLE_DIM, "-%s",
                     series_span(text, span_ns - span_ns * i / parts));
    canvas_text_right(plot->canvas, y + 1, at->x + at->width - 4, 4, ROLE_DIM, "now");
}

static void draw_cursor(const struct plot *plot)
{
    int column = column_of(plot, plot->graph->cursor_mono_ns);
    struct rect line = {plot->rect.y, plot->rect.x + column, plot->rect.height + 1, 1};

    if (!plot->graph->is_cursor_shown || column < 0)
        return;
    canvas_paint(plot->canvas, line, ROLE_SELECTED);
    /* Never by colour alone. */
    canvas_text(plot->canvas, plot->rect.y + plot->rect.height, line.x, 1, ROLE_SELECTED,
                "^");
}

void history_graph_draw(const struct history_graph *graph, struct canvas *canvas,
                        struct rect rect)
{
    struct plot plot = {.graph = graph, .canvas = canvas};

    plot.rect = (struct rect){rect.y, rect.x + LABEL_COLUMNS, rect.height - AXIS_LINES,
                              rect.width - LABEL_COLUMNS - 1};
    if (plot.rect.width > COLUMNS_MOST)
        plot.rect.width = COLUMNS_MOST;
    if (plot.rect.width < 8 || plot.rect.height < 1 || !graph->n_points)
        return;
    for (int i = 0; i < plot.rect.width; i++)
        plot.values[i] = SERIES_UNKNOWN;
    plot.start_ns = graph->points[0].mono_ns;
    plot.end_ns = graph->points[graph->n_points - 1].mono_ns;
    for (size_t i = 0; i < graph->n_points; i++)
        put_point(&plot, &graph->points[i]);
    fill_gaps(&plot);
    if (!find_scale(&plot))
        return;
    draw_area(&plot);
    draw_scale(&plot);
    draw_axis(&plot);
    draw_cursor(&plot);
}
