/*
 * History: a graph of the selected series over all the time that was seen, and three
 * views below it: the headline series, what grows, and the marks. The screen moves the
 * cursor in time; this pane draws it.
 */
#include "tui/pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/account.h"
#include "model/born.h"
#include "tui/history_graph.h"
#include "tui/history_tables.h"
#include "tui/kinds_table.h"
#include "tui/line.h"
#include "tui/series.h"
#include "util/xalloc.h"

#define GRAPH_LEAST 5  /* lines, with title and axis */
#define GRAPH_MOST  20 /* so that the table keeps room */
#define TABLE_LEAST 3

enum view {
    VIEW_SERIES = 0,
    VIEW_GROWTH,
    VIEW_MARKS,
    VIEW_BORN, /* since a mark */
    VIEWS,
};

struct pane_history {
    struct view_input input;
    struct table *tables[VIEWS];
    struct history_texts texts[VIEWS];
    enum view view;
    uint32_t base;  /* the mark that the others are compared with; 0 = the one before */
    uint64_t drawn; /* identity of the series in the graph */
    struct graph_point points[HISTORY_POINTS];
    size_t n_points;
};

static void *history_create(void)
{
    struct pane_history *pane = xcalloc(1, sizeof(*pane));

    pane->tables[VIEW_SERIES] = series_table_new();
    pane->tables[VIEW_GROWTH] = growth_table_new();
    pane->tables[VIEW_MARKS] = marks_table_new();
    pane->tables[VIEW_BORN] = born_table_new();
    pane->drawn = history_identity(WHAT_SERIES, 1 + SERIES_RES);
    return pane;
}

static void history_destroy(void *opaque)
{
    struct pane_history *pane = opaque;

    for (int view = 0; view < VIEWS; view++) {
        table_free(pane->tables[view]);
        free(pane->texts[view].bytes);
    }
    free(pane);
}

/* Headline series are known at each point. */
static void take_series(struct pane_history *pane, enum history_series series)
{
    const struct history_point *points;
    size_t count = history_points(pane->input.history, &points);

    for (size_t i = 0; i < count; i++) {
        struct reading value = points[i].values[series];

        pane->points[i] = (struct graph_point){
            points[i].mono_ns, reading_is_known(value) ? value.value : SERIES_UNKNOWN};
    }
    pane->n_points = count;
}

static void take_growing(struct pane_history *pane, uint64_t identity)
{
    int64_t bytes[GROWTH_POINTS], counts[GROWTH_POINTS], times[GROWTH_POINTS];

    pane->n_points =
        growth_values(history_growth_of(pane->input.history, identity),
                      history_key_of(identity), bytes, counts, times, GROWTH_POINTS);
    for (size_t i = 0; i < pane->n_points; i++)
        pane->points[i] = (struct graph_point){times[i], bytes[i]};
}

/* The graph follows the selected row; marks leave it as it is. */
static void take_points(struct pane_history *pane)
{
    const struct table_row *row =
        pane->view >= VIEW_MARKS ? NULL : table_selected(pane->tables[pane->view]);

    if (row)
        pane->drawn = row->identity;
    if (history_what_of(pane->drawn) == WHAT_SERIES)
        take_series(pane, (enum history_series)(history_key_of(pane->drawn) - 1));
    else
        take_growing(pane, pane->drawn);
}

static void fill(struct pane_history *pane)
{
    struct table *table = pane->tables[pane->view];
    struct history_texts *texts = &pane->texts[pane->view];

    if (pane->view == VIEW_SERIES)
        series_table_update(table, texts, &pane->input);
    else if (pane->view == VIEW_GROWTH)
        growth_table_update(table, texts, &pane->input);
    else if (pane->view == VIEW_BORN)
        born_table_update(table, pane->input.answer);
    else
        marks_table_update(table, texts, &pane->input, pane->base);
    take_points(pane);
}

static void history_update(void *opaque, const struct view_input *input)
{
    struct pane_history *pane = opaque;

    pane->input = *input;
    fill(pane);
}

