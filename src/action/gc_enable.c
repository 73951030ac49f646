/* gc_enable - collections begin by themselves. */
#include "action/ask_agent.h"
#include "action/gc_words.h"
#include "action/plan.h"
#include "heaptop/units.h"
#include "model/collect_cost.h"

extern const struct action_ops action_gc_enable;

static void enable_explain(const struct history *history,
                           const struct action_arguments *arguments,
                           struct action_plan *plan)
{
    const struct snapshot *latest = history_latest(history);
    struct reading objects = latest ? collect_objects(latest, 2) : reading_unknown();
    char count[UNITS_MAX];

    (void)arguments;
    plan_say(plan,
             "Collections begin by themselves again when a threshold is passed: the "
             "next allocations may begin one.");
    if (reading_is_known(objects))
        plan_say(plan,
                 " %s objects are on the lists, so the first full one may take long.",
                 units_count(count, objects));
    plan_say(plan, "\nTo put it back: gc.disable() (d in this menu, --gc-disable).");
}

static const char *enable_needless(const struct snapshot *snapshot)
{
    return gc_words_enabled(snapshot).value ? "it is on already" : NULL;
}

static enum action_progress enable_start(struct target *target, struct session *session,
                                         const struct action_arguments *arguments,
                                         void **state, struct action_result *result)
{
    return ask_agent_start(&action_gc_enable, AGENT_ENABLE, target, session, arguments,
                           state, result);
}

static enum action_progress enable_poll(void *state, struct action_result *result)
{
    return gc_words_poll_enabled(state, result, "gc.disable() puts it back");
}

const struct action_ops action_gc_enable = {
    .name = "gc-enable",
    .call = "gc.enable()",
    .help = "let collections begin by themselves",
    .key = 'e',
    .event = EVENT_ACTION,
    .setting = "enabled",
    .explain = enable_explain,
    .needless = enable_needless,
    .possible = ask_agent_possible,
    .start = enable_start,
    .poll = enable_poll,
    .free = ask_agent_free,
};
