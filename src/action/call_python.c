/*
 * call - a function of the target's Python, with up to three numbers: what a plugin
 * offers, or the option names.
 *
 * heaptop knows nothing of the function; the user sees the very call before it is run.
 */
#include <stdio.h>
#include <string.h>

#include "action/ask_agent.h"
#include "action/plan.h"
#include "attach/session.h"
#include "heaptop/units.h"

extern const struct action_ops action_call_python;

static void call_explain(const struct history *history,
                         const struct action_arguments *arguments,
                         struct action_plan *plan)
{
    (void)history;
    plan_say(plan,
             "Runs %s in a thread of the target's Python, with the GIL. Its module is "
             "imported when it is not there yet. How long it takes, what it changes, and "
             "how that is put back is up to the function: heaptop does not know it.",
             arguments->call);
}

static enum action_progress call_start(struct target *target, struct session *session,
                                       const struct action_arguments *arguments,
                                       void **state, struct action_result *result)
{
    return ask_agent_start(&action_call_python, AGENT_CALL, target, session, arguments,
                           state, result);
}

static enum action_progress call_poll(void *state, struct action_result *result)
{
    enum action_progress progress = ask_agent_poll(state, result);
    char took[UNITS_MAX], change[UNITS_MAX], value[40] = "";

    if (progress != ACTION_OVER)
        return progress;
    if (reading_is_known(result->value))
        snprintf(value, sizeof(value), " returned %lld;", (long long)result->value.value);
    snprintf(result->words, sizeof(result->words), "%s:%s RES %s, %s",
             ask_agent_call(state), value,
             units_bytes_delta(change, reading_difference(result->res_after_bytes,
                                                          result->res_before_bytes)),
             units_duration(took, result->pause_ns));
    return progress;
}

const struct action_ops action_call_python = {
    .name = "call",
    .call = "a function of Python",
    .help = "run a function of the target's Python, with up to three numbers",
    .event = EVENT_ACTION,
    .flags = ACTION_CALLS,
    .takes = "MODULE.FUNCTION(NUMBERS)",
    .argument = "CALL",
    .explain = call_explain,
    .possible = ask_agent_possible,
    .start = call_start,
    .poll = call_poll,
    .free = ask_agent_free,
};
