#include "args.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/duplicates.h"
#include "model/kind.h"
#include "model/kind_detail.h"
#include "util/clock.h"

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
    OPTION_VERSION = 'V',
    OPTION_HELP = 'h',
    OPTION_PANE = 256,
    OPTION_ROWS,
    OPTION_AGENT,
    OPTION_AGENT_VIA,
    OPTION_WALK,
    OPTION_MARK_EVERY,
    OPTION_UNTIL,
    OPTION_VERDICT,
    OPTION_HOLDERS,
    OPTION_BORN,
    OPTION_READ_ONLY,
    OPTION_SELFCHECK,
    OPTION_KIND,
    OPTION_DUPLICATES,
    OPTION_SHOW_VALUES,
    OPTION_CONFIG,
    OPTION_VERBOSE,
    OPTION_ACTIONS = 512, /* and upwards: the actions in their order */
};

struct option_row {
    int id; /* enum option_id; below 256: the letter */
    const char *name;
    int has_argument; /* as getopt: no_argument ... */
    const char *argument;
    const char *help;
};

static const struct option_row option_rows[] = {
    {OPTION_DELAY, "delay", required_argument, "SECS", "time between samples (2)"},
    {OPTION_ITERATIONS, "iterations", required_argument, "N", "end after N samples"},
    {OPTION_BATCH, "batch", no_argument, NULL,
     "no screen: print samples; implied when the output is not a terminal"},
    {OPTION_OUTPUT, "output", required_argument, "FORMAT",
     "batch output: text (default) or json, one object a line"},
    {OPTION_PANE, "pane", required_argument, "NAME",
     "begin with this tab; in batch print only this one"},
    {OPTION_SORT, "sort", required_argument, "[+-]COLUMN",
     "sort by a column, - largest first; \"help\" lists the columns"},
    {OPTION_FILTER, "filter", required_argument, "PATTERN",
     "only kinds whose name contains this"},
    {OPTION_ROWS, "rows", required_argument, "N", "at most N rows of a table (batch)"},
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

#define N_FIXED     (sizeof(option_rows) / sizeof(option_rows[0]))
#define ACTIONS_MAX 32
#define OPTIONS_MAX (N_FIXED + ACTIONS_MAX)

static struct option_row action_row(size_t index)
{
    const struct action_ops *action = actions[index];
    bool needs_value = action->n_parameters && action->parameters[0].is_needed &&
                       action->parameters[0].standard == ACTION_NOT_GIVEN;

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

/* The rows of all options, the actions among them. */
static size_t all_rows(struct option_row rows[OPTIONS_MAX])
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

/* Options that the documents name and this version does not have yet. */
static const char *const later_options[] = {
    "write", "read", "begin", "end", "listen", "textfile", "list-plugins", NULL,
};

void args_init(struct args *args)
{
    const char *no_color = getenv("NO_COLOR");

    memset(args, 0, sizeof(*args));
    args->sampler.interval_ns = 2 * NS_PER_S;
    args->output = "text";
    args->use_color = !no_color || !*no_color;
    args->use_unicode = true;
    args->use_mouse = true;
}

static int usage(struct err *err, const char *option, const char *value,
                 const char *wanted)
{
    err_set(err, ERR_USAGE, "--%s takes %s, not \"%.60s\"", option, wanted, value);
    return err_remedy(err, "heaptop --help lists the options");
}

/* A number in the C locale's form: main() sets only LC_CTYPE. */
static bool parse_seconds(const char *text, double least, int64_t *ns)
{
    char *end;
    double seconds = strtod(text, &end);

    if (end == text || *end || !isfinite(seconds) || seconds < least || seconds > 86400)
        return false;
    *ns = (int64_t)(seconds * (double)NS_PER_S);
    return true;
}

static bool parse_number(const char *text, long long least, long long most,
                         long long *number)
{
    char *end;

    errno = 0;
    *number = strtoll(text, &end, 10);
    return end != text && !*end && !errno && *number >= least && *number <= most;
}

static int set_delay(struct args *args, const char *value, struct err *err)
{
    if (!parse_seconds(value, 0.1, &args->sampler.interval_ns))
        return usage(err, "delay", value, "seconds from 0.1 to 86400");
    return 0;
}

static int set_walk(struct args *args, const char *value, struct err *err)
{
    if (!strcmp(value, "off"))
        args->sampler.walk_interval_ns = WALK_OFF;
    else if (!strcmp(value, "auto"))
        args->sampler.walk_interval_ns = WALK_AUTO;
    else if (!parse_seconds(value, 0.1, &args->sampler.walk_interval_ns))
        return usage(err, "walk", value, "seconds from 0.1 to 86400, auto, or off");
    return 0;
}

static int set_born(struct args *args, const char *value, struct err *err)
{
    if (!parse_seconds(value, 0.1, &args->born_ns))
        return usage(err, "born", value, "seconds from 0.1 to 86400");
    return 0;
}

static int set_mark_every(struct args *args, const char *value, struct err *err)
{
    if (!parse_seconds(value, 1, &args->mark_every_ns))
        return usage(err, "mark-every", value, "seconds from 1 to 86400");
    return 0;
}

static int set_agent(struct args *args, const char *value, struct err *err)
{
    static const char *const names[] = {
        [AGENT_AUTO] = "auto", [AGENT_NEVER] = "never", [AGENT_REQUIRE] = "require"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(value, names[i])) {
            args->sampler.agent = (enum agent_policy)i;
            return 0;
        }
    }
    return usage(err, "agent", value, "auto, never or require");
}

static int set_agent_via(struct args *args, const char *value, struct err *err)
{
    static const char *const names[] = {
        [ATTACH_AUTO] = "auto", [ATTACH_PTRACE] = "ptrace", [ATTACH_REMOTE] = "remote"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (!strcmp(value, names[i])) {
            args->agent_via = (enum attach_way)i;
            return 0;
        }
    }
    return usage(err, "agent-via", value, "auto, ptrace or remote");
}

static int set_output(struct args *args, const char *value, struct err *err)
{
    static const char *const later[] = {"csv", "openmetrics"};

    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        if (!strcmp(value, later[i])) {
            err_set(err, ERR_USAGE, "output as %s is not part of this version", value);
            return err_remedy(err, "use --output=text or --output=json");
        }
    }
    if (strcmp(value, "text") != 0 && strcmp(value, "json") != 0)
        return usage(err, "output", value, "text or json");
    args->output = value;
    return 0;
}

