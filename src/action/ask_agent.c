#include "action/ask_agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "attach/session.h"
#include "target/procfs.h"
#include "target/target.h"
#include "util/xalloc.h"

_Static_assert(ACTION_ARGUMENTS == AGENT_ARGUMENTS &&
                   ACTION_ARGUMENTS == PLUGIN_CALL_NUMBERS,
               "arguments go to the agent as they are");

struct agent_order {
    struct target *target;
    struct session *session;
    char call[ACTION_CALL_MAX];
};

int ask_agent_possible(struct target *target, struct session *session, struct err *err)
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
    err_set(err, ERR_FAILED, "it needs the agent, which is not in the target");
    return err_remedy(err, "run heaptop with --agent=require to see why");
}

static struct reading known(int64_t value)
{
    return value < 0 ? reading_unknown() : reading_exact(value);
}

static struct reading read_blocks(struct session *session)
{
    struct agent_counters counters;

    return session_counters(session, &counters) ? known(counters.allocated_blocks)
                                                : reading_unknown();
}

/* Of a call that was given the name without its numbers goes with it. */
static int order_command(enum agent_command command, struct session *session,
                         const struct action_arguments *arguments, struct err *err)
{
    struct plugin_call call = {.name = ""};

    if (arguments->call[0] && !plugin_call_read(arguments->call, &call))
        return err_set(err, ERR_USAGE, "%s makes no sense", arguments->call);
    return session_ask_text(session, command, arguments->values, call.name, err);
}

enum action_progress ask_agent_start(const struct action_ops *action,
                                     enum agent_command command, struct target *target,
                                     struct session *session,
                                     const struct action_arguments *arguments,
                                     void **state, struct action_result *result)
{
    struct agent_order *order;

    *state = NULL;
    if (action_check(action, arguments, &result->err) != 0 ||
        action->possible(target, session, &result->err) != 0)
        return ACTION_FAILED;
    result->res_before_bytes = procfs_res(target->fds.statm);
    result->blocks_before = read_blocks(session);
    if (order_command(command, session, arguments, &result->err) != 0)
        return ACTION_FAILED;
    order = xcalloc(1, sizeof(*order));
    order->target = target;
    order->session = session;
    action_call(order->call, action, arguments);
    *state = order;
    return ACTION_RUNNING;
}

/* No answer yet: it runs, or nobody is left to answer. */
static enum action_progress wait_for_answer(const struct agent_order *order,
                                            struct action_result *result)
{
    if (session_step(order->session) == SESSION_READY)
        return ACTION_RUNNING;
    result->err = *session_err(order->session);
    if (result->err.code == ERR_NONE)
        err_set(&result->err, ERR_GONE, "the agent is gone");
    return ACTION_FAILED;
}

static enum action_progress fail(const struct agent_order *order,
                                 struct action_result *result,
                                 const struct agent_answer *answer)
{
    int number = answer->value > 0 && answer->value < 4096 ? (int)answer->value : EIO;

    switch (answer->status) {
    case AGENT_STATUS_FINALIZING:
        err_set(&result->err, ERR_GONE, "Python is shutting down in the target");
        break;
    case AGENT_STATUS_UNAVAILABLE:
        err_set(&result->err, ERR_UNSUPPORTED, "the target has no %s", order->call);
        break;
    case AGENT_STATUS_REFUSED:
        err_set_errno(&result->err, ERR_FAILED, number, "the kernel refused the %s",
                      order->call);
        if (number == EAGAIN)
            err_remedy(&result->err, "the number of processes is limited (ulimit -u, or "
                                     "pids.max of its group)");
        break;
    case AGENT_STATUS_PYTHON_ERROR:
        err_set(&result->err, ERR_FAILED,
                "%s raised an exception in the target, which was cleared", order->call);
        err_remedy(&result->err, "make it in a Python of your own to see which");
        break;
    default:
        err_set(&result->err, ERR_FAILED, "%s failed in the target", order->call);
        break;
    }
    return ACTION_FAILED;
}

enum action_progress ask_agent_poll(void *state, struct action_result *result)
{
    const struct agent_order *order = state;
    struct agent_answer answer;

    if (!session_answer(order->session, 0, &answer))
        return wait_for_answer(order, result);
    if (answer.status != AGENT_STATUS_OK)
        return fail(order, result, &answer);
    result->value = known(answer.value);
    result->uncollectable = known(answer.uncollectable);
    result->pause_ns = known(answer.elapsed_ns);
    result->gil_wait_ns = known(answer.gil_wait_ns);
    result->gil_held_ns = known(answer.gil_held_ns);
    for (int i = 0; i < ACTION_ARGUMENTS; i++) {
        result->before[i] = known(answer.before[i]);
        result->after[i] = known(answer.after[i]);
    }
    result->res_after_bytes = procfs_res(order->target->fds.statm);
    return ACTION_OVER;
}

void ask_agent_free(void *state)
{
    free(state);
}

const char *ask_agent_call(const void *state)
{
    const struct agent_order *order = state;

    return order->call;
}
