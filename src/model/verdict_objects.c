/* What Python's objects are about: garbage, and kinds that grow. */
#include <stdio.h>
#include <string.h>

#include "model/cause.h"
#include "model/verdict_private.h"

#define GARBAGE_CERTAIN   (20 * MB)
#define GARBAGE_LEAST     MB
#define SHARE_LEAST_BYTES (2 * MB) /* of growth that can be said to be garbage */
#define CLASSES_A_MINUTE  100
#define TASKS_A_MINUTE    10
#define THREADS_MORE      10
#define CALLED_OFTEN      3 /* full collections in the window, while gc is disabled */

bool is_collector_off(const struct evidence *evidence)
{
    const struct gc_section *gc = evidence->now->gc;

    return gc && reading_is_known(gc->enabled) && !gc->enabled.value;
}

/* ---- garbage ---- */

static int64_t memory_of(const struct snapshot *snapshot)
{
    return snapshot->objects ? (int64_t)snapshot->objects->memory_bytes : -1;
}

double garbage_share(const struct evidence *evidence)
{
    const struct account_section *now = evidence->now->account;
    const struct account_section *then = evidence->then->account;
    const struct snapshot *there;
    int64_t garbage, memory;

    if (!now || !then || !reading_is_known(now->garbage_bytes) ||
        now->garbage_mono_ns <= evidence->then->mono_ns)
        return -1;
    there = history_at(evidence->history,
                       history_at_time(evidence->history, now->garbage_mono_ns));
    if (!there || memory_of(there) < 0 || memory_of(evidence->then) < 0)
        return -1;
    garbage = now->garbage_bytes.value -
              (reading_is_known(then->garbage_bytes) ? then->garbage_bytes.value : 0);
    memory = memory_of(there) - memory_of(evidence->then);
    if (memory < SHARE_LEAST_BYTES)
        return -1;
    return garbage <= 0 ? 0 : garbage >= memory ? 1 : (double)garbage / (double)memory;
}

/* The collector ran and left it: then it is not what waits for it. Where it is off,
 * somebody calls it again and again. */
static bool is_collected(const struct evidence *evidence)
{
    const struct gc_section *now = evidence->now->gc, *then = evidence->then->gc;
    struct reading since;

    if (!now || !then || !now->n_generations || now->n_generations != then->n_generations)
        return false;
    since = reading_difference(now->generations[now->n_generations - 1].collections,
                               then->generations[then->n_generations - 1].collections);
    return reading_is_known(since) &&
           since.value >= (is_collector_off(evidence) ? CALLED_OFTEN : 1);
}

/* A tenth of all objects is ordinary between two full collections, when it is little. */
static bool is_much_garbage(const struct evidence *evidence, int64_t garbage)
{
    int64_t memory = memory_of(evidence->now);

    if (garbage < GARBAGE_LEAST || is_collected(evidence))
        return false;
    if (garbage >= GARBAGE_CERTAIN)
        return true;
    return garbage * 10 >= memory && (evidence->is_long || is_collector_off(evidence));
}

static const char *collector_words(const struct evidence *evidence)
{
    if (is_collector_off(evidence))
        return "; gc is disabled";
    if (evidence->now->gc && evidence->now->gc->frozen.value > 0)
        return "; gc.freeze() was called: frozen objects are never collected";
    return "";
}

/* Unreachable objects: at least 20 MiB, or a tenth of all objects' memory and 1 MiB. */
enum judgement judge_garbage(const struct evidence *evidence, struct finding *finding)
{
    const struct account_section *account = evidence->now->account;
    struct verdict *verdict = &finding->verdict;
    double share = garbage_share(evidence);
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
    int64_t age_ns;

