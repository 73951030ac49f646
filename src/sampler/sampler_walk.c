/* The walk of the heap: when it begins, its slices, its price. */
#include "sampler/sampler_private.h"

#include <string.h>

#include "model/builder.h"
#include "util/clock.h"
#include "util/log.h"

#define WALK_CPU_FACTOR   50 /* averaged: 2 % of one core */
#define WALK_STOP_FACTOR  100
#define WALK_WALL_FACTOR  4 /* never more than 20 % of the time */
#define WALK_PAUSE_CAP_NS (60 * NS_PER_S)

int64_t sampler_walk_pause_ns(int64_t interval_ns, int64_t wall_ns, int64_t cpu_ns)
{
    int64_t pause_ns = cpu_ns < WALK_PAUSE_CAP_NS / WALK_CPU_FACTOR
                           ? cpu_ns * WALK_CPU_FACTOR
                           : WALK_PAUSE_CAP_NS;

    if (pause_ns < wall_ns * WALK_WALL_FACTOR)
        pause_ns = wall_ns * WALK_WALL_FACTOR;
    return pause_ns > interval_ns ? pause_ns : interval_ns;
}

/* Who has to count will be there soon, or known not to come. */
static bool is_agent_coming(const struct sampler *sampler)
{
    return !sampler->agent.is_settled && !sampler->agent.is_given_up &&
           !sampler_reads_objects(sampler);
}

int64_t sampler_walk_next_ns(const struct sampler *sampler)
{
    const struct sampler_walk *walk = &sampler->walk;

    if (!walk->n_sources || !sampler->is_layout_tried || sampler->is_ended)
        return INT64_MAX;
    if (!walk->is_running && is_agent_coming(sampler))
        return INT64_MAX;
    if (walk->is_running || walk->is_wanted)
        return 0;
    if (sampler->options.walk_interval_ns == WALK_OFF)
        return INT64_MAX;
    return walk->has_run ? walk->next_mono_ns : 0;
}

/* A collection under way moves everything: the walk waits for its end. */
bool sampler_walk_is_due(const struct sampler *sampler, int64_t now_mono_ns)
{
    return !sampler->walk.is_running && !sampler->action.ops && !sampler->inquiry.ops &&
           sampler_walk_next_ns(sampler) <= now_mono_ns;
}

void sampler_walk_begin(struct sampler *sampler)
{
    struct sampler_walk *walk = &sampler->walk;

    sampler_check_layout(sampler);
    walk->is_running = true;
    walk->is_requested = walk->is_wanted && !walk->is_in_turn;
    walk->is_wanted = false;
    walk->began_mono_ns = clock_monotonic_ns();
    walk->cpu_ns = walk->own_cpu_ns = 0;
    walk->at = walk->again = 0;
    walk->has_failed = walk->is_again = false;
}

/* The target may stand still for at most one percent of the time. */
static int64_t walk_stop_price_ns(const struct sampler_walk *walk)
{
    int64_t stopped_ns = walk->latest ? walk->latest->walk.stopped_ns : 0;

    return stopped_ns * WALK_STOP_FACTOR / WALK_CPU_FACTOR;
}

static void walk_end(struct sampler *sampler, bool is_good)
{
    struct sampler_walk *walk = &sampler->walk;
    int64_t now_ns = clock_monotonic_ns(), wall_ns = now_ns - walk->began_mono_ns;

    walk->is_running = false;
    sampler_exact_drop(sampler);
    if (sampler->options.walk_interval_ns > 0)
        walk->next_mono_ns = walk->began_mono_ns + sampler->options.walk_interval_ns;
    else
        walk->next_mono_ns =
            now_ns + sampler_walk_pause_ns(sampler->options.interval_ns, wall_ns,
                                           walk->cpu_ns + walk_stop_price_ns(walk));
    if (walk->next_mono_ns < walk->shown_until_mono_ns)
        walk->next_mono_ns = walk->shown_until_mono_ns;
    walk->price_cpu_ns = walk->cpu_ns + walk->own_cpu_ns;
    /* A walk that takes longer than its interval is followed at once. */
    if (sampler->options.walk_interval_ns == WALK_OFF)
        walk->period_ns = 0;
    else
        walk->period_ns = walk->next_mono_ns - walk->began_mono_ns > wall_ns
                              ? walk->next_mono_ns - walk->began_mono_ns
                              : wall_ns;
    if (walk->is_requested || walk->is_in_turn || !walk->has_run)
        sampler->is_sample_due = true;
    walk->is_in_turn = false;
    walk->has_run = true;
    log_line("walk: %s, %lld us, cpu %lld us, next in %lld ms",
             is_good ? "done" : "failed", (long long)(wall_ns / NS_PER_US),
             (long long)(walk->cpu_ns / NS_PER_US),
             (long long)((walk->next_mono_ns - now_ns) / NS_PER_MS));
}

/* The result is shared by all snapshots until the next walk. */
static void walk_keep(struct sampler_walk *walk, const struct snapshot_builder *builder)
{
    const struct objects_section *objects = builder->snapshot->objects;

    if (builder->snapshot->account) {
        snapshot_unref(walk->account);
        walk->account = snapshot_ref(builder->snapshot);
    }
    if (builder->snapshot->pins && builder->snapshot->pins != walk->pins) {
        pins_unref(walk->pins);
        walk->pins = pins_ref(builder->snapshot->pins);
    }
    if (!objects || objects == walk->latest)
        return;
    objects_unref(walk->latest);
    walk->latest = objects_ref(objects);
}

