/*
 * The gc callback: CPython calls it at the start and at the end of every
 * collection, with the GIL, in the thread that collects. It records the exact
 * pause and does nothing else. In a forked child it does nothing at all.
 */
#include "agent/agent.h"

#define METH_VARARGS 0x0001 /* methodobject.h, 3.8 - 3.15 */

static int64_t info_number(struct object *info, const char *key)
{
    struct object *value = agent.python.PyDict_GetItemString(info, key);
    int64_t number = -1;

    if (value)
        number = agent.python.PyLong_AsLongLong(value);
    agent.python.PyErr_Clear();
    return number;
}

/* What the pause before it had summed, and this one. */
static void pause_sum(const struct agent_page *page, struct agent_pause *pause)
{
    uint32_t written = page->pauses_written;
    const struct agent_pause *before = &page->pauses[(written - 1) % AGENT_PAUSES];
    int64_t pause_ns = pause->ended_ns - pause->began_ns;

    pause->total_ns = pause_ns + (written ? before->total_ns : 0);
    pause->max_ns = written ? before->max_ns : 0;
    if (pause_ns > pause->max_ns)
        pause->max_ns = pause_ns;
}

static void pause_ended(struct object *info)
{
    struct agent_page *page = agent.page;
    uint32_t written = page->pauses_written;
    struct agent_pause *pause = &page->pauses[written % AGENT_PAUSES];
    int64_t began = agent.pause_began_ns;

    pause->ended_ns = agent_now_ns();
    pause->generation = (int32_t)info_number(info, "generation");
    pause->collected = info_number(info, "collected");
    pause->uncollectable = info_number(info, "uncollectable");
    if (agent.collects && agent.python.PyThreadState_Get() == agent.thread_state)
        agent.collect_uncollectable = pause->uncollectable;
    if (began == 0) /* the agent came in the middle of this collection */
        return;
    pause->began_ns = began;
    pause_sum(page, pause);
    agent.pause_began_ns = 0;
    __atomic_store_n(&page->pauses_written, written + 1, __ATOMIC_RELEASE);
}

static struct object *none(void)
{
    struct object *object = (struct object *)(uintptr_t)agent.python._Py_NoneStruct;

    agent.python.Py_IncRef(object);
    return object;
}

static struct object *on_collection(struct object *self, struct object *arguments)
{
    struct object *phase, *info;
    const char *words;

    (void)self;
    if (agent.is_inert || !agent_is_original())
        return none();
    phase = agent.python.PyTuple_GetItem(arguments, 0);
    info = agent.python.PyTuple_GetItem(arguments, 1);
    words = phase && info ? agent.python.PyUnicode_AsUTF8(phase) : NULL;
    if (!words)
        agent.python.PyErr_Clear();
    else if (words[0] == 's' && words[1] == 't' && words[2] == 'a') /* start, stop */
        agent.pause_began_ns = agent_now_ns();
    else
        pause_ended(info);
    return none();
}

/* The capsule dies with the callback: when that happens before the agent takes
 * its leave, the interpreter is gone and with it the thread state. */
static void callback_died(struct object *capsule)
{
    (void)capsule;
    agent.python_is_lost = true;
}

static struct method method;

/* A new reference, or NULL with the exception cleared. */
struct object *agent_callback_new(void)
{
    struct object *capsule = agent.python.PyCapsule_New(&agent, "heaptop", callback_died);
    struct object *callback = NULL;

    method.name = "heaptop";
    method.function = on_collection;
    method.flags = METH_VARARGS;
    if (capsule) {
        callback = agent.python.PyCFunction_NewEx(&method, capsule, NULL);
        agent.python.Py_DecRef(capsule);
    }
    agent.python.PyErr_Clear();
    return callback;
}

int agent_callback_install(void)
{
    agent.callbacks = agent.python.PyObject_GetAttrString(agent.gc, "callbacks");
    if (agent.callbacks)
        agent.callback = agent_callback_new();
    if (!agent.callback ||
        agent.python.PyList_Append(agent.callbacks, agent.callback) != 0) {
        agent.python.PyErr_Clear();
        return -1;
    }
    return 0;
}

/* True when nobody can call the callback any more. ob_refcnt is the first word
 * of an object (object.h); its lower half is the whole count of such an object
 * in 3.8 - 3.15. */
bool agent_callback_remove(void)
{
    int64_t n = agent.python.PyList_Size(agent.callbacks);
    bool is_ours_alone;

    agent.is_inert = true;
    for (int64_t i = n - 1; i >= 0; i--)
        if (agent.python.PyList_GetItem(agent.callbacks, i) == agent.callback)
            agent.python.PySequence_DelItem(agent.callbacks, i);
    agent.python.PyErr_Clear();
    is_ours_alone = *(const uint32_t *)agent.callback == 1;
    if (is_ours_alone)
        agent.python.Py_DecRef(agent.callback);
    agent.python.Py_DecRef(agent.callbacks);
    agent.callback = agent.callbacks = NULL;
    return is_ours_alone;
}
