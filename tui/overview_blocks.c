#include "tui/overview_blocks.h"

#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/difference.h"
#include "tui/series.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define LABEL_COLUMNS 8
#define SPAN_MOST     (3600 * NS_PER_S)
#define SPAN_LEAST    (60 * NS_PER_S)
#define CELLS_MOST    512

struct graph {
    struct canvas *canvas;
    struct rect plot; /* without title, labels and axis */
    int64_t low, high, span_ns;
};

static void widen(struct graph *graph, const int64_t *values, int count)
{
    for (int i = 0; i < count; i++) {
        if (values[i] == SERIES_UNKNOWN)
            continue;
        if (graph->high < graph->low || values[i] < graph->low)
            graph->low = values[i];
        if (graph->high == INT64_MIN || values[i] > graph->high)
            graph->high = values[i];
    }
}

static int line_of(const struct graph *graph, int64_t value)
{
    double span = (double)graph->high - (double)graph->low;
    double share = span > 0 ? ((double)value - (double)graph->low) / span : 0;

    return graph->plot.y + graph->plot.height - 1 -
           (int)(share * (graph->plot.height - 1) + 0.5);
}

static void plot(const struct graph *graph, const int64_t *values, enum role role,
                 const char *glyph)
{
    for (int i = 0; i < graph->plot.width; i++)
        if (values[i] != SERIES_UNKNOWN)
            canvas_text(graph->canvas, line_of(graph, values[i]), graph->plot.x + i, 1,
                        role, glyph);
}

static void draw_label(const struct graph *graph, int y, int64_t value)
{
    char text[UNITS_MAX];

    canvas_text_right(graph->canvas, y, graph->plot.x - LABEL_COLUMNS, LABEL_COLUMNS - 1,
                      ROLE_DIM, units_bytes(text, reading_exact(value)));
}

static void draw_scale(const struct graph *graph)
{
    const struct rect *at = &graph->plot;

    for (int i = 0; i < at->height; i++)
        canvas_text(graph->canvas, at->y + i, at->x - 1, 1, ROLE_DIM, "|");
    draw_label(graph, at->y, graph->high);
    if (at->height > 4 && graph->high > graph->low)
        draw_label(graph, at->y + (at->height - 1) / 2,
                   graph->high - (graph->high - graph->low) / (at->height - 1) *
                                     ((at->height - 1) / 2));
    if (graph->high > graph->low)
        draw_label(graph, at->y + at->height - 1, graph->low);
}

static void draw_sign(const struct graph *graph, int64_t age_ns, const char *sign)
{
    double share = 1.0 - (double)age_ns / (double)graph->span_ns;
    int cell = (int)(share * (graph->plot.width - 1) + 0.5);

    if (age_ns < 0 || share < 0)
        return;
    canvas_text(graph->canvas, graph->plot.y + graph->plot.height, graph->plot.x + cell,
                1, ROLE_WARNING, sign);
}

/* The axis of time, with M for marks and G for gc.collect by heaptop. */
static void draw_axis(const struct graph *graph, const struct history *history)
{
    const struct rect *at = &graph->plot;
    const struct snapshot *latest = history_latest(history);
    const struct event *events;
    const struct mark *marks;
    char text[UNITS_MAX];
    int y = at->y + at->height;

    canvas_text(graph->canvas, y, at->x - 1, 1, ROLE_DIM, "+");
    for (int i = 0; i < at->width; i++)
        canvas_text(graph->canvas, y, at->x + i, 1, ROLE_DIM, "-");
    size_t count = history_marks(history, &marks);
    for (size_t i = 0; latest && i < count; i++)
        if (difference_is_within_one(marks[i].snapshot, latest))
            draw_sign(graph, latest->mono_ns - marks[i].snapshot->mono_ns, "M");
    count = history_events(history, &events);
    for (size_t i = 0; latest && i < count; i++)
        if (events[i].type == EVENT_COLLECT)
            draw_sign(graph, latest->wall_ns - events[i].wall_ns, "G");
    for (int i = 0; i < 4; i++)
        canvas_textf(graph->canvas, y + 1, at->x - 1 + at->width * i / 4, at->width / 4,
                     ROLE_DIM, "-%s",
                     series_span(text, graph->span_ns - graph->span_ns * i / 4));
    canvas_text_right(graph->canvas, y + 1, at->x + at->width - 4, 4, ROLE_DIM, "now");
}

