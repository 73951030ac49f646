/* Wiring: arguments, configuration, then the screen or batch; the exit status. */
#include <config.h> /* PACKAGE_VERSION */

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "attach/injector_start.h"
#include "attach/witness_start.h"
#include "attach/launch.h"
#include "batch/batch.h"
#include "choose.h"
#include "configuration.h"
#include "guard/guard.h"
#include "plugin/keeper.h"
#include "sink/columns.h"
#include "target/files.h"
#include "target/scope.h"
#include "target/vectors.h"
#include "tui/tui.h"
#include "util/log.h"

static int print_error(const struct err *err)
{
    fprintf(stderr, "heaptop: %s\n", err->text);
    if (err->remedy[0])
        fprintf(stderr, "  %s\n", err->remedy);
    return err->code == ERR_NONE ? ERR_FAILED : (int)err->code;
}

static int open_log(const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        err_set_errno(err, ERR_USAGE, errno, "cannot write the log %.200s", path);
        return err_remedy(err, "give --verbose a file that can be written");
    }
    log_open(fd);
    return 0;
}

/* The command line is read twice, because it names the file that it overrides. */
static int read_options(struct args *args, struct config *config, int argc, char **argv,
                        struct err *err)
{
    struct args first;

    args_init(&first);
    if (args_parse(&first, argc, argv, err))
        return -1;
    if (first.verbose && open_log(first.verbose, err))
        return -1;
    args_init(args);
    if ((first.request == ARGS_WATCH || first.request == ARGS_PLUGINS) &&
        config_load(config, first.config, args, err))
        return -1;
    return args_parse(args, argc, argv, err);
}

/* What the privileged helper does for the rest of heaptop. */
static const struct helper_service *const services[] = {
    &target_files_service,   &target_look_service,    &target_io_service,
    &vectors_service,        &injector_start_service, &injector_end_service,
    &injector_write_service, &witness_start_service,  NULL,
};

/* From here on this process may read what others wrote. */
static int begin_guard(struct args *args, struct err *err)
{
    struct guard_options options = {
        .services = services,
        .target = args->pid,
        /* A recording is its owner's, and SQLite keeps notes beside it. */
        .keeps_user = args->command || args->read,
        .watches_many = args->tree || args->read};

    if (args->read)
        options.needs |= GUARD_WRITES;
    else if (args->command ||
             (args->sampler.agent != AGENT_NEVER && !guard_is_privileged()))
        options.needs |= GUARD_ATTACHES;
    args->sampler.rights = guard_words();
    if (args->tree && guard_is_privileged())
        scope_set_root(args->pid);
    return guard_begin(&options, err);
}

/* Each plugin is loaded once, by a process of its own, to be asked what it is. */
static int list_plugins(const struct args *args)
{
    struct keeper *keeper;
    struct err err = ERR_INIT;
    int result;

    if (keeper_start(&args->plugins, &keeper, &err))
        return print_error(&err);
    result = batch_plugins(keeper, !strcmp(args->output, "json"), &err);
    keeper_stop(keeper);
    return result ? print_error(&err) : 0;
}

static void print_columns(void)
{
    columns_print(stdout);
    tui_print_columns(stdout);
}

static int print_request(const struct args *args)
{
    if (args->request == ARGS_HELP)
        args_print_help(stdout);
    else if (args->request == ARGS_PLUGINS)
        return list_plugins(args);
    else if (args->request == ARGS_VERSION)
        printf("heaptop %s\n", PACKAGE_VERSION);
    else
        print_columns();
    return fflush(stdout) ? ERR_FAILED : 0;
}

/* Who gave no terminal wants text, and without -n one sample of it. */
static void settle_batch(struct args *args)
{
    bool is_terminal = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);

    if (strcmp(args->output, "text") != 0 || args->action || args->selfcheck ||
        args->has_until || args->verdict || args->inquiry.topic || args->holders ||
        args->born_ns || beside_is_wanted(args) || args->changes || args->cut)
        args->is_batch = true;
    if ((!isatty(STDOUT_FILENO) || args->verdict) && !args->has_iterations &&
        !args->has_until && !beside_is_wanted(args) && !args->read)
        args->iterations = 1;
    if (!is_terminal)
        args->is_batch = true;
}

static const struct sink_ops *sink_of(const struct args *args)
{
    static const struct sink_ops *const sinks[] = {
#define SINK(name) &sink_##name,
#include "sink/sinks.def"
#undef SINK
    };
    size_t i = 0;

    if (args->verdict)
        return &sink_verdict;
    if (beside_is_wanted(args) && !args->has_output)
        return NULL;
    while (strcmp(sinks[i]->name, args->output) != 0)
        i++;
    return sinks[i];
}

static const struct fleet_sink_ops *fleet_sink_of(const struct args *args)
{
    static const struct fleet_sink_ops *const sinks[] = {
        &fleet_sink_text, &fleet_sink_json, &fleet_sink_csv, &fleet_sink_openmetrics};
    size_t i = 0;

    if (beside_is_wanted(args) && !args->has_output)
        return NULL;
    while (strcmp(sinks[i]->name, args->output) != 0)
        i++;
    return sinks[i];
}

static int run_tree(const struct args *args, struct beside *beside, struct err *err)
{
    int signal_fd = batch_block_signals(err);

    if (signal_fd < 0)
        return -1;
    return batch_fleet(args, fleet_sink_of(args), beside, signal_fd, err);
}

