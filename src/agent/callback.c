/*
 * The gc callback: CPython calls it at the start and at the end of every
 * collection, with the GIL, in the thread that collects. It records the exact
 * pause and does nothing else. In a forked child it does nothing at all, for there
 * is nothing behind its entry (kept_*.S).
 */
#include "agent/agent.h"

#define METH_VARARGS 0x0001 /* methodobject.h, 3.8 - 3.15 */
#define GRACE_NS     (20 * INT64_C(1000000))
#define GRACE_TRIES  10
#define WALK_NS      (3 * INT64_C(1000000))
#define WALK_TRIES   40

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
    agent.python.Py_IncRef(agent_kept.none);
    return agent_kept.none;
}

static void keep_info(struct object *info)
{
    struct object *last = agent.info;

    if (info)
        agent.python.Py_IncRef(info);
    agent.info = info;
    if (last)
        agent.python.Py_DecRef(last);
}

static struct object *on_collection(struct object *self, struct object *arguments)
{
    struct object *phase, *info;
    const char *words;

    (void)self;
    if (!agent_is_original())
        return none();
    phase = agent.python.PyTuple_GetItem(arguments, 0);
    info = agent.python.PyTuple_GetItem(arguments, 1);
    words = phase && info ? agent.python.PyUnicode_AsUTF8(phase) : NULL;
    keep_info(info);
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
static void on_death(struct object *capsule)
{
    (void)capsule;
    agent.python_is_lost = true;
}

static void fill_kept(void)
{
    static const char name[sizeof(agent_kept.name)] = "heaptop";

    for (size_t i = 0; i < sizeof(name); i++)
        agent_kept.name[i] = name[i];
    agent_kept.inc_ref = agent.python.Py_IncRef;
    agent_kept.none = (struct object *)(uintptr_t)agent.python._Py_NoneStruct;
    agent_kept.guard = &agent_guard;
    agent_kept.code = (uintptr_t)agent_kept_code;
    agent_kept.method =
        (struct method){agent_kept.name, agent_callback_entry, METH_VARARGS, NULL};
    agent_kept.magic = AGENT_MAGIC;
}

static int64_t references(struct object *object)
{
    return agent_number(agent_call_one(agent.reference_count, object));
}

/* A new reference, or NULL with the exception cleared. */
static struct object *callback_new(void)
{
    struct object *capsule =
        agent.python.PyCapsule_New(&agent_kept, agent_kept.name, agent_death_entry);
    struct object *callback = NULL;

    if (capsule) {
        callback = agent.python.PyCFunction_NewEx(&agent_kept.method, capsule, NULL);
        agent.python.Py_DecRef(capsule);
    }
    agent.python.PyErr_Clear();
    return callback;
}

/* The kept pages of an entry of gc.callbacks that some agent made; else NULL. */
static struct agent_kept *kept_of(struct object *entry)
{
    struct object *self = agent.python.PyCFunction_GetSelf(entry);
    struct agent_kept *kept = NULL;

