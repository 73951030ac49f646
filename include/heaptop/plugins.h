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
#define PLUGIN_LINES_MAX   8
#define PLUGIN_ACTIONS_MAX 8
#define PLUGIN_DEPTH_MAX   15
#define PLUGIN_OFFER_BYTES 601 /* of an action's words */

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

/* An action that a plugin offers; all texts are clean. */
struct plugin_offer {
    const char *name, *call, *words;
};

/* What a plugin answered. Without columns there are only lines and offers. */
struct plugin_table {
    char title[48]; /* "": it gave none */
    size_t n_columns, n_rows, n_lines, n_offers;
    struct plugin_column columns[PLUGIN_COLUMNS_MAX];
    const struct plugin_cell *cells; /* row by row */
    bool is_tree;                    /* the rows have depths, and an order */
    const uint8_t *depths;           /* of each row */
    const char *lines[PLUGIN_LINES_MAX];
    struct plugin_offer offers[PLUGIN_ACTIONS_MAX];
    struct arena *memory; /* private */
    int references;       /* private, atomic */
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
    bool is_source; /* it answers with a table; known once it was loaded, as is_sink */
    /* A sink: samples that it was handed, and those it was too slow for. */
    bool is_sink;
    uint64_t n_received, n_skipped;
};

struct plugins_section {
    size_t n_views;
    const struct plugin_view *views; /* by name */
};

const struct plugin_table *plugin_table_ref(const struct plugin_table *table);
void plugin_table_unref(const struct plugin_table *table);

/* What a plugin's action runs: "NAME(NUMBERS)", where NAME has letters, digits, _ and
 * dots. */
#define PLUGIN_CALL_NUMBERS 3
struct plugin_call {
    char name[64];
    int64_t numbers[PLUGIN_CALL_NUMBERS]; /* -1 behind the last one */
};
/* False: it is no such call. */
bool plugin_call_read(const char *text, struct plugin_call *call);

const char *plugin_state_name(enum plugin_state state); /* "found" "starting" ... */

#endif