static int run_batch(struct args *args, struct beside *beside, struct err *err)
{
    bool has_target = args->pid || args->pattern;
    int signal_fd;

    if (args->tree)
        return run_tree(args, beside, err);
    if (!has_target && !strcmp(args->output, "text") && !args->action &&
        !args->selfcheck && !args->inquiry.topic && !args->holders && !args->born_ns)
        return choose_list(stdout, NULL, err);
    if (!has_target) {
        err_set(err, ERR_USAGE, "no process was named");
        return err_remedy(err, "heaptop without options lists the processes");
    }
    if (!args->pid && choose_pid(args->pattern, &args->pid, err)) {
        struct err ignored = ERR_INIT;

        if (err->code == ERR_USAGE)
            choose_list(stderr, args->pattern, &ignored);
        return -1;
    }
    signal_fd = batch_block_signals(err);
    if (signal_fd < 0)
        return -1;
    if (args->action)
        return batch_action(args, sink_of(args), signal_fd, err);
    if (args->inquiry.topic)
        return batch_inquiry(args, signal_fd, err);
    if (args->holders || args->born_ns)
        return batch_objects(args, signal_fd, err);
    if (args->selfcheck)
        return batch_selfcheck(args, signal_fd, err);
    return batch_run(args, sink_of(args), beside, signal_fd, err);
}

static int run_replay(const struct args *args, struct err *err)
{
    if (args->cut)
        return batch_cut(args, err);
    if (args->changes)
        return batch_changes(args, err);
    if (args->compare)
        return batch_compare(args, err);
    return batch_replay(args, sink_of(args), err);
}

/* A word that names one process goes straight to it, others to the picker. */
static int run_screen(struct args *args, struct recorder *recorder, struct err *err)
{
    struct tui_options options = {
        .read = args->read,
        .begin = args->begin,
        .end = args->end,
        .compare = args->compare,
        .sort = args->sort,
        .filter = args->filter,
        .pane = args->pane,
        .mark_every_ns = args->mark_every_ns,
        .iterations = args->iterations,
        .use_color = args->use_color,
        .use_unicode = args->use_unicode,
        .use_mouse = args->use_mouse,
        .shows_values = args->inquiry.shows_values,
        .recorder = recorder,
        .sampler = args->sampler,
    };

    if (args->tree) {
        options.is_tree = true;
        options.root = args->pid;
        options.pattern = args->pattern;
        return tui_run(&options, err);
    }
    if (!args->pid && args->pattern && choose_pid(args->pattern, &args->pid, err)) {
        if (err->code != ERR_USAGE)
            return -1;
        err->code = ERR_NONE;
        options.pattern = args->pattern;
    }
    options.pid = args->pid;
    return tui_run(&options, err);
}

/* A name that nothing has is a mistake of the command line. */
static int start_plugins(struct args *args, struct err *err)
{
    if (args->read || (args->is_batch && !args->plugins.n_used))
        return 0;
    if (keeper_start(&args->plugins, &args->sampler.keeper, err))
        return -1;
    return keeper_check(args->sampler.keeper, err);
}

/* What stands beside keeps rights that begin_guard() gives up, and plugins are loaded
 * with them. */
static int run(struct args *args, struct err *err)
{
    struct err stop_err = ERR_INIT;
    struct beside beside;
    int result;

    if (beside_start(&beside, args, err) || start_plugins(args, err) ||
        begin_guard(args, err))
        result = -1;
    else if (args->read && args->is_batch)
        result = run_replay(args, err);
    else if (args->is_batch)
        result = run_batch(args, &beside, err);
    else
        result = run_screen(args, beside.recorder, err);
    keeper_stop(args->sampler.keeper);
    return beside_stop(&beside, result ? &stop_err : err) || result ? -1 : 0;
}

/* heaptop -- PROGRAM: its end is no failure of heaptop's, and its status is ours. */
static int run_command(struct args *args, struct err *err)
{
    struct launch_options options = {
        .command = args->command,
        .with_agent = args->sampler.agent != AGENT_NEVER,
        .beside_screen = !args->is_batch,
    };
    struct launch *launch;
    int status = 0, program_status;

    if (launch_start(&options, &launch, err))
        return print_error(err);
    args->sampler.launch = launch;
    if (launch_wait(launch, &args->pid, err))
        status = print_error(err);
    else if (run(args, err) && err->code != ERR_GONE)
        status = print_error(err);
    program_status = launch_end(launch);
    return program_status ? program_status : status;
}

int main(int argc, char **argv)
{
    struct config config = CONFIG_INIT;
    struct err err = ERR_INIT;
    struct args args;
    int status = 0;

    setlocale(LC_CTYPE, "");
    if (guard_check_start(&err))
        return print_error(&err);
    if (read_options(&args, &config, argc, argv, &err)) {
        config_release(&config);
        return print_error(&err);
    }
    if (args.request != ARGS_WATCH)
        return print_request(&args);
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        args.use_unicode = false;
    settle_batch(&args);
    attach_choose_way(args.agent_via);
    if (args.command)
        status = run_command(&args, &err);
    else if (run(&args, &err))
        status = print_error(&err);
    config_release(&config);
    return status;
}
