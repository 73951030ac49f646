/*
 * stacks - the native stacks of all threads, for the plugin native-stacks and its like.
 *
 * Nothing of the target changes. A thread that waits is looked at as it is; one that
 * runs, and one whose registers are needed, is stopped for a moment, if that is wanted.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/plan.h"
#include "attach/witness_start.h"
#include "heaptop/action.h"
#include "heaptop/units.h"
#include "util/plural.h"

struct looking {
    struct witness_call *call;
    bool stops;
};

static void stacks_explain(const struct history *history,
                           const struct action_arguments *arguments,
                           struct action_plan *plan)
{
    (void)history;
    if (arguments->values[0] != 1) {
        plan_say(plan,
                 "Looks at the native stacks of all threads from outside. The target "
                 "is not stopped, and nothing of it changes; a thread that runs "
                 "shows no frames then.");
        return;
    }
    plan_say(
        plan,
        "Looks at the native stacks of all threads from outside. Each thread that runs, "
        "or whose stack cannot be followed without its registers, is stopped while its "
        "stack is copied, one after the other: for a fraction of a millisecond each, on "
        "a busy machine longer. How long it was is shown. A call that a stop would cut "
        "short is not interrupted, or goes on as if nothing had been. Nothing of the "
        "target changes.");
}

static int stacks_possible(struct target *target, struct session *session,
                           struct err *err)
{
    (void)session;
    if (target->reader)
        return 0;
    *err = target->access_why;
    return -1;
}

static enum action_progress stacks_start(struct target *target, struct session *session,
                                         const struct action_arguments *arguments,
                                         void **state, struct action_result *result)
{
    bool stops = arguments->values[0] == 1;
    struct witness_call *call = witness_start(target, stops, &result->err);
    struct looking *looking = call ? malloc(sizeof(*looking)) : NULL;

    (void)session;
    *state = looking;
    if (!looking) {
        witness_end(call);
        return ACTION_FAILED;
    }
    *looking = (struct looking){call, stops};
    return ACTION_RUNNING;
}

static void say(const struct looking *looking, const char *text,
                struct action_result *result)
{
    long long threads = 0, stopped = 0, longest_ns = 0, took_ns = 0;
    char took[UNITS_MAX];

    sscanf(text, "L %lld\t%lld\t%lld\t%lld", &threads, &stopped, &longest_ns, &took_ns);
    result->value = reading_exact(threads);
    result->gil_wait_ns = result->gil_held_ns = reading_exact(0);
    result->pause_ns = reading_exact(longest_ns);
    if (stopped)
        snprintf(result->words, sizeof(result->words),
                 "stacks(1): %lld thread%s seen, %lld of them stopped, for %s at most",
                 threads, plural((int64_t)threads), stopped,
                 units_duration(took, result->pause_ns));
    else
        snprintf(result->words, sizeof(result->words),
                 "stacks(%d): %lld thread%s seen, none was stopped", looking->stops,
                 threads, plural((int64_t)threads));
}

static enum action_progress stacks_poll(void *state, struct action_result *result)
{
    struct looking *looking = state;
    const char *text;
    int status = witness_step(looking->call, &text, &result->err);

    if (!status)
        return ACTION_RUNNING;
    if (status < 0)
        return ACTION_FAILED;
    say(looking, text, result);
    result->seen = strdup(text);
    return ACTION_OVER;
}

static void stacks_free(void *state)
{
    struct looking *looking = state;

    witness_end(looking->call);
    free(looking);
}

static const struct action_parameter parameters[] = {
    {.name = "stop", .most = 1, .most_words = "those that run"},
};

const struct action_ops action_stacks;
const struct action_ops action_stacks = {
    .name = "stacks",
    .call = "stacks",
    .help = "look at the native stacks of all threads",
    .event = EVENT_ACTION,
    .flags = ACTION_LOOKS,
    .parameters = parameters,
    .n_parameters = 1,
    .takes = "1 when running threads may be stopped for a moment, else 0",
    .argument = "STOP",
    .explain = stacks_explain,
    .possible = stacks_possible,
    .start = stacks_start,
    .poll = stacks_poll,
    .free = stacks_free,
};
