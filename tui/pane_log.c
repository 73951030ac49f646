/* Log: what happened, the newest last. */
#include "tui/pane.h"

#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/detail.h"
#include "tui/kinds_table.h"
#include "tui/table.h"
#include "util/xalloc.h"

struct pane_log {
    struct table *table;
    struct event events[HISTORY_EVENTS]; /* copies: history moves its own */
    char clocks[HISTORY_EVENTS][UNITS_MAX];
    size_t count;
    size_t n_later; /* than the sample that is shown: left out */
    bool is_open;   /* the text of the opened event stands in place of the table */
    struct event open;
};

enum {
    COLUMN_TIME,
    COLUMN_EVENT,
    COLUMN_WORDS,
};

static const struct column columns[] = {
    {.name = "time",
     .heading = "TIME",
     .help = "when it happened",
     .type = VALUE_LABEL,
     .width = 8,
     .ascending_first = true},
    {.name = "event",
     .heading = "EVENT",
     .help = "its sort",
     .type = VALUE_TEXT,
     .width = 8,
     .weight = 1,
     .ascending_first = true},
    {.name = "words",
     .heading = "WHAT HAPPENED",
     .help = "in words",
     .type = VALUE_TEXT,
     .width = 20,
     .grow = 1,
     .is_name = true,
     .ascending_first = true},
};

static void *log_create(void)
{
    struct pane_log *log = xcalloc(1, sizeof(*log));

    log->table = table_new(columns, sizeof(columns) / sizeof(columns[0]), 0);
    table_follow_end(log->table, true);
    return log;
}

static void log_destroy(void *pane)
{
    struct pane_log *log = pane;

    table_free(log->table);
    free(log);
}

static uint64_t log_identity(const struct event *event)
{
    return (uint64_t)event->wall_ns ^ (uint64_t)event->type << 60;
}

static void log_row(struct pane_log *log, size_t i, struct table_row *row)
{
    const struct event *event = &log->events[i];

    memset(row, 0, sizeof(*row));
    row->identity = log_identity(event);
    row->values[COLUMN_TIME].number = reading_exact(event->wall_ns);
    row->values[COLUMN_TIME].text = units_clock(log->clocks[i], event->wall_ns);
    row->values[COLUMN_EVENT].text = event_type_name(event->type);
    row->values[COLUMN_WORDS].text = event->words;
    if (event->type == EVENT_ERROR)
        row->role = ROLE_WARNING;
}

static bool is_later(const struct view_input *input, const struct event *event)
{
    return input->snapshot && input->snapshot != history_latest(input->history) &&
           history_is_later(event, input->snapshot);
}

/* Who looks back sees what was known then. */
static void take_events(struct pane_log *log, const struct view_input *input)
{
    const struct event *events;
    size_t count = history_events(input->history, &events);

    log->count = log->n_later = 0;
    for (size_t i = 0; i < count && i < HISTORY_EVENTS; i++) {
        if (is_later(input, &events[i]))
            log->n_later++;
        else
            log->events[log->count++] = events[i];
    }
}

static void log_update(void *pane, const struct view_input *input)
{
    struct pane_log *log = pane;

    take_events(log, input);
    table_begin_rows(log->table, HISTORY_EVENTS);
    for (size_t i = 0; i < log->count; i++) {
        struct table_row row;

        log_row(log, i, &row);
        table_add_row(log->table, &row);
    }
    table_set_filter(log->table, input->filter);
    table_end_rows(log->table);
}

static void draw_open(const struct event *event, struct canvas *canvas, struct rect rect)
{
    struct detail detail;
    char clock[UNITS_MAX];

    canvas_fill(canvas, rect, ROLE_NORMAL);
    detail_init(&detail, canvas, rect);
    detail_line(&detail, "time", "%s", units_clock(clock, event->wall_ns));
    detail_line(&detail, "event", "%s", event_type_name(event->type));
    detail_gap(&detail);
    detail_paragraph(&detail, event->words);
}

static void log_draw(void *pane, struct canvas *canvas, struct rect rect, bool has_focus)
{
    struct pane_log *log = pane;

    if (log->is_open) {
        draw_open(&log->open, canvas, rect);
        return;
    }
    if (log->n_later && rect.height > 2) {
        rect.height--;
        canvas_fill(canvas, (struct rect){rect.y + rect.height, rect.x, 1, rect.width},
                    ROLE_DIM);
        canvas_textf(canvas, rect.y + rect.height, rect.x, rect.width, ROLE_DIM,
                     "%zu event%s after this sample not listed", log->n_later,
                     log->n_later == 1 ? " is" : "s are");
    }
    table_draw(log->table, canvas, rect, has_focus);
    if (!log->count)
        pane_draw_nothing(canvas, rect,
                          log->n_later ? "nothing had happened yet"
                                       : "nothing has happened yet");
}

/* A copy: the history may drop the event while it is read. */
static void log_open(struct pane_log *log)
{
    const struct table_row *row = table_selected(log->table);

    for (size_t i = 0; row && i < log->count && !log->is_open; i++) {
        if (log_identity(&log->events[i]) != row->identity)
            continue;
        log->open = log->events[i];
        log->is_open = true;
    }
}

static enum pane_result log_command(void *pane, enum command_id command)
{
    struct pane_log *log = pane;

    if (command == COMMAND_ENTER) {
        log_open(log);
        return PANE_HANDLED;
    }
    if (command == COMMAND_BACK && log->is_open) {
        log->is_open = false;
        return PANE_HANDLED;
    }
    return table_command(log->table, command) ? PANE_HANDLED : PANE_IGNORED;
}

static struct table *log_table(void *pane)
{
    struct pane_log *log = pane;

    return log->table;
}

static void log_describe(void *pane, struct strbuf *out)
{
    struct pane_log *log = pane;
    const struct table_row *row = table_selected(log->table);

    if (row && !log->is_open)
        strbuf_add_text(out, row->values[COLUMN_WORDS].text);
}

static const char *log_breadcrumb(void *pane)
{
    struct pane_log *log = pane;

    return log->is_open ? "event" : NULL;
}

const struct pane_ops pane_log = {
    .name = "log",
    .title = "Log",
    .create = log_create,
    .destroy = log_destroy,
    .update = log_update,
    .draw = log_draw,
    .command = log_command,
    .table = log_table,
    .describe = log_describe,
    .breadcrumb = log_breadcrumb,
    .shows_all_time = true,
};