    if (!account || !evidence->now->objects || !reading_is_known(account->garbage_bytes))
        return JUDGED_UNKNOWN;
    if (!is_much_garbage(evidence, account->garbage_bytes.value))
        return JUDGED_NO;
    age_ns = evidence->now->mono_ns - account->garbage_mono_ns;
    snprintf(verdict->words, sizeof(verdict->words),
             "garbage: %s in %s objects was unreachable %s ago and waits for a full "
             "collection%s",
             say_bytes(a, account->garbage_bytes.value),
             units_count(b, account->garbage_objects),
             units_duration(c, reading_exact(age_ns > 0 ? age_ns : 0)),
             collector_words(evidence));
    verdict->bytes = verdict->gain_bytes = account->garbage_bytes;
    if (is_collector_off(evidence))
        verdict->remedy = "gc.collect() frees it now, gc.enable() from then on";
    verdict->until_wall_ns = evidence->now->wall_ns - age_ns;
    verdict_count(verdict, "garbage", HISTORY_BYTES, account->garbage_bytes);
    verdict_count(verdict, "memory of objects", HISTORY_BYTES,
                  reading_of_count(memory_of(evidence->now)));
    verdict_count(verdict, "collect and trim would return", HISTORY_BYTES,
                  account->collect_trim_bytes);
    finding->is_now =
        share > 0 && explains(evidence, &evidence->kinds.first_fit,
                              (int64_t)((double)evidence->kinds.bytes * share));
    return JUDGED_YES;
}

/* ---- objects that are kept ---- */

static void count_objects(struct verdict *verdict, const struct evidence *evidence)
{
    verdict_count(verdict, "growth of objects", HISTORY_BYTES,
                  reading_exact(evidence->kinds.bytes));
    verdict_count(verdict, "of it outside pymalloc", HISTORY_BYTES,
                  reading_exact(evidence->kinds.large_bytes));
    verdict_count(verdict, "growth of RES", HISTORY_BYTES,
                  reading_exact(evidence->res_growth_bytes));
    if (evidence->now->account)
        verdict_count(verdict, "garbage", HISTORY_BYTES,
                      evidence->now->account->garbage_bytes);
}

static const char *const remedy_held =
    "take out of it what is done with, or bound it (a cache that still fills ends by "
    "itself)";

/* "Python objects grow: +40M in 70 s, most of it app.Session, +600 a minute, 96 % ..." */
static void say_kind(const struct evidence *evidence, struct verdict *verdict,
                     const char *what, int64_t bytes)
{
    const struct kinds_growth *kinds = &evidence->kinds;
    int64_t share = share_of_growth(evidence, &kinds->first_fit, bytes);
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], held_by[CAUSE_WORDS_MAX];

    /* More than all of it went into memory that was free before. */
    snprintf(
        verdict->words, sizeof(verdict->words),
        "%s: +%s in %s, %lld %% of the growth of %s; most of it %.80s, %s a minute%s%s",
        what, say_bytes(a, bytes), say_elapsed(b, evidence),
        (long long)(share < 100 ? share : 100),
        evidence->is_of_floor ? "what RES falls back to" : "RES",
        kinds->first->kind->name,
        kinds->is_container
            ? units_bytes_delta(c, reading_exact((int64_t)kinds->first_fit.per_minute))
            : units_count_delta(c, reading_exact((int64_t)kinds->first_count_per_minute)),
        kinds->is_container ? " (not more of them, but larger ones)" : "",
        cause_words(held_by, evidence->history, kinds->first->kind));
    verdict->kind = kinds->first->kind;
    verdict->is_of_few = kinds->is_container;
    if (*held_by)
        verdict->remedy = remedy_held;
    verdict_take_fit(verdict, evidence, &kinds->first_fit, bytes);
    count_objects(verdict, evidence);
}

/* What of the kinds' growth is not garbage, by the last dry run. Where only the floor of
 * RES rises, walks saw scratch memory of these kinds as well: no more than that rose. */
static int64_t kept_growth(const struct evidence *evidence, int64_t bytes)
{
    double share = garbage_share(evidence);
    int64_t of_res = share_of_growth(evidence, &evidence->kinds.first_fit, bytes);

    if (evidence->is_of_floor && of_res > 100)
        bytes = bytes / of_res * 100;
    return share > 0.02 ? (int64_t)((double)bytes * (1 - share)) : bytes;
}

