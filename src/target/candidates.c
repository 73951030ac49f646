#include "config.h"

#include "target/candidates.h"

#include <errno.h>
#include <libproc2/pids.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/candidates_private.h"
#include "util/xalloc.h"

/* libproc2 before 4.0.5 wants a fourth argument that it does not use. */
#if HEAPTOP_PIDS_VAL_ARGUMENTS == 3
#define PROCESS_VALUE(item, type, stack) PIDS_VAL(item, type, stack)
#else
#define PROCESS_VALUE(item, type, stack) PIDS_VAL(item, type, stack, NULL)
#endif

/* The order of `wanted_items`. */
enum { ITEM_PID, ITEM_PARENT, ITEM_START, ITEM_VIRT, ITEM_STATE, ITEM_COMM, N_ITEMS };

/* Behind candidates.memory. */
struct candidates_memory {
    struct pids_info *info; /* belongs to the thread that lists */
    struct known *known;    /* sorted by PID */
    size_t count;
};

static int compare_listed(const void *left, const void *right)
{
    pid_t a = ((const struct listed *)left)->pid, b = ((const struct listed *)right)->pid;

    return (a > b) - (a < b);
}

static int compare_known(const void *left, const void *right)
{
    pid_t a = ((const struct known *)left)->pid, b = ((const struct known *)right)->pid;

    return (a > b) - (a < b);
}

static struct candidates_memory *open_memory(struct candidates *list, struct err *err)
{
    enum pids_item wanted_items[N_ITEMS] = {PIDS_ID_PID,   PIDS_ID_PPID, PIDS_TICS_BEGAN,
                                            PIDS_MEM_VIRT, PIDS_STATE,   PIDS_CMD};
    struct candidates_memory *memory = list->memory;
    int problem;

    if (memory)
        return memory;
    memory = xcalloc(1, sizeof(*memory));
    problem = procps_pids_new(&memory->info, wanted_items, N_ITEMS);
    if (problem < 0) {
        free(memory);
        err_set_errno(err, ERR_FAILED, -problem, "cannot list the processes");
        return NULL;
    }
    list->memory = memory;
    return memory;
}

static void take_listed(const struct pids_stack *stack, struct listed *listed)
{
    const char *comm = PROCESS_VALUE(ITEM_COMM, str, stack);

    listed->pid = PROCESS_VALUE(ITEM_PID, s_int, stack);
    listed->parent = PROCESS_VALUE(ITEM_PARENT, s_int, stack);
    listed->start_ticks = PROCESS_VALUE(ITEM_START, ull_int, stack);
    listed->virt_kib = PROCESS_VALUE(ITEM_VIRT, ul_int, stack);
    listed->state = (char)PROCESS_VALUE(ITEM_STATE, s_ch, stack);
    /* Up to 4.0.5 a string of a process that ends can be NULL. */
    snprintf(listed->comm, sizeof(listed->comm), "%s", comm ? comm : "");
}

/* All processes that have memory, sorted by PID. */
static struct listed *list_processes(struct candidates_memory *memory, size_t *count,
                                     struct err *err)
{
    struct pids_fetch *fetch = procps_pids_reap(memory->info, PIDS_FETCH_TASKS_ONLY);
    struct listed *all;
    size_t n = 0;

    if (!fetch || fetch->counts->total < 0) {
        err_set_errno(err, ERR_FAILED, errno, "cannot list the processes");
        return NULL;
    }
    all = xcalloc((size_t)fetch->counts->total, sizeof(*all));
    for (size_t i = 0; i < (size_t)fetch->counts->total; i++) {
        take_listed(fetch->stacks[i], &all[n]);
        if (all[n].state != 'Z' && all[n].state != 'X')
            n++;
    }
    qsort(all, n, sizeof(*all), compare_listed);
    *count = n;
    return all;
}

/* What was known of this process, or a new entry for it. */
static struct known recall(const struct candidates_memory *memory,
                           const struct listed *listed, struct look *look)
{
    struct known key = {.pid = listed->pid};
    const struct known *old = NULL;

    if (memory->count)
        old = bsearch(&key, memory->known, memory->count, sizeof(key), compare_known);
    if (old && old->start_ticks == listed->start_ticks &&
        !candidate_has_changed(listed, old, look))
        return *old;
    key.start_ticks = listed->start_ticks;
    key.virt_kib = listed->virt_kib;
    key.cpu_ns = -1;
    memcpy(key.comm, listed->comm, sizeof(key.comm));
    /* Threads of the kernel have no memory. */
    if (listed->virt_kib)
        candidate_identify(listed, &key);
    return key;
}

static void free_rows(struct candidates *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->rows[i].command);
    free(list->rows);
    list->rows = NULL;
    list->count = 0;
}

int candidates_refresh(struct candidates *list, struct err *err)
{
    struct candidates_memory *memory = open_memory(list, err);
    struct listed *all;
    struct known *known;
    size_t count = 0;

    if (!memory)
        return -1;
    all = list_processes(memory, &count, err);
    if (!all)
        return -1;
    free_rows(list);
    known = xcalloc(count, sizeof(*known));
    list->rows = xcalloc(count, sizeof(*list->rows));
    for (size_t i = 0; i < count; i++) {
        struct look look = {.is_known = false};

        known[i] = recall(memory, &all[i], &look);
        if ((known[i].is_python || known[i].is_by_name) &&
            candidate_fill(&all[i], &known[i], &look, &list->rows[list->count]))
            list->count++;
    }
    free(memory->known);
    memory->known = known;
    memory->count = count;
    candidates_order(list, all, count);
    free(all);
    return 0;
}

void candidates_release(struct candidates *list)
{
    struct candidates_memory *memory = list->memory;

    free_rows(list);
    if (!memory)
        return;
    procps_pids_unref(&memory->info);
    free(memory->known);
    free(memory);
    list->memory = NULL;
}
