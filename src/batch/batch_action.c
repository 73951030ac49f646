/*
 * --collect, --trim and the like: one action in the target, and what it changed. An
 * action that frees objects runs between two walks.
 */
#include "batch/batch.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/partition.h"
#include "sink/json_value.h"
#include "util/clock.h"

#define KIND_ROWS        20
#define WALK_PATIENCE_NS (120 * NS_PER_S)

struct run {
    const struct args *args;
    const struct action_ops *action;
    const struct sink_ops *sink; /* of a sample, where the action makes one */
    struct batch batch;
    const struct snapshot *before, *after; /* references */
    struct action_result result;
    int64_t fresh_mono_ns; /* a walk or sample that began before this is too old */
    bool is_ordered;       /* and its result has not come yet */
    bool is_done;          /* its result has come */
    bool is_left;          /* a signal came: nothing more is printed */
};

static bool walks(const struct run *run)
{
    return run->action->flags & ACTION_FREES_OBJECTS;
}

static bool looks(const struct run *run)
{
    return run->action->flags & ACTION_LOOKS;
}

static bool is_copied(const struct run *run)
{
    return run->action->flags & ACTION_COPIES;
}

/* What a look saw is shown by the plugins, which were asked again since. */
static bool have_answered(const struct snapshot *snapshot, int64_t since_ns)
{
    for (size_t i = 0; snapshot->plugins && i < snapshot->plugins->n_views; i++) {
        const struct plugin_view *view = &snapshot->plugins->views[i];

        if (view->state == PLUGIN_READY && view->table &&
            view->answered_mono_ns < since_ns)
            return false;
    }
    return true;
}

static bool shows_plugins(const struct run *run)
{
    const struct plugins_section *plugins = run->after->plugins;

    for (size_t i = 0; looks(run) && plugins && i < plugins->n_views; i++)
        if (plugins->views[i].table)
            return true;
    return false;
}

static bool is_fresh(const struct run *run, const struct snapshot *snapshot)
{
    if (!snapshot->is_complete || snapshot->mono_ns < run->fresh_mono_ns)
        return false;
    if (is_copied(run) && run->is_done)
        return snapshot->objects && snapshot->objects->walk.is_exact;
    if (looks(run) && run->is_done)
        return have_answered(snapshot, run->fresh_mono_ns);
    if (!walks(run))
        return true;
    if (!snapshot->objects)
        return !run->before || !run->before->objects;
    return snapshot->objects->walk.began_mono_ns >= run->fresh_mono_ns;
}

static int say_left(struct run *run, struct err *err)
{
    char call[ACTION_CALL_MAX];

    run->is_left = true;
    if (!run->is_ordered || !sampler_hold_actions(run->batch.sampler))
        return 0;
    action_call(call, run->action, &run->args->action_arguments);
    return err_set(err, ERR_FAILED,
                   "left while %s was under way in process %d: it goes on to its end "
                   "there, and its result is not known",
                   call, (int)run->args->pid);
}

/* 1: a message; 0: heaptop was asked to leave; -1: nothing more will come. */
static int next_message(struct run *run, int64_t deadline_mono_ns,
                        struct sampler_message *message, struct err *err)
{
    enum batch_event event;

    do /* there is nothing to mark here */
        event = batch_next(&run->batch, deadline_mono_ns, message, err);
    while (event == BATCH_MARK);
    switch (event) {
    case BATCH_FAILED:
        return -1;
    case BATCH_SIGNAL:
        return say_left(run, err);
    case BATCH_TIMEOUT:
        return err_set(err, ERR_FAILED, "the heap could not be walked in time");
    case BATCH_MARK:
    case BATCH_MESSAGE:
        break;
    }
    if (message->type != SAMPLER_ENDED)
        return 1;
    *err = message->err;
    return -1;
}

/* Waits for a complete snapshot that is not older than fresh_mono_ns. */
static int take_snapshot(struct run *run, const struct snapshot **snapshot,
                         struct err *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + WALK_PATIENCE_NS;
    struct sampler_message message;
    int status;

    while ((status = next_message(run, deadline_ns, &message, err)) > 0) {
        if (message.type != SAMPLER_SNAPSHOT)
            continue;
        if (is_fresh(run, message.snapshot)) {
            *snapshot = message.snapshot;
            return 0;
        }
        snapshot_unref(message.snapshot);
    }
    return status;
}

