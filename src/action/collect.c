/*
 * collect - gc.collect(generation) in the target, by the agent.
 *
 * It works although the target has switched its collector off, and it runs the
 * finalizers of what it finds: that is the change it makes.
 */
#include <stdio.h>

#include "action/ask_agent.h"
#include "action/plan.h"
#include "heaptop/units.h"
#include "model/collect_cost.h"
#include "model/gc_debug.h"

#define OLDEST_GENERATION 2

extern const struct action_ops action_collect;

/* Old objects lie further apart in memory than the youngest, which were just made. */
static void say_reckoned(struct action_plan *plan, const struct collect_cost *cost)
{
    char count[UNITS_MAX], last[UNITS_MAX], expected[UNITS_MAX];

    plan_say(plan,
             "No such collection was seen yet: %s or more, reckoned from the %s that one "
             "of the youngest objects took for some %s. ",
             units_duration(expected, cost->expected_ns),
             units_duration(last, cost->last_ns),
             units_count(count, reading_exact(cost->last_objects.value)));
}

/* Within a fiftieth: no other price is expected. */
static bool is_alike(const struct collect_cost *cost)
{
    int64_t change = cost->objects.value - cost->last_objects.value;

    return (change < 0 ? -change : change) * 50 <= cost->objects.value;
}

static void say_cost(struct action_plan *plan, const struct collect_cost *cost,
                     bool is_full)
{
    char count[UNITS_MAX], last[UNITS_MAX], expected[UNITS_MAX];

    if (reading_is_known(cost->objects))
        plan_say(plan, "It looks at %s objects. ", units_count(count, cost->objects));
    if (!reading_is_known(cost->last_ns)) {
        plan_say(plan, "How long that takes here is not known yet: no collection was "
                       "seen. ");
        return;
    }
    if (cost->is_of_youngest) {
        say_reckoned(plan, cost);
        return;
    }
    plan_say(plan, "Last %scollection took %s", is_full ? "full " : "",
             units_duration(last, cost->last_ns));
    if (cost->expected_ns.state == READING_ESTIMATE && !is_alike(cost))
        plan_say(plan, " for %s: about %s now", units_count(count, cost->last_objects),
                 units_duration(expected, reading_exact(cost->expected_ns.value)));
    plan_say(plan, ". ");
}

/* The account knows garbage that no collection has found yet. */
static void say_gain(struct action_plan *plan, const struct snapshot *latest)
{
    const struct account_section *account = latest ? latest->account : NULL;
    char count[UNITS_MAX], bytes[UNITS_MAX];

    if (account && reading_is_known(account->garbage_objects))
        plan_say(plan, "It would find %s unreachable objects (%s). ",
                 units_count(count, account->garbage_objects),
                 units_bytes(bytes, account->garbage_bytes));
}

static void collect_explain(const struct history *history,
                            const struct action_arguments *arguments,
                            struct action_plan *plan)
{
    const struct snapshot *latest = history_latest(history);
    int generation = (int)arguments->values[0];
    struct collect_cost cost;

    collect_cost(history, generation, &cost);
    plan->expected_ns = cost.expected_ns;
    plan_say(plan, "Runs Python code in the target: finalizers and weak reference "
                   "callbacks run there, in the agent's thread, and the interpreter is "
                   "busy meanwhile.\n");
    if (generation == OLDEST_GENERATION)
        say_gain(plan, latest);
    say_cost(plan, &cost, generation == OLDEST_GENERATION);
    if (latest && latest->gc && (latest->gc->debug.value & GC_DEBUG_SAVEALL))
        plan_say(plan, "DEBUG_SAVEALL is set: what it finds is kept in gc.garbage and "
                       "not freed. ");
    plan_say(plan, "A mark is set before it.");
}

static enum action_progress collect_start(struct target *target, struct session *session,
                                          const struct action_arguments *arguments,
                                          void **state, struct action_result *result)
{
    return ask_agent_start(&action_collect, AGENT_COLLECT, target, session, arguments,
                           state, result);
}

static enum action_progress collect_poll(void *state, struct action_result *result)
{
    enum action_progress progress = ask_agent_poll(state, result);
    char found[UNITS_MAX], count[UNITS_MAX], pause[UNITS_MAX], change[UNITS_MAX];
    char stuck[UNITS_MAX + 20] = "";

    if (progress != ACTION_OVER)
        return progress;
    result->unreachable = result->value;
    if (result->uncollectable.value) /* rare, and the line is to fit 80 columns */
        snprintf(stuck, sizeof(stuck), ", %s uncollectable",
                 units_count(count, result->uncollectable));
    snprintf(result->words, sizeof(result->words), "%s: %s unreachable%s, %s; RES %s",
             ask_agent_call(state), units_count(found, result->unreachable), stuck,
             units_duration(pause, result->pause_ns),
             units_bytes_delta(change, reading_difference(result->res_after_bytes,
                                                          result->res_before_bytes)));
    return progress;
}

static const struct action_parameter parameters[] = {
    {"Generation", 0, OLDEST_GENERATION, OLDEST_GENERATION, true, "full"},
};

const struct action_ops action_collect = {
    .name = "collect",
    .call = "gc.collect",
    .help = "free the garbage cycles",
    .key = 'c',
    .event = EVENT_COLLECT,
    .flags = ACTION_FREES_OBJECTS | ACTION_FREES_MEMORY,
    .parameters = parameters,
    .n_parameters = 1,
    .takes = "a generation: 0, 1 or 2",
    .argument = "GEN",
    .explain = collect_explain,
    .possible = ask_agent_possible,
    .start = collect_start,
    .poll = collect_poll,
    .free = ask_agent_free,
};