static bool are_large(const struct evidence *evidence)
{
    return evidence->kinds.large_bytes * 10 >= evidence->kinds.bytes * 6;
}

static enum judgement judge_kept(const struct evidence *evidence, struct finding *finding,
                                 bool is_large, const char *what)
{
    const struct kinds_growth *kinds = &evidence->kinds;
    int64_t bytes;

    if (!kinds->is_known)
        return JUDGED_UNKNOWN;
    bytes = kept_growth(evidence, kinds->bytes);
    if (!kinds->first || are_large(evidence) != is_large ||
        !explains(evidence, &kinds->first_fit, bytes))
        return JUDGED_NO;
    say_kind(evidence, &finding->verdict, what, bytes);
    finding->is_now = true;
    return JUDGED_YES;
}

/* Objects explain the growth, and most of it does not fit a block of pymalloc. */
enum judgement judge_large(const struct evidence *evidence, struct finding *finding)
{
    return judge_kept(evidence, finding, true, "large Python objects grow");
}

/* Objects explain the growth, and they are not garbage. */
enum judgement judge_objects(const struct evidence *evidence, struct finding *finding)
{
    return judge_kept(evidence, finding, false,
                      is_collector_off(evidence)
                          ? garbage_share(evidence) < 0
                                ? "Python objects grow while gc is disabled, some may be "
                                  "garbage"
                                : "Python objects grow while gc is disabled"
                          : "Python objects grow");
}

/* ---- classes, tasks, threads ---- */

/* The count of this kind rises steadily; objects a minute, 0 when it does not. */
static double steady_rate(const struct evidence *evidence, const struct kind_row *row)
{
    const struct growth *growth = history_kinds_growth(evidence->history);
    int64_t before = 0;
    struct fit fit;

    if (!evidence->is_long || !evidence->then->objects ||
        !growth_fit(growth, history_kind_key(row->kind),
                    evidence_kinds_since_ns(evidence), &fit) ||
        !has_risen(evidence, &fit))
        return 0;
    for (size_t i = 0; i < evidence->then->objects->n_kinds; i++)
        if (evidence->then->objects->kinds[i].kind == row->kind)
            before = (int64_t)evidence->then->objects->kinds[i].count;
    return (double)((int64_t)row->count - before) * 60e9 /
           ((double)(fit.last_ns - fit.first_ns) + 1);
}

static const struct kind_row *find_kind(const struct evidence *evidence, const char *name)
{
    const struct objects_section *objects = evidence->now->objects;

    for (size_t i = 0; objects && i < objects->n_kinds; i++)
        if (!strcmp(objects->kinds[i].kind->name, name))
            return &objects->kinds[i];
    return NULL;
}

/* The first of these kinds that grows by so many a minute. */
static const struct kind_row *first_steady(const struct evidence *evidence,
                                           const char *const *names, double least,
                                           double *per_minute)
{
    for (; *names; names++) {
        const struct kind_row *row = find_kind(evidence, *names);

        *per_minute = row ? steady_rate(evidence, row) : 0;
        if (*per_minute >= least)
            return row;
    }
    return NULL;
}

/* Half of the growth or more are kinds that come with it; or they are as many as the kind
 * that grows most, or a few times as many of those. */
static bool comes_with(const struct evidence *evidence, int64_t bytes, double per_minute)
{
    const struct kinds_growth *kinds = &evidence->kinds;
    double times = kinds->first_count_per_minute / per_minute;
    double off = times - (double)(int64_t)(times + 0.5);

    return bytes * 10 >= kinds->bytes * 3 ||
           (times > 0.9 && times < 6.5 && off > -0.05 && off < 0.05);
}

/* At least 100 types or code objects a minute, steadily. */
enum judgement judge_classes(const struct evidence *evidence, struct finding *finding)
{
    static const char *const names[] = {"type",          "abc.ABCMeta", "enum.EnumMeta",
                                        "enum.EnumType", "code",        NULL};
    const struct kinds_growth *kinds = &evidence->kinds;
    struct verdict *verdict = &finding->verdict;
    const struct kind_row *row;
    double per_minute;
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

