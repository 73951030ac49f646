/*
 * plugins.h - what plugins answered: a section of a snapshot.
 *
 * The contract that plugins are written to is plugin.h; this is how heaptop keeps what
 * came of it, copied, bounded and clean. Tables are shared by snapshots and only read.
 */
#ifndef HEAPTOP_PLUGINS_H
#define HEAPTOP_PLUGINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/plugin.h"
#include "heaptop/reading.h"

#define PLUGINS_MAX        16
#define PLUGIN_NAME_BYTES  33
#define PLUGIN_COLUMNS_MAX 16
#define PLUGIN_ROWS_MAX    2000

enum plugin_state {
    PLUGIN_FOUND = 0, /* not loaded: nobody has asked for it */
    PLUGIN_STARTING,
    PLUGIN_READY,  /* has answered */
    PLUGIN_FAILED, /* why says why */
};

struct plugin_column {
    char name[32], heading[32]; /* "lines", "LINES" */
    char help[96];
    enum heaptop_unit unit;
};

struct plugin_cell {
    struct reading number;
    const char *text; /* clean; NULL where the column has numbers, or it is not known */
};

struct plugin_table {
    size_t n_columns, n_rows;
    struct plugin_column columns[PLUGIN_COLUMNS_MAX];
    const struct plugin_cell *cells; /* row by row */
    struct arena *memory;            /* private */
    int references;                  /* private, atomic */
};

/* One plugin that was found. */
struct plugin_view {
    char name[PLUGIN_NAME_BYTES];
    char version[32], license[32];
    char summary[120]; /* "" until it was loaded, as the two above */
    enum plugin_state state;
    char why[320];
    const struct plugin_table *table;       /* its last answer, or NULL */
    int64_t answered_mono_ns, took_wall_ns; /* when that came, and how long it took */
};

struct plugins_section {
    size_t n_views;
    const struct plugin_view *views; /* by name */
};

const struct plugin_table *plugin_table_ref(const struct plugin_table *table);
void plugin_table_unref(const struct plugin_table *table);
const char *plugin_state_name(enum plugin_state state); /* "found" "starting" ... */

#endif
