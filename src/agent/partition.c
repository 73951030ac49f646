/*
 * The partition by the collector's own account: for interpreters whose memory cannot be
 * read from outside, or is not understood there. What the collector tracks is counted
 * by type in one go, with a reference to each type and to nothing else, and without
 * running Python: that is the only long hold, and it ends at a limit. (A free-threaded
 * interpreter stops all its threads for it.) Then the types get their names in short
 * holds.
 */
#include "agent/agent.h"

#define SLOTS           16384 /* a power of two */
#define LOOKS_PER_CLOCK 256

/* object.h: the type is the last member of PyObject, ob_size follows it in PyVarObject.
 * typeobject.h: tp_name, tp_basicsize, tp_itemsize follow in PyTypeObject. listobject.h:
 * ob_item, allocated follow in PyListObject. So in 3.8 - 3.15, default and free-threaded.
 */
#define TYPE_BASIC_SIZE(head) ((head) + 16)
#define TYPE_ITEM_SIZE(head)  ((head) + 24)
#define LIST_ALLOCATED(head)  ((head) + 16)
#define POINTER_BYTES         8
#define GC_HEAD_BYTES         16 /* in front of a tracked object; free-threaded: none */
#define ITEMS_MAX             (INT64_C(1) << 40)

/* object.h: Py_TPFLAGS_*. */
#define MANAGED_DICT    (UINT64_C(1) << 4) /* 3.11+ */
#define MANAGED_WEAKREF (UINT64_C(1) << 3) /* 3.12+ */
#define LONG_SUBCLASS   (UINT64_C(1) << 24)

struct slot {
    struct object *type; /* NULL: free, or named already */
    uint64_t count, items;
    bool has_items;
};

struct table {
    struct slot slots[SLOTS];
    uint16_t order[SLOTS]; /* of the used slots */
};

static struct {
    struct table *table;
    uint64_t used, objects, head;
    int64_t deadline;
    bool is_cut;
} partition;

static int64_t word_at(const void *base, uint64_t offset)
{
    return *(const int64_t *)((const char *)base + offset);
}

static struct slot *slot_of(struct object *type)
{
    uint64_t at = ((uintptr_t)type >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 50;

    for (;; at = (at + 1) % SLOTS) {
        struct slot *slot = &partition.table->slots[at];

        if (slot->type == type)
            return slot;
        if (slot->type)
            continue;
        if (partition.used >= SLOTS / 2)
            return NULL;
        partition.table->order[partition.used++] = (uint16_t)at;
        slot->type = type;
        agent.python.Py_IncRef(type); /* until it has its name */
        slot->has_items = word_at(type, TYPE_ITEM_SIZE(partition.head)) != 0;
        return slot;
    }
}

static int visit(struct object *object, void *unused)
{
    struct object *type =
        (struct object *)word_at(object, partition.head - POINTER_BYTES);
    struct slot *slot = slot_of(type);
    int64_t items = 0;

    (void)unused;
    if (!slot) {
        partition.is_cut = true;
        return 1;
    }
    slot->count++;
    if (slot->has_items)
        items = word_at(object, partition.head);
    else if ((uintptr_t)type == (uintptr_t)agent.python.PyList_Type)
        items = word_at(object, LIST_ALLOCATED(partition.head));
    items = items < 0 ? -items : items;
    slot->items += items < ITEMS_MAX ? (uint64_t)items : 0;
    if (++partition.objects % LOOKS_PER_CLOCK == 0 &&
        agent_now_ns() > partition.deadline) {
        partition.is_cut = true;
        return 0;
    }
    return 1;
}

/* 3.8 - 3.11: the list of all objects can only be had whole, and has its price then;
 * the limit is for what is done with it. */
static void visit_list(int64_t limit_ns)
{
    struct object *function = agent_gc_function("get_objects");
    struct object *list = agent_call(function);
    int64_t n = list ? agent.python.PyList_Size(list) : 0;

    partition.deadline = agent_now_ns() + limit_ns;
    for (int64_t i = 0; i < n; i++)
        if (!visit(agent.python.PyList_GetItem(list, i), NULL))
            break;
    if (list)
        agent.python.Py_DecRef(list);
    else
        partition.is_cut = true;
    if (function)
        agent.python.Py_DecRef(function);
}

/* Types that have not got their names yet are only held. */
void agent_partition_forget(void)
{
    for (uint64_t i = 0; i < partition.used; i++) {
        struct slot *slot = &partition.table->slots[partition.table->order[i]];

        if (slot->type)
            agent.python.Py_DecRef(slot->type);
        *slot = (struct slot){NULL, 0, 0, false};
    }
    partition.used = partition.objects = 0;
    partition.is_cut = false;
}

void agent_partition_close(void)
{
    if (partition.table)
        agent_unmap((uintptr_t)partition.table, sizeof(struct table));
    partition.table = NULL;
}

/* Where things are in an object, proven on the type of all types. */
static bool prepare(void)
{
    struct object *base = (struct object *)(uintptr_t)agent.python.PyBaseObject_Type;

    if (!partition.table)
        partition.table = agent_map(sizeof(struct table));
    partition.head = (uint64_t)agent_number(
        agent.python.PyObject_GetAttrString(base, "__basicsize__"));
    return partition.table && partition.head >= 16 && partition.head <= 64 &&
           word_at(base, TYPE_BASIC_SIZE(partition.head)) == (int64_t)partition.head;
}

/* arguments[0]: how long the interpreter may be held for it. */
void agent_partition(const int64_t *arguments, struct agent_answer *answer)
{
    int64_t began;
    bool was_enabled;

    if (!agent_gil_take(&answer->gil_wait_ns)) {
        answer->status = AGENT_STATUS_FINALIZING;
        return;
    }
    began = agent_now_ns();
    was_enabled = agent_gc_hold();
    agent_partition_forget();
    if (prepare()) {
        partition.deadline = began + arguments[0];
        agent_forks_hold();
        if (agent.python.PyUnstable_GC_VisitObjects)
            agent.python.PyUnstable_GC_VisitObjects(visit, NULL);
        else
            visit_list(arguments[0]);
        agent_forks_let_go();
        answer->value = (int64_t)partition.used;
        answer->before[0] = !partition.is_cut;
    } else {
        answer->status = AGENT_STATUS_UNAVAILABLE;
    }
    agent_gc_let_go(was_enabled);
    agent_gil_drop();
    answer->gil_held_ns = answer->elapsed_ns = agent_now_ns() - began;
}

static size_t add(char *to, size_t used, struct object *owned)
{
    const char *text = owned ? agent.python.PyUnicode_AsUTF8(owned) : NULL;

    for (; text && *text && used + 1 < AGENT_KIND_BYTES; text++)
        to[used++] = *text;
    to[used] = '\0';
    if (owned)
        agent.python.Py_DecRef(owned);
    agent.python.PyErr_Clear();
    return used;
}

static struct object *part(struct object *type, const char *name)
{
    struct object *attribute = agent.python.PyUnicode_FromString(name), *value = NULL;

