/*
 * classes_table.h - pymalloc's size classes as a table: Sizes and Overview show it.
 */
#ifndef HEAPTOP_TUI_CLASSES_TABLE_H
#define HEAPTOP_TUI_CLASSES_TABLE_H

#include "tui/pane.h"
#include "tui/table.h"

struct classes_table {
    struct table *table;
    char names[SIZE_CLASSES_MAX][16]; /* "64 B" */
    bool has_totals;
};

/* The short form is sorted by pools and has no totals: for the overview. */
void classes_table_init(struct classes_table *classes, bool is_short);
void classes_table_release(struct classes_table *classes);
void classes_table_update(struct classes_table *classes, const struct view_input *input);
/* One line about a row: "64 B: 398 pools, 101,015 blocks in use, 475 free". */
void classes_describe(const struct table_row *row, struct strbuf *out);
/* The class of these many bytes, or NULL. */
const struct size_class_row *classes_find(const struct pymalloc_section *pymalloc,
                                          uint64_t block_bytes);

#endif
