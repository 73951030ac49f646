/*
 * Plugins: those that were found, and the table of the one that is open. Enter starts one
 * and opens it, Esc goes back to the list. The list is opened by a key and has no tab;
 * each plugin that is used has one.
 */
#include "tui/pane.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/plugins.h"
#include "tui/detail.h"
#include "tui/kinds_table.h"
#include "tui/plugin_table.h"
#include "util/xalloc.h"

enum {
    COLUMN_NAME,
    COLUMN_STATE,
    COLUMN_ROWS,
    COLUMN_TOOK,
    COLUMN_HANDED,
    COLUMN_SKIPPED,
    COLUMN_WORDS,
};

static const struct column columns[] = {
    {.name = "plugin",
     .heading = "PLUGIN",
     .help = "its name",
     .type = VALUE_TEXT,
     .width = 16,
     .is_name = true,
     .ascending_first = true},
    {.name = "state",
     .heading = "STATE",
     .help = "found (not loaded), starting, ready, failed",
     .type = VALUE_TEXT,
     .width = 8,
     .ascending_first = true},
    {.name = "rows",
     .heading = "ROWS",
     .help = "of its table",
     .type = VALUE_COUNT,
     .width = 6,
     .weight = 1},
    {.name = "took",
     .heading = "TOOK",
     .help = "how long its last answer took",
     .type = VALUE_DURATION,
     .width = 7,
     .weight = 2},
    {.name = "handed",
     .heading = "HANDED",
     .help = "samples that a sink was handed",
     .type = VALUE_COUNT,
     .width = 8,
     .weight = 1,
     .hidden_first = true},
    {.name = "skipped",
     .heading = "SKIPPED",
     .help = "samples that a sink was too slow for",
     .type = VALUE_COUNT,
     .width = 8,
     .weight = 1,
     .hidden_first = true},
    {.name = "words",
     .heading = "WHAT IT SHOWS",
     .help = "what it says of itself, or why it has failed",
     .type = VALUE_TEXT,
     .width = 20,
     .grow = 1,
     .ascending_first = true},
};

/* The table of a plugin that was open: its sorting and selection stay. */
struct open_plugin {
    char name[PLUGIN_NAME_BYTES];
    struct plugin_table_view view;
};

struct pane_plugins {
    struct table *list;
    struct open_plugin opened[PLUGINS_MAX];
    size_t n_opened;
    char name[PLUGIN_NAME_BYTES]; /* of the one that is open; "" = the list is shown */
    size_t wanted;                /* 1 + the index of the one that is to be started */
    const struct plugins_section *section; /* of the last update, or NULL */
};

static void *plugins_create(void)
{
    struct pane_plugins *pane = xcalloc(1, sizeof(*pane));

    pane->list = table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_NAME);
    return pane;
}

static void plugins_destroy(void *opaque)
{
    struct pane_plugins *pane = opaque;

    table_free(pane->list);
    for (size_t i = 0; i < pane->n_opened; i++)
        plugin_table_view_release(&pane->opened[i].view);
    free(pane);
}

static const struct plugin_view *view_of(const struct plugins_section *section,
                                         const char *name)
{
    for (size_t i = 0; section && i < section->n_views; i++)
        if (!strcmp(section->views[i].name, name))
            return &section->views[i];
    return NULL;
}

/* What is kept of the one that is open; the last place is for all that have none. */
static struct plugin_table_view *open_view(struct pane_plugins *pane)
{
    struct open_plugin *opened = pane->opened;
    size_t at = 0;

    while (at < pane->n_opened && strcmp(opened[at].name, pane->name) != 0)
        at++;
    if (at == PLUGINS_MAX)
        at--;
    if (at == pane->n_opened)
        pane->n_opened++;
    memcpy(opened[at].name, pane->name, sizeof(pane->name));
    return &opened[at].view;
}

static void list_row(const struct plugin_view *view, size_t index, struct table_row *row)
{
    bool has_words = view->why[0] || view->summary[0];

    memset(row, 0, sizeof(*row));
    row->identity = index + 1;
    row->values[COLUMN_NAME].text = view->name;
    row->values[COLUMN_STATE].text = plugin_state_name(view->state);
    if (view->is_sink && view->state == PLUGIN_READY)
        row->values[COLUMN_HANDED].number = reading_exact((int64_t)view->n_received);
    if (view->is_sink && view->state == PLUGIN_READY)
        row->values[COLUMN_SKIPPED].number = reading_exact((int64_t)view->n_skipped);
    if (view->table) {
        row->values[COLUMN_ROWS].number = reading_exact((int64_t)view->table->n_rows);
        row->values[COLUMN_TOOK].number = reading_exact(view->took_wall_ns);
    }
    row->values[COLUMN_WORDS].text = view->why[0] ? view->why
                                     : has_words  ? view->summary
                                                  : "Enter loads it and asks it";
    if (view->state == PLUGIN_FAILED)
        row->role = ROLE_WARNING;
}

static void update_list(struct pane_plugins *pane, const char *filter)
{
    table_begin_rows(pane->list, PLUGINS_MAX);
    for (size_t i = 0; pane->section && i < pane->section->n_views; i++) {
        struct table_row row;

        list_row(&pane->section->views[i], i, &row);
        table_add_row(pane->list, &row);
    }
    table_set_filter(pane->list, filter);
    table_end_rows(pane->list);
}

