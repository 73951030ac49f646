/*
 * The rules in the order in which they are asked: what the system does first, then
 * Python's objects, then the allocators, then what is left. Thresholds stand beside the
 * conditions; the manual repeats them in words.
 */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/verdict.h"

#define MB (INT64_C(1) << 20)

static char *bytes(char buffer[UNITS_MAX], int64_t value)
{
    return units_bytes(buffer, reading_exact(value));
}

static char *time_of(char buffer[UNITS_MAX], const struct evidence *evidence)
{
    return units_duration(buffer, reading_exact(evidence->elapsed_ns));
}

/* At least 60 per cent of what RES grew. */
static bool explains(const struct evidence *evidence, int64_t growth_bytes)
{
    return evidence->is_growing && growth_bytes * 10 >= evidence->res_growth_bytes * 6;
}

static struct reading part_growth(const struct evidence *evidence, enum account_part part)
{
    const struct account_section *now = evidence->now->account;
    const struct account_section *then = evidence->then->account;

    if (!now || !then)
        return reading_unknown();
    return reading_exact((int64_t)now->parts[part].resident -
                         (int64_t)then->parts[part].resident);
}

static int64_t part_bytes(const struct account_section *account, enum account_part part)
{
    return (int64_t)account->parts[part].resident;
}

static struct reading memory_growth(const struct evidence *evidence)
{
    const struct objects_section *now = evidence->now->objects;
    const struct objects_section *then = evidence->then->objects;

    if (!now || !then)
        return reading_unknown();
    return reading_exact((int64_t)now->memory_bytes - (int64_t)then->memory_bytes);
}

/* Pages that went to swap are no longer RES: at least 5 MiB, while RES does not grow. */
static enum judgement judge_swap(const struct evidence *evidence, struct verdict *verdict)
{
    const struct process_section *now = evidence->now->process;
    const struct process_section *then = evidence->then->process;
    struct reading swap;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!now || !then)
        return JUDGED_UNKNOWN;
    swap = reading_difference(now->swap_bytes, then->swap_bytes);
    if (!reading_is_known(swap))
        return JUDGED_UNKNOWN;
    if (swap.value < 5 * MB || evidence->res_growth_bytes > 0)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "swap: %s went to swap in %s, so RES does not show what the process holds",
             bytes(a, swap.value), time_of(b, evidence));
    verdict->bytes = swap;
    return JUDGED_YES;
}

/* Private pages grow by at least 10 MiB and RES by less than a fifth of that. */
static enum judgement judge_unsharing(const struct evidence *evidence,
                                      struct verdict *verdict)
{
    const struct process_section *now = evidence->now->process;
    const struct process_section *then = evidence->then->process;
    struct reading uss;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!now || !then)
        return JUDGED_UNKNOWN;
    uss = reading_difference(now->uss_bytes, then->uss_bytes);
    if (!reading_is_known(uss))
        return JUDGED_UNKNOWN;
    if (uss.value < 10 * MB || evidence->res_growth_bytes * 5 > uss.value ||
        evidence->res_growth_bytes * 5 < -uss.value)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "copy on write: %s that were shared became private in %s, RES did not grow",
             bytes(a, uss.value), time_of(b, evidence));
    verdict->bytes = uss;
    return JUDGED_YES;
}

static enum judgement judge_files(const struct evidence *evidence,
                                  struct verdict *verdict)
{
    const struct process_section *now = evidence->now->process;
    const struct process_section *then = evidence->then->process;
    struct reading file, shmem;
    bool is_file;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!now || !then)
        return JUDGED_UNKNOWN;
    file = reading_difference(now->file_bytes, then->file_bytes);
    shmem = reading_difference(now->shmem_bytes, then->shmem_bytes);
    if (!reading_is_known(file) || !reading_is_known(shmem))
        return JUDGED_UNKNOWN;
    is_file = file.value >= shmem.value;
    verdict->bytes = is_file ? file : shmem;
    if (!explains(evidence, verdict->bytes.value))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words), "%s: %s more of them in %s",
             is_file ? "mapped files" : "shared memory", bytes(a, verdict->bytes.value),
             time_of(b, evidence));
    return JUDGED_YES;
}