static const char *drawn_name(const struct pane_history *pane, char *buffer, size_t size)
{
    uint64_t key = history_key_of(pane->drawn);
    const struct snapshot *snapshot = pane->input.snapshot;
    const struct kind_row *kind;

    switch (history_what_of(pane->drawn)) {
    case WHAT_SERIES:
        return history_series_name((enum history_series)(key - 1));
    case WHAT_KIND:
        kind = kinds_find(snapshot ? snapshot->objects : NULL, key);
        return kind ? kind->kind->name : "(a kind that is gone)";
    case WHAT_PART:
        snprintf(buffer, size, "RES: %s",
                 account_part_title((enum account_part)(key - 1)));
        return buffer;
    case WHAT_CLASS:
        break;
    }
    snprintf(buffer, size, "blocks of %llu B in use", (unsigned long long)key);
    return buffer;
}

static enum history_unit drawn_unit(const struct pane_history *pane)
{
    if (history_what_of(pane->drawn) != WHAT_SERIES)
        return HISTORY_BYTES;
    return history_series_unit((enum history_series)(history_key_of(pane->drawn) - 1));
}

/* The last value that is not later than the sample shown, and the highest of all. */
static void find_values(const struct pane_history *pane, struct reading *now,
                        struct graph_point *highest)
{
    int64_t shown_ns = pane->input.snapshot->mono_ns;

    *now = reading_unknown();
    *highest = (struct graph_point){0, SERIES_UNKNOWN};
    for (size_t i = 0; i < pane->n_points; i++) {
        const struct graph_point *point = &pane->points[i];

        if (point->value == SERIES_UNKNOWN)
            continue;
        if (point->mono_ns <= shown_ns)
            *now = reading_exact(point->value);
        if (point->value > highest->value)
            *highest = *point;
    }
}

/* What the kernel and pymalloc themselves remember, from before heaptop came too. */
static struct reading high_water(const struct pane_history *pane)
{
    const struct snapshot *snapshot = pane->input.snapshot;
    struct reading peak = reading_unknown();

    if (pane->drawn == history_identity(WHAT_SERIES, 1 + SERIES_RES) && snapshot->process)
        peak = snapshot->process->peak_res_bytes;
    if (pane->drawn == history_identity(WHAT_SERIES, 1 + SERIES_PYMALLOC) &&
        snapshot->pymalloc) {
        peak = snapshot->pymalloc->arenas_peak;
        peak.value *= (int64_t)snapshot->pymalloc->arena_bytes_each;
    }
    return peak;
}

static void draw_title(const struct pane_history *pane, struct canvas *canvas,
                       struct rect rect)
{
    const struct snapshot *latest = history_latest(pane->input.history);
    struct reading now, peak = high_water(pane);
    enum history_unit unit = drawn_unit(pane);
    struct graph_point highest;
    char name[64], a[UNITS_MAX], b[UNITS_MAX];
    struct line line;

    find_values(pane, &now, &highest);
    line_init(&line);
    part_add(line_part(&line, 0), ROLE_KIND, "%.40s",
             drawn_name(pane, name, sizeof(name)));
    part_add(line_part(&line, 1), ROLE_VALUE, "%s", history_value(a, unit, now));
    if (highest.value != SERIES_UNKNOWN)
        part_add(line_part(&line, 2), ROLE_NORMAL, "highest %s at %s",
                 history_value(a, unit, reading_exact(highest.value)),
                 units_clock(b, latest->wall_ns - (latest->mono_ns - highest.mono_ns)));
    if (reading_is_known(peak))
        part_add(line_part(&line, 3), ROLE_NORMAL, "high-water mark %s",
                 units_bytes(a, peak));
    line_draw(&line, canvas, rect.y, rect.x + 1, rect.width - 1);
}

static void draw_graph(const struct pane_history *pane, struct canvas *canvas,
                       struct rect rect)
{
    struct history_graph graph = {
        .history = pane->input.history,
        .points = pane->points,
        .n_points = pane->n_points,
        .unit = drawn_unit(pane),
        .is_sum = pane->drawn == history_identity(WHAT_SERIES, 1 + SERIES_PAUSES),
    };
    const struct snapshot *shown = pane->input.snapshot;

    graph.cursor_mono_ns = shown->mono_ns;
    graph.is_cursor_shown = shown != history_latest(pane->input.history);
    draw_title(pane, canvas, rect);
    rect.y++;
    rect.height--;
    history_graph_draw(&graph, canvas, rect);
}

