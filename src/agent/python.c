/*
 * What the agent does in CPython. One thread state for the whole stay: making
 * one for every job can hang a forked child on 3.8 - 3.11 (HEAD_LOCK, CPython
 * issue 112275). Every exception is cleared where it could have been set.
 */
#include "agent/agent.h"

#define FROZEN_LIMIT_NS INT64_C(50000) /* of the GIL, at each sample */

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
    *wait_ns = agent_now_ns() - began;
    return true;
}

void agent_gil_drop(void)
{
    agent.python.PyErr_Clear();
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

static int64_t borrowed_number(struct object *object)
{
    if (object)
        agent.python.Py_IncRef(object);
    return agent_number(object);
}

static struct object *call(struct object *function)
{
    struct object *result = NULL;

    if (function)
        result = agent.python.PyObject_CallObject(function, NULL);
    agent.python.PyErr_Clear();
    return result;
}

static struct object *find_gc(void)
{
    struct object *name = agent.python.PyUnicode_FromString("gc");
    struct object *module = NULL;

    if (name) {
        module = agent.python.PyImport_GetModule(name);
        agent.python.Py_DecRef(name);
    }
    agent.python.PyErr_Clear();
    if (!module)
        module = agent.python.PyImport_ImportModuleLevel("gc", NULL, NULL, NULL, 0);
    agent.python.PyErr_Clear();
    return module;
}

struct object *agent_gc_function(const char *name)
{
    struct object *function = agent.python.PyObject_GetAttrString(agent.gc, name);

    agent.python.PyErr_Clear();
    return function;
}

static int keep_functions(void)
{
    agent.gc = find_gc();
    if (!agent.gc)
        return -1;
    agent.blocks = agent.python.PySys_GetObject("getallocatedblocks");
    if (agent.blocks)
        agent.python.Py_IncRef(agent.blocks);
    agent.count = agent_gc_function("get_count");
    agent.threshold = agent_gc_function("get_threshold");
    agent.stats = agent_gc_function("get_stats");
    agent.is_enabled = agent_gc_function("isenabled");
    agent.freeze_count = agent_gc_function("get_freeze_count");
    agent.debug = agent_gc_function("get_debug");
    agent.collect = agent_gc_function("collect");
    return agent.collect && agent_callback_install() == 0 ? 0 : -1;
}

/* Makes the thread state and everything that sampling needs. The caller has
 * seen that Python may be used. 0 or an enum agent_reason. */
int agent_python_open(void)
{
    int status;
    int64_t wait_ns;

    agent.thread_state =
        agent.python.PyThreadState_New(agent.python.PyInterpreterState_Main());
    if (!agent.thread_state)
        return AGENT_REASON_PYTHON_ERROR;
    if (!agent_gil_take(&wait_ns))
        return AGENT_REASON_FINALIZING;
    status = keep_functions();
    agent_gil_drop();
    return status == 0 ? 0 : AGENT_REASON_PYTHON_ERROR;
}

static void release(struct object **object)
{
    if (*object)
        agent.python.Py_DecRef(*object);
    *object = NULL;
}

/* Undoes all of agent_python_open(). True when the image may be unmapped. */
bool agent_python_close(void)
{
    bool may_unmap = true;
    int64_t wait_ns;

    if (!agent.thread_state)
        return true;
    if (!agent_gil_take(&wait_ns))
        return false; /* it goes down, and the callback may still be called */
    if (agent.callback)
        may_unmap = agent_callback_remove();
    release(&agent.callbacks);
    release(&agent.gc);
    release(&agent.blocks);
    release(&agent.count);
    release(&agent.threshold);
    release(&agent.stats);
    release(&agent.is_enabled);
    release(&agent.freeze_count);
    release(&agent.debug);
    release(&agent.collect);
    agent.python.PyErr_Clear();
    agent.python.PyThreadState_Clear(agent.thread_state);
    agent.python.PyThreadState_DeleteCurrent();
    agent.thread_state = NULL;
    return may_unmap;
}

static void copy_text(char *to, size_t size, const char *from)
{
    size_t i = 0;

    for (; from && from[i] && i + 1 < size; i++)
        to[i] = from[i];
    to[i] = '\0';
}

static void read_tuple(struct object *function, struct agent_generation *generations,
                       size_t offset)
{
    struct object *tuple = call(function);

    for (int i = 0; i < AGENT_GENERATIONS; i++) {
        struct object *item = tuple ? agent.python.PyTuple_GetItem(tuple, i) : NULL;

        *(int64_t *)((char *)&generations[i] + offset) = borrowed_number(item);
    }
    if (tuple)
        agent.python.Py_DecRef(tuple);
}

void agent_numbers(struct object *function, int64_t values[AGENT_ARGUMENTS])
{
    struct object *result = call(function);

    for (int i = 0; result && i < AGENT_ARGUMENTS; i++)
        values[i] = borrowed_number(agent.python.PyTuple_GetItem(result, i));
    if (result && values[0] < 0) /* no tuple, or nothing in it */
        values[0] = borrowed_number(result);
    if (result)
        agent.python.Py_DecRef(result);
}

static void read_stats(struct agent_generation *generations)
{
    struct object *list = call(agent.stats);

    for (int i = 0; i < AGENT_GENERATIONS; i++) {
        struct object *row = list ? agent.python.PyList_GetItem(list, i) : NULL;
        struct agent_generation *to = &generations[i];

        to->collections = to->collected = to->uncollectable = -1;
        if (!row)
            continue;
        to->collections =
            borrowed_number(agent.python.PyDict_GetItemString(row, "collections"));
        to->collected =
            borrowed_number(agent.python.PyDict_GetItemString(row, "collected"));
        to->uncollectable =
            borrowed_number(agent.python.PyDict_GetItemString(row, "uncollectable"));
    }
    agent.python.PyErr_Clear();
    if (list)
        agent.python.Py_DecRef(list);
}

/* It walks the list of them: when that took long once, it is left alone until
 * gc.freeze() or gc.unfreeze() is asked for. */
static int64_t count_frozen(void)
{
    int64_t began = agent_now_ns(), frozen;

    if (agent.frozen_are_many)
        return -1;
    frozen = agent_number(call(agent.freeze_count));
    agent.frozen_are_many = agent_now_ns() - began > FROZEN_LIMIT_NS;
    return frozen;
}

/* The number of blocks comes first: nothing of ours is allocated yet. */
static void read_counters(struct agent_counters *counters)
{
    struct object *enabled;

    counters->allocated_blocks = agent_number(call(agent.blocks));
    enabled = call(agent.is_enabled);
    counters->gc_enabled = enabled ? agent.python.PyObject_IsTrue(enabled) : -1;
    if (enabled)
        agent.python.Py_DecRef(enabled);
    read_tuple(agent.count, counters->generations,
               offsetof(struct agent_generation, count));
    read_tuple(agent.threshold, counters->generations,
               offsetof(struct agent_generation, threshold));
    read_stats(counters->generations);
    counters->gc_frozen = count_frozen();
    counters->gc_debug = agent_number(call(agent.debug));
    counters->interpreter = (uintptr_t)agent.python.PyInterpreterState_Main();
    copy_text(counters->version, sizeof(counters->version), agent.python.Py_GetVersion());
    if (agent.python._PyMem_GetCurrentAllocatorName)
        copy_text(counters->allocator, sizeof(counters->allocator),
                  agent.python._PyMem_GetCurrentAllocatorName());
}

static void publish(const struct agent_counters *counters)
{
    uint32_t *sequence = &agent.page->sequence;
    uint32_t number = *sequence;

    __atomic_store_n(sequence, number + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    agent.page->counters = *counters;
    __atomic_store_n(sequence, number + 2, __ATOMIC_RELEASE);
}

void agent_sample(const int64_t *arguments, struct agent_answer *answer)
{
    static struct agent_counters counters;
    int64_t began;

    (void)arguments;
    if (!agent_gil_take(&counters.gil_wait_ns)) {
        answer->status = AGENT_STATUS_FINALIZING;
        return;
    }
    began = agent_now_ns();
    read_counters(&counters);
    agent_gil_drop();
    counters.published_ns = agent_now_ns();
    counters.gil_held_ns = counters.published_ns - began;
    answer->elapsed_ns = counters.gil_held_ns;
    publish(&counters);
}