static void plugins_update(void *opaque, const struct view_input *input)
{
    struct pane_plugins *pane = opaque;
    const struct plugin_view *view;

    pane->section = input->snapshot ? input->snapshot->plugins : NULL;
    update_list(pane, input->filter);
    if (!pane->name[0])
        return;
    view = view_of(pane->section, pane->name);
    plugin_table_view_update(open_view(pane), view ? view->table : NULL, input->filter);
}

/* In place of a table that is not there. */
static void draw_nothing(const struct plugin_view *view, struct canvas *canvas,
                         struct rect rect)
{
    if (view && view->why[0])
        pane_draw_nothing(canvas, rect, view->why);
    else if (view && view->is_sink && view->state == PLUGIN_READY)
        pane_draw_nothing(canvas, rect, "it is handed the samples, and shows nothing");
    else
        pane_draw_nothing(canvas, rect, "the plugin was asked, and has not answered yet");
}

/* The lines come first; where there is little room, the table needs it more. */
static int draw_lines(const struct plugin_table *answer, struct canvas *canvas,
                      struct rect rect)
{
    int most = answer->n_columns ? rect.height / 2 : rect.height, count = 0;

    for (; count < most && count < (int)answer->n_lines; count++)
        canvas_text(canvas, rect.y + count, rect.x + 1, rect.width - 1, ROLE_NORMAL,
                    answer->lines[count]);
    return count;
}

static void draw_open(struct pane_plugins *pane, struct canvas *canvas, struct rect rect,
                      bool has_focus)
{
    const struct plugin_view *view = view_of(pane->section, pane->name);
    int lines = view && view->table ? draw_lines(view->table, canvas, rect) : 0;

    rect.y += lines;
    rect.height -= lines;
    if (open_view(pane)->table)
        table_draw(open_view(pane)->table, canvas, rect, has_focus);
    else if (!lines)
        draw_nothing(view, canvas, rect);
}

static void plugins_draw(void *opaque, struct canvas *canvas, struct rect rect,
                         bool has_focus)
{
    struct pane_plugins *pane = opaque;

    canvas_fill(canvas, rect, ROLE_NORMAL);
    if (pane->name[0])
        draw_open(pane, canvas, rect, has_focus);
    else
        table_draw(pane->list, canvas, rect, has_focus);
    if (!pane->name[0] && (!pane->section || !pane->section->n_views))
        pane_draw_nothing(canvas, rect,
                          "there are no plugins here: --list-plugins says where they are "
                          "looked for");
}

static void open_selected(struct pane_plugins *pane)
{
    const struct table_row *row = table_selected(pane->list);
    const struct plugin_view *view;

    if (!row || !pane->section || row->identity > pane->section->n_views)
        return;
    view = &pane->section->views[row->identity - 1];
    memcpy(pane->name, view->name, sizeof(pane->name));
    if (view->state == PLUGIN_FOUND || view->state == PLUGIN_FAILED)
        pane->wanted = (size_t)row->identity;
    plugin_table_view_update(open_view(pane), view->table, "");
}

static struct table *plugins_table(void *opaque)
{
    struct pane_plugins *pane = opaque;

    return pane->name[0] ? open_view(pane)->table : pane->list;
}

static enum pane_result plugins_command(void *opaque, enum command_id command)
{
    struct pane_plugins *pane = opaque;
    struct table *table = plugins_table(opaque);

    if (command == COMMAND_ENTER) {
        if (!pane->name[0])
            open_selected(pane);
        return PANE_HANDLED;
    }
    if (command == COMMAND_BACK && pane->name[0]) {
        pane->name[0] = '\0';
        return PANE_HANDLED;
    }
    return table && table_command(table, command) ? PANE_HANDLED : PANE_IGNORED;
}

static void plugins_describe(void *opaque, struct strbuf *out)
{
    struct pane_plugins *pane = opaque;
    const struct table_row *row = pane->name[0] ? NULL : table_selected(pane->list);

    if (row)
        strbuf_add_text(out, row->values[COLUMN_WORDS].text);
}

static const char *plugins_breadcrumb(void *opaque)
{
    struct pane_plugins *pane = opaque;

    const struct plugin_view *view = view_of(pane->section, pane->name);

    if (view && view->table && view->table->title[0])
        return view->table->title;
    return pane->name[0] ? pane->name : "those that were found";
}

/* A plugin by its name, as --pane wants it: it need not have answered yet. */
static bool plugins_show_view(void *opaque, const char *name)
{
    struct pane_plugins *pane = opaque;

    if (strncmp(name, "plugin:", 7) != 0 || strlen(name + 7) >= sizeof(pane->name))
        return false;
    snprintf(pane->name, sizeof(pane->name), "%s", name + 7);
    return true;
}

static size_t plugins_wants_plugin(void *opaque)
{
    struct pane_plugins *pane = opaque;
    size_t wanted = pane->wanted;

    pane->wanted = 0;
    return wanted;
}

static const char *plugins_open_plugin(void *opaque)
{
    struct pane_plugins *pane = opaque;

    return pane->name[0] ? pane->name : NULL;
}

const struct pane_ops pane_plugins = {
    .name = "plugins",
    .title = "Plugins",
    .create = plugins_create,
    .destroy = plugins_destroy,
    .update = plugins_update,
    .draw = plugins_draw,
    .command = plugins_command,
    .table = plugins_table,
    .describe = plugins_describe,
    .breadcrumb = plugins_breadcrumb,
    .show_view = plugins_show_view,
    .wants_plugin = plugins_wants_plugin,
    .open_plugin = plugins_open_plugin,
    .is_hidden = true,
};
