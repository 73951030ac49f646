/* A sample: what the interpreter counts, published under the sequence lock. */
#include "agent/agent.h"

#define FROZEN_LIMIT_NS   INT64_C(50000) /* of the GIL, at each sample */
#define BLOCKS_MAX        200000 /* more of them, or of frozen ones, take too long */
#define MANY_BLOCKS_TIMES 3

static int64_t borrowed_number(struct object *object)
{
    if (object)
        agent.python.Py_IncRef(object);
    return agent_number(object);
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
    struct object *tuple = agent_call(function);

    for (int i = 0; i < AGENT_GENERATIONS; i++) {
        struct object *item = tuple ? agent.python.PyTuple_GetItem(tuple, i) : NULL;

        *(int64_t *)((char *)&generations[i] + offset) = borrowed_number(item);
    }
    if (tuple)
        agent.python.Py_DecRef(tuple);
}

void agent_numbers(struct object *function, int64_t values[AGENT_ARGUMENTS])
{
    struct object *result = agent_call(function);

    for (int i = 0; result && i < AGENT_ARGUMENTS; i++)
        values[i] = borrowed_number(agent.python.PyTuple_GetItem(result, i));
    if (result && values[0] < 0) /* no tuple, or nothing in it */
        values[0] = borrowed_number(result);
    if (result)
        agent.python.Py_DecRef(result);
}

static void read_stats(struct agent_generation *generations)
{
    struct object *list = agent_call(agent.stats);

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

/* sys.getallocatedblocks() looks at every pool: of many blocks the first numbers must be
 * enough to prove what is read from outside. */
static int64_t count_blocks(void)
{
    int64_t blocks;

    if (agent.n_many_blocks == MANY_BLOCKS_TIMES)
        return -1;
    blocks = agent_number(agent_call(agent.blocks));
    agent.n_many_blocks += blocks > BLOCKS_MAX;
    return blocks;
}

/* gc.get_freeze_count() walks the list of them: when that took long once, it is left
 * alone until gc.freeze() or gc.unfreeze() is asked for. */
bool agent_frozen_may_be_many(void)
{
    int64_t blocks = count_blocks();

    return blocks < 0 || blocks > BLOCKS_MAX;
}

static int64_t count_frozen(int64_t blocks)
{
    int64_t began = agent_now_ns(), frozen;

    if (agent.frozen_are_many || blocks < 0 || blocks > BLOCKS_MAX)
        return -1;
    frozen = agent_number(agent_call(agent.freeze_count));
    agent.frozen_are_many = agent_now_ns() - began > FROZEN_LIMIT_NS;
    return frozen;
}

static int64_t read_enabled(void)
{
    struct object *enabled = agent_call(agent.is_enabled);
    int64_t value = enabled ? agent.python.PyObject_IsTrue(enabled) : -1;

    if (enabled)
        agent.python.Py_DecRef(enabled);
    return value;
}

/* The number of blocks comes first: nothing of ours is allocated yet. */
static void read_counters(struct agent_counters *counters, bool is_held)
{
    counters->allocated_blocks = count_blocks();
    counters->gc_enabled = is_held ? 1 : read_enabled();
    read_tuple(agent.count, counters->generations,
               offsetof(struct agent_generation, count));
    read_tuple(agent.threshold, counters->generations,
               offsetof(struct agent_generation, threshold));
    read_stats(counters->generations);
    counters->gc_frozen = count_frozen(counters->allocated_blocks);
    counters->gc_debug = agent_number(agent_call(agent.debug));
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
    bool was_enabled;
    int64_t began;

    (void)arguments;
    if (!agent_gil_take(&counters.gil_wait_ns)) {
        answer->status = AGENT_STATUS_FINALIZING;
        return;
    }
    began = agent_now_ns();
    was_enabled = agent_gc_hold();
    read_counters(&counters, was_enabled);
    agent_gc_let_go(was_enabled);
    agent_gil_drop();
    counters.published_ns = agent_now_ns();
    counters.gil_held_ns = counters.published_ns - began;
    answer->elapsed_ns = counters.gil_held_ns;
    publish(&counters);
}
