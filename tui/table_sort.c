/* Which rows are shown and in which order: filter, sort, cumulated shares. */
#include <stdlib.h>
#include <string.h>

#include "model/partition.h"
#include "tui/table_private.h"

static int compare_numbers(struct reading a, struct reading b)
{
    return a.value < b.value ? -1 : a.value > b.value;
}

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "");
}

static bool is_unknown(const struct column *column, const struct value *value)
{
    if (column->type == VALUE_TEXT)
        return !value->text;
    return !reading_is_known(value->number);
}

/* Unknown values stand last in both directions, as given; equal ones by name (changes: as
 * given), so that rows do not jump about between samples. */
static int compare_rows(const void *left, const void *right, void *context)
{
    const struct table *table = context;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    size_t sorted = table->sort_column;
    const struct column *column = &table->columns[sorted];
    const struct value *value_a = table_value(table, a, sorted);
    const struct value *value_b = table_value(table, b, sorted);
    bool unknown_a = is_unknown(column, value_a), unknown_b = is_unknown(column, value_b);
    int order = 0;

    if (unknown_a != unknown_b)
        return unknown_a ? 1 : -1;
    /* Of changes those that are none stand last, whether it is growth that is
     * looked for or what was freed. */
    if (column->is_delta && !unknown_a &&
        !value_a->number.value != !value_b->number.value)
        return value_a->number.value ? -1 : 1;
    if (!unknown_a)
        order = column->type == VALUE_TEXT
                    ? compare_texts(value_a->text, value_b->text)
                    : compare_numbers(value_a->number, value_b->number);
    if (order)
        return table->ascending ? order : -order;
    size_t name = table_name_column(table);
    if (table->columns[name].type == VALUE_TEXT && !column->is_delta && !unknown_a)
        order = compare_texts(table_value(table, a, name)->text,
                              table_value(table, b, name)->text);
    return order ? order : a < b ? -1 : a > b;
}

static void table_choose(struct table *table)
{
    size_t name = table_name_column(table);

    table->n_order = 0;
    for (size_t i = 0; i < table->n_rows; i++) {
        const char *text = table_value(table, i, name)->text;

        if (table->heads[i].is_fixed)
            continue;
        if (*table->filter && !pattern_matches(table->filter, text ? text : ""))
            continue;
        table->order[table->n_order++] = i;
    }
}

/* Running shares of a column, in the order in which the rows stand. */
static void table_cumulate(struct table *table, size_t column)
{
    size_t source = (size_t)table->columns[column].cumulates - 1;
    int64_t sum = 0;

    for (size_t i = 0; i < table->n_order; i++) {
        struct value *value = &table->values[table->order[i] * table->n_columns + column];
        struct reading part = table_value(table, table->order[i], source)->number;

        sum = table_sum(sum, part.value);
        value->number = reading_unknown();
        if (table->totals[source] > 0)
            value->number = reading_exact(
                (int64_t)((double)sum * 100000.0 / (double)table->totals[source] + 0.5));
    }
}

/* The selection stays on its row and that row on its line of the screen. */
static void table_keep_selection(struct table *table, size_t line)
{
    size_t at = table->n_order;

    if (table->has_selected && table->is_placed)
        for (at = 0; at < table->n_order; at++)
            if (table->heads[table->order[at]].identity == table->selected)
                break;
    if (at < table->n_order) {
        table->cursor = at;
        table->top = at > line ? at - line : 0;
    }
    if (table->cursor >= table->n_order)
        table->cursor = table->n_order ? table->n_order - 1 : 0;
    if (table->n_order) {
        table->selected = table->heads[table->order[table->cursor]].identity;
        table->has_selected = true;
    }
}

void table_arrange(struct table *table)
{
    size_t line = table->cursor > table->top ? table->cursor - table->top : 0;

    table_choose(table);
    if (table->n_order > 1)
        qsort_r(table->order, table->n_order, sizeof(*table->order), compare_rows, table);
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].cumulates)
            table_cumulate(table, i);
    table_keep_selection(table, line);
}

void table_sort_index(struct table *table, size_t column, bool ascending)
{
    if (column >= table->n_columns)
        return;
    table->sort_column = column;
    table->ascending = ascending;
    table_arrange(table);
}

bool table_sort_by(struct table *table, const char *sort)
{
    char sign = *sort == '+' || *sort == '-' ? *sort++ : '\0';

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *column = &table->columns[i];

        if (strcmp(column->name, sort) != 0)
            continue;
        table_sort_index(table, i, sign ? sign == '+' : column->ascending_first);
        return true;
    }
    return false;
}

bool table_sort_key(struct table *table, char key)
{
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *column = &table->columns[i];

        if (!key || column->sort_key != key)
            continue;
        if (i == table->sort_column)
            table_sort_index(table, i, !table->ascending);
        else
            table_sort_index(table, i, column->ascending_first);
        return true;
    }
    return false;
}

size_t table_sort_column(const struct table *table, bool *ascending)
{
    if (ascending)
        *ascending = table->ascending;
    return table->sort_column;
}
