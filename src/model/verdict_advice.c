/*
 * What helps in the long run: the advice that talks on Python's memory give, each where
 * its condition holds.
 */
#include <string.h>

#include "model/verdict_private.h"

static bool is_rule(const struct verdict *verdict, const char *const *rules)
{
    for (; *rules; rules++)
        if (!strcmp(verdict->rule, *rules))
            return true;
    return false;
}

static bool is_growth_of_objects(const struct verdict *verdict)
{
    return is_rule(verdict, (const char *const[]){"R2", "R7", NULL});
}

static bool first_is(const struct evidence *evidence, const char *const *names)
{
    const struct kind_row *first = evidence->kinds.first;

    for (; first && *names; names++)
        if (!strcmp(first->kind->name, *names))
            return true;
    return false;
}

/* Few containers become ever larger: they get entries that nobody takes out. */
static bool is_container_growing(const struct evidence *evidence,
                                 const struct verdict *verdict)
{
    const struct objects_section *now = evidence->now->objects;
    const struct objects_section *then = evidence->then->objects;

    if (!is_growth_of_objects(verdict) || !now || !then)
        return false;
    return evidence->kinds.is_container ||
           first_is(evidence, (const char *const[]){"dict (no owner)", "list", "set",
                                                    "functools._lru_cache_wrapper",
                                                    "collections.OrderedDict", NULL}) ||
           (int64_t)now->malloc_bytes - (int64_t)then->malloc_bytes >
               evidence->kinds.bytes / 50;
}

/* Numbers one by one. */
static bool are_numbers_growing(const struct evidence *evidence,
                                const struct verdict *verdict)
{
    return is_growth_of_objects(verdict) &&
           first_is(evidence, (const char *const[]){"int", "float", "complex", NULL});
}

/* Each instance has a dict of its own. */
static bool are_dicts_growing(const struct evidence *evidence,
                              const struct verdict *verdict)
{
    const struct kind_row *first = evidence->kinds.first;

    return is_growth_of_objects(verdict) && first &&
           !strncmp(first->kind->name, "dict of ", 8) &&
           strcmp(first->kind->name, "dict of module") != 0 &&
           strcmp(first->kind->name, "dict of type") != 0;
}

/* How many more of a kind there are than at the begin of the window. */
static int64_t more_of(const struct evidence *evidence, const char *kind)
{
    const struct snapshot *ends[] = {evidence->then, evidence->now};
    int64_t counts[2] = {0, 0};

    for (int end = 0; end < 2; end++)
        for (size_t i = 0; ends[end]->objects && i < ends[end]->objects->n_kinds; i++)
            if (!strcmp(ends[end]->objects->kinds[i].kind->name, kind))
                counts[end] = (int64_t)ends[end]->objects->kinds[i].count;
    return counts[1] - counts[0];
}

/* With the kind that grows most come tracebacks, one for four of it at least. */
static bool are_tracebacks_growing(const struct evidence *evidence,
                                   const struct verdict *verdict)
{
    const struct kind_row *first = evidence->kinds.first;
    int64_t tracebacks;

    if (!is_growth_of_objects(verdict) || !first)
        return false;
    tracebacks = more_of(evidence, "traceback");
    return tracebacks > 0 && tracebacks * 4 >= more_of(evidence, first->kind->name);
}

/* What is left lies among what went. */
static bool is_scattered(const struct evidence *evidence, const struct verdict *verdict)
{
    (void)evidence;
    return is_rule(verdict, (const char *const[]){"R5", "R5b", NULL});
}

/* Most of RES is what a peak left behind, and no call returns it. */
static bool is_peak_over(const struct evidence *evidence, const struct verdict *verdict)
{
    const struct account_section *account = evidence->now->account;

    return is_rule(verdict, (const char *const[]){"R5", "R4", NULL}) && account &&
           verdict->bytes.value * 2 > evidence->res_bytes;
}

static bool are_threads_many(const struct evidence *evidence,
                             const struct verdict *verdict)
{
    const struct process_section *process = evidence->now->process;

    return is_rule(verdict, (const char *const[]){"R4b", NULL}) && process &&
           process->threads.value > 8;
}

static const struct {
    bool (*holds)(const struct evidence *evidence, const struct verdict *verdict);
    const char *words;
} advice[] = {
    {is_container_growing, "bound the container or expire its entries; a cache whose "
                           "entries others own may hold them weakly"},
    {are_numbers_growing,
     "array.array or numpy hold numbers in one block, not one by one"},
    {are_dicts_growing, "__slots__ spares each instance its dict"},
    {are_tracebacks_growing, "exceptions are kept: their tracebacks keep the frames and "
                             "all local variables; keep "
                             "the text, or with_traceback(None)"},
    {is_scattered,
     "make what stays first and what goes last; or build the survivors anew "
     "(copy the cache, drop the old one) so that they lie together"},
    {is_peak_over,
     "do the work that needs so much memory in a process of its own: its end "
     "returns all of it"},
    {are_threads_many, "a pool of few threads that are renewed now and then has fewer "
                       "arenas"},
};

void verdict_advise(const struct evidence *evidence, struct verdict *verdict)
{
    for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++)
        if (verdict->n_advice < VERDICT_ADVICE && advice[i].holds(evidence, verdict))
            verdict->advice[verdict->n_advice++] = advice[i].words;
}
