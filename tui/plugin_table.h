/*
 * plugin_table.h - a plugin's answer as a table: columns made from what it said.
 */
#ifndef HEAPTOP_TUI_PLUGIN_TABLE_H
#define HEAPTOP_TUI_PLUGIN_TABLE_H

#include "heaptop/plugins.h"
#include "tui/table.h"
#include "util/strbuf.h"

struct plugin_table_view {
    struct table *table; /* NULL: there is no answer, or it has no columns */
    size_t n_columns;
    bool is_tree;
    struct plugin_column named[PLUGIN_COLUMNS_MAX]; /* what the columns' texts are in */
    struct column
        columns[PLUGIN_COLUMNS_MAX + 1]; /* the last one is the order of a tree */
    struct strbuf names;                 /* of a tree, one behind the other */
};

/* Sorting and selection stay while the columns are the same. The answer must live until
 * the next update. */
void plugin_table_view_update(struct plugin_table_view *view,
                              const struct plugin_table *answer, const char *filter);
void plugin_table_view_release(struct plugin_table_view *view);

#endif
