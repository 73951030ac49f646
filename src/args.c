#include "args.h"
#include "args_check.h"
#include "args_table.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/duplicates.h"
#include "model/kind.h"
#include "model/kind_detail.h"
#include "sink/metrics.h"
#include "util/clock.h"

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
    static const char *const names[] = {
#define SINK(name) #name,
#include "sink/sinks.def"
#undef SINK
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(value, names[i]) != 0)
            continue;
        args->output = names[i];
        args->has_output = true;
        return 0;
    }
    return usage(err, "output", value, "text, json, csv or openmetrics");
}

/* A label of every series; whoever draws them has to read it. */
static int set_name(struct args *args, const char *value, struct err *err)
{
    if (!*value || strlen(value) >= TARGET_NAME_MAX)
        return usage(err, "name", value, "a name of up to 63 bytes");
    args->name = value;
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

static int use_plugin(struct args *args, const char *name, struct err *err)
{
    if (args->plugins.n_used == PLUGINS_MAX)
        return usage(err, "plugin", name, "at most 16 names");
    if (!plugin_is_used(&args->plugins, name))
        args->plugins.used[args->plugins.n_used++] = name;
    return 0;
}

static int set_sort(struct args *args, const char *value)
{
    if (!strcmp(value, "help"))
        args->request = ARGS_COLUMNS;
    else
        args->sort = value;
    return 0;
}

/* Options that only keep their text. False: not one of them. */
static bool set_text(struct args *args, enum option_id id, const char *value)
{
    switch (id) {
    case OPTION_PANE:
        args->pane = value;
        return true;
    case OPTION_FILTER:
        args->filter = value;
        return true;
    case OPTION_PLUGIN_DIR:
        args->plugins.folder = value;
        return true;
    case OPTION_CONFIG:
        args->config = value;
        return true;
    case OPTION_VERBOSE:
        args->verbose = value;
        return true;
    case OPTION_HOLDERS:
        args->holders = value;
        return true;
    case OPTION_WRITE:
        args->write = value;
        return true;
    case OPTION_TEXTFILE:
        args->textfile = value;
        return true;
    case OPTION_LISTEN:
        args->listen = value;
        return true;
    case OPTION_READ:
        args->read = value;
        return true;
    case OPTION_BEGIN:
        args->begin = value;
        return true;
    case OPTION_END:
        args->end = value;
        return true;
    case OPTION_CUT:
        args->cut = value;
        return true;
    case OPTION_COMPARE:
        args->compare = value;
        return true;
    default:
        return false;
    }
}

/* Options without a value. */
static bool set_flag(struct args *args, enum option_id id)
{
    switch (id) {
    case OPTION_VERDICT:
        args->verdict = true;
        return true;
    case OPTION_CHANGES:
        args->changes = true;
        return true;
    case OPTION_LISTEN_REMOTE:
        args->listen_remote = true;
        return true;
    case OPTION_LABEL_PID:
        args->label_pid = true;
        return true;
    case OPTION_BATCH:
        args->is_batch = true;
        return true;
    case OPTION_SHOW_VALUES:
        args->inquiry.shows_values = true;
        return true;
    case OPTION_READ_ONLY:
        args->sampler.read_only = true;
        return true;
    case OPTION_SELFCHECK:
        args->selfcheck = true;
        return true;
    case OPTION_NO_COLOR:
        args->use_color = false;
        return true;
    case OPTION_NO_UNICODE:
        args->use_unicode = false;
        return true;
    case OPTION_NO_MOUSE:
        args->use_mouse = false;
        return true;
    default:
        return false;
    }
}

static int set_option(struct args *args, enum option_id id, const char *value,
                      struct err *err)
{
    if (set_text(args, id, value) || set_flag(args, id))
        return 0;
    switch (id) {
    case OPTION_DELAY:
        return set_delay(args, value, err);
    case OPTION_WALK:
        return set_walk(args, value, err);
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
    case OPTION_METRICS:
        return metrics_parse(value, &args->metric_sets, err);
    case OPTION_NAME:
        return set_name(args, value, err);
    case OPTION_SORT:
        return set_sort(args, value);
    case OPTION_ITERATIONS:
    case OPTION_ROWS:
        return set_number(args, id, value, err);
    case OPTION_KIND:
        args->inquiry.kind = kind_intern(value, strlen(value));
        if (!args->inquiry.topic)
            args->inquiry.topic = INQUIRY_KIND;
        return 0;
    case OPTION_DUPLICATES:
        args->inquiry.topic = INQUIRY_DUPLICATES;
        return 0;
    case OPTION_PLUGIN:
        return use_plugin(args, value, err);
    case OPTION_LIST_PLUGINS:
        args->request = ARGS_PLUGINS;
        return 0;
    case OPTION_VERSION:
        args->request = ARGS_VERSION;
        return 0;
    case OPTION_HELP:
        args->request = ARGS_HELP;
        return 0;
    default: /* set_text(), set_flag(), set_any() */
        return 0;
    }
}

/* What stands in the configuration is for when there is a process. */
static void note_live_option(struct args *args, int id, const char *value)
{
    if (id == OPTION_PLUGIN || id == OPTION_PLUGIN_DIR)
        args->live_option = id == OPTION_PLUGIN ? "plugin" : "plugin-dir";
    else if (id == OPTION_WALK || id == OPTION_MARK_EVERY)
        args->live_option = id == OPTION_WALK ? "walk" : "mark-every";
    else if (id == OPTION_AGENT)
        args->asks_for_agent = !strcmp(value, "require");
}

static int set_any(struct args *args, int id, const char *value, struct err *err)
{
    if (id >= OPTION_ACTIONS)
        return set_action(args, actions[id - OPTION_ACTIONS], value, err);
    note_live_option(args, id, value);
    if (id == OPTION_TREE)
        args->tree = true;
    return set_option(args, (enum option_id)id, value, err);
}

bool args_set(struct args *args, const char *name, const char *value, struct err *err)
{
    const struct option_row *fixed;
    size_t count = options_fixed(&fixed);

    for (size_t i = 0; i < count; i++) {
        const struct option_row *row = &fixed[i];

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

static int unknown_option(struct err *err, int missing, char **argv, int letter)
{
    const char *word = argv[optind > 0 ? optind - 1 : 0];

    if (missing == ':')
        err_set(err, ERR_USAGE, "%.60s needs an argument", word);
    else if (!strncmp(word, "--", 2))
        err_set(err, ERR_USAGE, "there is no option %.60s", word);
    else
        err_set(err, ERR_USAGE, "there is no option -%c", letter);
    return err_remedy(err, "heaptop --help lists the options");
}

static void getopt_tables(struct option longs[OPTIONS_MAX + 1],
                          char shorts[2 * OPTIONS_MAX + 2])
{
    struct option_row rows[OPTIONS_MAX];
    size_t used = 0, count = options_all(rows);

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

/* What was asked that only a process can answer; NULL: nothing. */
static const char *asks_a_process(const struct args *args)
{
    if (args->textfile || args->listen)
        return args->textfile ? "textfile" : "listen";
    if (args->inquiry.topic)
        return strcmp(args->inquiry.topic, INQUIRY_KIND) ? "duplicates" : "kind";
    if (args->holders || args->born_ns)
        return args->holders ? "holders" : "born";
    if (args->tree)
        return "tree";
    return args->asks_for_agent ? "agent=require" : args->live_option;
}

static int check_recording(const struct args *args, struct err *err)
{
    if (args->read && (args->pid || args->pattern || args->command))
        err_set(err, ERR_USAGE, "--read looks at a recording, not at a process");
    else if (args->read && (args->write || args->action || args->selfcheck))
        err_set(err, ERR_USAGE, "a recording cannot be recorded, changed or checked");
    else if (args->read && asks_a_process(args))
        err_set(err, ERR_USAGE, "--%s is of a process that lives, not of a recording",
                asks_a_process(args));
    else if (!args->read && (args->begin || args->end))
        err_set(err, ERR_USAGE, "--begin and --end are of a recording: --read names it");
    else if (!args->read && (args->compare || args->changes || args->cut))
        err_set(err, ERR_USAGE,
                "--compare, --changes and --cut are of a recording: --read names it");
    else if ((args->compare != NULL) + args->changes + (args->cut != NULL) > 1)
        err_set(err, ERR_USAGE, "--compare, --changes, --cut: one at a time");
    else
        return 0;
    if (args->live_option && !strncmp(args->live_option, "plugin", 6) &&
        asks_a_process(args) == args->live_option)
        return err_remedy(err, "what plugins answered is in the recording: key P, "
                               "--pane plugin:NAME, -o json");
    return err_remedy(err, "leave one of them out");
}

/* What is asked of one process. */
static bool asks_of_one(const struct args *args)
{
    return args->read || args->write || args->command || args->action ||
           args->selfcheck || args->verdict || args->inquiry.topic || args->holders ||
           args->born_ns || args->asks_for_agent;
}

static int check_tree(const struct args *args, struct err *err)
{
    if (!args->tree)
        return 0;
    if (!args->pid && !args->pattern) {
        err_set(err, ERR_USAGE, "--tree of which process?");
        return err_remedy(err, "heaptop --tree PID, or heaptop --tree PATTERN");
    }
    if (!asks_of_one(args))
        return 0;
    err_set(err, ERR_USAGE, "--tree looks at many processes, another option at one");
    return err_remedy(err, "use --write, --verdict, actions, --selfcheck and the like "
                           "with one PID");
}

static int check_action(const struct args *args, struct err *err)
{
    bool looks = args->action && args->action->flags & ACTION_LOOKS;

    if (!args->action)
        return 0;
    if (args->sampler.read_only)
        err_set(err, ERR_USAGE, "--%s %s the target, --read-only forbids it",
                args->action->name, looks ? "may stop threads of" : "changes");
    else if (args->sampler.agent == AGENT_NEVER)
        err_set(err, ERR_USAGE, "--%s %s, --agent=never forbids it", args->action->name,
                looks ? "may stop threads of the target" : "needs the agent");
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
    if (check_action(args, err) || parse_operands(args, argc, argv, n_words, err) ||
        check_recording(args, err) || check_tree(args, err))
        return -1;
    return args_check_output(args, err);
}