    if (self && agent.python.PyCapsule_IsValid(self, agent_kept.name))
        kept = agent.python.PyCapsule_GetPointer(self, agent_kept.name);
    agent.python.PyErr_Clear();
    return kept && kept->magic == AGENT_MAGIC ? kept : NULL;
}

/* Takes an inherited entry away, and its pages when nobody else knows it. Whoever made
 * it had a reference, which the fork, or its leave, has left without an owner. */
static void drop_inherited(int64_t index, struct object *entry, struct agent_kept *kept)
{
    uint64_t code = kept->code;

    agent.python.PySequence_DelItem(agent.callbacks, index);
    agent.python.PyErr_Clear();
    if (references(entry) != agent.references_alone)
        return;
    agent.python.Py_DecRef(entry);
    agent_unmap((uintptr_t)kept, 2 * AGENT_PAGE_BYTES);
    agent_unmap(code, AGENT_PAGE_BYTES);
}

/* What a forked child has from its parent, or an agent had to leave, at the end of the
 * list: see may_be_walked(). */
static void drop_last_inherited(void)
{
    int64_t n = agent.python.PyList_Size(agent.callbacks);

    for (int64_t i = n - 1; i >= 0; i--) {
        struct object *entry = agent.python.PyList_GetItem(agent.callbacks, i);
        struct agent_kept *kept = entry ? kept_of(entry) : NULL;

        if (!kept || kept->guard->on_collection)
            break;
        drop_inherited(i, entry, kept);
    }
    agent.python.PyErr_Clear();
}

int agent_callback_install(void)
{
    fill_kept();
    agent.callbacks = agent.python.PyObject_GetAttrString(agent.gc, "callbacks");
    if (agent.callbacks)
        agent.callback = callback_new();
    if (!agent.callback) {
        agent.python.PyErr_Clear();
        return -1;
    }
    agent.references_alone = references(agent.callback);
    drop_last_inherited();
    agent_guard = (struct agent_guard){on_collection, on_death};
    if (agent.python.PyList_Append(agent.callbacks, agent.callback) == 0)
        return 0;
    agent.python.PyErr_Clear();
    return -1;
}

static bool is_ours_alone(void)
{
    return agent.references_alone > 0 &&
           references(agent.callback) == agent.references_alone;
}

/* False when the interpreter went down meanwhile; the GIL is not held then. */
static bool let_others_run(int64_t for_ns)
{
    static uint32_t word;
    int64_t wait_ns;

    agent_gil_drop();
    agent_wait(&word, 0, for_ns, false);
    return agent_gil_take(&wait_ns);
}

/* Without a GIL another thread may be about to call what it has just read from the
 * list; who calls has a reference. Waits for that thread, as long as one can wait. */
static bool wait_alone(void)
{
    for (int i = 0; i < GRACE_TRIES && let_others_run(GRACE_NS); i++)
        if (is_ours_alone())
            return true;
    return false;
}

/* Agents that are just leaving, because their heaptop was killed, have the dict too. */
static int64_t other_agents(void)
{
    int64_t n = agent.python.PyList_Size(agent.callbacks), others = 0;

    for (int64_t i = 0; i < n; i++) {
        struct object *entry = agent.python.PyList_GetItem(agent.callbacks, i);
        struct agent_kept *kept = entry ? kept_of(entry) : NULL;

        if (kept && entry != agent.callback && kept->guard->on_collection)
            others++;
    }
    return others;
}

/*
 * CPython walks the list by index, and other threads get the GIL inside the callbacks
 * (gcmodule.c, invoke_gc_callback()): when an entry goes while a walk has passed it, the
 * walk skips the next callback. The walk that last called us is over when it does not
 * have the dict any more that it called us with.
 */
static bool may_be_walked(void)
{
    int64_t n = agent.python.PyList_Size(agent.callbacks);

    if (n > 0 && agent.python.PyList_GetItem(agent.callbacks, n - 1) == agent.callback)
        return false; /* nobody is behind us */
    return agent.info && references(agent.info) > agent.references_alone + other_agents();
}

/* False when each try met one, or somebody keeps that dict. */
static bool wait_unwalked(void)
{
    for (int i = 0; may_be_walked(); i++)
        if (i == WALK_TRIES || !let_others_run(WALK_NS))
            return false;
    return true;
}

/* An entry that must stay keeps our reference: drop_inherited() counts on it. */
static enum agent_rest leave_entry(void)
{
    agent.callback = NULL;
    return agent.is_free_threaded ? AGENT_REST_IMAGE : AGENT_REST_ENTRY;
}

static void delete_entry(void)
{
    int64_t n = agent.python.PyList_Size(agent.callbacks);

    for (int64_t i = n - 1; i >= 0; i--)
        if (agent.python.PyList_GetItem(agent.callbacks, i) == agent.callback)
            agent.python.PySequence_DelItem(agent.callbacks, i);
    agent.python.PyErr_Clear();
}

enum agent_rest agent_callback_remove(void)
{
    bool is_free = wait_unwalked(), is_alone;

    agent_guard = (struct agent_guard){NULL, NULL};
    if (!agent.holds_gil)
        return AGENT_REST_IMAGE;
    keep_info(NULL);
    if (!is_free)
        return leave_entry();
    delete_entry();
    is_alone = agent.is_free_threaded ? wait_alone() : is_ours_alone();
    if (!agent.holds_gil)
        return AGENT_REST_IMAGE;
    agent.python.Py_DecRef(agent.callback);
    agent.callback = NULL;
    if (is_alone)
        return AGENT_REST_NOTHING;
    return agent.is_free_threaded ? AGENT_REST_IMAGE : AGENT_REST_ENTRY;
}
