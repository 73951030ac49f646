/* A call that the user confirmed: module.function of the target's Python, with numbers.
 */
#include "agent/agent.h"

/* "a.b.c" becomes "a.b" and "c"; NULL: there is no dot. */
static const char *split(char *name)
{
    char *dot = NULL;

    for (; *name; name++)
        if (*name == '.')
            dot = name;
    if (!dot)
        return NULL;
    *dot = '\0';
    return dot + 1;
}

/* A new reference; imported when it is not there yet. NULL, the exception cleared. */
static struct object *module_of(const char *name)
{
    struct object *module = agent_module(name), *top;

    if (module)
        return module;
    top = agent.python.PyImport_ImportModuleLevel(name, NULL, NULL, NULL, 0);
    agent.python.PyErr_Clear();
    if (!top)
        return NULL;
    agent.python.Py_DecRef(top);
    return agent_module(name);
}

void agent_python_call(const int64_t *arguments, struct agent_answer *answer)
{
    const char *name = split(agent.question);
    struct object *module, *function = NULL;
    int64_t began;

    answer->status = AGENT_STATUS_UNAVAILABLE;
    if (!name)
        return;
    if (!agent_gil_take(&answer->gil_wait_ns)) {
        answer->status = AGENT_STATUS_FINALIZING;
        return;
    }
    began = agent_now_ns();
    agent_fork_allow();
    module = module_of(agent.question);
    if (module) {
        function = agent.python.PyObject_GetAttrString(module, name);
        agent.python.PyErr_Clear();
        agent.python.Py_DecRef(module);
    }
    agent_fork_forbid();
    agent_call_numbers(function, arguments, answer);
    if (function)
        agent.python.Py_DecRef(function);
    agent_gil_drop();
    answer->gil_held_ns = agent_now_ns() - began;
}
