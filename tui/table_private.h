/*
 * table_private.h - the inside of struct table: only table.c, table_sort.c and
 * table_draw.c include it.
 *
 * Rows are kept without the columns that do not exist, as a heap may have a
 * hundred thousand kinds. `order` are the rows that pass the filter, sorted;
 * fixed rows follow in `fixed`.
 */
#ifndef HEAPTOP_TUI_TABLE_PRIVATE_H
#define HEAPTOP_TUI_TABLE_PRIVATE_H

#include "tui/table.h"

struct row_head {
    uint64_t identity;
    uint8_t role;
    bool is_fixed;
};

/* Where a column was drawn last. */
struct column_place {
    int x, width;
    bool drawn;
};

struct table {
    const struct column *columns;
    size_t n_columns;
    bool shown[TABLE_COLUMNS_MAX];
    bool deltas_shown, deltas_are_rates;
    char delta_heading[16];
    size_t sort_column;
    bool ascending;
    char *filter;

    struct row_head *heads;
    struct value *values; /* n_columns for each row */
    size_t n_rows, capacity;
    size_t *order;
    size_t n_order;
    size_t *fixed;
    size_t n_fixed;
    size_t n_ordinary;                 /* rows before the filter, without fixed ones */
    int64_t totals[TABLE_COLUMNS_MAX]; /* of all ordinary rows */
    struct reading lowest[TABLE_COLUMNS_MAX], highest[TABLE_COLUMNS_MAX];
    int needed[TABLE_COLUMNS_MAX]; /* columns that the widest value takes */

    size_t cursor, top; /* places in `order` */
    uint64_t selected;  /* identity under the cursor */
    bool has_selected;
    bool is_placed;         /* the user moved: the selection follows its row */
    uint64_t before_filter; /* the row to go back to when the filter lets it pass */
    bool has_before_filter;
    size_t skipped; /* columns scrolled away, the first one never */
    bool has_more_columns;
    bool rest_shown, counts_shown, follows_end, is_strong;

    struct rect drawn;
    int body_height;
    struct column_place places[TABLE_COLUMNS_MAX];
    struct table_row selection; /* what table_selected() gives */
};

const struct value *table_value(const struct table *table, size_t row, size_t column);
/* The first text column: filter and find look there. */
size_t table_name_column(const struct table *table);
/* Filter and sort again, the selection staying where it is. */
void table_arrange(struct table *table);
/* The words of a value; text values are returned as they are. */
const char *table_format(const struct table *table, size_t column,
                         const struct value *value, char buffer[64]);
/* Of numbers that may be a target's, or times: what is too much is the most there is. */
int64_t table_sum(int64_t a, int64_t b);
bool table_column_visible(const struct table *table, size_t column);

#endif
