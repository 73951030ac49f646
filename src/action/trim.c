/*
 * trim - malloc_trim(0) of the target's own glibc, by the agent and without the GIL.
 *
 * It changes no object: pages that are free inside malloc go back to the system.
 */
#include <stdio.h>
#include <string.h>

#include "action/ask_agent.h"
#include "action/plan.h"
#include "attach/session.h"
#include "heaptop/units.h"
#include "model/history.h"

extern const struct action_ops action_trim;

static const struct malloc_section *malloc_of(const struct snapshot *snapshot)
{
    return snapshot ? snapshot->malloc : NULL;
}

/* With its age: what was counted before a large piece was freed tells nothing of it. */
static void say_gain(struct action_plan *plan, const struct snapshot *latest)
{
    const struct malloc_section *malloc = malloc_of(latest);
    char bytes[UNITS_MAX], age[UNITS_MAX];

    if (!malloc || !reading_is_known(malloc->trim_bytes)) {
        plan_say(plan, "How much it would return is not known. ");
        return;
    }
    plan_say(plan, "It would return about %s, counted %s ago. ",
             units_bytes(bytes, reading_exact(malloc->trim_bytes.value)),
             units_duration(age, reading_exact(latest->mono_ns - malloc->ended_mono_ns)));
}

static void trim_explain(const struct history *history,
                         const struct action_arguments *arguments,
                         struct action_plan *plan)
{
    (void)arguments;
    plan_say(plan,
             "Gives pages that are free inside malloc back to the system. No object "
             "changes, no Python code runs, and the GIL is not held; a thread that "
             "allocates may wait while its heap is gone through.\n");
    say_gain(plan, history_latest(history));
    plan_say(plan,
             "What was returned costs page faults when it is needed again. A mark is "
             "set before it.");
}

static const char *trim_needless(const struct snapshot *snapshot)
{
    const struct malloc_section *malloc = malloc_of(snapshot);

    return malloc && malloc->allocator[0] && strcmp(malloc->allocator, "glibc") != 0
               ? "malloc is not glibc's"
               : NULL;
}

static int trim_possible(struct target *target, struct session *session, struct err *err)
{
    const char *other;

    if (ask_agent_possible(target, session, err) != 0)
        return -1;
    other = session_other_malloc(session);
    if (!other[0])
        return 0;
    err_set(err, ERR_UNSUPPORTED,
            "the target allocates with %.60s, not with glibc's malloc: "
            "malloc_trim(0) would return nothing",
            other);
    return err_remedy(err, "see how that allocator is told to give memory back");
}

static enum action_progress trim_start(struct target *target, struct session *session,
                                       const struct action_arguments *arguments,
                                       void **state, struct action_result *result)
{
    return ask_agent_start(&action_trim, AGENT_TRIM, target, session, arguments, state,
                           result);
}

static enum action_progress trim_poll(void *state, struct action_result *result)
{
    enum action_progress progress = ask_agent_poll(state, result);
    char took[UNITS_MAX], change[UNITS_MAX];

    if (progress != ACTION_OVER)
        return progress;
    snprintf(result->words, sizeof(result->words), "%s: RES %s, %s%s",
             ask_agent_call(state),
             units_bytes_delta(change, reading_difference(result->res_after_bytes,
                                                          result->res_before_bytes)),
             units_duration(took, result->pause_ns),
             result->value.value ? "" : "; malloc had nothing to return");
    return progress;
}

const struct action_ops action_trim = {
    .name = "trim",
    .call = "malloc_trim(0)",
    .help = "give malloc's free pages back to the system",
    .key = 't',
    .event = EVENT_ACTION,
    .flags = ACTION_FREES_MEMORY,
    .explain = trim_explain,
    .needless = trim_needless,
    .possible = trim_possible,
    .start = trim_start,
    .poll = trim_poll,
    .free = ask_agent_free,
};
