/* gc_threshold - when collections begin. */
#include <stdio.h>

#include "action/ask_agent.h"
#include "action/plan.h"
#include "model/history.h"

extern const struct action_ops action_gc_threshold;

static const struct action_parameter parameters[] = {
    {"Generation 0", 0, INT32_MAX, ACTION_NOT_GIVEN, true, NULL},
    {"Generation 1", 0, INT32_MAX, ACTION_NOT_GIVEN, false, NULL},
    {"Generation 2", 0, INT32_MAX, ACTION_NOT_GIVEN, false, NULL},
};

static void threshold_defaults(const struct snapshot *snapshot,
                               struct action_arguments *arguments)
{
    const struct gc_section *gc = snapshot->gc;

    for (size_t i = 0; i < ACTION_ARGUMENTS; i++) {
        bool is_known =
            gc && i < gc->n_generations && reading_is_known(gc->generations[i].threshold);

        arguments->values[i] =
            is_known ? gc->generations[i].threshold.value : ACTION_NOT_GIVEN;
    }
}

static void threshold_explain(const struct history *history,
                              const struct action_arguments *arguments,
                              struct action_plan *plan)
{
    const struct snapshot *latest = history_latest(history);
    struct action_arguments now = {.values = {-1, -1, -1}};

    (void)arguments;
    plan_say(plan,
             "Generation 0 is collected when as many objects were made as the first "
             "number says, 1 after that many collections of 0, 2 after that many of "
             "1. Larger numbers: fewer pauses, garbage cycles stay longer. 0 first: "
             "no collection begins by itself.\n");
    if (latest)
        threshold_defaults(latest, &now);
    if (now.values[0] >= 0)
        plan_say(plan, "They are %lld, %lld, %lld now: to put it back, set these.",
                 (long long)now.values[0], (long long)now.values[1],
                 (long long)now.values[2]);
    else
        plan_say(plan, "What they are now is not known; the report will say.");
}

static enum action_progress threshold_start(struct target *target,
                                            struct session *session,
                                            const struct action_arguments *arguments,
                                            void **state, struct action_result *result)
{
    return ask_agent_start(&action_gc_threshold, AGENT_SET_THRESHOLD, target, session,
                           arguments, state, result);
}

static enum action_progress threshold_poll(void *state, struct action_result *result)
{
    enum action_progress progress = ask_agent_poll(state, result);
    struct action_arguments before = {.values = {0}}, after = {.values = {0}};
    char was[ACTION_CALL_MAX];

    if (progress != ACTION_OVER)
        return progress;
    for (int i = 0; i < ACTION_ARGUMENTS; i++) {
        before.values[i] = result->before[i].value;
        after.values[i] = result->after[i].value;
    }
    action_call(was, &action_gc_threshold, &before);
    snprintf(result->words, sizeof(result->words),
             "%s: the thresholds are %lld, %lld, %lld, they were %lld, %lld, %lld",
             ask_agent_call(state), (long long)after.values[0],
             (long long)after.values[1], (long long)after.values[2],
             (long long)before.values[0], (long long)before.values[1],
             (long long)before.values[2]);
    snprintf(result->undo, sizeof(result->undo), "%.60s puts it back", was);
    return progress;
}

const struct action_ops action_gc_threshold = {
    .name = "gc-threshold",
    .call = "gc.set_threshold",
    .help = "set when collections begin",
    .key = 's',
    .event = EVENT_ACTION,
    .setting = "threshold",
    .parameters = parameters,
    .n_parameters = 3,
    .takes = "one to three numbers, as 700,10,10",
    .argument = "A[,B[,C]]",
    .explain = threshold_explain,
    .defaults = threshold_defaults,
    .possible = ask_agent_possible,
    .start = threshold_start,
    .poll = threshold_poll,
    .free = ask_agent_free,
};
