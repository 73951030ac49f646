/* Actions: between two counts of the arenas, then a fresh sample and a walk. */
#include "sampler/sampler_private.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/builder.h"
#include "target/procfs.h"
#include "util/clock.h"

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
             count == 1 ? "" : "s", freed.value < 0 ? "more" : "freed");
}

static void action_end(struct sampler *sampler, bool has_failed)
{
    struct sampler_action *action = &sampler->action;
    struct sampler_message message = {.type = SAMPLER_ACTION_RESULT};
    struct action_result *result = &action->result;

    if (has_failed && result->err.code == ERR_NONE)
        err_set(&result->err, ERR_FAILED, "%s failed", action->ops->title);
    if (action->is_started) {
        action_count(sampler, &result->arenas_after, &result->blocks_after);
        if (!reading_is_known(result->res_after_bytes))
            result->res_after_bytes = procfs_res(sampler->target->fds.statm);
        sampler_agent_pauses(sampler, true);
        action_add_words(result);
    }
    if (result->err.code != ERR_NONE)
        sampler_event(sampler, EVENT_ERROR, "%s: %.250s%s%.120s", action->ops->name,
                      result->err.text, result->err.remedy[0] ? "; " : "",
                      result->err.remedy);
    else
        sampler_event(sampler, action->ops->event, "%s", result->words);
    message.action = action->ops->name;
    message.result = *result;
    if (action->state && action->ops->free)
        action->ops->free(action->state);
    sampler->is_sample_due = true;
    sampler->walk.is_wanted = action->is_started;
    memset(action, 0, sizeof(*action));
    sampler_send(sampler, &message);
}

void sampler_action_begin(struct sampler *sampler, const struct action_ops *ops,
                          int64_t argument)
{
    struct sampler_action *action = &sampler->action;
    struct session *session =
        sampler->agent.state == AGENT_LOADED ? sampler->agent.session : NULL;

    memset(action, 0, sizeof(*action));
    action->ops = ops;
    action->argument = argument;
    if (ops->possible && ops->possible(sampler->target, session, &action->result.err))
        action_end(sampler, true);
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
    action->is_started = true;
    progress = action->ops->start(sampler->target, session, action->argument,
                                  &action->state, result);
    result->arenas_before = arenas;
    if (!reading_is_known(result->blocks_before))
        result->blocks_before = blocks;
    if (!reading_is_known(result->res_before_bytes))
        result->res_before_bytes = res;
    if (progress != ACTION_RUNNING)
        action_end(sampler, progress == ACTION_FAILED);
}

/* Starts when the walk has ended and the last sample was answered; then polls. */
void sampler_action_step(struct sampler *sampler)
{
    struct sampler_action *action = &sampler->action;
    struct agent_answer answer;
    enum action_progress progress;

    if (!action->ops)
        return;
    if (!action->is_started) {
        if (sampler->walk.is_running)
            return;
        if (sampler->agent.is_asked &&
            !session_answer(sampler->agent.session, NS_PER_MS, &answer))
            return;
        sampler->agent.is_asked = false;
        action_start(sampler);
        return;
    }
    progress = action->ops->poll(action->state, &action->result);
    if (progress != ACTION_RUNNING)
        action_end(sampler, progress == ACTION_FAILED);
}

/* The session or the target is gone, or heaptop leaves: no answer will come. */
void sampler_action_drop(struct sampler *sampler)
{
    struct sampler_action *action = &sampler->action;

    if (!action->ops)
        return;
    if (action->result.err.code == ERR_NONE)
        err_set(&action->result.err, ERR_GONE, "%s: its result is not known",
                action->ops->title);
    action_end(sampler, true);
}
