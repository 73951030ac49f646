/*
 * args_table.h - the one table of options, from which parsing and --help come. Private
 * to args.c and args_table.c. Main thread only.
 */
#ifndef HEAPTOP_ARGS_TABLE_H
#define HEAPTOP_ARGS_TABLE_H

#include <getopt.h>
#include <stddef.h>

enum option_id {
    OPTION_DELAY = 'd',
    OPTION_ITERATIONS = 'n',
    OPTION_BATCH = 'b',
    OPTION_OUTPUT = 'o',
    OPTION_SORT = 's',
    OPTION_FILTER = 'F',
    OPTION_NO_COLOR = 'C',
    OPTION_NO_UNICODE = 'U',
    OPTION_NO_MOUSE = 'M',
    OPTION_WRITE = 'w',
    OPTION_READ = 'r',
    OPTION_VERSION = 'V',
    OPTION_HELP = 'h',
    OPTION_PANE = 256,
    OPTION_BEGIN,
    OPTION_END,
    OPTION_COMPARE,
    OPTION_CHANGES,
    OPTION_CUT,
    OPTION_ROWS,
    OPTION_AGENT,
    OPTION_AGENT_VIA,
    OPTION_WALK,
    OPTION_MARK_EVERY,
    OPTION_UNTIL,
    OPTION_VERDICT,
    OPTION_HOLDERS,
    OPTION_TREE,
    OPTION_BORN,
    OPTION_READ_ONLY,
    OPTION_SELFCHECK,
    OPTION_KIND,
    OPTION_DUPLICATES,
    OPTION_SHOW_VALUES,
    OPTION_PLUGIN,
    OPTION_PLUGIN_DIR,
    OPTION_LIST_PLUGINS,
    OPTION_CONFIG,
    OPTION_VERBOSE,
    OPTION_TEXTFILE,
    OPTION_LISTEN,
    OPTION_LISTEN_REMOTE,
    OPTION_METRICS,
    OPTION_NAME,
    OPTION_LABEL_PID,
    OPTION_ACTIONS = 512, /* and upwards: the actions in their order */
};

struct option_row {
    int id; /* enum option_id; below 256: the letter */
    const char *name;
    int has_argument; /* as getopt: no_argument ... */
    const char *argument;
    const char *help;
};

#define OPTIONS_MAX 128

/* The rows of all options, the actions among them; how many. */
size_t options_all(struct option_row rows[OPTIONS_MAX]);
/* The options without the actions. */
size_t options_fixed(const struct option_row **rows);

#endif
