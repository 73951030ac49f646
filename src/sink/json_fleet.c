/* One object a line and sample of a fleet, schema heaptop.tree/1; doc/json.md says what
 * is in it. */
#include "sink/fleet_sink.h"

#include <stdio.h>
#include <stdlib.h>

#include "sink/json_fleet.h"
#include "sink/json_value.h"
#include "util/xalloc.h"

struct json_fleet_sink {
    FILE *out;
};

static int json_fleet_open(const struct sink_options *options, void **state,
                           struct err *err)
{
    struct json_fleet_sink *sink = xcalloc(1, sizeof(*sink));

    (void)err;
    sink->out = options->out;
    *state = sink;
    return 0;
}

static json_t *json_pid(pid_t pid)
{
    return pid ? json_integer(pid) : json_null();
}

static json_t *json_percent(struct reading milli_percent)
{
    if (!reading_is_known(milli_percent))
        return json_null();
    return json_real((double)milli_percent.value / 1000);
}

static json_t *json_verdict(const struct fleet_row *row)
{
    json_t *object;

    if (!row->rule[0])
        return json_null();
    object = json_object();
    json_add_text(object, "rule", row->rule);
    json_add_text(object, "words", row->verdict);
    return object;
}

static json_t *json_outlier(const struct fleet_row *row)
{
    char words[160];
    json_t *object;

    if (row->outlier == OUTLIER_NONE)
        return json_null();
    fleet_outlier_words(row, words, sizeof(words));
    object = json_object();
    json_add_text(object, "by", outlier_name(row->outlier));
    json_add_reading(object, "bytes", row->outlier_value);
    json_add_reading(object, "median_bytes", row->outlier_median);
    json_add_count(object, "peers", row->peers);
    json_add_text(object, "words", words);
    return object;
}

static json_t *json_sharing(const struct fleet_row *row)
{
    const struct sharing *sharing = &row->sharing;
    json_t *object;

    if (!sharing->wall_ns)
        return json_null();
    object = json_object();
    json_add_time(object, "time", sharing->wall_ns);
    json_add(object, "with_pid", json_pid(sharing->parent));
    json_add_reading(object, "shared_bytes", sharing_shared(sharing));
    json_add_reading(object, "unshared_bytes", sharing_unshared(sharing));
    for (int cause = 0; cause < UNSHARED_CAUSES; cause++) {
        char name[32];

        snprintf(name, sizeof(name), "%s_bytes", unshared_by_name(cause));
        json_add_reading(object, name, sharing_unshared_by(sharing, cause));
    }
    json_add_reading(object, "own_bytes", sharing_own(sharing));
    json_add_reading(object, "freeze_bytes", sharing_freeze(sharing));
    json_add_seconds(object, "cpu_s", reading_exact(sharing->cpu_ns));
    json_add_count(object, "read_bytes", sharing->read_bytes);
    return object;
}

static json_t *json_row(const struct fleet_sample *sample, const struct fleet_row *row)
{
    json_t *object = json_object();
    char name[FLEET_NAME_MAX];

    json_add(object, "pid", json_pid(row->pid));
    json_add_text(object, "name", fleet_name(row, name));
    json_add_text(object, "parent", fleet_parent_name(sample, row, name));
    json_add(object, "parent_pid", json_pid(row->parent));
    json_add_count(object, "depth", (uint64_t)row->depth);
    json_add_text(object, "role", row->role);
    json_add_text(object, "command", row->command);
    json_add_text(object, "state", member_state_name(row->state));
    json_add_text(object, "why", row->why);
    json_add_time(object, "ended_time", row->ended_wall_ns);
    json_add_time(object, "sampled_time", row->sampled_wall_ns);
    json_add_time(object, "walked_time", row->walked_wall_ns);
    json_add_time(object, "res_time", row->res_wall_ns);
    json_add_reading(object, "res_bytes", row->res_bytes);
    json_add_reading(object, "pss_bytes", row->pss_bytes);
    json_add_reading(object, "private_bytes", row->private_bytes);
    json_add_reading(object, "swap_bytes", row->swap_bytes);
    json_add_reading(object, "arena_bytes", row->arena_bytes);
    json_add_reading(object, "malloc_bytes", row->malloc_bytes);
    json_add_reading(object, "other_bytes", row->other_bytes);
    json_add_reading(object, "objects", row->objects);
    json_add_reading(object, "growth_bytes_per_minute", row->growth_bytes);
    json_add(object, "gc_percent", json_percent(row->gc_milli_percent));
    json_add(object, "sharing", json_sharing(row));
    json_add_text(object, "sharing_why", row->sharing_why);
    json_add(object, "verdict", json_verdict(row));
    json_add(object, "outlier", json_outlier(row));
    return object;
}

