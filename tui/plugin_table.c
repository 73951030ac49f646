#include "tui/plugin_table.h"

#include <string.h>

void plugin_table_view_release(struct plugin_table_view *view)
{
    table_free(view->table);
    view->table = NULL;
}

static bool has_columns_of(const struct plugin_table_view *view,
                           const struct plugin_table *answer)
{
    if (!view->table || view->n_columns != answer->n_columns)
        return false;
    for (size_t i = 0; i < answer->n_columns; i++)
        if (strcmp(view->named[i].name, answer->columns[i].name) != 0 ||
            view->named[i].unit != answer->columns[i].unit)
            return false;
    return true;
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
    int width = named->unit == HEAPTOP_TEXT ? 20 : named->unit == HEAPTOP_COUNT ? 11 : 9;
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
    plugin_table_view_release(view);
    view->n_columns = answer->n_columns;
    memcpy(view->named, answer->columns, sizeof(view->named));
    for (size_t i = 0; i < answer->n_columns; i++)
        make_column(&view->columns[i], &view->named[i], i == first_text(answer));
    view->table = table_new(view->columns, view->n_columns, first_sort(answer));
}

/* Of its name, so that the selection stays on it; of its place when it has none. */
static uint64_t identity_of(const struct plugin_table *answer, size_t row)
{
    size_t at = first_text(answer);
    const char *text =
        at < answer->n_columns ? answer->cells[row * answer->n_columns + at].text : NULL;
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
    table_add_row(view->table, &row);
}

void plugin_table_view_update(struct plugin_table_view *view,
                              const struct plugin_table *answer, const char *filter)
{
    if (!answer) {
        plugin_table_view_release(view);
        return;
    }
    if (!has_columns_of(view, answer))
        make_table(view, answer);
    table_begin_rows(view->table, answer->n_rows);
    for (size_t i = 0; i < answer->n_rows; i++)
        add_row(view, answer, i);
    table_set_filter(view->table, filter);
    table_end_rows(view->table);
}