static int take_result(struct run *run, struct err *err)
{
    struct sampler_message message;
    int status;

    run->is_ordered = true;
    while ((status = next_message(run, INT64_MAX, &message, err)) > 0) {
        if (message.type == SAMPLER_SNAPSHOT)
            snapshot_unref(message.snapshot);
        if (message.type != SAMPLER_ACTION_RESULT)
            continue;
        run->is_ordered = false;
        run->is_done = true;
        run->result = message.result;
        run->fresh_mono_ns = clock_monotonic_ns();
        *err = message.result.err;
        return err->code == ERR_NONE ? 0 : -1;
    }
    if (status < 0 && !run->is_left)
        err_prefix(err, "the result of %s is not known", run->action->call);
    return status;
}

/* The agent makes objects of its own when it comes: the walk is done once it is in. */
static int look_before(struct run *run, struct err *err)
{
    const struct snapshot *first = NULL;
    int result;

    if (take_snapshot(run, &first, err) || run->is_left)
        return -(err->code != ERR_NONE);
    run->before = first;
    if (!first->objects || !walks(run))
        return 0;
    run->fresh_mono_ns = clock_monotonic_ns();
    sampler_sample_now(run->batch.sampler, true);
    result = take_snapshot(run, &run->before, err);
    if (run->before != first)
        snapshot_unref(first);
    return result;
}

static int act(struct run *run, struct err *err)
{
    if (look_before(run, err) || run->is_left)
        return -(err->code != ERR_NONE);
    if (sampler_run_action(run->batch.sampler, run->action, &run->args->action_arguments,
                           err) ||
        take_result(run, err) || run->is_left)
        return -(err->code != ERR_NONE);
    return take_snapshot(run, &run->after, err);
}

/* No rows where nothing was walked. */
static int changed_kinds(const struct run *run, struct partition *partition,
                         struct err *err)
{
    memset(partition, 0, sizeof(*partition));
    if (!run->before->objects || !run->after->objects || !walks(run))
        return 0;
    if (partition_changes(partition, run->after->objects, run->before->objects,
                          run->args->filter))
        return err_set(err, ERR_FAILED, "there is not enough memory for the table");
    return 0;
}

static size_t count_rows(const struct run *run, const struct partition *partition,
                         size_t standard)
{
    size_t most = run->args->rows > 0 ? (size_t)run->args->rows : standard;

    return partition->count < most ? partition->count : most;
}

static void print_kinds(const struct run *run, const struct partition *partition)
{
    size_t n_rows = count_rows(run, partition, KIND_ROWS);
    char count[UNITS_MAX], size[UNITS_MAX], memory[UNITS_MAX];

    if (n_rows)
        printf("\n%14s %10s %10s  %s\n", "COUNT", "SIZE", "MEMORY", "KIND");
    for (size_t i = 0; i < n_rows; i++) {
        const struct partition_row *row = &partition->rows[i];

        printf("%14s %10s %10s  %s\n",
               units_count_delta(count, reading_exact(row->count_delta)),
               units_bytes_delta(size, reading_exact(row->size_delta_bytes)),
               units_bytes_delta(memory, reading_exact(row->memory_delta_bytes)),
               row->now.kind->name);
    }
    if (n_rows < partition->count)
        printf("%14s %10s %10s  (%zu more kinds)\n", "", "", "",
               partition->count - n_rows);
}

static int print_text(const struct run *run, const struct partition *partition,
                      struct err *err)
{
    const struct action_result *result = &run->result;

    printf("%s\n%s\n", result->words, result->details);
    if (result->undo[0])
        printf("%s\n", result->undo);
    print_kinds(run, partition);
    if (fflush(stdout))
        return err_set(err, ERR_FAILED, "cannot write the result");
    return 0;
}

