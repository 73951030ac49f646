/* --collect: one gc.collect() in the target between two walks, and what it changed. */
#include "batch/batch.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/partition.h"
#include "sink/json_value.h"
#include "util/clock.h"

#define COLLECT_ROWS        20
#define COLLECT_PATIENCE_NS (120 * NS_PER_S)

struct collect {
    const struct args *args;
    struct batch batch;
    const struct snapshot *before, *after; /* references */
    struct action_result result;
    int64_t fresh_mono_ns; /* a walk that began before this is too old */
    bool is_left;          /* a signal came: nothing more is printed */
};

static bool has_fresh_walk(const struct collect *collect, const struct snapshot *snapshot)
{
    if (!snapshot->is_complete)
        return false;
    if (!snapshot->objects)
        return !collect->before || !collect->before->objects;
    return snapshot->objects->walk.began_mono_ns >= collect->fresh_mono_ns;
}

/* 1: a message; 0: heaptop was asked to leave; -1: nothing more will come. */
static int collect_next(struct collect *collect, int64_t deadline_mono_ns,
                        struct sampler_message *message, struct err *err)
{
    switch (batch_next(&collect->batch, deadline_mono_ns, message, err)) {
    case BATCH_FAILED:
        return -1;
    case BATCH_SIGNAL:
        collect->is_left = true;
        return 0;
    case BATCH_TIMEOUT:
        return err_set(err, ERR_FAILED, "the heap could not be walked in time");
    case BATCH_MESSAGE:
        break;
    }
    if (message->type != SAMPLER_ENDED)
        return 1;
    *err = message->err;
    return -1;
}

/* Waits for a complete snapshot whose walk did not begin before fresh_mono_ns. */
static int collect_snapshot(struct collect *collect, const struct snapshot **snapshot,
                            struct err *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + COLLECT_PATIENCE_NS;
    struct sampler_message message;
    int status;

    while ((status = collect_next(collect, deadline_ns, &message, err)) > 0) {
        if (message.type != SAMPLER_SNAPSHOT)
            continue;
        if (has_fresh_walk(collect, message.snapshot)) {
            *snapshot = message.snapshot;
            return 0;
        }
        snapshot_unref(message.snapshot);
    }
    return status;
}

static int collect_result(struct collect *collect, struct err *err)
{
    struct sampler_message message;
    int status;

    while ((status = collect_next(collect, INT64_MAX, &message, err)) > 0) {
        if (message.type == SAMPLER_SNAPSHOT)
            snapshot_unref(message.snapshot);
        if (message.type != SAMPLER_ACTION_RESULT)
            continue;
        collect->result = message.result;
        collect->fresh_mono_ns = clock_monotonic_ns();
        *err = message.result.err;
        return err->code == ERR_NONE ? 0 : -1;
    }
    return status;
}

/* The agent makes objects of its own when it comes: the walk is done once it is in. */
static int collect_before(struct collect *collect, struct err *err)
{
    const struct snapshot *first = NULL;
    int result;

    if (collect_snapshot(collect, &first, err) || collect->is_left)
        return -(err->code != ERR_NONE);
    collect->before = first;
    if (!first->objects)
        return 0;
    collect->fresh_mono_ns = clock_monotonic_ns();
    sampler_sample_now(collect->batch.sampler, true);
    result = collect_snapshot(collect, &collect->before, err);
    if (collect->before != first)
        snapshot_unref(first);
    return result;
}

static int collect_act(struct collect *collect, struct err *err)
{
    const struct action_ops *action = action_find("collect");

    if (!action)
        return err_set(err, ERR_UNSUPPORTED, "gc.collect is not part of this build");
    if (collect_before(collect, err) || collect->is_left)
        return -(err->code != ERR_NONE);
    if (sampler_run_action(collect->batch.sampler, action,
                           collect->args->collect_generation, err) ||
        collect_result(collect, err) || collect->is_left)
        return -(err->code != ERR_NONE);
    return collect_snapshot(collect, &collect->after, err);
}