static json_t *json_sums(const struct fleet_sums *sums)
{
    json_t *object = json_object();

    json_add_count(object, "processes", sums->members);
    json_add_count(object, "ended", sums->ended);
    json_add_count(object, "closed", sums->closed);
    json_add_count(object, "outliers", sums->outliers);
    json_add_reading(object, "res_bytes", sums->res_bytes);
    json_add_reading(object, "pss_bytes", sums->pss_bytes);
    json_add_reading(object, "private_bytes", sums->private_bytes);
    json_add_reading(object, "swap_bytes", sums->swap_bytes);
    json_add_reading(object, "arena_bytes", sums->arena_bytes);
    json_add_reading(object, "malloc_bytes", sums->malloc_bytes);
    json_add_reading(object, "other_bytes", sums->other_bytes);
    json_add_reading(object, "objects", sums->objects);
    json_add_reading(object, "growth_bytes_per_minute", sums->growth_bytes);
    json_add_reading(object, "shared_bytes", sharing_shared(&sums->sharing));
    json_add_reading(object, "unshared_bytes", sharing_unshared(&sums->sharing));
    json_add_reading(object, "own_bytes", sharing_own(&sums->sharing));
    json_add_reading(object, "freeze_bytes", sharing_freeze(&sums->sharing));
    json_add_time(object, "oldest_res_time", sums->oldest_res_wall_ns);
    json_add_time(object, "oldest_sampled_time", sums->oldest_sampled_wall_ns);
    json_add_time(object, "oldest_walked_time", sums->oldest_walked_wall_ns);
    json_add_time(object, "oldest_compared_time", sums->sharing.wall_ns);
    return object;
}

json_t *json_fleet(const struct fleet_sample *sample)
{
    json_t *object = json_object(), *processes = json_array(), *cost = json_object();

    json_add_text(object, "schema", "heaptop.tree/1");
    json_add_count(object, "seq", sample->seq);
    json_add_time(object, "time", sample->wall_ns);
    json_add_seconds(object, "interval_s", reading_exact(sample->interval_ns));
    json_add(object, "root_pid", json_pid(sample->root));
    json_add_text(object, "pattern", sample->pattern);
    json_add_count(object, "left_out", sample->n_left_out);
    json_add(object, "sums", json_sums(&sample->sums));
    for (size_t i = 0; i < sample->count; i++)
        json_array_append_new(processes, json_row(sample, &sample->rows[i]));
    json_add(object, "processes", processes);
    json_add_seconds(cost, "cpu_s", reading_exact(sample->cpu_ns));
    json_add(object, "cost", cost);
    return object;
}

static int json_fleet_sample(void *state, const struct fleet_sample *sample,
                             struct err *err)
{
    struct json_fleet_sink *sink = state;

    return json_write_line(sink->out, json_fleet(sample), err);
}

static void json_fleet_close(void *state)
{
    free(state);
}

const struct fleet_sink_ops fleet_sink_json = {
    .name = "json",
    .open = json_fleet_open,
    .sample = json_fleet_sample,
    .close = json_fleet_close,
};