void overview_draw_graph(struct canvas *canvas, struct rect rect,
                         const struct history *history)
{
    int64_t res[CELLS_MOST], pymalloc[CELLS_MOST];
    struct graph graph = {.canvas = canvas, .low = INT64_MAX, .high = INT64_MIN};
    char text[UNITS_MAX];

    graph.plot = (struct rect){rect.y + 1, rect.x + LABEL_COLUMNS + 1, rect.height - 3,
                               rect.width - LABEL_COLUMNS - 2};
    if (graph.plot.width > CELLS_MOST)
        graph.plot.width = CELLS_MOST;
    if (graph.plot.width < 16 || graph.plot.height < 2)
        return;
    graph.span_ns = series_age_ns(history);
    if (graph.span_ns > SPAN_MOST)
        graph.span_ns = SPAN_MOST;
    if (graph.span_ns < SPAN_LEAST)
        graph.span_ns = SPAN_LEAST;
    canvas_textf(canvas, rect.y, rect.x + 1, rect.width - 1, ROLE_DIM,
                 "RES and pymalloc, last %s (. RES  # pymalloc  M mark  G gc.collect)",
                 series_span(text, graph.span_ns));
    series_slices(history, SERIES_RES, graph.span_ns, graph.plot.width, res);
    series_slices(history, SERIES_PYMALLOC, graph.span_ns, graph.plot.width, pymalloc);
    widen(&graph, res, graph.plot.width);
    widen(&graph, pymalloc, graph.plot.width);
    if (graph.high < graph.low)
        return;
    draw_scale(&graph);
    plot(&graph, pymalloc, ROLE_GRAPH, "#");
    plot(&graph, res, ROLE_VALUE, ".");
    draw_axis(&graph, history);
}

static void draw_share(struct canvas *canvas, struct rect line, const char *name,
                       struct reading bytes, struct reading res)
{
    char text[UNITS_MAX];
    int x = line.x + 1;

    canvas_text(canvas, line.y, x, 18, ROLE_NORMAL, name);
    canvas_text_right(canvas, line.y, x + 18, 9, ROLE_NORMAL, units_bytes(text, bytes));
    if (!reading_is_known(bytes) || !reading_is_known(res) || res.value <= 0)
        return;
    double share = (double)bytes.value / (double)res.value;
    canvas_text_right(canvas, line.y, x + 27, 6, ROLE_NORMAL,
                      units_percent(text, reading_exact((int64_t)(share * 100000))));
    canvas_bar(canvas, line.y, x + 35, line.width - 37, ROLE_GRAPH,
               (int)(share * 1000 + 0.5));
}

static struct reading sum_of(const struct account_section *account,
                             enum account_part first, enum account_part last)
{
    uint64_t bytes = 0;

    for (int part = (int)first; part <= (int)last; part++)
        bytes += account->parts[part].resident;
    return reading_exact((int64_t)bytes);
}

/* The account in few words; its own tab has all parts. */
static void draw_account(struct canvas *canvas, struct rect rect,
                         const struct account_section *account)
{
    static const struct {
        const char *name;
        enum account_part first, last;
    } sums[] = {
        {"pymalloc in use", PART_OBJECTS, PART_OBJECTS},
        {"pymalloc free", PART_FREE_BLOCKS, PART_NEVER_CARVED},
        {"malloc in use", PART_PYTHON_LARGE, PART_NATIVE},
        {"malloc free", PART_MALLOC_FREE, PART_MALLOC_TOP},
        {"stacks, data, maps", PART_THREAD_STACKS, PART_FILES},
    };
    struct rect line = {rect.y, rect.x, 1, rect.width};

    for (size_t i = 0; i < sizeof(sums) / sizeof(sums[0]); i++) {
        if (++line.y >= rect.y + rect.height)
            break;
        draw_share(canvas, line, sums[i].name,
                   sum_of(account, sums[i].first, sums[i].last),
                   reading_exact((int64_t)account->res_bytes));
    }
}

void overview_draw_where(struct canvas *canvas, struct rect rect,
                         const struct snapshot *snapshot)
{
    const struct process_section *process = snapshot ? snapshot->process : NULL;
    struct rect line = {rect.y, rect.x, 1, rect.width};
    struct reading arenas = reading_unknown(), other;

    if (!process || rect.height < 2)
        return;
    if (snapshot->pymalloc)
        arenas = reading_exact((int64_t)snapshot->pymalloc->arena_bytes);
    /* Arenas may have pages that were never touched, so the rest is an estimate. */
    other = reading_difference(process->anon_bytes, arenas);
    if (reading_is_known(other))
        other = (struct reading){other.value > 0 ? other.value : 0, READING_ESTIMATE};

    canvas_fill(canvas, line, ROLE_HEADING);
    canvas_text(canvas, line.y, line.x + 1, 18, ROLE_HEADING, "WHERE RES GOES");
    canvas_text_right(canvas, line.y, line.x + 19, 9, ROLE_HEADING, "BYTES");
    canvas_text_right(canvas, line.y, line.x + 28, 6, ROLE_HEADING, "%");
    if (snapshot->account) {
        draw_account(canvas, rect, snapshot->account);
        return;
    }
    const struct {
        const char *name;
        struct reading bytes;
    } parts[] = {
        {"pymalloc arenas", arenas},
        {"other anonymous", other},
        {"files, libraries", process->file_bytes},
        {"shared memory", process->shmem_bytes},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (++line.y >= rect.y + rect.height)
            break;
        draw_share(canvas, line, parts[i].name, parts[i].bytes, process->res_bytes);
    }
}
