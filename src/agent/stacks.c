/*
 * The Python frames of all threads: sys._current_frames(), whose frames are followed with
 * the GIL held, for a bounded time and without running any Python code. A line of text
 * for each thread, and for each of its frames, the innermost first:
 *   T thread's number in the kernel, or 0 <tab> name
 *   F line <tab> function <tab> file
 */
#include "agent/agent.h"

#define FRAMES_MAX INT64_C(100)     /* of one thread */
#define LIMIT_NS   INT64_C(2000000) /* of the GIL, for all of them */

/* A new reference or NULL; the exception is cleared. */
static struct object *attribute(struct object *object, const char *name)
{
    struct object *value =
        object ? agent.python.PyObject_GetAttrString(object, name) : NULL;

    agent.python.PyErr_Clear();
    return value;
}

static void forget(struct object *owned)
{
    if (owned)
        agent.python.Py_DecRef(owned);
}

/* Of a text: what is no text adds nothing. */
static void add_text(struct object *object, const char *name, const char *end)
{
    struct object *value = attribute(object, name);
    const char *words = value ? agent.python.PyUnicode_AsUTF8(value) : NULL;

    agent.python.PyErr_Clear();
    for (; words && *words; words++) /* one line each, whatever it is called */
        agent_text_add(*words == '\n' || *words == '\t' ? " " : words, 1);
    agent_text_words(end);
    forget(value);
}

static void add_frame(struct object *frame)
{
    struct object *code = attribute(frame, "f_code");
    int64_t line = agent_number(attribute(frame, "f_lineno"));

    agent_text_words("F ");
    agent_text_number(line > 0 ? (uint64_t)line : 0);
    agent_text_words("\t");
    add_text(code, agent.minor >= 11 ? "co_qualname" : "co_name", "\t");
    add_text(code, "co_filename", "\n");
    forget(code);
}

static void add_frames(struct object *frame, int64_t deadline_ns)
{
    agent.python.Py_IncRef(frame);
    for (int64_t i = 0; frame && i < FRAMES_MAX && agent_now_ns() < deadline_ns; i++) {
        struct object *back;

        add_frame(frame);
        back = attribute(frame, "f_back");
        forget(frame);
        frame = back;
        if ((uintptr_t)frame == (uintptr_t)agent.python._Py_NoneStruct) {
            forget(frame);
            frame = NULL;
        }
    }
    forget(frame);
}

/* threading._active: the threads that the module knows, by their identity. New, or NULL.
 */
static struct object *active_threads(void)
{
    struct object *name = agent.python.PyUnicode_FromString("threading");
    struct object *module = name ? agent.python.PyImport_GetModule(name) : NULL;
    struct object *active;

    agent.python.PyErr_Clear();
    active = attribute(module, "_active");
    forget(name);
    forget(module);
    return active;
}

static void add_thread(struct object *active, struct object *key)
{
    struct object *thread = active ? agent.python.PyDict_GetItem(active, key) : NULL;
    int64_t number;

    agent.python.PyErr_Clear();
    if (thread) /* it was borrowed */
        agent.python.Py_IncRef(thread);
    number = agent_number(attribute(thread, "_native_id"));
    agent_text_words("T ");
    agent_text_number(number > 0 ? (uint64_t)number : 0);
    agent_text_words("\t");
    add_text(thread, "_name", "\n");
    forget(thread);
}

static void add_threads(struct object *frames)
{
    int64_t deadline_ns = agent_now_ns() + LIMIT_NS, at = 0;
    struct object *active = active_threads(), *key, *frame;

    while (agent.python.PyDict_Next(frames, &at, &key, &frame)) {
        add_thread(active, key);
        add_frames(frame, deadline_ns);
    }
    forget(active);
}

void agent_stacks(const int64_t *arguments, struct agent_answer *answer)
{
    struct object *function, *frames;
    bool was_enabled;
    int64_t began;

    (void)arguments;
    answer->status = AGENT_STATUS_UNAVAILABLE;
    /* Without a GIL the frames would run on meanwhile. */
    if (agent.is_free_threaded || !agent_text_begin())
        return;
    if (!agent_gil_take(&answer->gil_wait_ns)) {
        answer->status = AGENT_STATUS_FINALIZING;
        return;
    }
    began = agent_now_ns();
    was_enabled = agent_gc_hold();
    function = agent.python.PySys_GetObject("_current_frames"); /* borrowed */
    frames = function ? agent_call(function) : NULL;
    if (frames) {
        add_threads(frames);
        answer->status = AGENT_STATUS_OK;
    }
    forget(frames);
    agent_gc_let_go(was_enabled);
    agent_gil_drop();
    answer->elapsed_ns = answer->gil_held_ns = agent_now_ns() - began;
    agent_text_end(answer);
}