static int set_number(struct args *args, enum option_id id, const char *value,
                      struct err *err)
{
    long long number;

    if (id == OPTION_ITERATIONS) {
        if (!parse_number(value, 1, INT64_MAX, &number))
            return usage(err, "iterations", value, "a number from 1");
        args->iterations = number;
        args->has_iterations = true;
    } else {
        if (!parse_number(value, 1, INT_MAX, &number))
            return usage(err, "rows", value, "a number from 1");
        args->rows = (int)number;
    }
    return 0;
}

static int set_action(struct args *args, const struct action_ops *action,
                      const char *value, struct err *err)
{
    if (args->action && args->action != action) {
        err_set(err, ERR_USAGE, "one action at a time: --%s and --%s were given",
                args->action->name, action->name);
        return err_remedy(err, "run heaptop once for each");
    }
    args->action = action;
    return action_parse(action, value, &args->action_arguments, err);
}

static int set_sort(struct args *args, const char *value)
{
    if (!strcmp(value, "help"))
        args->request = ARGS_COLUMNS;
    else
        args->sort = value;
    return 0;
}

static int set_text(struct args *args, enum option_id id, const char *value)
{
    const char **text = id == OPTION_PANE      ? &args->pane
                        : id == OPTION_FILTER  ? &args->filter
                        : id == OPTION_CONFIG  ? &args->config
                        : id == OPTION_VERBOSE ? &args->verbose
                                               : &args->holders;

    *text = value;
    return 0;
}

