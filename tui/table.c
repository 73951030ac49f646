#include "tui/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/partition.h"
#include "tui/table_private.h"
#include "util/utf8.h"
#include "util/xalloc.h"

struct table *table_new(const struct column *columns, size_t count, size_t sort_column)
{
    struct table *table = xcalloc(1, sizeof(*table));

    table->columns = columns;
    table->n_columns = count < TABLE_COLUMNS_MAX ? count : TABLE_COLUMNS_MAX;
    for (size_t i = 0; i < table->n_columns; i++)
        table->shown[i] = !columns[i].hidden_first;
    table->sort_column = sort_column < table->n_columns ? sort_column : 0;
    table->ascending = columns[table->sort_column].ascending_first;
    table->filter = xstrdup("");
    return table;
}

void table_free(struct table *table)
{
    if (!table)
        return;
    free(table->filter);
    free(table->heads);
    free(table->values);
    free(table->order);
    free(table->fixed);
    free(table);
}

const struct value *table_value(const struct table *table, size_t row, size_t column)
{
    return &table->values[row * table->n_columns + column];
}

size_t table_name_column(const struct table *table)
{
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].is_name)
            return i;
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].type == VALUE_TEXT || table->columns[i].type == VALUE_LABEL)
            return i;
    return 0;
}

const char *table_format(const struct table *table, size_t column,
                         const struct value *value, char buffer[64])
{
    struct reading number = value->number;
    bool is_rate = table->deltas_are_rates && table->columns[column].is_delta;

    switch (table->columns[column].type) {
    case VALUE_TEXT:
    case VALUE_LABEL:
        return value->text ? value->text : "-";
    case VALUE_COUNT:
        return units_count(buffer, number);
    case VALUE_BYTES:
        return units_bytes(buffer, number);
    case VALUE_DURATION:
        return units_duration(buffer, number);
    case VALUE_PERCENT:
        return units_percent(buffer, number);
    case VALUE_COUNT_DELTA:
        return is_rate ? units_count_rate(buffer, number)
                       : units_count_delta(buffer, number);
    case VALUE_BYTES_DELTA:
        return is_rate ? units_bytes_rate(buffer, number)
                       : units_bytes_delta(buffer, number);
    case VALUE_USE:
        if (!reading_is_known(number))
            return "-";
        /* 100% only when it is all of it. */
        snprintf(buffer, 64, "%s%lld%%%s", number.state == READING_ESTIMATE ? "~" : "",
                 (long long)(number.value < 100000 && number.value > 99000
                                 ? 99
                                 : (number.value + 500) / 1000),
                 number.state == READING_TORN ? "?" : "");
        return buffer;
    case VALUE_BAR:
    case VALUE_SHADES:
    case VALUE_SPARK:
        break;
    }
    return "";
}

void table_begin_rows(struct table *table, size_t capacity)
{
    if (capacity > table->capacity) {
        table->heads = xreallocarray(table->heads, capacity, sizeof(*table->heads));
        table->values = xreallocarray(table->values, capacity * table->n_columns,
                                      sizeof(*table->values));
        table->order = xreallocarray(table->order, capacity, sizeof(*table->order));
        table->fixed = xreallocarray(table->fixed, capacity, sizeof(*table->fixed));
        table->capacity = capacity;
    }
    table->n_rows = table->n_fixed = table->n_ordinary = 0;
    memset(table->totals, 0, sizeof(table->totals));
    memset(table->needed, 0, sizeof(table->needed));
    memset(table->lowest, 0, sizeof(table->lowest));
    memset(table->highest, 0, sizeof(table->highest));
}

int64_t table_sum(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

/*
 * Only the extremes of a column are put into words to learn how wide it must be:
 * a heap may have a hundred thousand kinds.
 */
static void table_measure(struct table *table, const struct table_row *row)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        struct reading number = row->values[i].number;
        int columns = row->values[i].text ? utf8_columns(row->values[i].text) : 1;

        if (columns > table->needed[i])
            table->needed[i] = columns;
        if (!reading_is_known(number))
            continue;
        if (!row->is_fixed)
            table->totals[i] = table_sum(table->totals[i], number.value);
        if (table->n_rows == 1 || number.value < table->lowest[i].value)
            table->lowest[i].value = number.value;
        if (table->n_rows == 1 || number.value > table->highest[i].value)
            table->highest[i].value = number.value;
        if (number.state > table->highest[i].state)
            table->lowest[i].state = table->highest[i].state = number.state;
    }
}

