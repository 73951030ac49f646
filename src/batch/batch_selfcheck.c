/*
 * --selfcheck: heaptop's numbers against each other and against the agent's, on
 * the user's own process. Works without the sampler's thread, because it wants
 * the same number from two sides at nearly the same time.
 */
#include "batch/batch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "attach/session.h"
#include "heaptop/source.h"
#include "heaptop/units.h"
#include "layout/layout.h"
#include "model/builder.h"
#include "util/clock.h"

#define ATTACH_PATIENCE_NS (10 * NS_PER_S)
#define WALK_PATIENCE_NS   (120 * NS_PER_S)
#define AT_REST_SLACK      16 /* what the question itself makes */
#define ROUNDS_LEAST       3
#define ROUNDS_MAX         25
#define GIL_MOST_NS        (10 * NS_PER_MS) /* no target feels a longer pause */
#define GC_NUMBERS         3                /* of a generation that both sides know */
#define NUMBERS            (1 + GC_NUMBERS * AGENT_GENERATIONS)

/* The values that one side has seen. */
struct range {
    int64_t low, high;
    bool is_seen;
};

/* One number, from both sides. */
struct number {
    struct range outside, agent;
    bool is_unknown;
};

struct selfcheck {
    struct target *target;
    struct layout layout;
    bool has_layout;
    struct session *session;
    int signal_fd;
    int n_checks, n_failed, n_skipped;
};

static void check_line(struct selfcheck *check, const char *verdict, const char *format,
                       ...) __attribute__((format(printf, 3, 4)));