    if (!kinds->is_known)
        return JUDGED_UNKNOWN;
    row = first_steady(evidence, names, CLASSES_A_MINUTE, &per_minute);
    if (!row)
        return JUDGED_NO;
    if (!strcmp(row->kind->name, "code"))
        verdict->remedy =
            "compile once what exec, eval or a template makes, and reuse it";
    snprintf(
        verdict->words, sizeof(verdict->words),
        "classes or code are made at run time: %.20s, %s a minute; +%s in %s with all "
        "that comes with them",
        row->kind->name, units_count_delta(a, reading_exact((int64_t)per_minute)),
        say_bytes(b, kinds->bytes), say_elapsed(c, evidence));
    verdict_take_fit(verdict, evidence, &kinds->first_fit, kinds->bytes);
    count_objects(verdict, evidence);
    finding->is_now =
        evidence->is_growing && comes_with(evidence, kinds->class_bytes, per_minute);
    return JUDGED_YES;
}

static enum judgement judge_threads(const struct evidence *evidence,
                                    struct finding *finding)
{
    const struct process_section *now = evidence->now->process;
    const struct process_section *then = evidence->then->process;
    struct verdict *verdict = &finding->verdict;
    const struct fit *stacks = &evidence->parts[PART_THREAD_STACKS];
    struct reading more;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!now || !then || !evidence->is_long)
        return JUDGED_NO;
    more = reading_difference(now->threads, then->threads);
    if (more.value < THREADS_MORE || !has_risen(evidence, stacks))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "threads pile up: %lld more in %s; their stacks have %s more",
             (long long)more.value, say_elapsed(b, evidence),
             say_bytes(a, stacks->grown));
    verdict->remedy = "let them end and be joined, or use a pool of a fixed size";
    verdict_take_fit(verdict, evidence, stacks, stacks->grown);
    verdict_count(verdict, "threads now", HISTORY_NUMBER, now->threads);
    finding->is_now = true;
    return JUDGED_YES;
}

/* What tracebacks hold is not at work: exceptions are kept. */
static bool are_of_tracebacks(const struct evidence *evidence,
                              const struct kind_row *frames, double per_minute)
{
    const struct kind_row *row = find_kind(evidence, "traceback");

    return !strcmp(frames->kind->name, "frame") && row &&
           steady_rate(evidence, row) * 2 >= per_minute;
}

/* At least 10 threads more, or tasks and coroutines that grow by 10 a minute. */
enum judgement judge_tasks(const struct evidence *evidence, struct finding *finding)
{
    static const char *const names[] = {"_asyncio.Task",
                                        "asyncio.tasks.Task",
                                        "coroutine",
                                        "async_generator",
                                        "generator",
                                        "frame",
                                        NULL};
    const struct kinds_growth *kinds = &evidence->kinds;
    struct verdict *verdict = &finding->verdict;
    const struct kind_row *row;
    double per_minute;
    char a[UNITS_MAX], held_by[CAUSE_WORDS_MAX];

    if (judge_threads(evidence, finding) == JUDGED_YES)
        return JUDGED_YES;
    if (!kinds->is_known)
        return JUDGED_UNKNOWN;
    row = first_steady(evidence, names, TASKS_A_MINUTE, &per_minute);
    if (!row || are_of_tracebacks(evidence, row, per_minute))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "tasks pile up: %s %s a minute that do not finish%s",
             units_count_delta(a, reading_exact((int64_t)per_minute)), row->kind->name,
             cause_words(held_by, evidence->history, row->kind));
    verdict->kind = row->kind;
    if (strstr(row->kind->name, "generator"))
        verdict->remedy = "run them to their end, or close() them";
    verdict_take_fit(verdict, evidence, &kinds->first_fit, kinds->bytes);
    count_objects(verdict, evidence);
    finding->is_now =
        !evidence->is_growing || comes_with(evidence, kinds->task_bytes, per_minute);
    return JUDGED_YES;
}
