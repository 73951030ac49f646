/*
 * table.h - columns, width by weight, sort, filter, find, selection by identity.
 *
 * The owner declares columns once and hands over rows at each update; a row is
 * an identity (a number that stays the same for the same thing), and a value
 * per column. Formatting, comparison, alignment and delta follow from the
 * value's type, so the screen and batch text cannot disagree.
 */
#ifndef HEAPTOP_TUI_TABLE_H
#define HEAPTOP_TUI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/reading.h"
#include "tui/canvas.h"
#include "tui/command.h"

enum value_type {
    VALUE_TEXT = 0,
    VALUE_COUNT,
    VALUE_BYTES,
    VALUE_DURATION, /* ns */
    VALUE_PERCENT,  /* milli per cent */
    VALUE_COUNT_DELTA,
    VALUE_BYTES_DELTA,
    VALUE_BAR,    /* per mille */
    VALUE_USE,    /* milli per cent, shown whole: 92% */
    VALUE_LABEL,  /* text to the right, ordered by its number: "64 B" */
    VALUE_SHADES, /* a cell for each digit of the text, which is a shade; folded to fit */
    VALUE_SPARK,  /* a sparkline of the levels in the text, '0' + level; ' ' is a gap */
};

struct column {
    const char *name;    /* for --sort, the configuration and the chooser: "memory" */
    const char *heading; /* "BYTES" */
    const char *help;    /* one sentence */
    enum value_type type;
    int width;  /* normal width in columns */
    int grow;   /* share of the spare width; 0 = fixed */
    int weight; /* who is dropped first when it is narrow: the smallest; 0 = never */
    bool ascending_first;   /* first direction when it becomes the sort column */
    bool hidden_first;      /* not shown until chosen */
    bool is_delta;          /* shown only while deltas are on */
    char sort_key;          /* capital letter that sorts by it, or 0 */
    bool is_summed;         /* the row "(n more)" shows the sum of the rows below */
    bool cuts_middle;       /* its text is a dotted name: the end matters as well */
    bool is_name;           /* find and filter look here; without one, the first text */
    int share_of, share_in; /* 1 + the columns whose ratio this VALUE_USE or _BAR is */
    int cumulates; /* 1 + the column whose running share this VALUE_PERCENT shows */
};

struct value {
    struct reading number;
    const char *text; /* VALUE_TEXT; borrowed until the next update */
};

#define TABLE_COLUMNS_MAX 24

struct table_row {
    uint64_t identity;
    struct value values[TABLE_COLUMNS_MAX];
    enum role role; /* of the whole row: ROLE_NORMAL mostly */
    bool is_fixed;  /* "(n more)" and totals: stays at the end, not selectable */
};

struct table;

struct table *table_new(const struct column *columns, size_t count, size_t sort_column);
void table_free(struct table *table);

/* Rows are copied. The table sorts, filters (on its first text column) and keeps
 * the selection on the same identity. */
void table_set_rows(struct table *table, const struct table_row *rows, size_t count);
/* The same in steps, for tables whose rows are many. */
void table_begin_rows(struct table *table, size_t capacity);
void table_add_row(struct table *table, const struct table_row *row);
void table_end_rows(struct table *table);
void table_set_filter(struct table *table, const char *pattern);
void table_show_deltas(struct table *table, bool shown, const char *heading_prefix);
/* The changes are per second, in thousandths. */
void table_show_rates(struct table *table, bool are_rates);
/* "[+-]name": true when there is such a column. */
bool table_sort_by(struct table *table, const char *sort);
void table_sort_index(struct table *table, size_t column, bool ascending);
size_t table_sort_column(const struct table *table, bool *ascending);
size_t table_columns(const struct table *table, const struct column **columns);
bool table_column_shown(const struct table *table, size_t column);
/* It had room when the table was drawn last, or is hidden with the deltas. */
bool table_column_drawn(const struct table *table, size_t column);
void table_show_column(struct table *table, size_t column, bool shown);

void table_draw(struct table *table, struct canvas *canvas, struct rect rect,
                bool has_focus);
/* Are there columns to scroll to, direction +1 or -1? */
bool table_can_scroll(const struct table *table, int direction);
/* Movement, sort keys, reverse, horizontal scrolling. */
bool table_command(struct table *table, enum command_id command);
/* A capital letter that is some column's sort_key: sorts, or reverses. */
bool table_sort_key(struct table *table, char key);
/* Moves to the next row whose text matches; direction +1 or -1; false = none. */
bool table_find(struct table *table, const char *pattern, int direction, bool from_here);
/* A click inside the rectangle last drawn: heading sorts, row selects. */
bool table_click(struct table *table, int y, int x, bool *on_selected);
/* The selected row, or NULL. */
const struct table_row *table_selected(const struct table *table);
/* Selects the row of this identity; false when it is not there. */
bool table_select(struct table *table, uint64_t identity);
/* The last line shows "(1,883 more)" with sums while rows lie below it. */
void table_show_rest(struct table *table, bool shown);
/* The first heading says how many of how many rows are visible. */
void table_show_counts(struct table *table, bool shown);
/* The selection stays on the last row while new rows come (a log). */
void table_follow_end(struct table *table, bool follow);
void table_strong_sort(struct table *table, bool strong);
/* Rows that stay at the end. */
size_t table_fixed_count(const struct table *table);
size_t table_row_count(const struct table *table, size_t *unfiltered);

#endif
