#include "args_table.h"

#include <stdio.h>
#include <string.h>

#include "args.h"

static const struct option_row option_rows[] = {
    {OPTION_DELAY, "delay", required_argument, "SECS", "time between samples (2)"},
    {OPTION_ITERATIONS, "iterations", required_argument, "N", "end after N samples"},
    {OPTION_BATCH, "batch", no_argument, NULL,
     "no screen: print samples; implied when the output is not a terminal"},
    {OPTION_OUTPUT, "output", required_argument, "FORMAT",
     "batch output: text (default), json (one object a line), csv or openmetrics"},
    {OPTION_PANE, "pane", required_argument, "NAME",
     "begin with this tab; in batch print only this one"},
    {OPTION_SORT, "sort", required_argument, "[+-]COLUMN",
     "sort by a column, - largest first; \"help\" lists the columns"},
    {OPTION_FILTER, "filter", required_argument, "PATTERN",
     "only kinds whose name contains this"},
    {OPTION_ROWS, "rows", required_argument, "N", "at most N rows of a table (batch)"},
    {OPTION_TREE, "tree", no_argument, NULL,
     "all Python processes below PID, or that match PATTERN: a row each"},
    {OPTION_WRITE, "write", required_argument, "FILE",
     "record into FILE, without a screen; a folder gets a new file each day"},
    {OPTION_READ, "read", required_argument, "FILE",
     "look at a recording (a file, or a folder of -w) instead of a process"},
    {OPTION_BEGIN, "begin", required_argument, "TIME",
     "of a recording: from then on (14:02, 2026-11-21T14:02, \"2 h ago\")"},
    {OPTION_END, "end", required_argument, "TIME", "of a recording: until then"},
    {OPTION_COMPARE, "compare", required_argument, "OTHER",
     "what is different in this recording from another one; in batch print it, and exit"},
    {OPTION_CUT, "cut", required_argument, "NEW",
     "write this part of the recording into a recording of its own, and exit"},
    {OPTION_CHANGES, "changes", no_argument, NULL,
     "print what changed from the begin of the recording to its end, and exit"},
    {OPTION_TEXTFILE, "textfile", required_argument, "FILE",
     "keep metrics in FILE, for node_exporter's textfile collector"},
    {OPTION_LISTEN, "listen", required_argument, "ADDRESS",
     "serve metrics to Prometheus at 127.0.0.1:PORT, [::1]:PORT or unix:PATH"},
    {OPTION_LISTEN_REMOTE, "listen-remote", no_argument, NULL,
     "let --listen take an address that other machines can reach"},
    {OPTION_METRICS, "metrics", required_argument, "SETS",
     "more metrics: kinds (--rows of them), classes, or all"},
    {OPTION_NAME, "name", required_argument, "NAME",
     "what metrics call the process (by its command line)"},
    {OPTION_LABEL_PID, "label-pid", no_argument, NULL,
     "label all metrics with the PID, too: new series for each process"},
    {OPTION_AGENT, "agent", required_argument, "auto|never|require",
     "whether to load the agent into the target (auto)"},
    {OPTION_AGENT_VIA, "agent-via", required_argument, "auto|ptrace|remote",
     "how the agent gets in: by ptrace, or by a script that CPython 3.14+ executes "
     "(auto)"},
    {OPTION_WALK, "walk", required_argument, "SECS|off",
     "least time between two walks of the heap (as cheap as 2 % of a core)"},
    {OPTION_MARK_EVERY, "mark-every", required_argument, "SECS",
     "set a mark every so often (SIGUSR1 sets one, too)"},
    {OPTION_UNTIL, "until", required_argument, "CONDITION",
     "batch: end with status 7 when it is true, as 'res>500M'"},
    {OPTION_VERDICT, "verdict", no_argument, NULL,
     "batch: print what the last sample means in words; -n 40 watches growth, too"},
    {OPTION_KIND, "kind", required_argument, "NAME",
     "print what the objects of this kind are like, and exit"},
    {OPTION_DUPLICATES, "duplicates", no_argument, NULL,
     "print which str, bytes and int values are held more than once, and exit; "
     "with --kind of this kind only"},
    {OPTION_SHOW_VALUES, "show-values", no_argument, NULL,
     "show the beginning of str, bytes and int values, which may be secret"},
    {OPTION_HOLDERS, "holders", required_argument, "KIND",
     "print who refers to the objects of a kind (or to the one at 0xADDRESS)"},
    {OPTION_BORN, "born", required_argument, "SECS",
     "print which objects are there after so long that were not there now"},
    {OPTION_READ_ONLY, "read-only", no_argument, NULL, "refuse all actions"},
    {OPTION_ACTIONS, NULL, no_argument, NULL, NULL}, /* here stand the actions */
    {OPTION_SELFCHECK, "selfcheck", no_argument, NULL,
     "check heaptop's numbers against each other and the agent's, and exit"},
    {OPTION_PLUGIN, "plugin", required_argument, "NAME",
     "use this plugin; may be given several times"},
    {OPTION_PLUGIN_DIR, "plugin-dir", required_argument, "DIR",
     "look for plugins in this folder, too"},
    {OPTION_LIST_PLUGINS, "list-plugins", no_argument, NULL,
     "print which plugins there are (with -o json: as JSON), and exit"},
    {OPTION_NO_COLOR, "no-color", no_argument, NULL, "no colours (also NO_COLOR)"},
    {OPTION_NO_UNICODE, "no-unicode", no_argument, NULL, "ASCII only"},
    {OPTION_NO_MOUSE, "no-mouse", no_argument, NULL, "leave the mouse to the terminal"},
    {OPTION_CONFIG, "config", required_argument, "FILE",
     "read this configuration instead of the usual one"},
    {OPTION_VERBOSE, "verbose", required_argument, "FILE",
     "append to FILE what heaptop does"},
    {OPTION_VERSION, "version", no_argument, NULL, "print the version and exit"},
    {OPTION_HELP, "help", no_argument, NULL, "print this and exit"},
};