static void check_line(struct selfcheck *check, const char *verdict, const char *format,
                       ...)
{
    va_list arguments;

    check->n_checks++;
    check->n_failed += !strcmp(verdict, "FAIL");
    check->n_skipped += !strcmp(verdict, "skip");
    printf("%-5s", verdict);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

static void check_that(struct selfcheck *check, bool holds, const char *words)
{
    check_line(check, holds ? "ok" : "FAIL", "%s", words);
}

static void check_equal(struct selfcheck *check, const char *words, uint64_t a,
                        uint64_t b)
{
    if (a == b)
        check_line(check, "ok", "%s: %" PRIu64, words, a);
    else
        check_line(check, "FAIL", "%s: %" PRIu64 " and %" PRIu64, words, a, b);
}

static bool is_signalled(const struct selfcheck *check)
{
    struct signalfd_siginfo info;

    return read(check->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info);
}

/* Calls a source until it is done; a walk gives way every 20 ms. */
static int check_source(struct selfcheck *check, const struct source_ops *source,
                        struct snapshot_builder *builder, struct err *err)
{
    int64_t end_ns = clock_monotonic_ns() + WALK_PATIENCE_NS;
    enum source_result result;
    void *state = NULL;

    if (source->open && source->open(check->target, &state, err))
        return -1;
    do {
        struct source_context context = {
            .target = check->target,
            .layout = check->has_layout ? &check->layout : NULL,
            .builder = builder,
            .deadline_mono_ns = clock_monotonic_ns() + 20 * NS_PER_MS,
        };

        result = source->sample(state, &context, err);
        if (result == SOURCE_MORE &&
            (clock_monotonic_ns() > end_ns || is_signalled(check))) {
            result = SOURCE_FAILED;
            err_set(err, ERR_FAILED, "not done in time");
        }
    } while (result == SOURCE_MORE);
    if (source->close)
        source->close(state);
    return result == SOURCE_DONE ? 0 : -1;
}

/* All sections from outside, as one snapshot; NULL when out of memory. */
static const struct snapshot *check_outside(struct selfcheck *check, bool has_walk)
{
    struct snapshot_builder *builder = builder_new(1);

    if (!builder)
        return NULL;
    for (size_t i = 0; sources[i]; i++) {
        struct err err = ERR_INIT;

        if (sources[i]->cost == SOURCE_WALK && !has_walk)
            continue;
        if (check_source(check, sources[i], builder, &err) && has_walk)
            check_line(check, "skip", "%s: %s", sources[i]->name, err.text);
    }
    return snapshot_seal(builder);
}

static void check_process(struct selfcheck *check, const struct process_section *process)
{
    int64_t parts, res, slack;

    if (!process || !reading_is_known(process->res_bytes) ||
        !reading_is_known(process->virt_bytes)) {
        check_line(check, "skip", "process: RES is not known");
        return;
    }
    res = process->res_bytes.value;
    check_that(check, res > 0 && res <= process->virt_bytes.value, "RES is within VIRT");
    if (!reading_is_known(process->anon_bytes) ||
        !reading_is_known(process->file_bytes) || !reading_is_known(process->shmem_bytes))
        return;
    parts = process->anon_bytes.value + process->file_bytes.value +
            process->shmem_bytes.value;
    slack = res / 20 + (1 << 20); /* the kernel counts per CPU and adds up late */
    check_line(check, parts >= res - slack && parts <= res + slack ? "ok" : "FAIL",
               "anon + file + shmem is RES: %" PRId64 " and %" PRId64, parts, res);
}

static void check_pymalloc(struct selfcheck *check,
                           const struct pymalloc_section *section)
{
    uint64_t pools = 0, used = 0, unused = 0, used_bytes = 0;

    if (!section)
        return;
    for (size_t i = 0; i < section->n_size_classes; i++) {
        const struct size_class_row *row = &section->size_classes[i];

        pools += row->pools;
        used += row->blocks_used;
        unused += row->blocks_free;
        used_bytes += row->blocks_used * row->block_bytes;
    }
    check_equal(check, "pools of the size classes are all used pools", pools,
                section->pools_used);
    check_equal(check, "used blocks of the size classes add up", used,
                section->blocks_used);
    check_equal(check, "free blocks of the size classes add up", unused,
                section->blocks_free);
    check_equal(check, "bytes of the size classes add up", used_bytes,
                section->used_bytes);
    check_equal(check, "arenas are used + free blocks + free pools + headers",
                section->used_bytes + section->free_block_bytes +
                    section->free_pool_bytes + section->header_bytes,
                section->arena_bytes);
}

static void check_objects(struct selfcheck *check, const struct snapshot *snapshot)
{
    const struct objects_section *objects = snapshot->objects;
    uint64_t count = 0, memory = 0;

    if (!objects)
        return;
    for (size_t i = 0; i < objects->n_kinds; i++) {
        count += objects->kinds[i].count;
        memory += objects->kinds[i].memory_bytes;
    }
    check_equal(check, "objects of the kinds add up", count, objects->count);
    check_equal(check, "memory of the kinds adds up", memory, objects->memory_bytes);
    check_that(check, objects->tracked <= objects->count,
               "tracked objects are some of all objects");
    if (objects->walk.tracked_only)
        check_line(check, "ok", "only tracked objects are seen with this allocator");
    else
        check_line(check, objects->walk.complete ? "ok" : "FAIL",
                   "the walk is complete, %" PRIu64 " pools torn",
                   objects->walk.torn_pools);
    if (snapshot->pymalloc)
        check_that(check, objects->unowned_blocks <= snapshot->pymalloc->blocks_used * 2,
                   "parts are some of the used blocks");
}

/* Pages that come and go while they are counted show up as unexplained. */
static void check_account(struct selfcheck *check, const struct snapshot *snapshot)
{
    const struct account_section *account = snapshot->account;
    const struct malloc_section *malloc = snapshot->malloc;
    uint64_t parts = 0, used = 0;

    if (!account)
        return;
    for (int i = 0; i < ACCOUNT_PARTS; i++)
        parts += account->parts[i].resident;
    check_equal(check, "the parts of RES add up",
                parts + (uint64_t)account->unexplained_bytes, account->res_bytes);
    check_line(check,
               account->unexplained_bytes <= (int64_t)(account->res_bytes / 100) &&
                       account->unexplained_bytes >= -(int64_t)(account->res_bytes / 100)
                   ? "ok"
                   : "FAIL",
               "less than 1 %% of RES is unexplained: %" PRId64 " of %" PRIu64,
               account->unexplained_bytes, account->res_bytes);
    if (!malloc || !reading_is_known(malloc->used_bytes))
        return;
    for (size_t i = 0; i < malloc->n_rows; i++)
        used += malloc->rows[i].used_bytes;
    check_equal(check, "malloc's arenas add up", used,
                (uint64_t)malloc->used_bytes.value);
    check_line(
        check,
        malloc->lost_bytes <= (uint64_t)malloc->used_bytes.value / 100 ? "ok" : "FAIL",
        "the chains of malloc's chunks hold: %" PRIu64 " bytes lost", malloc->lost_bytes);
}

static bool check_attach(struct selfcheck *check, struct err *err)
{
    int64_t end_ns = clock_monotonic_ns() + ATTACH_PATIENCE_NS;
    const struct timespec moment = {0, 2 * NS_PER_MS};

    if (session_open(check->target, &check->session, err)) {
        check->session = NULL;
        return false;
    }
    while (clock_monotonic_ns() < end_ns && !is_signalled(check)) {
        enum session_state state = session_step(check->session);

        if (state == SESSION_READY)
            return true;
        if (state == SESSION_FAILED || state == SESSION_LOST) {
            *err = *session_err(check->session);
            return false;
        }
        nanosleep(&moment, NULL);
    }
    err_set(err, ERR_FAILED, "the agent did not become ready in time");
    return false;
}

static struct reading gc_reading(const struct snapshot *snapshot, size_t generation,
                                 size_t member)
{
    const char *row;

    if (!snapshot || !snapshot->gc || generation >= snapshot->gc->n_generations)
        return reading_unknown();
    row = (const char *)&snapshot->gc->generations[generation];
    return *(const struct reading *)(const void *)(row + member);
}

static struct reading blocks_of(const struct snapshot *snapshot)
{
    return snapshot && snapshot->pymalloc ? snapshot->pymalloc->allocated_blocks
                                          : reading_unknown();
}

/* Number 0 is the blocks, then come three of each generation. */
static struct reading number_of(const struct snapshot *snapshot, size_t i)
{
    static const size_t members[] = {offsetof(struct generation_row, count),
                                     offsetof(struct generation_row, threshold),
                                     offsetof(struct generation_row, collections)};

    if (!i)
        return blocks_of(snapshot);
    return gc_reading(snapshot, (i - 1) / GC_NUMBERS, members[(i - 1) % GC_NUMBERS]);
}

static int64_t number_of_agent(const struct agent_counters *counters, size_t i)
{
    const struct agent_generation *row;

    if (!i)
        return counters->allocated_blocks;
    row = &counters->generations[(i - 1) / GC_NUMBERS];
    return (const int64_t[]){row->count, row->threshold,
                             row->collections}[(i - 1) % GC_NUMBERS];
}

static void range_add(struct range *range, int64_t value)
{
    if (!range->is_seen || value < range->low)
        range->low = value;
    if (!range->is_seen || value > range->high)
        range->high = value;
    range->is_seen = true;
}

static void number_add(struct number *number, struct reading outside, int64_t agent)
{
    if (reading_is_known(outside))
        range_add(&number->outside, outside.value);
    else
        number->is_unknown = true;
    if (agent >= 0)
        range_add(&number->agent, agent);
    else
        number->is_unknown = true;
}

/* At rest both sides say the same but for what asking makes; of a target that runs,
 * what both have seen must overlap. */
static bool number_agrees(const struct number *number)
{
    const struct range *outside = &number->outside, *agent = &number->agent;
    int64_t spread = outside->high - outside->low;
    int64_t slack = AT_REST_SLACK + (spread ? spread + outside->high / 100 : 0);

    return number->is_unknown ||
           (agent->low <= outside->high + slack && agent->high >= outside->low - slack);
}

static void number_print(struct selfcheck *check, const struct number *number, size_t i)
{
    static const char *const names[] = {"count", "threshold", "collections"};
    char words[64] = "allocated blocks";

    if (i)
        snprintf(words, sizeof(words), "%s of generation %zu",
                 names[(i - 1) % GC_NUMBERS], (i - 1) / GC_NUMBERS);
    if (number->is_unknown)
        check_line(check, "skip", "%s: not known on both sides", words);
    else if (number_agrees(number))
        check_line(check, "ok", "%s: %" PRId64 " outside, %" PRId64 " by the agent",
                   words, number->outside.high, number->agent.high);
    else
        check_line(check, "FAIL",
                   "%s: %" PRId64 " to %" PRId64 " outside, %" PRId64 " to %" PRId64
                   " by the agent",
                   words, number->outside.low, number->outside.high, number->agent.low,
                   number->agent.high);
}

/* The price of a sample. The least of a few is the agent's own work: what a busy machine
 * adds is no promise of heaptop's. */
static void gil_print(struct selfcheck *check, const struct range *gil)
{
    char least[UNITS_MAX], most[UNITS_MAX];

    check_line(check, gil->low > GIL_MOST_NS ? "FAIL" : "ok",
               "a sample holds the GIL for %s to %s",
               units_duration(least, reading_exact(gil->low)),
               units_duration(most, reading_exact(gil->high)));
}

/* Outside, agent, outside. */
static int check_round(struct selfcheck *check, struct number numbers[NUMBERS],
                       struct range *gil, struct err *err)
{
    const struct snapshot *before = check_outside(check, false), *after;
    struct agent_counters counters;
    struct agent_answer answer;

    if (session_ask(check->session, AGENT_SAMPLE, NULL, err) ||
        !session_answer(check->session, NS_PER_S, &answer) ||
        !session_counters(check->session, &counters)) {
        snapshot_unref(before);
        return -1;
    }
    range_add(gil, counters.gil_held_ns);
    after = check_outside(check, false);
    for (size_t i = 0; i < NUMBERS; i++) {
        number_add(&numbers[i], number_of(before, i), number_of_agent(&counters, i));
        number_add(&numbers[i], number_of(after, i), number_of_agent(&counters, i));
    }
    snapshot_unref(before);
    snapshot_unref(after);
    return 0;
}

/* A target that runs is asked again until both sides have seen the same values. */
static void check_agent(struct selfcheck *check)
{
    struct number numbers[NUMBERS] = {0};
    struct range gil = {0};
    struct err err = ERR_INIT;
    bool agrees = false;

    if (!check_attach(check, &err)) {
        check_line(check, "skip", "no agent to compare with: %s", err.text);
        return;
    }
    for (int round = 0; round < ROUNDS_MAX && (!agrees || round < ROUNDS_LEAST);
         round++) {
        if (is_signalled(check))
            return;
        if (check_round(check, numbers, &gil, &err)) {
            check_line(check, "FAIL", "the agent does not answer: %s", err.text);
            return;
        }
        agrees = true;
        for (size_t i = 0; i < NUMBERS; i++)
            agrees = agrees && number_agrees(&numbers[i]);
    }
    for (size_t i = 0; i < NUMBERS; i++)
        number_print(check, &numbers[i], i);
    gil_print(check, &gil);
}

/* Where there are no arenas there is nothing to prove of them. */
static bool is_without_pymalloc(const struct layout *layout)
{
    return layout->allocator[0] && strncmp(layout->allocator, "pymalloc", 8) != 0;
}

static void check_all(struct selfcheck *check, const struct args *args)
{
    const struct snapshot *snapshot;
    struct err err = ERR_INIT;

    if (!check->target->reader)
        check_line(check, "skip", "layout: %s", check->target->access_why.text);
    else
        check->has_layout = !layout_find(check->target, &check->layout, &err);
    if (check->target->reader && check->has_layout && err.code == ERR_NONE)
        check_line(check, "ok", "the layout of Python %u.%u is proven (%s)",
                   check->layout.version.major, check->layout.version.minor,
                   check->layout.allocator);
    else if (check->target->reader)
        check_line(check, is_without_pymalloc(&check->layout) ? "skip" : "FAIL",
                   "layout: %s", err.text);
    snapshot = check_outside(check, true);
    if (snapshot) {
        check_process(check, snapshot->process);
        check_pymalloc(check, snapshot->pymalloc);
        check_objects(check, snapshot);
        check_account(check, snapshot);
        snapshot_unref(snapshot);
    }
    if (args->sampler.agent == AGENT_NEVER)
        check_line(check, "skip", "no agent to compare with: --agent=never");
    else
        check_agent(check);
}

int batch_selfcheck(const struct args *args, int signal_fd, struct err *err)
{
    struct selfcheck check = {.signal_fd = signal_fd};
    struct err ignored = ERR_INIT;

    if (target_open(args->pid, &check.target, err))
        return -1;
    check_all(&check, args);
    if (check.session)
        session_close(check.session, &ignored);
    printf("%d checks, %d failed, %d skipped\n", check.n_checks, check.n_failed,
           check.n_skipped);
    if (check.n_failed && target_state(check.target) == TARGET_ENDED)
        err_set(err, ERR_GONE, "process %d ended meanwhile", (int)args->pid);
    else if (check.n_failed)
        err_set(err, ERR_FAILED, "%d of %d checks failed", check.n_failed,
                check.n_checks);
    target_close(check.target);
    return check.n_failed ? -1 : 0;
}