static bool is_collector_off(const struct evidence *evidence)
{
    const struct gc_section *gc = evidence->now->gc;

    return gc && reading_is_known(gc->enabled) && !gc->enabled.value;
}

/* Unreachable objects: at least 20 MiB, or a tenth of all objects' memory and 1 MiB. */
static enum judgement judge_garbage(const struct evidence *evidence,
                                    struct verdict *verdict)
{
    const struct account_section *account = evidence->now->account;
    const struct objects_section *objects = evidence->now->objects;
    char a[UNITS_MAX], b[UNITS_MAX];
    int64_t garbage;

    if (!account || !objects || !reading_is_known(account->garbage_bytes))
        return JUDGED_UNKNOWN;
    garbage = account->garbage_bytes.value;
    if (garbage < MB ||
        (garbage < 20 * MB && garbage * 10 < (int64_t)objects->memory_bytes))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "garbage: %s in %s objects is unreachable and waits for a full collection%s",
             bytes(a, garbage), units_count(b, account->garbage_objects),
             is_collector_off(evidence) ? "; gc is disabled" : "");
    verdict->bytes = verdict->gain_bytes = account->garbage_bytes;
    return JUDGED_YES;
}

/* The kind with the steepest growth of memory that is claimed. */
static const struct kind_row *steepest(const struct evidence *evidence,
                                       struct trend *steepest_trend)
{
    const struct objects_section *objects = evidence->now->objects;
    struct growth *growth = history_kinds_growth(evidence->history);
    const struct kind_row *found = NULL;

    for (size_t i = 0; objects && i < objects->n_kinds; i++) {
        struct trend trend;

        if (!growth_trend(growth, history_kind_key(objects->kinds[i].kind),
                          GROWTH_WINDOW_NS, &trend) ||
            !trend.is_claimed || trend.bytes_per_minute <= 0)
            continue;
        if (found && trend.bytes_per_minute <= steepest_trend->bytes_per_minute)
            continue;
        found = &objects->kinds[i];
        *steepest_trend = trend;
    }
    return found;
}

static void say_kind(const struct evidence *evidence, struct verdict *verdict,
                     const char *what)
{
    double total =
        growth_total(history_kinds_growth(evidence->history), GROWTH_WINDOW_NS);
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
    struct trend trend = {0};
    const struct kind_row *kind = steepest(evidence, &trend);

    if (!kind) {
        snprintf(verdict->words, sizeof(verdict->words), "%s: +%s in %s, of many kinds",
                 what, bytes(a, verdict->bytes.value), time_of(b, evidence));
        return;
    }
    snprintf(verdict->words, sizeof(verdict->words),
             "%s: +%s in %s; %.80s %s a minute, %.0f %% of the growth", what,
             bytes(a, verdict->bytes.value), time_of(b, evidence), kind->kind->name,
             units_count_delta(c, reading_exact((int64_t)trend.count_per_minute)),
             total > 0 ? trend.bytes_per_minute * 100 / total : 0);
}

/* Those that do not fit a block explain the growth. */
static enum judgement judge_large(const struct evidence *evidence,
                                  struct verdict *verdict)
{
    const struct objects_section *now = evidence->now->objects;
    const struct objects_section *then = evidence->then->objects;

    if (!now || !then)
        return JUDGED_UNKNOWN;
    verdict->bytes =
        reading_exact((int64_t)now->malloc_bytes - (int64_t)then->malloc_bytes);
    if (!explains(evidence, verdict->bytes.value))
        return JUDGED_NO;
    say_kind(evidence, verdict, "large Python objects grow");
    return JUDGED_YES;
}

/* Objects explain the growth, large ones alone do not, and it is not mostly garbage. */
static enum judgement judge_objects(const struct evidence *evidence,
                                    struct verdict *verdict)
{
    const struct account_section *account = evidence->now->account;
    const struct objects_section *now = evidence->now->objects;
    const struct objects_section *then = evidence->then->objects;

