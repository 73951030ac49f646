/* Into Python and out of it: the thread state, and what the agent keeps there. */
#include "agent/agent.h"

struct object *agent_module(const char *text)
{
    struct object *name = agent.python.PyUnicode_FromString(text);
    struct object *module = NULL;

    if (name) {
        module = agent.python.PyImport_GetModule(name);
        agent.python.Py_DecRef(name);
    }
    agent.python.PyErr_Clear();
    return module;
}

static struct object *find_gc(void)
{
    struct object *module = agent_module("gc");

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

/* Unless somebody has put a function of their own in its place, which would run as it
 * likes at every sample. */
static struct object *gc_builtin(const char *name)
{
    struct object *function = agent_gc_function(name);

    if (!function || agent.python.PyCFunction_GetFunction(function))
        return function;
    agent.python.PyErr_Clear();
    agent.python.Py_DecRef(function);
    return NULL;
}

static struct object *sys_function(const char *name)
{
    struct object *function = agent.python.PySys_GetObject(name); /* borrowed */

    if (function)
        agent.python.Py_IncRef(function);
    return function;
}

static void keep_import_lock(void)
{
    struct object *imp = agent_module("_imp");

    if (!imp)
        return;
    agent.import_lock = agent.python.PyObject_GetAttrString(imp, "acquire_lock");
    agent.import_unlock = agent.python.PyObject_GetAttrString(imp, "release_lock");
    agent.python.PyErr_Clear();
    agent.python.Py_DecRef(imp);
}

/* "3.11.2 (main, ..." or "2.36": the number after the first point; 0 of another major. */
static int minor_version(const char *text, char major)
{
    int minor = 0;

    if (text[0] != major || text[1] != '.')
        return 0;
    for (text += 2; *text >= '0' && *text <= '9' && minor < 1000; text++)
        minor = minor * 10 + (*text - '0');
    return minor;
}

static int keep_functions(void)
{
    bool was_enabled;
    int status = -1;

    agent.gc = find_gc();
    if (!agent.gc)
        return -1;
    agent.is_enabled = gc_builtin("isenabled");
    agent.disable = gc_builtin("disable");
    agent.enable = gc_builtin("enable");
    was_enabled = agent_gc_hold();
    /* Without a GIL these two visit all objects, the second with all threads stopped. */
    if (agent.is_free_threaded) {
        keep_import_lock();
    } else {
        agent.blocks = sys_function("getallocatedblocks");
        agent.freeze_count = gc_builtin("get_freeze_count");
    }
    agent.reference_count = sys_function("getrefcount");
    agent.count = gc_builtin("get_count");
    agent.threshold = gc_builtin("get_threshold");
    agent.stats = gc_builtin("get_stats");
    agent.debug = gc_builtin("get_debug");
    agent.collect = agent_gc_function("collect");
    if (agent.collect)
        status = agent_callback_install();
    agent_gc_let_go(was_enabled);
    return status;
}

#define GLIBC_MINOR_STREAMS_FIRST 24

/*
 * A fork is kept off, by the lock of all streams, which glibc's fork takes beforehand
 * (sysdeps/nptl/fork.c). Where an allocation may wait for the GIL, as tracemalloc's does,
 * that would be a deadlock with who forks and has it; then nobody is kept off. Nor before
 * glibc 2.24, whose fork takes all locks of malloc first (BZ 19431).
 */
static bool forks_can_wait(void)
{
    const uint64_t *place = agent_place.allocator;
    const char *(*libc_version)(void) =
        (const char *(*)(void))(uintptr_t)place[AGENT_ALLOCATOR_gnu_get_libc_version];

    return agent.minor < 12 && place[AGENT_ALLOCATOR__IO_list_lock] &&
           place[AGENT_ALLOCATOR__IO_list_unlock] && libc_version &&
           minor_version(libc_version(), '2') >= GLIBC_MINOR_STREAMS_FIRST &&
           agent.python._PyMem_GetCurrentAllocatorName &&
           agent.python._PyMem_GetCurrentAllocatorName();
}

static void call_libc(enum agent_allocator function)
{
    ((void (*)(void))(uintptr_t)agent_place.allocator[function])();
}

/* The GIL is not held here: on 3.8 - 3.11 a child that is forked in the middle of it
 * hangs (HEAD_LOCK, CPython issue 112275). */
static void make_thread_state(void)
{
    void *interpreter = agent.python.PyInterpreterState_Main();
    bool they_wait = forks_can_wait();

    if (they_wait)
        call_libc(AGENT_ALLOCATOR__IO_list_lock);
    agent.thread_state = agent.python.PyThreadState_New(interpreter);
    if (they_wait)
        call_libc(AGENT_ALLOCATOR__IO_list_unlock);
}

/* Makes the thread state and everything that sampling needs. The caller has
 * seen that Python may be used. 0 or an enum agent_reason. */
int agent_python_open(void)
{
    int status;
    int64_t wait_ns;

    agent.minor = minor_version(agent.python.Py_GetVersion(), '3');
    agent.is_free_threaded = agent.python.PyUnstable_Module_SetGIL != NULL;
    make_thread_state();
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

/* Offsets, for addresses would be relocations. */
static const uint16_t kept_objects[] = {
    offsetof(struct agent, callbacks),       offsetof(struct agent, gc),
    offsetof(struct agent, blocks),          offsetof(struct agent, count),
    offsetof(struct agent, threshold),       offsetof(struct agent, stats),
    offsetof(struct agent, is_enabled),      offsetof(struct agent, disable),
    offsetof(struct agent, enable),          offsetof(struct agent, freeze_count),
    offsetof(struct agent, debug),           offsetof(struct agent, collect),
    offsetof(struct agent, reference_count), offsetof(struct agent, import_lock),
    offsetof(struct agent, import_unlock),
};

static void release_all(void)
{
    for (size_t i = 0; i < sizeof(kept_objects) / sizeof(kept_objects[0]); i++)
        release((struct object **)((char *)&agent + kept_objects[i]));
}

/* Undoes all of agent_python_open(). */
enum agent_rest agent_python_close(void)
{
    enum agent_rest rest = AGENT_REST_NOTHING;
    int64_t wait_ns;

    if (!agent.thread_state)
        return AGENT_REST_NOTHING;
    if (!agent_gil_take(&wait_ns))
        return AGENT_REST_IMAGE; /* it goes down, and the callback may still be called */
    if (agent.callback)
        rest = agent_callback_remove();
    if (!agent.holds_gil) /* it went down meanwhile */
        return AGENT_REST_IMAGE;
    release_all();
    agent_partition_forget();
    agent.python.PyErr_Clear();
    agent.python.PyThreadState_Clear(agent.thread_state);
    agent.python.PyThreadState_DeleteCurrent();
    agent.thread_state = NULL;
    return rest;
}