/* Told when it begins, not at each walk. */
static void walk_tell_trouble(struct sampler *sampler)
{
    struct sampler_walk *walk = &sampler->walk;
    bool is_trouble = walk->latest && !walk->latest->walk.complete;

    if (is_trouble && !walk->is_trouble_told && walk->latest->walk.tracked_only)
        sampler_event(
            sampler, EVENT_NOTE,
            "only what the garbage collector tracks is counted: str, int, bytes "
            "and other untracked objects are not seen with this allocator");
    else if (is_trouble && !walk->is_trouble_told && walk->latest->walk.absent_chunks)
        sampler_event(
            sampler, EVENT_NOTE,
            "the walk is not complete: parts of malloc's heap are swapped out or could "
            "not be read, and left there (%llu places)",
            (unsigned long long)walk->latest->walk.absent_chunks);
    else if (is_trouble && !walk->is_trouble_told && walk->latest->walk.absent_pools)
        sampler_event(
            sampler, EVENT_NOTE,
            "the walk is not complete: %llu pools are swapped out and left there",
            (unsigned long long)walk->latest->walk.absent_pools);
    else if (is_trouble && !walk->is_trouble_told)
        sampler_event(sampler, EVENT_NOTE,
                      "the walk is not complete: %llu pools kept changing",
                      (unsigned long long)walk->latest->walk.torn_pools);
    if (is_trouble && !walk->is_trouble_told && walk->latest->walk.is_cut_short)
        sampler_event(sampler, EVENT_NOTE,
                      "the agent stopped counting when the interpreter had been held "
                      "for 10 ms: what it had not reached is not in the tables");
    if (is_trouble && !walk->is_trouble_told && walk->latest->walk.open_links)
        sampler_event(
            sampler, EVENT_NOTE,
            "the collector's lists did not close as they were read: %llu links lead to "
            "no object, and what is behind them may be missing",
            (unsigned long long)walk->latest->walk.open_links);
    walk->is_trouble_told = is_trouble;
}

/* What the source in its turn said; true when it has had it. */
static bool walk_settle(struct sampler *sampler, struct sampler_source *source,
                        enum source_result result, const struct err *err)
{
    if (result == SOURCE_MORE)
        return false;
    source->had_turn = true;
    if (result == SOURCE_DONE) {
        source->last_error[0] = '\0';
        if (!sampler->walk.at)
            walk_tell_trouble(sampler);
    } else if (target_state(sampler->target) != TARGET_ENDED) {
        sampler_source_failed(sampler, source, err);
    }
    sampler->walk.has_failed |= result != SOURCE_DONE && !sampler->walk.at;
    if (sampler_exact_is_due(&sampler->walk))
        sampler_exact_end(sampler, result == SOURCE_DONE);
    return true;
}

bool sampler_walk_yield(struct sampler *sampler)
{
    struct sampler_walk *walk = &sampler->walk;
    struct sampler_source *source;

    if (!walk->is_running)
        return true;
    if (!walk->at)
        return false;
    source = &walk->sources[walk->at];
    if (source->is_open && source->ops->abandon)
        source->ops->abandon(source->state);
    walk_end(sampler, !walk->has_failed);
    return true;
}

/* The next in turn; false when all have had theirs. Who wants another one is not waited
 * for: what there is by then is shown. */
static bool walk_go_on(struct sampler *sampler)
{
    struct sampler_walk *walk = &sampler->walk;

    if (!walk->is_again && ++walk->at < walk->n_sources)
        return true;
    if (walk->is_again || !walk->again)
        return false;
    walk->is_again = true;
    walk->at = walk->again;
    walk->has_run = sampler->is_sample_due = true;
    return true;
}

void sampler_walk_slice(struct sampler *sampler)
{
    struct sampler_walk *walk = &sampler->walk;
    struct sampler_source *source = &walk->sources[walk->at];
    struct snapshot_builder *builder = builder_new(1);
    struct source_context context = sampler_context(sampler, builder);
    int64_t began_cpu_ns = clock_thread_cpu_ns();
    enum source_result result = SOURCE_FAILED;
    struct err err = ERR_INIT;

    if (!builder)
        return;
    /* What the walk found is a part of what the account explains. */
    if (walk->at)
        builder_objects(builder, walk->latest);
    context.wants_whole = walk->is_requested;
    if (sampler_exact_is_due(walk))
        result = sampler_exact_slice(sampler, &context, &err);
    else if (source->is_open)
        result = source->ops->sample(source->state, &context, &err);
    walk->cpu_ns += clock_thread_cpu_ns() - began_cpu_ns + context.helpers_cpu_ns -
                    context.own_budget_cpu_ns;
    walk->own_cpu_ns += context.own_budget_cpu_ns;
    walk_keep(walk, builder);
    builder_drop(builder);
    if (context.wants_again)
        walk->again = walk->at;
    if (walk_settle(sampler, source, result, &err) && !walk_go_on(sampler))
        walk_end(sampler, !walk->has_failed);
}