static void table_measure_extremes(struct table *table)
{
    char buffer[64];

    for (size_t i = 0; i < table->n_columns; i++) {
        struct value ends[2] = {{.number = table->lowest[i]},
                                {.number = table->highest[i]}};

        for (int end = 0; end < 2; end++) {
            int columns = utf8_columns(table_format(table, i, &ends[end], buffer));

            if (columns > table->needed[i])
                table->needed[i] = columns;
        }
    }
}

void table_add_row(struct table *table, const struct table_row *row)
{
    size_t at = table->n_rows;

    if (at >= table->capacity)
        return;
    table->heads[at] =
        (struct row_head){row->identity, (uint8_t)row->role, row->is_fixed};
    memcpy(&table->values[at * table->n_columns], row->values,
           table->n_columns * sizeof(*table->values));
    table->n_rows++;
    table_measure(table, row);
    if (row->is_fixed)
        table->fixed[table->n_fixed++] = at;
    else
        table->n_ordinary++;
}

void table_end_rows(struct table *table)
{
    bool at_end =
        table->follows_end && (!table->is_placed || table->cursor + 1 >= table->n_order);

    table_measure_extremes(table);
    table_arrange(table);
    if (at_end && table->n_order) {
        table->cursor = table->n_order - 1;
        table->selected = table->heads[table->order[table->cursor]].identity;
    }
}

void table_set_rows(struct table *table, const struct table_row *rows, size_t count)
{
    table_begin_rows(table, count);
    for (size_t i = 0; i < count; i++)
        table_add_row(table, &rows[i]);
    table_end_rows(table);
}

void table_set_filter(struct table *table, const char *pattern)
{
    if (!pattern)
        pattern = "";
    if (strcmp(table->filter, pattern) == 0)
        return;
    if (!table->has_before_filter && table->has_selected && table->is_placed) {
        table->before_filter = table->selected;
        table->has_before_filter = true;
    }
    free(table->filter);
    table->filter = xstrdup(pattern);
    table_arrange(table);
    /* What the filter hid is selected again when it comes back. */
    bool has_before = table->has_before_filter;
    if (has_before)
        table_select(table, table->before_filter);
    table->has_before_filter = has_before && *pattern;
}

void table_show_rates(struct table *table, bool are_rates)
{
    table->deltas_are_rates = are_rates;
}

void table_show_deltas(struct table *table, bool shown, const char *heading_prefix)
{
    table->deltas_shown = shown;
    snprintf(table->delta_heading, sizeof(table->delta_heading), "%s",
             heading_prefix ? heading_prefix : "");
}

size_t table_columns(const struct table *table, const struct column **columns)
{
    *columns = table->columns;
    return table->n_columns;
}

bool table_column_visible(const struct table *table, size_t column)
{
    return table->shown[column] &&
           (table->deltas_shown || !table->columns[column].is_delta);
}

bool table_column_shown(const struct table *table, size_t column)
{
    return column < table->n_columns && table->shown[column];
}

bool table_column_drawn(const struct table *table, size_t column)
{
    return !table_column_visible(table, column) || table->places[column].drawn;
}

void table_show_column(struct table *table, size_t column, bool shown)
{
    if (column < table->n_columns && column != table_name_column(table))
        table->shown[column] = shown;
}

static void table_place(struct table *table, size_t cursor)
{
    if (!table->n_order)
        return;
    table->cursor = cursor < table->n_order ? cursor : table->n_order - 1;
    table->selected = table->heads[table->order[table->cursor]].identity;
    table->has_selected = true;
    table->is_placed = true;
    table->has_before_filter = false;
}

bool table_select(struct table *table, uint64_t identity)
{
    for (size_t i = 0; i < table->n_order; i++)
        if (table->heads[table->order[i]].identity == identity) {
            table_place(table, i);
            return true;
        }
    return false;
}

static void table_move(struct table *table, int64_t by)
{
    int64_t to = (int64_t)table->cursor + by;

    table_place(table, to < 0 ? 0 : (size_t)to);
}

