/* freeze - all present objects go to the permanent generation. */
#include "action/ask_agent.h"
#include "action/gc_words.h"
#include "action/plan.h"
#include "heaptop/units.h"
#include "model/collect_cost.h"

#define OLDEST_GENERATION 2

extern const struct action_ops action_freeze;

static void freeze_explain(const struct history *history,
                           const struct action_arguments *arguments,
                           struct action_plan *plan)
{
    const struct snapshot *latest = history_latest(history);
    struct reading objects =
        latest ? collect_objects(latest, OLDEST_GENERATION) : reading_unknown();
    struct reading frozen = gc_words_frozen(latest);
    char count[UNITS_MAX], already[UNITS_MAX];

    (void)arguments;
    plan_say(plan, "Moves all objects on the collector's lists to the permanent "
                   "generation, quickly whatever their number");
    if (reading_is_known(objects))
        plan_say(plan, ": %s of them", units_count(count, objects));
    if (reading_is_known(frozen))
        plan_say(plan, ", to the %s that are there", units_count(already, frozen));
    plan_say(plan, ".\n");
    plan_say(plan, "Collections leave them alone from then on: they take less time, and "
                   "forked children share more memory, but garbage cycles among these "
                   "objects are never found.\n"
                   "To put it back: gc.unfreeze() (u in this menu, --unfreeze).");
}

static enum action_progress freeze_start(struct target *target, struct session *session,
                                         const struct action_arguments *arguments,
                                         void **state, struct action_result *result)
{
    return ask_agent_start(&action_freeze, AGENT_FREEZE, target, session, arguments,
                           state, result);
}

static enum action_progress freeze_poll(void *state, struct action_result *result)
{
    return gc_words_poll_frozen(state, result, "gc.unfreeze() puts it back");
}

const struct action_ops action_freeze = {
    .name = "freeze",
    .call = "gc.freeze()",
    .help = "leave all present objects out of collections",
    .key = 'f',
    .event = EVENT_ACTION,
    .setting = "frozen",
    .explain = freeze_explain,
    .possible = ask_agent_possible,
    .start = freeze_start,
    .poll = freeze_poll,
    .free = ask_agent_free,
};
