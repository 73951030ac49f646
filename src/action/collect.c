/*
 * collect - gc.collect(generation) in the target, by the agent.
 *
 * It works although the target has switched its collector off, and it runs the
 * finalizers of what it finds: that is the change it makes.
 */
#include "heaptop/action.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attach/session.h"
#include "heaptop/units.h"
#include "target/procfs.h"
#include "util/xalloc.h"

#define OLDEST_GENERATION 2

struct collect {
    struct target *target;
    struct session *session;
    int64_t generation;
};

static struct reading read_blocks(struct session *session)
{
    struct agent_counters counters;

    if (!session_counters(session, &counters) || counters.allocated_blocks < 0)
        return reading_unknown();
    return reading_exact(counters.allocated_blocks);
}

static int collect_possible(struct target *target, struct session *session,
                            struct err *err)
{
    enum session_state state = session ? session_step(session) : SESSION_FAILED;

    (void)target;
    switch (state) {
    case SESSION_READY:
        return 0;
    case SESSION_ATTACHING:
        err_set(err, ERR_FAILED, "the agent is still on its way in");
        return err_remedy(err, "try again in a moment");
    case SESSION_WAITING_FOR_GIL:
        err_set(err, ERR_FAILED,
                "the agent waits for the GIL, which native code in the target holds");
        return err_remedy(err, "try again when the target runs Python code");
    default:
        break;
    }
    if (session && session_err(session)->code != ERR_NONE) {
        *err = *session_err(session);
        return -1;
    }
    err_set(err, ERR_FAILED, "a collection needs the agent, which is not attached");
    return err_remedy(err, "run heaptop with --agent=require to see why");
}

static enum action_progress collect_start(struct target *target, struct session *session,
                                          int64_t argument, void **state,
                                          struct action_result *result)
{
    struct collect *collect;

    *state = NULL;
    if (argument < 0 || argument > OLDEST_GENERATION) {
        err_set(&result->err, ERR_USAGE, "there is no generation %lld",
                (long long)argument);
        err_remedy(&result->err, "use 0, 1 or 2");
        return ACTION_FAILED;
    }
    if (collect_possible(target, session, &result->err) != 0)
        return ACTION_FAILED;
    result->res_before_bytes = procfs_res(target->fds.statm);
    result->blocks_before = read_blocks(session);
    if (session_ask(session, AGENT_COLLECT, (const int64_t[]){argument, -1, -1},
                    &result->err) != 0)
        return ACTION_FAILED;
    collect = xcalloc(1, sizeof(*collect));
    *collect = (struct collect){target, session, argument};
    *state = collect;
    return ACTION_RUNNING;
}

static void say(const struct collect *collect, struct action_result *result)
{
    struct reading res =
        reading_difference(result->res_after_bytes, result->res_before_bytes);
    char found[UNITS_MAX], count[UNITS_MAX], pause[UNITS_MAX], change[UNITS_MAX];
    char stuck[UNITS_MAX + 20] = "";

    if (result->uncollectable.value) /* rare, and the line is to fit 80 columns */
        snprintf(stuck, sizeof(stuck), ", %s uncollectable",
                 units_count(count, result->uncollectable));

    snprintf(result->words, sizeof(result->words),
             "gc.collect(%lld): %s unreachable%s, %s; RES %s",
             (long long)collect->generation, units_count(found, result->unreachable),
             stuck, units_duration(pause, result->pause_ns),
             units_bytes_delta(change, res));
}

static struct reading known(int64_t value)
{
    return value < 0 ? reading_unknown() : reading_exact(value);
}

static enum action_progress fail_status(struct action_result *result, int32_t status)
{
    if (status == AGENT_STATUS_FINALIZING)
        err_set(&result->err, ERR_GONE, "Python is shutting down in the target");
    else
        err_set(&result->err, ERR_FAILED, "gc.collect() failed in the target");
    return ACTION_FAILED;
}

static enum action_progress collect_poll(void *state, struct action_result *result)
{
    const struct collect *collect = state;
    struct agent_answer answer;

    if (!session_answer(collect->session, 0, &answer)) {
        if (session_step(collect->session) == SESSION_READY)
            return ACTION_RUNNING;
        result->err = *session_err(collect->session);
        if (result->err.code == ERR_NONE)
            err_set(&result->err, ERR_GONE, "the agent is gone");
        return ACTION_FAILED;
    }
    if (answer.status != AGENT_STATUS_OK)
        return fail_status(result, answer.status);
    result->unreachable = known(answer.value);
    result->uncollectable = known(answer.uncollectable);
    result->pause_ns = known(answer.elapsed_ns);
    result->res_after_bytes = procfs_res(collect->target->fds.statm);
    say(collect, result);
    return ACTION_OVER;
}

static void collect_free(void *state)
{
    free(state);
}

const struct action_ops action_collect = {
    .name = "collect",
    .title = "Run gc.collect()",
    .event = EVENT_COLLECT,
    .possible = collect_possible,
    .start = collect_start,
    .poll = collect_poll,
    .free = collect_free,
};