static int set_option(struct args *args, enum option_id id, const char *value,
                      struct err *err)
{
    switch (id) {
    case OPTION_DELAY:
        return set_delay(args, value, err);
    case OPTION_WALK:
        return set_walk(args, value, err);
    case OPTION_VERDICT:
        args->verdict = true;
        return 0;
    case OPTION_UNTIL:
        args->has_until = true;
        return condition_parse(&args->until, value, err);
    case OPTION_BORN:
        return set_born(args, value, err);
    case OPTION_MARK_EVERY:
        return set_mark_every(args, value, err);
    case OPTION_AGENT:
        return set_agent(args, value, err);
    case OPTION_AGENT_VIA:
        return set_agent_via(args, value, err);
    case OPTION_OUTPUT:
        return set_output(args, value, err);
    case OPTION_SORT:
        return set_sort(args, value);
    case OPTION_ITERATIONS:
    case OPTION_ROWS:
        return set_number(args, id, value, err);
    case OPTION_ACTIONS: /* not one of these: set_any() */
        return 0;
    case OPTION_PANE:
    case OPTION_FILTER:
    case OPTION_CONFIG:
    case OPTION_VERBOSE:
    case OPTION_HOLDERS:
        return set_text(args, id, value);
    case OPTION_BATCH:
        args->is_batch = true;
        return 0;
    case OPTION_KIND:
        args->inquiry.kind = kind_intern(value, strlen(value));
        if (!args->inquiry.topic)
            args->inquiry.topic = INQUIRY_KIND;
        return 0;
    case OPTION_DUPLICATES:
        args->inquiry.topic = INQUIRY_DUPLICATES;
        return 0;
    case OPTION_SHOW_VALUES:
        args->inquiry.shows_values = true;
        return 0;
    case OPTION_READ_ONLY:
        args->sampler.read_only = true;
        return 0;
    case OPTION_SELFCHECK:
        args->selfcheck = true;
        return 0;
    case OPTION_NO_COLOR:
        args->use_color = false;
        return 0;
    case OPTION_NO_UNICODE:
        args->use_unicode = false;
        return 0;
    case OPTION_NO_MOUSE:
        args->use_mouse = false;
        return 0;
    case OPTION_VERSION:
        args->request = ARGS_VERSION;
        return 0;
    case OPTION_HELP:
        args->request = ARGS_HELP;
        return 0;
    }
    return 0;
}

static int set_any(struct args *args, int id, const char *value, struct err *err)
{
    if (id >= OPTION_ACTIONS)
        return set_action(args, actions[id - OPTION_ACTIONS], value, err);
    return set_option(args, (enum option_id)id, value, err);
}

bool args_set(struct args *args, const char *name, const char *value, struct err *err)
{
    for (size_t i = 0; i < N_FIXED; i++) {
        const struct option_row *row = &option_rows[i];

        if (!row->name || strcmp(row->name, name) != 0)
            continue;
        if (row->has_argument == required_argument && !value)
            err_set(err, ERR_USAGE, "%s needs a value", name);
        else
            set_option(args, row->id, value, err);
        return true;
    }
    return false;
}

static bool is_later_option(const char *word)
{
    size_t length = strcspn(word, "=");

    for (size_t i = 0; later_options[i]; i++)
        if (strlen(later_options[i]) == length &&
            !strncmp(later_options[i], word, length))
            return true;
    return false;
}

static int unknown_option(struct err *err, int missing, char **argv, int letter)
{
    const char *word = argv[optind > 0 ? optind - 1 : 0];

    if (missing == ':')
        err_set(err, ERR_USAGE, "%.60s needs an argument", word);
    else if (!strncmp(word, "--", 2) && is_later_option(word + 2))
        err_set(err, ERR_USAGE, "%.60s is not part of this version", word);
    else if (!strncmp(word, "--", 2))
        err_set(err, ERR_USAGE, "there is no option %.60s", word);
    else if (letter == 'w' || letter == 'r')
        err_set(err, ERR_USAGE, "-%c is not part of this version", letter);
    else
        err_set(err, ERR_USAGE, "there is no option -%c", letter);
    return err_remedy(err, "heaptop --help lists the options");
}

