/*
 * plugin_rows.h - what plugins answered, as rows of a recording, and back.
 *
 * A snapshot has a tree of structs and texts for each plugin; a recording has four sheets
 * (shape.h) in which the columns, rows and texts of all plugins follow each other.
 * Plugins that nobody used are not recorded. What comes from a file is hostile: bounded
 * and clean here. Pure.
 */
#ifndef HEAPTOP_RECORDING_PLUGIN_ROWS_H
#define HEAPTOP_RECORDING_PLUGIN_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "recording/shape.h"

struct plugin_rows {
    struct recorded_plugin_column *columns;
    struct recorded_plugin_row *rows; /* texts are borrowed */
    struct recorded_plugin_text *texts;
    size_t n_columns, n_rows, n_texts;
};

/* Those that were used; how many. Their tables are borrowed. */
size_t plugin_rows_views(const struct plugins_section *section,
                         struct plugin_view views[PLUGINS_MAX]);

/* The tables of these views, as rows; to be released. */
void plugin_rows_of(const struct plugin_view *views, size_t count,
                    struct plugin_rows *rows);
void plugin_rows_release(struct plugin_rows *rows);

/* The first text of a row, or "": its name, by which it is known from sample to sample.
 */
const char *plugin_row_name(const struct recorded_plugin_row *row);

/* The table of one plugin: a reference, or NULL when there is none. */
const struct plugin_table *plugin_rows_table(const struct plugin_rows *rows,
                                             size_t plugin);

#endif
