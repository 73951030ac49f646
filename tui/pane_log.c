/* Log: what happened, the newest last. */
#include "tui/pane.h"

#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/kinds_table.h"
#include "tui/table.h"
#include "util/xalloc.h"

struct pane_log {
    struct table *table;
    struct event events[HISTORY_EVENTS]; /* copies: history moves its own */
    char clocks[HISTORY_EVENTS][UNITS_MAX];
    size_t count;
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

static void log_row(struct pane_log *log, size_t i, struct table_row *row)
{
    const struct event *event = &log->events[i];

    memset(row, 0, sizeof(*row));
    row->identity = (uint64_t)event->wall_ns ^ (uint64_t)event->type << 60;
    row->values[COLUMN_TIME].number = reading_exact(event->wall_ns);
    row->values[COLUMN_TIME].text = units_clock(log->clocks[i], event->wall_ns);
    row->values[COLUMN_EVENT].text = event_type_name(event->type);
    row->values[COLUMN_WORDS].text = event->words;
    if (event->type == EVENT_ERROR)
        row->role = ROLE_WARNING;
}

static void log_update(void *pane, const struct view_input *input)
{
    struct pane_log *log = pane;
    const struct event *events;
    size_t count = history_events(input->history, &events);

    log->count = count < HISTORY_EVENTS ? count : HISTORY_EVENTS;
    memcpy(log->events, events, log->count * sizeof(*events));
    table_begin_rows(log->table, HISTORY_EVENTS);
    for (size_t i = 0; i < log->count; i++) {
        struct table_row row;

        log_row(log, i, &row);
        table_add_row(log->table, &row);
    }
    table_set_filter(log->table, input->filter);
    table_end_rows(log->table);
}

static void log_draw(void *pane, struct canvas *canvas, struct rect rect, bool has_focus)
{
    struct pane_log *log = pane;

    table_draw(log->table, canvas, rect, has_focus);
    if (!log->count)
        pane_draw_nothing(canvas, rect, "nothing has happened yet");
}

static enum pane_result log_command(void *pane, enum command_id command)
{
    struct pane_log *log = pane;

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

    if (row)
        strbuf_add_text(out, row->values[COLUMN_WORDS].text);
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
};
