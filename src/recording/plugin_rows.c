#include "recording/plugin_rows.h"

#include <stdlib.h>
#include <string.h>

#include "model/plugin_table.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

size_t plugin_rows_views(const struct plugins_section *section,
                         struct plugin_view views[PLUGINS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; section && i < section->n_views && count < PLUGINS_MAX; i++)
        if (section->views[i].state != PLUGIN_FOUND)
            views[count++] = section->views[i];
    return count;
}

static void add_columns(struct plugin_rows *rows, size_t plugin,
                        const struct plugin_table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        rows->columns[rows->n_columns++] =
            (struct recorded_plugin_column){plugin, table->columns[i]};
}

static void add_rows(struct plugin_rows *rows, size_t plugin,
                     const struct plugin_table *table)
{
    for (size_t i = 0; i < table->n_rows; i++) {
        struct recorded_plugin_row *row = &rows->rows[rows->n_rows++];

        row->plugin = plugin;
        row->depth = table->is_tree ? 1 + (uint64_t)table->depths[i] : 0;
        if (table->n_columns)
            memcpy(row->cells, &table->cells[i * table->n_columns],
                   table->n_columns * sizeof(*row->cells));
        for (size_t k = 0; k < table->n_columns; k++)
            if (row->cells[k].text)
                row->cells[k].number = reading_exact(0);
    }
}

/* The empty text is one row, too. */
static void add_text(struct plugin_rows *rows, size_t plugin, enum recorded_text what,
                     const char *text)
{
    size_t left = strlen(text);

    do {
        size_t part = left < RECORDED_TEXT_BYTES ? left : RECORDED_TEXT_BYTES;
        struct recorded_plugin_text *row;

        rows->texts = xreallocarray(rows->texts, rows->n_texts + 1, sizeof(*rows->texts));
        row = &rows->texts[rows->n_texts++];
        *row = (struct recorded_plugin_text){.plugin = plugin, .what = what};
        memcpy(row->words, text, part);
        what = RECORDED_MORE;
        text += part;
        left -= part;
    } while (left);
}

static void add_texts(struct plugin_rows *rows, size_t plugin,
                      const struct plugin_table *table)
{
    if (table->title[0])
        add_text(rows, plugin, RECORDED_TITLE, table->title);
    for (size_t i = 0; i < table->n_lines; i++)
        add_text(rows, plugin, RECORDED_LINE, table->lines[i]);
    for (size_t i = 0; i < table->n_offers; i++) {
        add_text(rows, plugin, RECORDED_ACTION, table->offers[i].name);
        add_text(rows, plugin, RECORDED_CALL, table->offers[i].call);
        add_text(rows, plugin, RECORDED_WORDS, table->offers[i].words);
    }
}

void plugin_rows_of(const struct plugin_view *views, size_t count,
                    struct plugin_rows *rows)
{
    size_t n_columns = 0, n_rows = 0;

    for (size_t i = 0; i < count; i++) {
        n_columns += views[i].table ? views[i].table->n_columns : 0;
        n_rows += views[i].table ? views[i].table->n_rows : 0;
    }
    *rows = (struct plugin_rows){
        .columns = xcalloc(n_columns + 1, sizeof(*rows->columns)),
        .rows = xcalloc(n_rows + 1, sizeof(*rows->rows)),
    };
    for (size_t i = 0; i < count; i++) {
        if (!views[i].table)
            continue;
        add_columns(rows, i, views[i].table);
        add_rows(rows, i, views[i].table);
        add_texts(rows, i, views[i].table);
    }
}

void plugin_rows_release(struct plugin_rows *rows)
{
    free(rows->columns);
    free(rows->rows);
    free(rows->texts);
    *rows = (struct plugin_rows){.n_rows = 0};
}

const char *plugin_row_name(const struct recorded_plugin_row *row)
{
    for (size_t i = 0; i < PLUGIN_COLUMNS_MAX; i++)
        if (row->cells[i].text)
            return row->cells[i].text;
    return "";
}

static void take_columns(const struct plugin_rows *rows, size_t plugin,
                         struct plugin_table *table)
{
    for (size_t i = 0; i < rows->n_columns; i++) {
        const struct recorded_plugin_column *recorded = &rows->columns[i];
        struct plugin_column *column =
            recorded->plugin == plugin
                ? plugin_table_add_column(table, recorded->column.name)
                : NULL;

        if (!column)
            continue;
        column->unit = recorded->column.unit;
        memcpy(column->help, recorded->column.help, sizeof(column->help));
    }
}