static struct option_row action_row(size_t index)
{
    const struct action_ops *action = actions[index];
    bool needs_value = (action->flags & ACTION_CALLS) ||
                       (action->n_parameters && action->parameters[0].is_needed &&
                        action->parameters[0].standard == ACTION_NOT_GIVEN);

    return (struct option_row){
        .id = OPTION_ACTIONS + (int)index,
        .name = action->name,
        .has_argument = needs_value            ? required_argument
                        : action->n_parameters ? optional_argument
                                               : no_argument,
        .argument = action->argument,
        .help = action->help,
    };
}

#define N_FIXED     (sizeof(option_rows) / sizeof(option_rows[0]))
#define ACTIONS_MAX (OPTIONS_MAX - N_FIXED)

size_t options_all(struct option_row rows[OPTIONS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < N_FIXED; i++) {
        if (option_rows[i].id != OPTION_ACTIONS) {
            rows[count++] = option_rows[i];
            continue;
        }
        for (size_t k = 0; actions[k] && k < ACTIONS_MAX; k++)
            rows[count++] = action_row(k);
    }
    return count;
}

size_t options_fixed(const struct option_row **rows)
{
    *rows = option_rows;
    return N_FIXED;
}

static void print_row(FILE *out, const struct option_row *row)
{
    const char *argument = row->argument ? row->argument : "";
    const char *before = row->has_argument == no_argument         ? ""
                         : row->has_argument == optional_argument ? "[="
                                                                  : " ";
    char left[64];

    snprintf(left, sizeof(left), "%c%c%s --%s%s%s%s", row->id < 256 ? '-' : ' ',
             row->id < 256 ? row->id : ' ', row->id < 256 ? "," : " ", row->name, before,
             argument, row->has_argument == optional_argument ? "]" : "");
    if (strlen(left) > 27)
        fprintf(out, "  %s\n  %-27s %s", left, "", row->help);
    else
        fprintf(out, "  %-27s %s", left, row->help);
    if (row->id >= OPTION_ACTIONS)
        fprintf(out, " (%s)", actions[row->id - OPTION_ACTIONS]->call);
    fputc('\n', out);
}

void args_print_help(FILE *out)
{
    struct option_row rows[OPTIONS_MAX];
    size_t count = options_all(rows);

    fputs(
        "Usage: heaptop [OPTIONS] [PID | PATTERN]\n"
        "       heaptop [OPTIONS] -- PROGRAM ARGS...\n"
        "Shows the memory of a running CPython process. Without an argument: a list of\n"
        "processes to choose from. With --: starts the program, the agent in it.\n\n",
        out);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].id == OPTION_ACTIONS)
            fputs("\n  One action in the target; prints what changed, and exits:\n", out);
        print_row(out, &rows[i]);
        if (rows[i].id >= OPTION_ACTIONS &&
            (i + 1 == count || rows[i + 1].id < OPTION_ACTIONS))
            fputc('\n', out);
    }
    fputs(
        "\nExit status: 0 as asked, 1 failure, 2 usage, 3 target gone, 4 not permitted,\n"
        "5 not CPython or not supported, 6 recording damaged, 7 what --until waits for "
        "came\n"
        "true.\n",
        out);
}
