/*
 * plugin_table.h - how a plugin's table comes to be: by who reads a plugin's answer, and
 * by who reads a recording. From then on it is const and shared (heaptop/plugins.h).
 */
#ifndef HEAPTOP_MODEL_PLUGIN_TABLE_H
#define HEAPTOP_MODEL_PLUGIN_TABLE_H

#include "heaptop/plugins.h"

/* Texts of cells and lines are not longer, once clean. */
#define PLUGIN_CLEAN_MAX 480

/* Empty, with one reference; NULL when out of memory. */
struct plugin_table *plugin_table_new(void);
/* A clean copy, cut at `most` bytes, that lives as long as the table; NULL: no room. */
const char *plugin_table_text(struct plugin_table *table, const char *text, size_t most);
/* Letters a-z, digits and _, not too long: JSON and the screen can use it. */
bool plugin_column_is_name(const char *name);
/* Adds a column of that name, which must be one and its own: NULL when it is not. */
struct plugin_column *plugin_table_add_column(struct plugin_table *table,
                                              const char *name);
/* Takes the cells of its rows over, and their depths; false: no room. */
bool plugin_table_fill(struct plugin_table *table, const struct plugin_cell *cells,
                       const uint8_t *depths, size_t n_rows);
/* It has columns, lines or actions. */
bool plugin_table_has_something(const struct plugin_table *table);

#endif
