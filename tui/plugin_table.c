#include "tui/plugin_table.h"

#include <string.h>

void plugin_table_view_release(struct plugin_table_view *view)
{
    table_free(view->table);
    view->table = NULL;
    strbuf_release(&view->names);
}

static bool has_columns_of(const struct plugin_table_view *view,
                           const struct plugin_table *answer)
{
    if (!view->table || view->n_columns != answer->n_columns ||
        view->is_tree != answer->is_tree)
        return false;
    for (size_t i = 0; i < answer->n_columns; i++)
        if (strcmp(view->named[i].name, answer->columns[i].name) != 0 ||
            view->named[i].unit != answer->columns[i].unit)
            return false;
    return true;
}

/* The values show their unit: "USED BYTES" is "USED" here. */
static void shorten(struct plugin_column *column)
{
    static const char *const units[] = {
        [HEAPTOP_BYTES] = " BYTES", [HEAPTOP_NANOSECONDS] = " NS"};
    const char *unit = column->unit >= HEAPTOP_BYTES ? units[column->unit] : "";
    size_t length = strlen(column->heading), end = strlen(unit);

    if (end && length > end && !strcmp(column->heading + length - end, unit))
        column->heading[length - end] = '\0';
}

static void make_column(struct column *column, const struct plugin_column *named,
                        bool is_name)
{
    static const enum value_type types[] = {
        [HEAPTOP_TEXT] = VALUE_TEXT,
        [HEAPTOP_COUNT] = VALUE_COUNT,
        [HEAPTOP_BYTES] = VALUE_BYTES,
        [HEAPTOP_NANOSECONDS] = VALUE_DURATION,
    };
    int width = named->unit == HEAPTOP_TEXT ? 20 : named->unit == HEAPTOP_COUNT ? 10 : 9;
    int heading = (int)strlen(named->heading) + 1;

    *column = (struct column){
        .name = named->name,
        .heading = named->heading,
        .help = named->help,
        .type = types[named->unit],
        .width = width > heading ? width : heading,
        .grow = is_name,
        .weight = is_name ? 0 : 1,
        .is_name = is_name,
        .cuts_middle = is_name,
        .ascending_first = named->unit == HEAPTOP_TEXT,
    };
}

/* The most bytes first, or the most of something. */
static size_t first_sort(const struct plugin_table *answer)
{
    static const enum heaptop_unit order[] = {HEAPTOP_BYTES, HEAPTOP_NANOSECONDS,
                                              HEAPTOP_COUNT};

    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
        for (size_t k = 0; k < answer->n_columns; k++)
            if (answer->columns[k].unit == order[i])
                return k;
    return 0;
}

static size_t first_text(const struct plugin_table *answer)
{
    size_t at = 0;

    while (at < answer->n_columns && answer->columns[at].unit != HEAPTOP_TEXT)
        at++;
    return at;
}

static void make_table(struct plugin_table_view *view, const struct plugin_table *answer)
{
    static const struct column order = {.name = "order",
                                        .heading = "ORDER",
                                        .help = "the place in the tree",
                                        .type = VALUE_COUNT,
                                        .width = 8,
                                        .ascending_first = true,
                                        .hidden_first = true};

    plugin_table_view_release(view);
    view->n_columns = answer->n_columns;
    memcpy(view->named, answer->columns, sizeof(view->named));
    for (size_t i = 0; i < answer->n_columns; i++)
        shorten(&view->named[i]);
    for (size_t i = 0; i < answer->n_columns; i++)
        make_column(&view->columns[i], &view->named[i], i == first_text(answer));
    view->is_tree = answer->is_tree;
    view->columns[view->n_columns] = order;
    if (view->is_tree)
        view->table = table_new(view->columns, view->n_columns + 1, view->n_columns);
    else
        view->table = table_new(view->columns, view->n_columns, first_sort(answer));
}

/* Moved to the right by its depth; the room for it was made before. */
static const char *indented(struct plugin_table_view *view, const char *text,
                            unsigned depth)
{
    size_t begin = view->names.length;

    strbuf_add_repeated(&view->names, ' ', (size_t)2 * depth);
    strbuf_add_text(&view->names, text);
    strbuf_add_char(&view->names, '\0');
    return view->names.text + begin;
}

/* So much that what was added first does not move any more. */
static void make_room(struct plugin_table_view *view, const struct plugin_table *answer)
{
    size_t at = first_text(answer), bytes = 1;

    for (size_t i = 0; answer->is_tree && i < answer->n_rows; i++) {
        const char *text =
            at < answer->n_columns ? answer->cells[i * answer->n_columns + at].text : "";

        bytes += (size_t)2 * answer->depths[i] + (text ? strlen(text) : 0) + 2;
    }
    strbuf_reset(&view->names);
    strbuf_add_repeated(&view->names, ' ', bytes);
    strbuf_reset(&view->names);
}

/* Of its name, so that the selection stays on it; of its place when it has none. */
static uint64_t identity_of(const struct plugin_table *answer, size_t row)
{
    size_t at = first_text(answer);
    const char *text = at < answer->n_columns && !answer->is_tree
                           ? answer->cells[row * answer->n_columns + at].text
                           : NULL;
    uint64_t hash = UINT64_C(14695981039346656037);

    if (!text)
        return row + 1;
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return hash;
}

static void add_row(struct plugin_table_view *view, const struct plugin_table *answer,
                    size_t index)
{
    const struct plugin_cell *cells = &answer->cells[index * answer->n_columns];
    struct table_row row;

    memset(&row, 0, sizeof(row));
    row.identity = identity_of(answer, index);
    for (size_t i = 0; i < answer->n_columns; i++) {
        row.values[i].number = cells[i].number;
        row.values[i].text = cells[i].text || answer->columns[i].unit != HEAPTOP_TEXT
                                 ? cells[i].text
                                 : "-";
    }
    if (answer->is_tree) {
        size_t at = first_text(answer);

        row.values[answer->n_columns].number = reading_exact((int64_t)index);
        if (at < answer->n_columns)
            row.values[at].text =
                indented(view, row.values[at].text, answer->depths[index]);
    }
    table_add_row(view->table, &row);
}

void plugin_table_view_update(struct plugin_table_view *view,
                              const struct plugin_table *answer, const char *filter)
{
    if (!answer || !answer->n_columns) {
        plugin_table_view_release(view);
        return;
    }
    if (!has_columns_of(view, answer))
        make_table(view, answer);
    make_room(view, answer);
    table_begin_rows(view->table, answer->n_rows);
    for (size_t i = 0; i < answer->n_rows; i++)
        add_row(view, answer, i);
    table_set_filter(view->table, filter);
    table_end_rows(view->table);
}