    verdict->bytes = memory_growth(evidence);
    if (!reading_is_known(verdict->bytes))
        return JUDGED_UNKNOWN;
    if (!explains(evidence, verdict->bytes.value) ||
        explains(evidence, (int64_t)now->malloc_bytes - (int64_t)then->malloc_bytes))
        return JUDGED_NO;
    if (account && reading_is_known(account->garbage_bytes) &&
        account->garbage_bytes.value * 2 > verdict->bytes.value)
        return JUDGED_NO;
    say_kind(evidence, verdict,
             is_collector_off(evidence)
                 ? "Python objects grow while gc is disabled (some "
                   "may be garbage)"
                 : "Python objects grow");
    return JUDGED_YES;
}

/* At least 100 types a minute, steadily. */
static enum judgement judge_classes(const struct evidence *evidence,
                                    struct verdict *verdict)
{
    const struct objects_section *objects = evidence->now->objects;
    struct growth *growth = history_kinds_growth(evidence->history);
    struct trend trend;
    char a[UNITS_MAX];

    if (!objects)
        return JUDGED_UNKNOWN;
    for (size_t i = 0; i < objects->n_kinds; i++) {
        const struct kind_row *row = &objects->kinds[i];

        if (strcmp(row->kind->name, "type") != 0 ||
            !growth_trend(growth, history_kind_key(row->kind), GROWTH_WINDOW_NS, &trend))
            continue;
        if (!evidence->is_long || !trend.is_claimed || trend.count_per_minute < 100)
            return JUDGED_NO;
        snprintf(verdict->words, sizeof(verdict->words),
                 "classes are made at run time: %s types a minute",
                 units_count_delta(a, reading_exact((int64_t)trend.count_per_minute)));
        verdict->bytes = reading_exact((int64_t)row->memory_bytes);
        return JUDGED_YES;
    }
    return JUDGED_NO;
}

/* At least 10 threads more, or tasks and coroutines that grow by 10 a minute. */
static enum judgement judge_tasks(const struct evidence *evidence,
                                  struct verdict *verdict)
{
    static const char *const names[] = {"_asyncio.Task", "asyncio.tasks.Task",
                                        "coroutine", "frame"};
    const struct objects_section *objects = evidence->now->objects;
    struct growth *growth = history_kinds_growth(evidence->history);
    char a[UNITS_MAX];

    if (!objects)
        return JUDGED_UNKNOWN;
    for (size_t i = 0; evidence->is_long && i < sizeof(names) / sizeof(names[0]); i++)
        for (size_t k = 0; k < objects->n_kinds; k++) {
            const struct kind_row *row = &objects->kinds[k];
            struct trend trend;

            if (strcmp(row->kind->name, names[i]) != 0 ||
                !growth_trend(growth, history_kind_key(row->kind), GROWTH_WINDOW_NS,
                              &trend) ||
                !trend.is_claimed || trend.count_per_minute < 10)
                continue;
            snprintf(verdict->words, sizeof(verdict->words),
                     "tasks pile up: %s %s a minute that do not finish",
                     units_count_delta(a, reading_exact((int64_t)trend.count_per_minute)),
                     names[i]);
            verdict->bytes = reading_exact((int64_t)row->memory_bytes);
            return JUDGED_YES;
        }
    return JUDGED_NO;
}

/* At least 50 MiB and 30 per cent of what malloc has in memory is free. */
static enum judgement judge_malloc_free(const struct evidence *evidence,
                                        struct verdict *verdict)
{
    const struct account_section *account = evidence->now->account;
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
    int64_t free_bytes, all;

    if (!account)
        return JUDGED_UNKNOWN;
    free_bytes =
        part_bytes(account, PART_MALLOC_FREE) + part_bytes(account, PART_MALLOC_TOP);
    all = free_bytes + part_bytes(account, PART_PYTHON_LARGE) +
          part_bytes(account, PART_NATIVE);
    if (free_bytes < 50 * MB || free_bytes * 10 < all * 3)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "free in malloc: %s of RES %s is kept for reuse, malloc_trim would return "
             "%s; not a leak",
             bytes(a, free_bytes), bytes(b, (int64_t)account->res_bytes),
             units_bytes(c, account->trim_bytes));
    verdict->bytes = reading_exact(free_bytes);
    verdict->gain_bytes = account->trim_bytes;
    return JUDGED_YES;
}