static json_t *json_kinds(const struct run *run, const struct partition *partition)
{
    size_t n_rows = count_rows(run, partition, SIZE_MAX);
    json_t *array = json_array();

    for (size_t i = 0; i < n_rows; i++) {
        const struct partition_row *row = &partition->rows[i];
        json_t *object = json_object();

        json_add_text(object, "kind", row->now.kind->name);
        json_add(object, "count_delta", json_integer(row->count_delta));
        json_add(object, "size_delta_bytes", json_integer(row->size_delta_bytes));
        json_add(object, "memory_delta_bytes", json_integer(row->memory_delta_bytes));
        json_add_count(object, "count", row->now.count);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_numbers(const struct reading *readings, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, reading_is_known(readings[i])
                                         ? json_integer(readings[i].value)
                                         : json_null());
    return array;
}

/* Name, and values before and after: one, or as many as the action has parameters. */
static json_t *json_setting(const struct run *run)
{
    const struct action_ops *action = run->action;
    size_t count = action->n_parameters ? action->n_parameters : 1;
    json_t *object;

    if (!action->setting)
        return json_null();
    object = json_object();
    json_add_text(object, "name", action->setting);
    json_add(object, "before", json_numbers(run->result.before, count));
    json_add(object, "after", json_numbers(run->result.after, count));
    return object;
}

static json_t *json_arguments(const struct run *run)
{
    json_t *array = json_array();

    for (size_t i = 0; i < run->action->n_parameters; i++)
        if (run->args->action_arguments.values[i] != ACTION_NOT_GIVEN)
            json_array_append_new(array,
                                  json_integer(run->args->action_arguments.values[i]));
    return array;
}

/* A collection keeps the schema that it had when it was the only action. */
static void json_name(const struct run *run, json_t *object)
{
    bool is_collect = run->action->event == EVENT_COLLECT;

    json_add_text(object, "schema",
                  is_collect ? "heaptop.collect/1" : "heaptop.action/1");
    json_add_time(object, "time", run->after->wall_ns);
    json_add_count(object, "pid", (uint64_t)run->after->target.pid);
    json_add_text(object, "action", run->action->name);
    json_add(object, "arguments", json_arguments(run));
    if (is_collect)
        json_add_count(object, "generation",
                       (uint64_t)run->args->action_arguments.values[0]);
}

static int print_json(const struct run *run, const struct partition *partition,
                      struct err *err)
{
    const struct action_result *result = &run->result;
    json_t *object = json_object();

    json_name(run, object);
    json_add_text(object, "words", result->words);
    json_add_text(object, "undo", result->undo);
    json_add(object, "setting", json_setting(run));
    json_add_reading(object, "unreachable", result->unreachable);
    json_add_reading(object, "uncollectable", result->uncollectable);
    json_add_seconds(object, "pause_s", result->pause_ns);
    json_add_seconds(object, "elapsed_s", result->elapsed_ns);
    json_add_seconds(object, "gil_wait_s", result->gil_wait_ns);
    json_add_seconds(object, "gil_held_s", result->gil_held_ns);
    json_add_reading(object, "res_before_bytes", result->res_before_bytes);
    json_add_reading(object, "res_after_bytes", result->res_after_bytes);
    json_add_reading(object, "arenas_before", result->arenas_before);
    json_add_reading(object, "arenas_after", result->arenas_after);
    json_add_reading(object, "blocks_before", result->blocks_before);
    json_add_reading(object, "blocks_after", result->blocks_after);
    json_add(object, "kinds",
             run->after->objects && walks(run) ? json_kinds(run, partition)
                                               : json_null());
    return json_write_line(stdout, object, err);
}

static int print(const struct run *run, struct err *err)
{
    struct partition partition;
    int result;

    /* What was walked or looked at is what was wanted: a sample like any other. */
    if (is_copied(run) || shows_plugins(run))
        return batch_write(run->args, run->sink, run->after, err);
    if (changed_kinds(run, &partition, err))
        return -1;
    result = strcmp(run->args->output, "json") != 0 ? print_text(run, &partition, err)
                                                    : print_json(run, &partition, err);
    partition_release(&partition);
    return result;
}

/* Most actions are the agent's: without it there is nothing to do. */
int batch_action(const struct args *args, const struct sink_ops *sink, int signal_fd,
                 struct err *err)
{
    struct run run = {.args = args, .action = args->action, .sink = sink};
    struct args own = *args;
    int result;

    if (!looks(&run))
        own.sampler.agent = AGENT_REQUIRE;
    if (!walks(&run))
        own.sampler.walk_interval_ns = WALK_OFF;
    if (batch_open(&run.batch, &own, signal_fd, err))
        return -1;
    result = act(&run, err);
    if (!result && !run.is_left)
        result = print(&run, err);
    snapshot_unref(run.before);
    snapshot_unref(run.after);
    batch_close(&run.batch);
    return result;
}