/* The mark that was chosen, or else the last one that was not set by the clock. */
static uint32_t born_since(const struct pane_history *pane)
{
    const struct mark *marks;
    size_t count = history_marks(pane->input.history, &marks);

    if (pane->base)
        return pane->base;
    while (count && marks[count - 1].is_automatic)
        count--;
    return count ? marks[count - 1].number : 0;
}

static const char *nothing_born(const struct pane_history *pane)
{
    if (!born_since(pane))
        return "there is no mark yet: m sets one";
    if (*pane->input.answer_why)
        return pane->input.answer_why;
    return pane->input.answer ? "nothing was born since the mark"
                              : "a pass over all objects is on its way";
}

static void history_wants(void *opaque, struct inquiry *inquiry)
{
    struct pane_history *pane = opaque;
    uint32_t mark = pane->view == VIEW_BORN ? born_since(pane) : 0;

    if (mark)
        *inquiry = (struct inquiry){.topic = INQUIRY_BORN, .mark = mark};
}

static const struct kind *history_kind(void *opaque)
{
    struct pane_history *pane = opaque;
    const struct table_row *row =
        pane->view == VIEW_BORN ? table_selected(pane->tables[VIEW_BORN]) : NULL;
    const struct born *born = (const struct born *)pane->input.answer;

    for (size_t i = 0; row && born && i < born->n_rows; i++)
        if ((uint64_t)born->rows[i].kind->id + 1 == row->identity)
            return born->rows[i].kind;
    return NULL;
}

static const char *nothing(const struct pane_history *pane)
{
    if (pane->view == VIEW_MARKS)
        return "there is no mark yet: m sets one";
    if (pane->view == VIEW_BORN)
        return nothing_born(pane);
    if (pane->view == VIEW_GROWTH)
        return "nothing has changed since heaptop began";
    return "no sample yet";
}

static void history_draw(void *opaque, struct canvas *canvas, struct rect rect,
                         bool has_focus)
{
    struct pane_history *pane = opaque;
    struct table *table = pane->tables[pane->view];
    struct rect top = rect;
    int wanted = (int)table_row_count(table, NULL) + 1;

    top.height = rect.height - (wanted > TABLE_LEAST ? wanted : TABLE_LEAST);
    if (top.height < rect.height / 2)
        top.height = rect.height / 2;
    if (top.height > GRAPH_MOST)
        top.height = GRAPH_MOST;
    if (pane->input.snapshot && top.height >= GRAPH_LEAST) {
        draw_graph(pane, canvas, top);
        rect.y += top.height;
        rect.height -= top.height;
    }
    table_draw(table, canvas, rect, has_focus);
    if (!table_row_count(table, NULL))
        pane_draw_nothing(canvas, rect, nothing(pane));
}

static enum pane_result history_command(void *opaque, enum command_id command)
{
    struct pane_history *pane = opaque;
    const struct table_row *row = table_selected(pane->tables[pane->view]);

    if (command == COMMAND_VIEW) {
        pane->view = (pane->view + 1) % VIEWS;
        fill(pane);
        return PANE_HANDLED;
    }
    if (command == COMMAND_ENTER) {
        if (pane->view == VIEW_MARKS && row)
            pane->base = pane->base == row->identity ? 0 : (uint32_t)row->identity;
        fill(pane);
        return PANE_HANDLED;
    }
    if (!table_command(pane->tables[pane->view], command))
        return PANE_IGNORED;
    take_points(pane);
    return PANE_HANDLED;
}

static struct table *history_table(void *opaque)
{
    struct pane_history *pane = opaque;

    return pane->tables[pane->view];
}

static void history_describe(void *opaque, struct strbuf *out)
{
    static const char *const words[VIEWS] = {
        "v: what grows; Left and Right go back and forth in time, Z to now",
        "v: the marks; Left and Right go back and forth in time, Z to now",
        "v: what was born since; Enter compares the others with this mark",
        "v: the series; born since the last mark, or the chosen one; Space: look anew",
    };
    struct pane_history *pane = opaque;

    strbuf_add_text(out, words[pane->view]);
}

const struct pane_ops pane_history = {
    .name = "history",
    .title = "History",
    .create = history_create,
    .destroy = history_destroy,
    .update = history_update,
    .draw = history_draw,
    .command = history_command,
    .table = history_table,
    .describe = history_describe,
    .moves_in_time = true,
    .shows_all_time = true,
    .wants = history_wants,
    .kind = history_kind,
};