bool table_can_scroll(const struct table *table, int direction)
{
    return direction < 0 ? table->skipped > 0 : table->has_more_columns;
}

bool table_command(struct table *table, enum command_id command)
{
    int page = table->body_height > 1 ? table->body_height - 1 : 1;

    switch (command) {
    case COMMAND_UP:
        table_move(table, -1);
        return true;
    case COMMAND_DOWN:
        table_move(table, 1);
        return true;
    case COMMAND_PAGE_UP:
        table_move(table, -page);
        return true;
    case COMMAND_PAGE_DOWN:
        table_move(table, page);
        return true;
    case COMMAND_TOP:
        table_place(table, 0);
        return true;
    case COMMAND_BOTTOM:
        table_place(table, table->n_order);
        return true;
    case COMMAND_LEFT:
        table->skipped -= table->skipped > 0;
        return true;
    case COMMAND_RIGHT:
        table->skipped += table->has_more_columns;
        return true;
    case COMMAND_REVERSE:
        table_sort_index(table, table->sort_column, !table->ascending);
        return true;
    case COMMAND_SORT_NEXT:
    case COMMAND_SORT_PREVIOUS:
        break;
    default:
        return false;
    }
    for (size_t i = 1; i < table->n_columns; i++) {
        size_t step = command == COMMAND_SORT_NEXT ? i : table->n_columns - i;
        size_t column = (table->sort_column + step) % table->n_columns;

        if (!table_column_visible(table, column))
            continue;
        table_sort_index(table, column, table->columns[column].ascending_first);
        break;
    }
    return true;
}

bool table_find(struct table *table, const char *pattern, int direction, bool from_here)
{
    size_t name = table_name_column(table), count = table->n_order;

    if (!pattern || !*pattern || !count)
        return false;
    for (size_t i = from_here ? 0 : 1; i < count + !from_here; i++) {
        size_t step = direction < 0 ? count - i % count : i;
        size_t at = (table->cursor + step) % count;
        const char *text = table_value(table, table->order[at], name)->text;

        if (text && pattern_matches(pattern, text)) {
            table_place(table, at);
            return true;
        }
    }
    return false;
}

static bool table_click_heading(struct table *table, int x)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_place *place = &table->places[i];

        if (!place->drawn || x < place->x || x >= place->x + place->width)
            continue;
        table_sort_index(table, i,
                         i == table->sort_column ? !table->ascending
                                                 : table->columns[i].ascending_first);
        return true;
    }
    return false;
}

bool table_click(struct table *table, int y, int x, bool *on_selected)
{
    const struct rect *rect = &table->drawn;
    int line = y - rect->y - 1;

    *on_selected = false;
    if (y < rect->y || y >= rect->y + rect->height || x < rect->x ||
        x >= rect->x + rect->width)
        return false;
    if (line < 0)
        return table_click_heading(table, x);
    if (line >= table->body_height || table->top + (size_t)line >= table->n_order)
        return false;
    *on_selected = table->cursor == table->top + (size_t)line;
    table_place(table, table->top + (size_t)line);
    return true;
}

const struct table_row *table_selected(const struct table *table)
{
    struct table_row *row = (struct table_row *)(uintptr_t)&table->selection;

    if (table->cursor >= table->n_order)
        return NULL;
    size_t at = table->order[table->cursor];
    row->identity = table->heads[at].identity;
    row->role = table->heads[at].role;
    row->is_fixed = false;
    memcpy(row->values, table_value(table, at, 0),
           table->n_columns * sizeof(*row->values));
    return row;
}

void table_show_rest(struct table *table, bool shown)
{
    table->rest_shown = shown;
}

void table_show_counts(struct table *table, bool shown)
{
    table->counts_shown = shown;
}

void table_follow_end(struct table *table, bool follow)
{
    table->follows_end = follow;
}

void table_strong_sort(struct table *table, bool strong)
{
    table->is_strong = strong;
}

size_t table_row_count(const struct table *table, size_t *unfiltered)
{
    if (unfiltered)
        *unfiltered = table->n_ordinary;
    return table->n_order;
}

size_t table_fixed_count(const struct table *table)
{
    return table->n_fixed;
}
