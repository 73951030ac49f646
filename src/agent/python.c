/*
 * How the agent uses CPython. One thread state for the whole stay: making one for
 * every job can hang a forked child on 3.8 - 3.11 (HEAD_LOCK, CPython issue 112275).
 * Every exception is cleared where it could have been set.
 */
#include "agent/agent.h"

bool agent_python_may_be_used(void)
{
    int (*is_finalizing)(void) = agent.python.Py_IsFinalizing
                                     ? agent.python.Py_IsFinalizing
                                     : agent.python._Py_IsFinalizing;

    return !agent.python_is_lost && agent.python.Py_IsInitialized() &&
           !(is_finalizing && is_finalizing());
}

bool agent_gil_take(int64_t *wait_ns)
{
    int64_t began = agent_now_ns();

    if (!agent_python_may_be_used())
        return false;
    agent.python.PyEval_RestoreThread(agent.thread_state);
    agent.holds_gil = true;
    *wait_ns = agent_now_ns() - began;
    return true;
}

void agent_gil_drop(void)
{
    agent.python.PyErr_Clear();
    agent.holds_gil = false;
    agent.python.PyEval_SaveThread();
}

/* The value of an int object; takes the reference. -1 when there is none. */
int64_t agent_number(struct object *owned)
{
    int64_t number = -1;

    if (owned) {
        number = agent.python.PyLong_AsLongLong(owned);
        agent.python.Py_DecRef(owned);
    }
    agent.python.PyErr_Clear();
    return number;
}

struct object *agent_call(struct object *function)
{
    struct object *result = NULL;

    if (function)
        result = agent.python.PyObject_CallObject(function, NULL);
    agent.python.PyErr_Clear();
    return result;
}

struct object *agent_call_one(struct object *function, struct object *argument)
{
    struct object *arguments = agent.python.PyTuple_New(1), *result = NULL;

    if (function && arguments) {
        agent.python.Py_IncRef(argument);
        agent.python.PyTuple_SetItem(arguments, 0, argument);
        result = agent.python.PyObject_CallObject(function, arguments);
    }
    if (arguments)
        agent.python.Py_DecRef(arguments);
    agent.python.PyErr_Clear();
    return result;
}

static void forget(struct object *owned)
{
    if (owned)
        agent.python.Py_DecRef(owned);
}

/* 3.8 - 3.11 collect inside an allocation, also of the agent, and would run the
 * target's finalizers in its thread; later versions only do it in Python code. */
bool agent_gc_hold(void)
{
    struct object *answer;
    bool is_enabled;

    if (agent.minor >= 12 || !agent.disable || !agent.enable)
        return false;
    answer = agent_call(agent.is_enabled);
    is_enabled = answer && agent.python.PyObject_IsTrue(answer) == 1;
    forget(answer);
    if (is_enabled)
        forget(agent_call(agent.disable));
    return is_enabled;
}

void agent_gc_let_go(bool was_enabled)
{
    if (was_enabled)
        forget(agent_call(agent.enable));
}

/*
 * A fork that begins while another thread waits to stop the world leaves the lock of
 * that thread to the child, which hangs at its first collection (3.13 without a GIL,
 * pystate.c, stop_the_world()). PyOS_BeforeFork() takes the import lock first.
 */
void agent_forks_hold(void)
{
    forget(agent_call(agent.import_lock));
}

void agent_forks_let_go(void)
{
    forget(agent_call(agent.import_unlock));
}
