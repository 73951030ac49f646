/*
 * --selfcheck: heaptop's numbers against each other and against the agent's, on
 * the user's own process. Works without the sampler's thread, because it wants
 * the same number from two sides at nearly the same time.
 */
#include "batch/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "attach/session.h"
#include "batch/selfcheck.h"
#include "heaptop/source.h"
#include "heaptop/units.h"
#include "layout/layout.h"
#include "model/builder.h"
#include "target/procfs.h"
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
            selfcheck_line(check, "skip", "%s: %s", sources[i]->name, err.text);
    }
    return snapshot_seal(builder);
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
        selfcheck_line(check, "skip", "%s: not known on both sides", words);
    else if (number_agrees(number))
        selfcheck_line(check, "ok", "%s: %" PRId64 " outside, %" PRId64 " by the agent",
                       words, number->outside.high, number->agent.high);
    else
        selfcheck_line(check, "FAIL",
                       "%s: %" PRId64 " to %" PRId64 " outside, %" PRId64 " to %" PRId64
                       " by the agent",
                       words, number->outside.low, number->outside.high,
                       number->agent.low, number->agent.high);
}

/* The price of a sample. The least of a few is the agent's own work: what a busy machine
 * adds is no promise of heaptop's. */
static void gil_print(struct selfcheck *check, const struct range *gil)
{
    char least[UNITS_MAX], most[UNITS_MAX];

    selfcheck_line(check, gil->low > GIL_MOST_NS ? "FAIL" : "ok",
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
        selfcheck_line(check, "skip", "no agent to compare with: %s", err.text);
        return;
    }
    for (int round = 0; round < ROUNDS_MAX && (!agrees || round < ROUNDS_LEAST);
         round++) {
        if (is_signalled(check))
            return;
        if (check_round(check, numbers, &gil, &err)) {
            selfcheck_line(check, "FAIL", "the agent does not answer: %s", err.text);
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
    int64_t before_ns, after_ns;
    struct err err = ERR_INIT;

    if (!check->target->reader)
        selfcheck_line(check, "skip", "layout: %s", check->target->access_why.text);
    else
        check->has_layout = !layout_find(check->target, &check->layout, &err);
    if (check->target->reader && check->has_layout && err.code == ERR_NONE)
        selfcheck_line(check, "ok", "the layout of Python %u.%u is proven (%s)",
                       check->layout.version.major, check->layout.version.minor,
                       check->layout.allocator);
    else if (check->target->reader)
        selfcheck_line(check, is_without_pymalloc(&check->layout) ? "skip" : "FAIL",
                       "layout: %s", err.text);
    check->is_at_rest = procfs_cpu_ns(check->target->pid, &before_ns);
    snapshot = check_outside(check, true);
    check->is_at_rest = check->is_at_rest &&
                        procfs_cpu_ns(check->target->pid, &after_ns) &&
                        after_ns - before_ns < NS_PER_MS;
    if (snapshot) {
        selfcheck_sections(check, snapshot);
        snapshot_unref(snapshot);
    }
    if (args->sampler.agent == AGENT_NEVER)
        selfcheck_line(check, "skip", "no agent to compare with: --agent=never");
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
