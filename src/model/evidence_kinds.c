/* Which kinds grow, and what they are: a saw-tooth of one kind does not hide another. */
#include <string.h>

#include "model/evidence.h"

#define CHANGE_LEAST   (INT64_C(64) << 10)   /* bytes of a kind that are looked at */
#define IMPORTS_NS     INT64_C(180000000000) /* from the start: later it is no start */
#define IMPORT_MOST_NS INT64_C(10000000000)  /* of one module */
#define CODE_LEAST     20 /* code objects more between two walks: an import */

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (!strcmp(name, *names))
            return true;
    return false;
}

static bool comes_with_classes(const char *name)
{
    static const char *const names[] = {"type",
                                        "dict of type",
                                        "getset_descriptor",
                                        "member_descriptor",
                                        "method_descriptor",
                                        "wrapper_descriptor",
                                        "abc.ABCMeta",
                                        "_abc._abc_data",
                                        "_abc_data",
                                        "weakref",
                                        "weakref.ReferenceType",
                                        "enum.EnumType",
                                        "enum.EnumMeta",
                                        NULL};

    return is_one_of(name, names);
}

static bool comes_with_tasks(const char *name)
{
    static const char *const names[] = {"_asyncio.Task",
                                        "asyncio.tasks.Task",
                                        "Task",
                                        "coroutine",
                                        "frame",
                                        "generator",
                                        "async_generator",
                                        "_asyncio.Future",
                                        "asyncio.futures.Future",
                                        "FutureIter",
                                        "_contextvars.Context",
                                        "Context",
                                        "hamt",
                                        "coroutine_wrapper",
                                        NULL};

    return is_one_of(name, names);
}

static const struct kind_row *row_of(const struct snapshot *snapshot,
                                     const struct kind *kind)
{
    const struct objects_section *objects = snapshot->objects;

    for (size_t i = 0; objects && i < objects->n_kinds; i++)
        if (objects->kinds[i].kind == kind)
            return &objects->kinds[i];
    return NULL;
}

/* Of the kind's growth, what lies outside pymalloc. */
static int64_t large_part(const struct kind_row *row, const struct kind_row *older,
                          int64_t grown)
{
    int64_t large =
        (int64_t)row->malloc_bytes - (older ? (int64_t)older->malloc_bytes : 0);

    if (large < 0)
        return 0;
    return large < grown ? large : grown;
}

static void take_first(struct evidence *evidence, const struct kind_row *row,
                       const struct kind_row *older, const struct fit *fit)
{
    struct kinds_growth *kinds = &evidence->kinds;
    double minutes = (double)(fit->last_ns - fit->first_ns) / 60e9;
    int64_t more = (int64_t)row->count - (older ? (int64_t)older->count : 0);

    if (kinds->first && fit->grown <= kinds->first_fit.grown)
        return;
    kinds->first = row;
    kinds->first_fit = *fit;
    kinds->first_count_per_minute = minutes > 0 ? (double)more / minutes : 0;
    kinds->is_container = more <= (int64_t)row->count / 100;
}

static void add_kind(struct evidence *evidence, const struct kind_row *row)
{
    const struct growth *growth = history_kinds_growth(evidence->history);
    uint64_t key = history_kind_key(row->kind);
    struct kinds_growth *kinds = &evidence->kinds;
    const struct kind_row *older;
    struct fit fit;

    if (growth_range(growth, key, evidence_kinds_since_ns(evidence)) < CHANGE_LEAST ||
        !growth_fit(growth, key, evidence_kinds_since_ns(evidence), &fit) ||
        !has_risen(evidence, &fit))
        return;
    older = row_of(evidence->then, row->kind);
    kinds->bytes += fit.grown;
    kinds->large_bytes += large_part(row, older, fit.grown);
    if (comes_with_classes(row->kind->name))
        kinds->class_bytes += fit.grown;
    if (comes_with_tasks(row->kind->name))
        kinds->task_bytes += fit.grown;
    take_first(evidence, row, older, &fit);
}

void evidence_gather_kinds(struct evidence *evidence)
{
    const struct objects_section *objects = evidence->now->objects;

    evidence->kinds.is_known = objects && evidence->then->objects;
    for (size_t i = 0; evidence->kinds.is_known && i < objects->n_kinds; i++)
        add_kind(evidence, &objects->kinds[i]);
}

/* When the agent came; 0: it was always there, or never. */
static int64_t agent_came_ns(const struct history *history)
{
    for (size_t i = history_count(history); i-- > 1;)
        if (history_at(history, i)->access.agent == AGENT_LOADED &&
            history_at(history, i - 1)->access.agent != AGENT_LOADED)
            return history_at(history, i)->mono_ns;
    return 0;
}

/* The counts of one kind, walk by walk. */
struct counts {
    int64_t bytes[GROWTH_POINTS], counts[GROWTH_POINTS], times[GROWTH_POINTS];
    size_t n;
};

static void get_counts(struct counts *counts, const struct history *history,
                       const char *name)
{
    const struct objects_section *objects = history_latest(history)->objects;

    counts->n = 0;
    for (size_t i = 0; objects && i < objects->n_kinds; i++)
        if (!strcmp(objects->kinds[i].kind->name, name))
            counts->n = growth_values(
                history_kinds_growth(history), history_kind_key(objects->kinds[i].kind),
                counts->bytes, counts->counts, counts->times, GROWTH_POINTS);
}

/* The agent needs `gc`: where the program did not, one module more is not its own. */
static bool is_agents_module(const struct counts *modules, size_t at, int64_t came_ns)
{
    if (!came_ns || modules->times[at] < came_ns ||
        modules->counts[at] - modules->counts[at - 1] != 1)
        return false;
    for (size_t i = at - 1; i > 0 && modules->times[i] >= came_ns; i--)
        if (modules->counts[i] > modules->counts[i - 1])
            return false;
    return true;
}

/* The last time that the count rose by so many. `came_ns`: for modules. */
static int64_t last_rise_ns(const struct counts *counts, int64_t least, int64_t came_ns)
{
    for (size_t at = counts->n; at-- > 1;)
        if (counts->counts[at] - counts->counts[at - 1] >= least &&
            counts->times[at] - counts->times[0] < IMPORTS_NS &&
            !is_agents_module(counts, at, came_ns))
            return counts->times[at];
    return 0;
}

int64_t evidence_imports_end_ns(const struct history *history)
{
    struct counts counts;
    int64_t modules_ns, code_ns;

    get_counts(&counts, history, "module");
    modules_ns = last_rise_ns(&counts, 1, agent_came_ns(history));
    get_counts(&counts, history, "code");
    code_ns = last_rise_ns(&counts, CODE_LEAST, 0);
    /* Code without a module is none of an import: it is made at run time. */
    if (!modules_ns || code_ns > modules_ns + IMPORT_MOST_NS)
        return modules_ns;
    return modules_ns > code_ns ? modules_ns : code_ns;
}
