/*
 * The commands that change the target. All but malloc_trim are calls of its gc
 * module, with the GIL: finalizers of what a collection finds run in this thread.
 */
#include "agent/agent.h"

#define GENERATION_MAX 2

/* A call of gc, between two readings of the setting that it is about. */
struct gc_call {
    struct object *function;       /* borrowed; NULL: not there */
    struct object *before, *after; /* borrowed: return the setting; NULL: not asked */
    struct object *arguments;      /* a tuple, or NULL */
};

/* The arguments up to the first that was not given; NULL for none. */
static struct object *number_tuple(const int64_t *values)
{
    struct object *tuple;
    int64_t count = 0;

    while (count < AGENT_ARGUMENTS && values[count] >= 0)
        count++;
    tuple = count ? agent.python.PyTuple_New(count) : NULL;
    for (int64_t i = 0; tuple && i < count; i++)
        agent.python.PyTuple_SetItem(tuple, i,
                                     agent.python.PyLong_FromLong((long)values[i]));
    return tuple;
}

static void run_call(const struct gc_call *call, struct agent_answer *answer)
{
    struct object *result;
    int64_t began;

    if (!call->function) {
        answer->status = AGENT_STATUS_UNAVAILABLE;
        return;
    }
    if (call->before)
        agent_numbers(call->before, answer->before);
    agent_fork_allow();
    began = agent_now_ns();
    result = agent.python.PyObject_CallObject(call->function, call->arguments);
    answer->elapsed_ns = agent_now_ns() - began;
    agent_fork_forbid();
    answer->status = result ? AGENT_STATUS_OK : AGENT_STATUS_PYTHON_ERROR;
    answer->value = agent_number(result);
    if (call->after)
        agent_numbers(call->after, answer->after);
}

void agent_call_numbers(struct object *function, const int64_t *values,
                        struct agent_answer *answer)
{
    struct gc_call call = {.function = function};

    call.arguments = number_tuple(values);
    run_call(&call, answer);
    if (call.arguments)
        agent.python.Py_DecRef(call.arguments);
}

static bool take_gil(struct agent_answer *answer)
{
    if (agent_gil_take(&answer->gil_wait_ns))
        return true;
    answer->status = AGENT_STATUS_FINALIZING;
    return false;
}

static void release(struct object *object)
{
    if (object)
        agent.python.Py_DecRef(object);
}

void agent_collect(const int64_t *arguments, struct agent_answer *answer)
{
    const int64_t generation[AGENT_ARGUMENTS] = {arguments[0], -1, -1};
    struct gc_call call = {.function = agent.collect};
    int64_t began;

    if (arguments[0] < 0 || arguments[0] > GENERATION_MAX) {
        answer->status = AGENT_STATUS_PYTHON_ERROR;
        return;
    }
    if (!take_gil(answer))
        return;
    began = agent_now_ns();
    call.arguments = number_tuple(generation);
    agent.collect_uncollectable = -1;
    agent.collects = true;
    run_call(&call, answer);
    agent.collects = false;
    answer->uncollectable = agent.collect_uncollectable;
    release(call.arguments);
    agent_gil_drop();
    answer->gil_held_ns = agent_now_ns() - began;
}

/* Many frozen objects are not counted: that would hold the interpreter longer than to
 * freeze them. After unfreeze there are none to count. */
static void count_few(struct gc_call *call, bool ends_empty)
{
    agent.frozen_are_many = agent_frozen_may_be_many();
    if (!agent.frozen_are_many)
        return;
    call->before = NULL;
    if (!ends_empty)
        call->after = NULL;
}

/* gc.NAME(values...) by its name; what it is about is read before and after. */
static void change(const char *name, struct object *setting, const int64_t *values,
                   struct agent_answer *answer)
{
    struct gc_call call = {.before = setting, .after = setting};
    int64_t began;

    if (!take_gil(answer))
        return;
    began = agent_now_ns();
    if (setting == agent.freeze_count)
        count_few(&call, name[0] == 'u');
    call.function = agent_gc_function(name);
    call.arguments = values ? number_tuple(values) : NULL;
    run_call(&call, answer);
    release(call.arguments);
    release(call.function);
    agent_gil_drop();
    answer->gil_held_ns = agent_now_ns() - began;
}

void agent_enable(const int64_t *arguments, struct agent_answer *answer)
{
    (void)arguments;
    change("enable", agent.is_enabled, NULL, answer);
}

void agent_disable(const int64_t *arguments, struct agent_answer *answer)
{
    (void)arguments;
    change("disable", agent.is_enabled, NULL, answer);
}

void agent_threshold(const int64_t *arguments, struct agent_answer *answer)
{
    change("set_threshold", agent.threshold, arguments, answer);
}

void agent_freeze(const int64_t *arguments, struct agent_answer *answer)
{
    (void)arguments;
    change("freeze", agent.freeze_count, NULL, answer);
}

void agent_unfreeze(const int64_t *arguments, struct agent_answer *answer)
{
    (void)arguments;
    change("unfreeze", agent.freeze_count, NULL, answer);
}

/* Without the GIL: it takes malloc's own locks, arena by arena. */
void agent_trim(const int64_t *arguments, struct agent_answer *answer)
{
    int (*trim)(size_t keep) =
        (int (*)(size_t))(uintptr_t)agent_place.allocator[AGENT_ALLOCATOR_malloc_trim];
    int64_t began = agent_now_ns();

    (void)arguments;
    if (!trim) {
        answer->status = AGENT_STATUS_UNAVAILABLE;
        return;
    }
    answer->value = trim(0);
    answer->elapsed_ns = agent_now_ns() - began;
}