/* At least four of malloc's arenas are half free, and 50 MiB together. */
static enum judgement judge_malloc_arenas(const struct evidence *evidence,
                                          struct verdict *verdict)
{
    const struct malloc_section *section = evidence->now->malloc;
    uint64_t half_free = 0, free_bytes = 0, held = 0;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!section || !section->n_rows)
        return JUDGED_UNKNOWN;
    for (size_t i = 1; i < section->n_rows; i++) { /* the main arena stands first */
        const struct malloc_arena_row *row = &section->rows[i];
        uint64_t unused = row->free_bytes + row->cached_bytes + row->top_bytes;

        held += row->heap_bytes;
        if (unused * 2 < row->heap_bytes)
            continue;
        half_free++;
        free_bytes += unused;
    }
    if (half_free < 4 || free_bytes < (uint64_t)(50 * MB))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "malloc's arenas: %zu besides the main one hold %s, %s of it free",
             section->n_rows - 1, bytes(a, (int64_t)held), bytes(b, (int64_t)free_bytes));
    verdict->bytes = reading_exact((int64_t)free_bytes);
    return JUDGED_YES;
}

/* At least 32 MiB and 40 per cent of the arenas is free, and still they are kept. */
static enum judgement judge_fragmentation(const struct evidence *evidence,
                                          struct verdict *verdict)
{
    const struct pymalloc_section *pymalloc = evidence->now->pymalloc;
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
    int64_t unused;

    if (!pymalloc)
        return JUDGED_UNKNOWN;
    unused = (int64_t)(pymalloc->free_block_bytes + pymalloc->free_pool_bytes);
    if (unused < 32 * MB || unused * 10 < (int64_t)pymalloc->arena_bytes * 4)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "pymalloc is fragmented: %s of its %s is free (%s of it in free pools), but "
             "every arena has something in use",
             bytes(a, unused), bytes(b, (int64_t)pymalloc->arena_bytes),
             bytes(c, (int64_t)pymalloc->free_pool_bytes));
    verdict->bytes = reading_exact(unused);
    return JUDGED_YES;
}

/* One class has at least 60 per cent of all free blocks' bytes, and 32 MiB. */
static enum judgement judge_hoard(const struct evidence *evidence,
                                  struct verdict *verdict)
{
    const struct pymalloc_section *pymalloc = evidence->now->pymalloc;
    char a[UNITS_MAX];

    if (!pymalloc)
        return JUDGED_UNKNOWN;
    for (size_t i = 0; i < pymalloc->n_size_classes; i++) {
        const struct size_class_row *row = &pymalloc->size_classes[i];
        int64_t unused = (int64_t)(row->blocks_free * row->block_bytes);

        if (unused < 32 * MB || unused * 10 < (int64_t)pymalloc->free_block_bytes * 6)
            continue;
        snprintf(
            verdict->words, sizeof(verdict->words),
            "one size hoards: blocks of %u B keep %s free that no other size can use",
            (unsigned)row->block_bytes, bytes(a, unused));
        verdict->bytes = reading_exact(unused);
        return JUDGED_YES;
    }
    return JUDGED_NO;
}

/* Entries of free lists have 8 MiB, or alone keep ten arenas. */
static enum judgement judge_free_lists(const struct evidence *evidence,
                                       struct verdict *verdict)
{
    const struct free_lists_section *lists = evidence->now->free_lists;
    const struct pymalloc_section *pymalloc = evidence->now->pymalloc;
    char a[UNITS_MAX];

    if (!lists || !pymalloc)
        return JUDGED_UNKNOWN;
    if ((int64_t)lists->bytes < 8 * MB && lists->arenas < 10)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "free lists hold %s and alone keep %llu arenas",
             bytes(a, (int64_t)lists->bytes), (unsigned long long)lists->arenas);
    verdict->bytes = reading_exact((int64_t)lists->bytes);
    verdict->gain_bytes =
        reading_exact((int64_t)(lists->arenas * pymalloc->arena_bytes_each));
    return JUDGED_YES;
}

