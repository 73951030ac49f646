/* Actions: between two counts of the arenas, then a fresh sample and a walk. */
#include "sampler/sampler_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/builder.h"
#include "target/procfs.h"
#include "util/clock.h"
#include "util/plural.h"

#define END_PATIENCE_NS (500 * NS_PER_MS)

static struct sampler_source *action_source(struct sampler *sampler, const char *name)
{
    for (size_t i = 0; i < sampler->n_cheap; i++)
        if (!strcmp(sampler->cheap[i].ops->name, name) && sampler->cheap[i].is_open)
            return &sampler->cheap[i];
    return NULL;
}

/* Counts arenas, and used blocks unless the action did; unknown when that fails. */
static void action_count(struct sampler *sampler, struct reading *arenas,
                         struct reading *blocks)
{
    struct sampler_source *source = action_source(sampler, "pymalloc");
    struct snapshot_builder *builder = source ? builder_new(1) : NULL;
    const struct pymalloc_section *section;
    struct source_context context;
    struct err err = ERR_INIT;

    if (!builder)
        return;
    context = sampler_context(sampler, builder);
    if (source->ops->sample(source->state, &context, &err) == SOURCE_DONE &&
        (section = builder->snapshot->pymalloc)) {
        *arenas = reading_exact((int64_t)section->arenas);
        if (!reading_is_known(*blocks))
            *blocks = section->allocated_blocks;
    }
    builder_drop(builder);
}

static void action_add_words(struct action_result *result)
{
    struct reading freed =
        reading_difference(result->arenas_before, result->arenas_after);
    size_t used = strlen(result->words);
    int64_t count = freed.value < 0 ? -freed.value : freed.value;
    char text[UNITS_MAX];

    if (!reading_is_known(freed) || result->err.code != ERR_NONE)
        return;
    snprintf(result->words + used, sizeof(result->words) - used, "%s%s arena%s %s",
             used ? "; " : "", units_count(text, reading_exact(count)),
             plural((int64_t)count), freed.value < 0 ? "more" : "freed");
}

static void action_add_details(struct action_result *result)
{
    char before[UNITS_MAX], after[UNITS_MAX], elapsed[UNITS_MAX], held[UNITS_MAX];
    bool needs_gil = !reading_is_known(result->gil_held_ns) || result->gil_held_ns.value;

    snprintf(result->details, sizeof(result->details),
             "RES %s, then %s; %s elapsed, %s%s",
             units_bytes(before, result->res_before_bytes),
             units_bytes(after, result->res_after_bytes),
             units_duration(elapsed, result->elapsed_ns),
             needs_gil ? "GIL held " : "without the GIL",
             needs_gil ? units_duration(held, result->gil_held_ns) : "");
}

/* What was counted before is counted again. */
static void action_measure(struct sampler *sampler)
{
    struct sampler_action *action = &sampler->action;
    struct action_result *result = &action->result;

    result->elapsed_ns = reading_exact(clock_monotonic_ns() - action->started_mono_ns);
    action_count(sampler, &result->arenas_after, &result->blocks_after);
    if (!reading_is_known(result->res_after_bytes))
        result->res_after_bytes = procfs_res(sampler->target->fds.statm);
    sampler_agent_pauses(sampler, true);
    if (action->ops->flags & ACTION_FREES_OBJECTS)
        action_add_words(result);
    action_add_details(result);
}

static void action_tell(struct sampler *sampler)
{
    const struct action_ops *ops = sampler->action.ops;
    const struct action_result *result = &sampler->action.result;
    char call[ACTION_CALL_MAX];

    if (result->err.code != ERR_NONE)
        sampler_event(sampler, EVENT_ERROR, "%s: %.200s%s%.80s",
                      action_call(call, ops, &sampler->action.arguments),
                      result->err.text, result->err.remedy[0] ? "; " : "",
                      result->err.remedy);
    else
        sampler_event(sampler, ops->event, "%.180s; %.120s%s%.80s", result->words,
                      result->details, result->undo[0] ? "; " : "", result->undo);
}

static void action_end(struct sampler *sampler, bool has_failed)
{
    struct sampler_action *action = &sampler->action;
    struct sampler_message message = {.type = SAMPLER_ACTION_RESULT};
    struct action_result *result = &action->result;
    bool has_set;

    if (has_failed && result->err.code == ERR_NONE)
        err_set(&result->err, ERR_FAILED, "%s failed", action->ops->call);
    if (!has_failed && (action->ops->flags & ACTION_COPIES))
        sampler_exact_begin(sampler, result, &result->err);
    if (!has_failed && (action->ops->flags & ACTION_LOOKS) && result->seen)
        sampler_stacks_keep(sampler, result->seen);
    free(result->seen);
    result->seen = NULL;
    if (action->is_started)
        action_measure(sampler);
    action_tell(sampler);
    message.action = action->ops->name;
    message.result = *result;
    if (action->state && action->ops->free)
        action->ops->free(action->state);
    if (action->is_started && (action->ops->flags & ACTION_FREES_OBJECTS))
        sampler->walk.is_wanted = true;
    has_set = action->is_started && action->ops->setting;
    memset(action, 0, sizeof(*action));
    if (has_set)
        sampler_sample(sampler); /* who hears of the end asks what is set now */
    sampler->is_sample_due = true;
    sampler_send(sampler, &message);
}