    if (attribute) {
        value = agent.python.PyObject_GenericGetAttr(type, attribute);
        agent.python.Py_DecRef(attribute);
    }
    agent.python.PyErr_Clear();
    return value;
}

static bool begins(const char *text, const char *with)
{
    while (*with && *text == *with) {
        text++;
        with++;
    }
    return !*with;
}

/* module.qualname; what is built in goes without its module. */
static void name_kind(struct object *type, char *name)
{
    size_t used = add(name, 0, part(type, "__module__"));

    if (begins(name, "builtins") && used == 8)
        used = 0;
    else if (used && used + 1 < AGENT_KIND_BYTES)
        name[used++] = '.';
    add(name, used, part(type, "__qualname__"));
}

static uint64_t in_front(uint64_t flags)
{
    uint64_t bytes = agent.is_free_threaded ? 0 : GC_HEAD_BYTES;
    uint64_t managed = agent.minor >= 12   ? MANAGED_DICT | MANAGED_WEAKREF
                       : agent.minor == 11 ? MANAGED_DICT
                                           : 0;

    return flags & managed ? bytes + 2 * POINTER_BYTES : bytes;
}

static void publish_kind(struct slot *slot, struct agent_kind *kind)
{
    uint64_t flags = agent.python.PyType_GetFlags(slot->type);
    uint64_t item_bytes = (uint64_t)word_at(slot->type, TYPE_ITEM_SIZE(partition.head));

    if (!slot->has_items) /* a list's */
        item_bytes = POINTER_BYTES;
    else if (flags & LONG_SUBCLASS && agent.minor >= 12) /* ob_size is more there */
        slot->items = slot->count;
    name_kind(slot->type, kind->name);
    kind->count = (int64_t)slot->count;
    kind->size_bytes =
        (int64_t)(slot->count *
                      ((uint64_t)word_at(slot->type, TYPE_BASIC_SIZE(partition.head)) +
                       in_front(flags)) +
                  slot->items * item_bytes);
    agent.python.Py_DecRef(slot->type);
    slot->type = NULL;
}

/* arguments[0]: the first slot of this slice. */
void agent_name(const int64_t *arguments, struct agent_answer *answer)
{
    uint64_t first = (uint64_t)arguments[0];
    int64_t n = 0, began;

    if (!agent_gil_take(&answer->gil_wait_ns)) {
        answer->status = AGENT_STATUS_FINALIZING;
        return;
    }
    began = agent_now_ns();
    for (uint64_t i = first; i < partition.used && n < AGENT_KINDS; i++, n++) {
        struct slot *slot = &partition.table->slots[partition.table->order[i]];

        if (!slot->type)
            break;
        publish_kind(slot, &agent.page->kinds[n]);
    }
    agent_gil_drop();
    answer->value = n;
    answer->gil_held_ns = answer->elapsed_ns = agent_now_ns() - began;
}
