/*
 * --selfcheck: heaptop's numbers against each other and against the agent's, on
 * the user's own process. Works without the sampler's thread, because it wants
 * the same number from two sides at nearly the same time.
 */
#include "batch.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "attach/session.h"
#include "heaptop/source.h"
#include "layout/layout.h"
#include "model/builder.h"
#include "util/clock.h"

#define ATTACH_PATIENCE_NS (10 * NS_PER_S)
#define WALK_PATIENCE_NS   (120 * NS_PER_S)
#define AT_REST_SLACK      16 /* what the question itself makes */

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

/* The agent's number must lie between two readings from outside around it. */
static void check_between(struct selfcheck *check, const char *words,
                          struct reading before, int64_t agent, struct reading after)
{
    int64_t low, high, slack;

    if (!reading_is_known(before) || !reading_is_known(after) || agent < 0) {
        check_line(check, "skip", "%s: not known on both sides", words);
        return;
    }
    low = before.value < after.value ? before.value : after.value;
    high = before.value < after.value ? after.value : before.value;
    slack = AT_REST_SLACK + (low == high ? 0 : (high - low) + high / 100);
    if (agent >= low - slack && agent <= high + slack)
        check_line(check, "ok", "%s: %" PRId64 " outside, %" PRId64 " by the agent",
                   words, after.value, agent);
    else
        check_line(check, "FAIL",
                   "%s: %" PRId64 " to %" PRId64 " outside, %" PRId64 " by the agent",
                   words, low, high, agent);
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
        check_that(check, objects->other_blocks <= snapshot->pymalloc->blocks_used * 2,
                   "parts are some of the used blocks");
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

static void check_gc(struct selfcheck *check, const struct snapshot *before,
                     const struct agent_counters *agent, const struct snapshot *after)
{
    static const size_t members[] = {offsetof(struct generation_row, count),
                                     offsetof(struct generation_row, threshold),
                                     offsetof(struct generation_row, collections)};
    static const char *const names[] = {"count", "threshold", "collections"};
    char words[64];

    for (size_t i = 0; i < AGENT_GENERATIONS; i++) {
        const struct agent_generation *row = &agent->generations[i];
        const int64_t numbers[] = {row->count, row->threshold, row->collections};

        for (size_t j = 0; j < sizeof(members) / sizeof(members[0]); j++) {
            snprintf(words, sizeof(words), "%s of generation %zu", names[j], i);
            check_between(check, words, gc_reading(before, i, members[j]), numbers[j],
                          gc_reading(after, i, members[j]));
        }
    }
}

static struct reading blocks_of(const struct snapshot *snapshot)
{
    return snapshot && snapshot->pymalloc ? snapshot->pymalloc->allocated_blocks
                                          : reading_unknown();
}

static void check_agent(struct selfcheck *check)
{
    const struct snapshot *before, *after;
    struct agent_counters counters;
    struct agent_answer answer;
    struct err err = ERR_INIT;

    if (!check_attach(check, &err)) {
        check_line(check, "skip", "no agent to compare with: %s", err.text);
        return;
    }
    before = check_outside(check, false);
    if (session_ask(check->session, AGENT_SAMPLE, 0, &err) ||
        !session_answer(check->session, NS_PER_S, &answer) ||
        !session_counters(check->session, &counters)) {
        check_line(check, "FAIL", "the agent does not answer: %s", err.text);
        snapshot_unref(before);
        return;
    }
    after = check_outside(check, false);
    check_between(check, "allocated blocks", blocks_of(before), counters.allocated_blocks,
                  blocks_of(after));
    check_gc(check, before, &counters, after);
    snapshot_unref(before);
    snapshot_unref(after);
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