void sampler_action_begin(struct sampler *sampler, const struct action_ops *ops,
                          const struct action_arguments *arguments)
{
    struct sampler_action *action = &sampler->action;
    struct session *session =
        sampler->agent.state == AGENT_LOADED ? sampler->agent.session : NULL;

    memset(action, 0, sizeof(*action));
    action->ops = ops;
    action->arguments = *arguments;
    if (ops->possible && ops->possible(sampler->target, session, &action->result.err))
        action_end(sampler, true);
}

/* From here on it cannot be taken back; false when heaptop is being left. */
static bool action_may_begin(struct sampler *sampler)
{
    bool may_begin;

    pthread_mutex_lock(&sampler->lock);
    may_begin = !sampler->holds_actions;
    sampler->action.started_mono_ns = clock_monotonic_ns();
    if (may_begin)
        sampler->action_began_mono_ns = sampler->action.started_mono_ns;
    pthread_mutex_unlock(&sampler->lock);
    return may_begin;
}

static void action_start(struct sampler *sampler)
{
    struct sampler_action *action = &sampler->action;
    struct session *session =
        sampler->agent.state == AGENT_LOADED ? sampler->agent.session : NULL;
    struct action_result *result = &action->result;
    struct reading arenas = reading_unknown(), blocks = reading_unknown();
    struct reading res = procfs_res(sampler->target->fds.statm);
    enum action_progress progress;

    sampler_agent_pauses(sampler, false);
    action_count(sampler, &arenas, &blocks);
    if (!action_may_begin(sampler))
        return;
    action->is_started = true;
    progress = action->ops->start(sampler->target, session, &action->arguments,
                                  &action->state, result);
    result->arenas_before = arenas;
    if (!reading_is_known(result->blocks_before))
        result->blocks_before = blocks;
    if (!reading_is_known(result->res_before_bytes))
        result->res_before_bytes = res;
    if (progress != ACTION_RUNNING)
        action_end(sampler, progress == ACTION_FAILED);
}

static void action_lost(const struct sampler *sampler, struct err *err)
{
    const char *when = sampler->action.is_started ? "while it ran" : "before it began";

    if (sampler->is_ended)
        err_set(err, ERR_GONE, "the target ended %s: its result is not known", when);
    else if (sampler->is_stopping)
        err_set(err, ERR_FAILED, "heaptop was left %s: its result is not known", when);
    else
        err_set(err, ERR_GONE, "the agent was lost %s (%.160s): its result is not known",
                when, sampler->agent.err.text);
}

/* The session or the target is gone, or heaptop leaves: no answer will come. */
void sampler_action_drop(struct sampler *sampler)
{
    struct sampler_action *action = &sampler->action;

    if (!action->ops)
        return;
    if (action->result.err.code == ERR_NONE)
        action_lost(sampler, &action->result.err);
    action_end(sampler, true);
}

/* The agent often goes because the target does, and is seen to go first. */
static void action_wait_for_end(struct sampler *sampler)
{
    struct sampler_action *action = &sampler->action;
    int64_t now_ns = clock_monotonic_ns();

    if (!action->lost_mono_ns)
        action->lost_mono_ns = now_ns;
    if (now_ns - action->lost_mono_ns > END_PATIENCE_NS)
        sampler_action_drop(sampler);
}

/* Starts when the objects are counted and the last sample was answered; then polls. */
void sampler_action_step(struct sampler *sampler)
{
    struct sampler_action *action = &sampler->action;
    struct agent_answer answer;
    enum action_progress progress;

    if (!action->ops)
        return;
    if (!action->is_started) {
        /* An attach and a look do not stop threads at the same time. */
        if (sampler->agent.state == AGENT_ATTACHING || !sampler_walk_yield(sampler))
            return;
        if (sampler->agent.is_asked &&
            !session_answer(sampler->agent.session, NS_PER_MS, &answer))
            return;
        sampler->agent.is_asked = false;
        if (sampler->probing.is_under_way || sampler->stacks.call)
            return;
        action_start(sampler);
        return;
    }
    if (sampler->agent.state == AGENT_LOST && !(action->ops->flags & ACTION_LOOKS)) {
        action_wait_for_end(sampler);
        return;
    }
    progress = action->ops->poll(action->state, &action->result);
    if (progress != ACTION_RUNNING)
        action_end(sampler, progress == ACTION_FAILED);
}