static void getopt_tables(struct option longs[OPTIONS_MAX + 1],
                          char shorts[2 * OPTIONS_MAX + 2])
{
    struct option_row rows[OPTIONS_MAX];
    size_t used = 0, count = all_rows(rows);

    shorts[used++] = ':'; /* a missing argument is told apart */
    for (size_t i = 0; i < count; i++) {
        const struct option_row *row = &rows[i];

        longs[i] = (struct option){row->name, row->has_argument, NULL, row->id};
        if (row->id >= 256)
            continue;
        shorts[used++] = (char)row->id;
        if (row->has_argument == required_argument)
            shorts[used++] = ':';
    }
    shorts[used] = '\0';
    longs[count] = (struct option){NULL, 0, NULL, 0};
}

static int parse_target(struct args *args, const char *word, struct err *err)
{
    long long number;

    if (word[strspn(word, "0123456789")] || !*word) {
        args->pattern = word;
        return 0;
    }
    if (!parse_number(word, 1, INT_MAX, &number)) {
        err_set(err, ERR_USAGE, "%.40s is not a process number", word);
        return err_remedy(err, "heaptop without an argument lists the processes");
    }
    args->pid = (pid_t)number;
    return 0;
}

/* How many words stand behind the first "--"; -1 without one. */
static int words_of_command(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (!strcmp(argv[i], "--"))
            return argc - i - 1;
    return -1;
}

static int parse_command(struct args *args, int argc, char **argv, int n_words,
                         struct err *err)
{
    if (!n_words) {
        err_set(err, ERR_USAGE, "no program follows --");
        return err_remedy(err, "heaptop -- PROGRAM ARGS...");
    }
    if (argc - optind > n_words) {
        err_set(err, ERR_USAGE, "\"%.40s\" and a program to start were given",
                argv[optind]);
        return err_remedy(err, "heaptop PID, or heaptop -- PROGRAM ARGS...");
    }
    args->command = &argv[optind];
    return 0;
}

static int parse_operands(struct args *args, int argc, char **argv, int n_words,
                          struct err *err)
{
    if (optind > 1 && !strcmp(argv[optind - 1], "--") && n_words >= 0)
        return parse_command(args, argc, argv, n_words, err);
    if (argc - optind > 1) {
        err_set(err, ERR_USAGE,
                "one process at a time: \"%.40s\" and \"%.40s\" were given", argv[optind],
                argv[optind + 1]);
        return err_remedy(err, "heaptop PID, or heaptop PATTERN");
    }
    return optind < argc ? parse_target(args, argv[optind], err) : 0;
}

static int check_action(const struct args *args, struct err *err)
{
    if (!args->action)
        return 0;
    if (args->sampler.read_only)
        err_set(err, ERR_USAGE, "--%s changes the target, --read-only forbids it",
                args->action->name);
    else if (args->sampler.agent == AGENT_NEVER)
        err_set(err, ERR_USAGE, "--%s needs the agent, --agent=never forbids it",
                args->action->name);
    else
        return 0;
    return err_remedy(err, "leave one of them out");
}

int args_parse(struct args *args, int argc, char **argv, struct err *err)
{
    struct option longs[OPTIONS_MAX + 1];
    char shorts[2 * OPTIONS_MAX + 2];
    int option, n_words = words_of_command(argc, argv);

    getopt_tables(longs, shorts);
    opterr = 0;
    optind = 0; /* glibc: begin anew, also after an earlier parse */
    while ((option = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        if (option == '?' || option == ':')
            return unknown_option(err, option, argv, optopt);
        if (set_any(args, option, optarg, err))
            return -1;
    }
    if (check_action(args, err))
        return -1;
    return parse_operands(args, argc, argv, n_words, err);
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
    size_t count = all_rows(rows);

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
        "5 not CPython or not supported, 7 what --until waits for came true.\n",
        out);
}