/* A cell has a number or a text, as its column says. */
static void take_cell(const struct plugin_column *column,
                      const struct plugin_cell *recorded, struct plugin_cell *cell)
{
    bool is_known = reading_is_known(recorded->number);

    *cell = (struct plugin_cell){reading_unknown(), NULL};
    if (column->unit != HEAPTOP_TEXT)
        cell->number = recorded->number;
    else if (is_known)
        cell->text = recorded->text ? recorded->text : "";
}

static bool take_rows(const struct plugin_rows *rows, size_t plugin,
                      struct plugin_table *table)
{
    struct plugin_cell *cells =
        xcalloc(PLUGIN_ROWS_MAX * table->n_columns + 1, sizeof(*cells));
    uint8_t depths[PLUGIN_ROWS_MAX];
    size_t count = 0;
    bool has_room;

    for (size_t i = 0; i < rows->n_rows && count < PLUGIN_ROWS_MAX; i++) {
        const struct recorded_plugin_row *row = &rows->rows[i];

        if (row->plugin != plugin || !table->n_columns)
            continue;
        for (size_t k = 0; k < table->n_columns; k++)
            take_cell(&table->columns[k], &row->cells[k],
                      &cells[count * table->n_columns + k]);
        table->is_tree |= row->depth != 0;
        depths[count++] = row->depth > PLUGIN_DEPTH_MAX ? PLUGIN_DEPTH_MAX
                          : row->depth                  ? (uint8_t)(row->depth - 1)
                                                        : 0;
    }
    has_room = plugin_table_fill(table, cells, depths, count);
    free(cells);
    return has_room;
}

/* The offer that is not whole yet, which is the last one. */
static void take_offer(struct plugin_table *table, enum recorded_text what,
                       const char *text)
{
    struct plugin_offer *last =
        table->n_offers ? &table->offers[table->n_offers - 1] : NULL;

    if (what == RECORDED_ACTION && table->n_offers < PLUGIN_ACTIONS_MAX)
        table->offers[table->n_offers++] = (struct plugin_offer){text, "", ""};
    else if (what == RECORDED_CALL && last)
        last->call = text;
    else if (what == RECORDED_WORDS && last)
        last->words = text;
}

static void take_text(struct plugin_table *table, uint64_t what, const char *raw)
{
    const char *text = plugin_table_text(table, raw, (size_t)4 * PLUGIN_OFFER_BYTES);

    if (!text)
        return;
    if (what == RECORDED_TITLE)
        memcpy(table->title, text, strnlen(text, sizeof(table->title) - 1));
    else if (what == RECORDED_LINE && table->n_lines < PLUGIN_LINES_MAX)
        table->lines[table->n_lines++] = text;
    else if (what >= RECORDED_ACTION && what <= RECORDED_WORDS)
        take_offer(table, (enum recorded_text)what, text);
}

/* A text and the rows behind it that go on with it. */
static size_t join(const struct plugin_rows *rows, size_t at, struct strbuf *text)
{
    const struct recorded_plugin_text *row = &rows->texts[at];
    uint64_t plugin = row->plugin;

    strbuf_reset(text);
    do {
        strbuf_add(text, row->words,
                   strnlen((const char *)row->words, RECORDED_TEXT_BYTES));
        row = &rows->texts[++at];
    } while (at < rows->n_texts && row->plugin == plugin && row->what == RECORDED_MORE &&
             text->length < (size_t)4 * PLUGIN_OFFER_BYTES);
    return at;
}

static void take_texts(const struct plugin_rows *rows, size_t plugin,
                       struct plugin_table *table)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t at = 0; at < rows->n_texts;) {
        uint64_t what = rows->texts[at].what;

        if (rows->texts[at].plugin != plugin) {
            at++;
            continue;
        }
        at = join(rows, at, &text);
        take_text(table, what, strbuf_text(&text));
    }
    strbuf_release(&text);
}

const struct plugin_table *plugin_rows_table(const struct plugin_rows *rows,
                                             size_t plugin)
{
    struct plugin_table *table = plugin_table_new();

    if (!table)
        return NULL;
    take_columns(rows, plugin, table);
    take_texts(rows, plugin, table);
    if (take_rows(rows, plugin, table) && plugin_table_has_something(table))
        return table;
    plugin_table_unref(table);
    return NULL;
}