/* What malloc has in use besides Python's own explains the growth, objects do not. */
static enum judgement judge_native(const struct evidence *evidence,
                                   struct verdict *verdict)
{
    struct reading memory = memory_growth(evidence);
    char a[UNITS_MAX], b[UNITS_MAX];

    verdict->bytes = part_growth(evidence, PART_NATIVE);
    if (!reading_is_known(verdict->bytes) || !reading_is_known(memory))
        return JUDGED_UNKNOWN;
    if (!explains(evidence, verdict->bytes.value) ||
        memory.value * 5 > evidence->res_growth_bytes)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "native memory grows: +%s in %s in malloc, and no Python object has it",
             bytes(a, verdict->bytes.value), time_of(b, evidence));
    return JUDGED_YES;
}

/* Up and down by 32 MiB and 15 per cent of RES, three times, without a trend. */
static enum judgement judge_saw_tooth(const struct evidence *evidence,
                                      struct verdict *verdict)
{
    int64_t values[GROWTH_POINTS], counts[GROWTH_POINTS], times[GROWTH_POINTS];
    struct growth *growth = history_series_growth(evidence->history);
    int64_t low, high, least = evidence->res_bytes * 15 / 100;
    size_t count =
        growth_values(growth, 1 + SERIES_RES, values, counts, times, GROWTH_POINTS);
    int swings = 0, direction = 0;
    char a[UNITS_MAX];

    if (!evidence->is_long || evidence->is_growing || !count)
        return JUDGED_NO;
    if (least < 32 * MB)
        least = 32 * MB;
    low = high = values[0];
    for (size_t i = 1; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
        if (direction <= 0 && values[i] - low >= least) {
            direction = 1;
            swings++;
            high = low = values[i];
        } else if (direction >= 0 && high - values[i] >= least) {
            direction = -1;
            swings++;
            high = low = values[i];
        }
    }
    if (swings < 3)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "saw-tooth: RES goes up and down by %s and more, %d times seen; not a leak",
             bytes(a, least), swings);
    verdict->bytes = reading_exact(least);
    return JUDGED_YES;
}

/* No counter of theirs is read in this version. */
static enum judgement judge_nothing(const struct evidence *evidence,
                                    struct verdict *verdict)
{
    (void)evidence;
    (void)verdict;
    return JUDGED_UNKNOWN;
}

const struct rule verdict_rules[] = {
    {"R13", "swap", "count RES and swap together; give the process more memory",
     judge_swap},
    {"R10", "USS", "gc.freeze() before the fork keeps such pages shared",
     judge_unsharing},
    {"R8", "file and shared memory",
     "files: the kernel takes their pages back when it "
     "needs them",
     judge_files},
    {"R3", "garbage", "gc.collect() frees it", judge_garbage},
    {"R7", "objects", "find who keeps them: Types, Enter", judge_large},
    {"R2", "objects", "find who keeps them: Types, Enter", judge_objects},
    {"R11", "objects", "make classes once; their subclass lists keep them",
     judge_classes},
    {"R12", "objects", "let them finish, or cancel them", judge_tasks},
    {"R4", "account", "malloc_trim(0) returns it", judge_malloc_free},
    {"R4b", "malloc", "MALLOC_ARENA_MAX=2 in the environment bounds them",
     judge_malloc_arenas},
    {"R4c", "malloc's mmap threshold", "MALLOC_MMAP_THRESHOLD_ in the environment",
     judge_nothing},
    {"R5", "arenas", "free what is left in them (Arenas, Enter), or restart",
     judge_fragmentation},
    {"R5b", "size classes", "it is reused by objects of this size only", judge_hoard},
    {"R9", "free lists", "gc.collect() empties them", judge_free_lists},
    {"R6", "account and objects", "look for the extension that keeps it", judge_native},
    {"R14", "RES", "nothing to do: it is scratch memory, used again", judge_saw_tooth},
};

const size_t n_verdict_rules = sizeof(verdict_rules) / sizeof(verdict_rules[0]);
