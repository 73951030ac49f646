/* One sample: the cheap sources, who and how, the price, and the events. */
#include "sampler/sampler_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/builder.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

/* A slow agent or target is not waited for longer than this at the beginning. */
#define AGENT_PATIENCE_NS (5 * NS_PER_S)

void sampler_event(struct sampler *sampler, enum event_type type, const char *format, ...)
{
    struct event *event;
    va_list arguments;

    if (sampler->n_events == SAMPLER_EVENTS_MAX) {
        memmove(sampler->events, sampler->events + 1,
                (SAMPLER_EVENTS_MAX - 1) * sizeof(sampler->events[0]));
        sampler->n_events--;
    }
    event = &sampler->events[sampler->n_events++];
    event->wall_ns = clock_wall_ns();
    event->type = type;
    va_start(arguments, format);
    vsnprintf(event->words, sizeof(event->words), format, arguments);
    va_end(arguments);
    log_line("event %s: %s", event_type_name(type), event->words);
}

static void source_open(struct sampler *sampler, struct sampler_source *source)
{
    struct err err = ERR_INIT;

    if (source->ops->open && source->ops->open(sampler->target, &source->state, &err)) {
        source->had_turn = true;
        sampler_source_failed(sampler, source, &err);
        return;
    }
    source->is_open = true;
}

void sampler_sources_open(struct sampler *sampler)
{
    size_t count = 0;

    while (sources[count])
        count++;
    sampler->cheap = xcalloc(count + 1, sizeof(*sampler->cheap));
    for (size_t i = 0; i < count; i++) {
        struct sampler_source *source =
            sources[i]->cost == SOURCE_WALK
                ? &sampler->walk.sources[sampler->walk.n_sources++]
                : &sampler->cheap[sampler->n_cheap++];

        source->ops = sources[i];
        source_open(sampler, source);
    }
}

static void source_close(struct sampler_source *source)
{
    if (source->is_open && source->ops->close)
        source->ops->close(source->state);
    source->is_open = false;
}

void sampler_sources_close(struct sampler *sampler)
{
    for (size_t i = 0; i < sampler->n_cheap; i++)
        source_close(&sampler->cheap[i]);
    for (size_t i = 0; i < sampler->walk.n_sources; i++)
        source_close(&sampler->walk.sources[i]);
}

void sampler_source_failed(struct sampler *sampler, struct sampler_source *source,
                           const struct err *err)
{
    if (!err->text[0] || !strcmp(source->last_error, err->text))
        return;
    snprintf(source->last_error, sizeof(source->last_error), "%s", err->text);
    sampler_event(sampler, EVENT_ERROR, "%s: %.250s%s%.120s", source->ops->name,
                  err->text, err->remedy[0] ? "; " : "", err->remedy);
}

struct source_context sampler_context(struct sampler *sampler,
                                      struct snapshot_builder *builder)
{
    bool is_ready = sampler->agent.state == AGENT_LOADED;

    return (struct source_context){
        .target = sampler->target,
        .layout = sampler->has_layout ? &sampler->layout : NULL,
        .session = is_ready ? sampler->agent.session : NULL,
        .builder = builder,
        .object_sets = &sampler->object_sets,
        .deadline_mono_ns = clock_monotonic_ns() + SAMPLER_SLICE_NS,
    };
}

/* Before the layout was looked for, a failure says nothing: it is not reported. */
static void sample_cheap(struct sampler *sampler, struct snapshot_builder *builder)
{
    for (size_t i = 0; i < sampler->n_cheap; i++) {
        struct sampler_source *source = &sampler->cheap[i];
        struct source_context context = sampler_context(sampler, builder);
        struct err err = ERR_INIT;

        if (!source->is_open)
            continue;
        if (source->ops->sample(source->state, &context, &err) == SOURCE_DONE) {
            source->had_turn = true;
            source->last_error[0] = '\0';
        } else if (sampler->is_layout_tried) {
            source->had_turn = true;
            if (target_state(sampler->target) != TARGET_ENDED)
                sampler_source_failed(sampler, source, &err);
        }
    }
}

static void sample_cost(struct sampler *sampler, struct cost_facts *cost,
                        int64_t began_mono_ns)
{
    struct agent_counters counters;

    cost->cpu_ns = clock_process_cpu_ns();
    cost->sample_ns = clock_monotonic_ns() - began_mono_ns;
    cost->walk_cpu_ns = sampler->walk.price_cpu_ns;
    cost->walk_period_ns = sampler->walk.period_ns;
    cost->gil_held_ns = cost->gil_wait_ns = reading_unknown();
    if (!sampler->agent.session)
        return;
    cost->target_stopped_ns = session_diverted_ns(sampler->agent.session);
    if (sampler->agent.state == AGENT_LOADED &&
        session_counters(sampler->agent.session, &counters)) {
        cost->gil_held_ns = reading_of_count(counters.gil_held_ns);
        cost->gil_wait_ns = reading_of_count(counters.gil_wait_ns);
    }
}

