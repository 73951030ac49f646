/*
 * exact - an exact snapshot of the objects: the agent makes a sleeping copy of the
 * process, which is walked in its place.
 *
 * Nothing of the target changes; what it costs is the moment in which the copy is made,
 * and memory for the pages that the target writes to while the copy is there.
 */
#include <stdio.h>

#include "action/ask_agent.h"
#include "action/plan.h"
#include "attach/copy.h"
#include "heaptop/units.h"
#include "model/history.h"

extern const struct action_ops action_exact;

static struct reading anon_of(const struct snapshot *snapshot)
{
    return snapshot && snapshot->process ? snapshot->process->anon_bytes
                                         : reading_unknown();
}

static void say_price(struct action_plan *plan, const struct snapshot *latest)
{
    struct reading anon = anon_of(latest);
    char pause[UNITS_MAX], memory[UNITS_MAX], last[UNITS_MAX];

    plan->expected_ns = copy_pause_ns(anon);
    if (!reading_is_known(anon)) {
        plan_say(plan, "How long that takes is not known. ");
        return;
    }
    plan_say(plan,
             "The target stands still for about %s; what it writes to meanwhile is kept "
             "twice, at most %s. ",
             units_duration(pause, reading_exact(plan->expected_ns.value)),
             units_bytes(memory, anon));
    if (latest->objects && latest->objects->walk.is_exact)
        plan_say(plan, "The last one stopped it for %s. ",
                 units_duration(last, reading_exact(latest->objects->walk.stopped_ns)));
}

static void exact_explain(const struct history *history,
                          const struct action_arguments *arguments,
                          struct action_plan *plan)
{
    (void)arguments;
    plan_say(plan,
             "Makes a sleeping copy of the process (fork) and walks that instead: all "
             "objects of one instant, nothing torn. The target gets no signal, and the "
             "copy ends when it is walked, or when heaptop does.\n");
    say_price(plan, history_latest(history));
    plan_say(plan, "Automatic walks wait a minute, so that it can be looked at.");
}

static int exact_possible(struct target *target, struct session *session, struct err *err)
{
    if (ask_agent_possible(target, session, err) != 0)
        return -1;
    return copy_possible(target, session, err);
}

static enum action_progress exact_start(struct target *target, struct session *session,
                                        const struct action_arguments *arguments,
                                        void **state, struct action_result *result)
{
    const struct action_arguments life = {.values = {COPY_LIFE_MS, -1, -1}};

    (void)arguments;
    return ask_agent_start(&action_exact, AGENT_COPY, target, session, &life, state,
                           result);
}

static enum action_progress exact_poll(void *state, struct action_result *result)
{
    enum action_progress progress = ask_agent_poll(state, result);
    char pause[UNITS_MAX];

    if (progress == ACTION_OVER)
        snprintf(result->words, sizeof(result->words),
                 "%s: the target stood still for %s; its copy is walked",
                 ask_agent_call(state), units_duration(pause, result->pause_ns));
    return progress;
}

const struct action_ops action_exact = {
    .name = "exact",
    .call = "exact snapshot",
    .help = "walk a sleeping copy of the process: nothing torn",
    .key = 'x',
    .event = EVENT_ACTION,
    .flags = ACTION_COPIES,
    .explain = exact_explain,
    .possible = exact_possible,
    .start = exact_start,
    .poll = exact_poll,
    .free = ask_agent_free,
};
