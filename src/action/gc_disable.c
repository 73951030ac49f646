/* gc_disable - no collection begins by itself any more. */
#include "action/ask_agent.h"
#include "action/gc_words.h"
#include "action/plan.h"

extern const struct action_ops action_gc_disable;

static void disable_explain(const struct history *history,
                            const struct action_arguments *arguments,
                            struct action_plan *plan)
{
    (void)history;
    (void)arguments;
    plan_say(plan,
             "No collection begins by itself any more: there are no pauses, and "
             "garbage cycles stay until gc.collect() is called, so RES may grow. What "
             "no cycle holds is freed as before.\n"
             "To put it back: gc.enable() (e in this menu, --gc-enable).");
}

static const char *disable_needless(const struct snapshot *snapshot)
{
    struct reading enabled = gc_words_enabled(snapshot);

    return reading_is_known(enabled) && !enabled.value ? "it is off already" : NULL;
}

static enum action_progress disable_start(struct target *target, struct session *session,
                                          const struct action_arguments *arguments,
                                          void **state, struct action_result *result)
{
    return ask_agent_start(&action_gc_disable, AGENT_DISABLE, target, session, arguments,
                           state, result);
}

static enum action_progress disable_poll(void *state, struct action_result *result)
{
    return gc_words_poll_enabled(state, result, "gc.enable() puts it back");
}

const struct action_ops action_gc_disable = {
    .name = "gc-disable",
    .call = "gc.disable()",
    .help = "let none begin by itself",
    .key = 'd',
    .event = EVENT_ACTION,
    .setting = "enabled",
    .explain = disable_explain,
    .needless = disable_needless,
    .possible = ask_agent_possible,
    .start = disable_start,
    .poll = disable_poll,
    .free = ask_agent_free,
};
