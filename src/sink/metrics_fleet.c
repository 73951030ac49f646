/* A tree of processes as metrics: those of each process, and what compares them. */
#include <stdio.h>

#include "sink/metrics.h"

static void add_sharing(struct exposition *out, const struct sharing *sharing)
{
    if (!sharing->wall_ns)
        return;
    exposition_add(out, METRIC_INHERITED, sharing_shared(sharing), NULL);
    for (int cause = 0; cause < UNSHARED_CAUSES; cause++)
        exposition_add(out, METRIC_UNSHARED,
                       sharing_unshared_by(sharing, (enum unshared_by)cause), "by",
                       unshared_by_name((enum unshared_by)cause), NULL);
    exposition_add(out, METRIC_COMPARED_TIME, reading_exact(sharing->wall_ns), NULL);
}

static void add_row(struct exposition *out, const struct fleet_row *row,
                    const struct metrics_options *options)
{
    const struct snapshot *latest = row->history ? history_latest(row->history) : NULL;

    if (latest)
        metrics_add(out, latest, row->history, options);
    if (options->label_pid)
        snprintf(out->pid, sizeof(out->pid), "%d", (int)row->pid);
    exposition_add(out, METRIC_GROWTH, row->growth_bytes, NULL);
    if (row->outlier != OUTLIER_NONE)
        exposition_add(out, METRIC_OUTLIER, reading_exact(1), "by",
                       outlier_name(row->outlier), NULL);
    add_sharing(out, &row->sharing);
}

static void add_counts(struct exposition *out, const struct fleet_sample *sample)
{
    static const enum member_state states[] = {MEMBER_NEW, MEMBER_LIVE, MEMBER_STOPPED,
                                               MEMBER_CLOSED};

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        int64_t count = 0;

        for (size_t k = 0; k < sample->count; k++)
            count += sample->rows[k].state == states[i];
        exposition_add(out, METRIC_TREE_PROCESSES, reading_exact(count), "state",
                       member_state_name(states[i]), NULL);
    }
}

/* Who has ended is left out: another one has its name. */
void metrics_add_fleet(struct exposition *exposition, const struct fleet_sample *sample,
                       const struct metrics_options *options)
{
    struct metrics_options of_one = *options;
    char target[TARGET_NAME_MAX] = "python";

    if (options->target)
        snprintf(target, sizeof(target), "%s", options->target);
    else if (sample->count)
        target_name(sample->rows[0].command, target);
    of_one.target = target;
    for (size_t i = 0; i < sample->count; i++) {
        const struct fleet_row *row = &sample->rows[i];

        if (row->state == MEMBER_ENDED)
            continue;
        snprintf(exposition->target, sizeof(exposition->target), "%s", target);
        fleet_name(row, exposition->process);
        fleet_parent_name(sample, row, exposition->parent);
        add_row(exposition, row, &of_one);
    }
    exposition->process[0] = exposition->parent[0] = exposition->pid[0] = '\0';
    exposition_add(exposition, METRIC_OWN_CPU, reading_exact(sample->cpu_ns), NULL);
    add_counts(exposition, sample);
}
