/* One row: what the history of a process says of it now. */
#include "model/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/verdict.h"
#include "util/xalloc.h"

#define SHARE_WINDOW_NS INT64_C(60000000000)
#define MILLI_PER_CENT  100000.0
#define RES_KEY         1
#define PARTS_OF_ARENAS                                                          \
    ((1u << PART_OBJECTS) | (1u << PART_FREE_BLOCKS) | (1u << PART_FREE_POOLS) | \
     (1u << PART_POOL_HEADERS) | (1u << PART_NEVER_CARVED))
#define PARTS_OF_MALLOC                                                           \
    ((1u << PART_PYTHON_LARGE) | (1u << PART_NATIVE) | (1u << PART_MALLOC_FREE) | \
     (1u << PART_MALLOC_TOP))

static struct reading sum_parts(const struct account_section *account, unsigned parts)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < ACCOUNT_PARTS; i++)
        if (parts >> i & 1)
            bytes += account->parts[i].resident;
    return reading_exact((int64_t)bytes);
}

/* What a sample does not have yet stays as it was, and is as old as it is. */
static void fill_account(struct fleet_row *row, const struct account_section *account)
{
    if (!account)
        return;
    row->arena_bytes = sum_parts(account, PARTS_OF_ARENAS);
    row->malloc_bytes = sum_parts(account, PARTS_OF_MALLOC);
    row->other_bytes = reading_exact((int64_t)account->res_bytes -
                                     row->arena_bytes.value - row->malloc_bytes.value);
}

static void fill_process(struct fleet_row *row, const struct process_section *process)
{
    if (!process)
        return;
    row->pss_bytes = process->pss_bytes;
    row->private_bytes = process->uss_bytes;
    row->swap_bytes = process->swap_bytes;
}

static void fill_objects(struct fleet_row *row, const struct objects_section *objects)
{
    if (!objects)
        return;
    row->walked_wall_ns = objects->walk.ended_wall_ns;
    row->objects = reading_exact((int64_t)objects->count);
}

void fleet_row_add_res(struct fleet_row *row, struct growth *series,
                       struct reading res_bytes, int64_t mono_ns, int64_t wall_ns)
{
    struct trend trend;

    row->growth_bytes = reading_unknown();
    if (!reading_is_known(res_bytes))
        return;
    row->res_bytes = res_bytes;
    row->res_wall_ns = wall_ns;
    growth_begin(series, mono_ns, wall_ns);
    growth_put(series, RES_KEY, 0, res_bytes.value);
    growth_end(series);
    if (growth_trend(series, RES_KEY, GROWTH_WINDOW_NS, &trend) &&
        trend.points >= GROWTH_LEAST)
        row->growth_bytes =
            reading_exact(trend.is_claimed ? (int64_t)trend.bytes_per_minute : 0);
}

/* A sample is younger than the last listing, or older. */
static void fill_res(struct fleet_row *row, const struct snapshot *latest)
{
    if (!latest->process || latest->wall_ns <= row->res_wall_ns)
        return;
    row->res_bytes = latest->process->res_bytes;
    row->res_wall_ns = latest->wall_ns;
}

/* Unknown when one of the points is. */
static void fill_gc(struct fleet_row *row, const struct history *history)
{
    const struct history_point *points;
    size_t count = history_points(history, &points), first = count;
    int64_t pauses_ns = 0, span_ns;

    row->gc_milli_percent = reading_unknown();
    while (first > 0 &&
           points[count - 1].mono_ns - points[first - 1].mono_ns <= SHARE_WINDOW_NS &&
           reading_is_known(points[first - 1].values[SERIES_PAUSES]))
        first--;
    if (count - first < 2)
        return;
    for (size_t i = first + 1; i < count; i++)
        pauses_ns += points[i].values[SERIES_PAUSES].value;
    span_ns = points[count - 1].mono_ns - points[first].mono_ns;
    if (span_ns > 0)
        row->gc_milli_percent = reading_exact(
            (int64_t)((double)pauses_ns * MILLI_PER_CENT / (double)span_ns));
}

static void fill_verdict(struct fleet_row *row, const struct history *history)
{
    struct verdicts *verdicts = xcalloc(1, sizeof(*verdicts));

    row->rule = "";
    row->verdict[0] = '\0';
    if (verdict_judge(history, verdicts) && verdicts->count) {
        row->rule = verdicts->items[0].rule;
        snprintf(row->verdict, sizeof(row->verdict), "%s", verdicts->items[0].words);
    }
    free(verdicts);
}

void fleet_row_fill(struct fleet_row *row, const struct history *history)
{
    const struct snapshot *latest = history_latest(history);

    if (!latest)
        return;
    row->sampled_wall_ns = latest->wall_ns;
    fill_res(row, latest);
    fill_process(row, latest->process);
    fill_account(row, latest->account);
    fill_objects(row, latest->objects);
    fill_gc(row, history);
    fill_verdict(row, history);
}

const char *fleet_name(const struct fleet_row *row, char name[FLEET_NAME_MAX])
{
    snprintf(name, FLEET_NAME_MAX, "%.16s-%u", row->role[0] ? row->role : "process",
             row->number);
    return name;
}

const char *fleet_parent_name(const struct fleet_sample *sample,
                              const struct fleet_row *row, char name[FLEET_NAME_MAX])
{
    name[0] = '\0';
    for (size_t i = 0; row->parent && i < sample->count; i++)
        if (sample->rows[i].pid == row->parent && sample->rows[i].state != MEMBER_ENDED)
            return fleet_name(&sample->rows[i], name);
    return name;
}

static bool contains(const char *text, const char *word)
{
    return strstr(text, word) != NULL;
}

/* multiprocessing's own helpers say so in their command: Lib/multiprocessing/spawn.py
 * get_command_line(), resource_tracker.py and forkserver.py, ensure_running(). */
const char *fleet_role(const char *command, const char *parent_command, size_t children)
{
    if (contains(command, "multiprocessing.resource_tracker"))
        return "tracker";
    if (contains(command, "multiprocessing.forkserver"))
        return strcmp(command, parent_command) != 0 ? "forkserver" : "worker";
    if (contains(command, "multiprocessing.spawn"))
        return "spawned";
    if (contains(command, ": master"))
        return "master";
    if (contains(command, ": worker"))
        return "worker";
    if (*parent_command && !strcmp(command, parent_command))
        return "worker";
    if (*parent_command)
        return "child";
    return children ? "master" : "";
}

const char *member_state_name(enum member_state state)
{
    static const char *const names[] = {"new", "live", "stopped", "closed", "ended"};

    return names[state];
}

const char *outlier_name(enum outlier outlier)
{
    static const char *const names[] = {"", "growth", "private", "res"};

    return names[outlier];
}
