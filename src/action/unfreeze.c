/* unfreeze - the objects of the permanent generation are collected again. */
#include "action/ask_agent.h"
#include "action/gc_words.h"
#include "action/plan.h"
#include "heaptop/units.h"
#include "model/history.h"

extern const struct action_ops action_unfreeze;

static void unfreeze_explain(const struct history *history,
                             const struct action_arguments *arguments,
                             struct action_plan *plan)
{
    struct reading frozen = gc_words_frozen(history_latest(history));
    char count[UNITS_MAX];

    (void)arguments;
    plan_say(plan, "Moves the objects of the permanent generation");
    if (reading_is_known(frozen))
        plan_say(plan, " (%s of them)", units_count(count, frozen));
    plan_say(plan,
             " to the oldest generation: the next full collection looks at all of "
             "them, and takes as much longer. Some versions of CPython freeze objects "
             "of their own at the start; these move too, which does no harm.\n"
             "To put it back: gc.freeze() (f in this menu, --freeze), which freezes "
             "all objects of that moment.");
}

static const char *unfreeze_needless(const struct snapshot *snapshot)
{
    struct reading frozen = gc_words_frozen(snapshot);

    return reading_is_known(frozen) && !frozen.value ? "nothing is frozen" : NULL;
}

static enum action_progress unfreeze_start(struct target *target, struct session *session,
                                           const struct action_arguments *arguments,
                                           void **state, struct action_result *result)
{
    return ask_agent_start(&action_unfreeze, AGENT_UNFREEZE, target, session, arguments,
                           state, result);
}

static enum action_progress unfreeze_poll(void *state, struct action_result *result)
{
    return gc_words_poll_frozen(state, result, "gc.freeze() freezes all objects again");
}

const struct action_ops action_unfreeze = {
    .name = "unfreeze",
    .call = "gc.unfreeze()",
    .help = "collect the frozen objects again",
    .key = 'u',
    .event = EVENT_ACTION,
    .setting = "frozen",
    .explain = unfreeze_explain,
    .needless = unfreeze_needless,
    .possible = ask_agent_possible,
    .start = unfreeze_start,
    .poll = unfreeze_poll,
    .free = ask_agent_free,
};