/* It is to come, or is there and has not had the interpreter for its counters. */
static bool is_agent_awaited(const struct sampler_agent *agent)
{
    if (agent->is_given_up)
        return false;
    return !agent->is_settled ||
           (agent->state == AGENT_LOADED && !agent->has_counted &&
            clock_monotonic_ns() - agent->opened_mono_ns < AGENT_PATIENCE_NS);
}

bool sampler_is_complete(const struct sampler *sampler)
{
    if (!sampler->is_layout_tried || is_agent_awaited(&sampler->agent))
        return false;
    for (size_t i = 0; i < sampler->n_cheap; i++)
        if (!sampler->cheap[i].had_turn)
            return false;
    if (!sampler_plugins_are_complete(sampler))
        return false;
    return !sampler->walk.n_sources || sampler->options.walk_interval_ns == WALK_OFF ||
           sampler->walk.has_run;
}

static void sample_send(struct sampler *sampler, struct snapshot_builder *builder)
{
    struct sampler_message message = {.type = SAMPLER_SNAPSHOT};

    builder_events(builder, sampler->events, sampler->n_events);
    sampler->n_events = 0;
    message.snapshot = snapshot_seal(builder);
    snapshot_unref(sampler->latest);
    sampler->latest = snapshot_ref(message.snapshot);
    sampler_send(sampler, &message);
}

static struct snapshot_builder *sample_begin(struct sampler *sampler, int64_t mono_ns)
{
    struct snapshot_builder *builder = builder_new(sampler->seq + 1);
    struct snapshot *snapshot;

    if (!builder) {
        log_line("no memory for a snapshot");
        return NULL;
    }
    snapshot = builder->snapshot;
    sampler->seq++;
    snapshot->wall_ns = clock_wall_ns();
    snapshot->mono_ns = mono_ns;
    snapshot->interval_ns = sampler->options.interval_ns;
    return builder;
}

void sampler_sample(struct sampler *sampler)
{
    int64_t began_mono_ns = clock_monotonic_ns();
    struct snapshot_builder *builder = sample_begin(sampler, began_mono_ns);
    struct snapshot *snapshot;

    sampler->is_sample_due = false;
    if (!builder)
        return;
    snapshot = builder->snapshot;
    sampler_agent_sample(sampler);
    sampler_agent_pauses(sampler, false);
    sample_cheap(sampler, builder);
    builder_objects(builder, sampler->walk.latest);
    builder_share_account(builder, sampler->walk.account);
    builder_pins(builder, sampler->walk.pins);
    sampler_plugins_sample(sampler, builder);
    snapshot->target = sampler->target->facts;
    snapshot->target.state = sampler->state;
    sampler_access_facts(sampler, &snapshot->access);
    if (sampler->options.agent == AGENT_AUTO && sampler->agent.opened_mono_ns &&
        began_mono_ns - sampler->agent.opened_mono_ns > AGENT_PATIENCE_NS)
        sampler->agent.is_given_up = true;
    snapshot->is_complete = sampler_is_complete(sampler);
    sampler->is_complete_shown |= snapshot->is_complete;
    sample_cost(sampler, &snapshot->cost, began_mono_ns);
    sample_send(sampler, builder);
}

/* What was known last stays readable after the end. */
static void sample_keep_sections(struct snapshot_builder *builder,
                                 const struct snapshot *latest)
{
    void *section;

    if (latest->process && (section = builder_process(builder)))
        memcpy(section, latest->process, sizeof(*latest->process));
    if (latest->pymalloc && (section = builder_pymalloc(builder)))
        memcpy(section, latest->pymalloc, sizeof(*latest->pymalloc));
    if (latest->gc && (section = builder_gc(builder)))
        memcpy(section, latest->gc, sizeof(*latest->gc));
    builder_objects(builder, latest->objects);
    builder_arenas(builder, latest->arenas);
    builder_pins(builder, latest->pins);
    if (latest->plugins)
        builder_plugins(builder, latest->plugins->views, latest->plugins->n_views);
    if (latest->account_owner)
        builder_share_account(builder, latest);
}

void sampler_sample_end(struct sampler *sampler)
{
    struct snapshot_builder *builder = sample_begin(sampler, clock_monotonic_ns());

    if (!builder)
        return;
    if (sampler->latest)
        sample_keep_sections(builder, sampler->latest);
    builder->snapshot->target = sampler->target->facts;
    builder->snapshot->target.state = TARGET_ENDED;
    builder->snapshot->target.ended_wall_ns = sampler->ended_wall_ns;
    sampler_access_facts(sampler, &builder->snapshot->access);
    builder->snapshot->is_complete = true;
    sample_cost(sampler, &builder->snapshot->cost, builder->snapshot->mono_ns);
    sample_send(sampler, builder);
}