/* Kinds by what they lost: the smallest difference first; unchanged kinds are cut. */
static int collect_partition(const struct collect *collect, struct partition *partition,
                             struct err *err)
{
    struct partition_options options = {.sort = PARTITION_BY_MEMORY_DELTA,
                                        .ascending = true,
                                        .filter = collect->args->filter};
    size_t n_kept = 0;

    memset(partition, 0, sizeof(*partition));
    if (!collect->before->objects || !collect->after->objects)
        return 0;
    if (partition_make(partition, collect->after->objects, collect->before->objects,
                       &options))
        return err_set(err, ERR_FAILED, "there is not enough memory for the table");
    for (size_t i = 0; i < partition->count; i++)
        if (partition->rows[i].count_delta || partition->rows[i].memory_delta_bytes)
            partition->rows[n_kept++] = partition->rows[i];
    partition->count = n_kept;
    return 0;
}

static size_t collect_rows(const struct collect *collect,
                           const struct partition *partition, size_t standard)
{
    size_t most = collect->args->rows > 0 ? (size_t)collect->args->rows : standard;

    return partition->count < most ? partition->count : most;
}

static int collect_print_text(const struct collect *collect,
                              const struct partition *partition, struct err *err)
{
    size_t n_rows = collect_rows(collect, partition, COLLECT_ROWS);
    char count[UNITS_MAX], size[UNITS_MAX], memory[UNITS_MAX];

    printf("%s\n", collect->result.words);
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
    if (fflush(stdout))
        return err_set(err, ERR_FAILED, "cannot write the result");
    return 0;
}

static json_t *collect_json_kinds(const struct collect *collect,
                                  const struct partition *partition)
{
    size_t n_rows = collect_rows(collect, partition, SIZE_MAX);
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

static int collect_print_json(const struct collect *collect,
                              const struct partition *partition, struct err *err)
{
    const struct action_result *result = &collect->result;
    json_t *object = json_object();

    json_add_text(object, "schema", "heaptop.collect/1");
    json_add_time(object, "time", collect->after->wall_ns);
    json_add_count(object, "pid", (uint64_t)collect->after->target.pid);
    json_add_count(object, "generation", (uint64_t)collect->args->collect_generation);
    json_add_text(object, "words", result->words);
    json_add_reading(object, "unreachable", result->unreachable);
    json_add_reading(object, "uncollectable", result->uncollectable);
    json_add_seconds(object, "pause_s", result->pause_ns);
    json_add_reading(object, "res_before_bytes", result->res_before_bytes);
    json_add_reading(object, "res_after_bytes", result->res_after_bytes);
    json_add_reading(object, "arenas_before", result->arenas_before);
    json_add_reading(object, "arenas_after", result->arenas_after);
    json_add_reading(object, "blocks_before", result->blocks_before);
    json_add_reading(object, "blocks_after", result->blocks_after);
    json_add(object, "kinds",
             collect->after->objects ? collect_json_kinds(collect, partition)
                                     : json_null());
    return json_write_line(stdout, object, err);
}

static int collect_print(const struct collect *collect, struct err *err)
{
    struct partition partition;
    int result;

    if (collect_partition(collect, &partition, err))
        return -1;
    result = strcmp(collect->args->output, "json") != 0
                 ? collect_print_text(collect, &partition, err)
                 : collect_print_json(collect, &partition, err);
    partition_release(&partition);
    return result;
}

/* The action is the agent's: without it there is nothing to do. */
int batch_collect(const struct args *args, int signal_fd, struct err *err)
{
    struct collect collect = {.args = args};
    struct args own = *args;
    int result;

    own.sampler.agent = AGENT_REQUIRE;
    if (batch_open(&collect.batch, &own, signal_fd, err))
        return -1;
    result = collect_act(&collect, err);
    if (!result && !collect.is_left)
        result = collect_print(&collect, err);
    snapshot_unref(collect.before);
    snapshot_unref(collect.after);
    batch_close(&collect.batch);
    return result;
}
