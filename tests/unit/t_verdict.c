/* Verdicts: each rule on a made-up history of its cause, and none on a healthy one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/builder.h"
#include "model/cause.h"
#include "model/kind.h"
#include "model/pins.h"
#include "model/verdict.h"

#define SECOND  INT64_C(1000000000)
#define MB      (INT64_C(1) << 20)
#define SAMPLES 60

/* What grows by so much a sample, besides RES itself; levels are the same in all. */
struct story {
    int64_t res, objects, large, native, file, swap, uss; /* bytes a sample */
    int64_t garbage, malloc_free, trim, free_blocks, free_pools, free_lists;
    int64_t garbage_growth, threshold_free;
    int64_t ramp; /* RES climbs by so much in each of five samples, and falls back */
    int64_t saw;  /* RES stands so much higher in every other ten samples */
    bool has_no_account;
    int64_t uss_age_ns;
    int stops_at; /* RES and objects grow no more from this sample on; 0: they do */
    int module_at,
        agent_at; /* from this sample on one module more, and the agent; 0: no */
};

static const struct kind *kind_of(const char *name)
{
    return kind_intern(name, strlen(name));
}

static int grown_for(const struct story *story, int at)
{
    return story->stops_at && at > story->stops_at ? story->stops_at : at;
}

static void add_objects(struct snapshot_builder *builder, const struct story *story,
                        int at)
{
    uint64_t grown = (uint64_t)((story->objects + story->large) * grown_for(story, at));
    const struct kind_row rows[] = {
        {.kind = kind_of("app.Entry"),
         .count = 1000 + grown / 64,
         .size_bytes = grown,
         .memory_bytes = 64000 + grown,
         .malloc_bytes = (uint64_t)(story->large * at)},
        {.kind = kind_of("str"),
         .count = 500000,
         .size_bytes = 20 * MB,
         .memory_bytes = 40 * MB},
        {.kind = kind_of("module"),
         .count = 50 + (story->module_at && at >= story->module_at),
         .memory_bytes = 1000}};
    struct objects_section facts = {
        .walk = {.ended_mono_ns = (at + 1) * 2 * SECOND, .complete = true}};
    const struct objects_section *objects = objects_seal(&facts, rows, 3);

    builder_objects(builder, objects);
    objects_unref(objects);
}

static void add_pymalloc(struct pymalloc_section *pymalloc, const struct story *story)
{
    pymalloc->arena_bytes = 60 * MB;
    pymalloc->free_block_bytes = (uint64_t)story->free_blocks;
    pymalloc->free_pool_bytes = (uint64_t)story->free_pools;
    pymalloc->n_size_classes = 1;
    pymalloc->size_classes[0] = (struct size_class_row){
        .block_bytes = 64, .blocks_free = (uint64_t)story->free_blocks / 64};
}

static void add_account(struct account_section *account, const struct story *story,
                        int at)
{
    account->res_bytes = (uint64_t)(200 * MB);
    account->ended_mono_ns = account->garbage_mono_ns = (at + 1) * 2 * SECOND - 1;
    account->parts[PART_NATIVE].resident = (uint64_t)(10 * MB + story->native * at);
    account->parts[PART_MALLOC_FREE].resident = (uint64_t)story->malloc_free;
    account->parts[PART_FREE_BLOCKS].resident = (uint64_t)story->free_blocks;
    account->parts[PART_FREE_POOLS].resident = (uint64_t)story->free_pools;
    account->trim_bytes = reading_exact(story->trim);
    account->garbage_bytes = reading_exact(story->garbage + story->garbage_growth * at);
    account->garbage_objects = reading_exact(account->garbage_bytes.value / 64);
}

static void add_malloc(struct malloc_section *malloc_section, const struct story *story)
{
    malloc_section->free_bytes = reading_exact(story->malloc_free);
    malloc_section->top_bytes = reading_exact(0);
    malloc_section->mmap_threshold_bytes = reading_exact(4 * MB);
    malloc_section->threshold_free_bytes = reading_exact(story->threshold_free);
}

static const struct snapshot *sample(const struct story *story, int at)
{
    struct snapshot_builder *builder = builder_new((uint64_t)at + 1);
    struct process_section *process = builder_process(builder);

    builder->snapshot->mono_ns = (at + 1) * 2 * SECOND;
    builder->snapshot->wall_ns = (1000 + at * 2) * SECOND;
    builder->snapshot->is_complete = true;
    if (story->agent_at && at >= story->agent_at)
        builder->snapshot->access.agent = AGENT_LOADED;
    process->res_bytes = reading_exact(200 * MB + story->res * grown_for(story, at) +
                                       at / 10 % 2 * story->saw + at % 5 * story->ramp);
    process->file_bytes = reading_exact(20 * MB + story->file * at);
    process->shmem_bytes = reading_exact(0);
    process->swap_bytes = reading_exact(story->swap * at);
    process->uss_bytes = reading_exact(50 * MB + story->uss * at);
    process->pss_age_ns = reading_exact(story->uss_age_ns);
    add_pymalloc(builder_pymalloc(builder), story);
    if (!story->has_no_account) {
        add_account(builder_account(builder), story, at);
        add_malloc(builder_malloc(builder), story);
    }
    if (!story->has_no_account)
        builder_free_lists(builder)->bytes = (uint64_t)story->free_lists;
    add_objects(builder, story, at);
    return snapshot_seal(builder);
}

static void watch(struct history *history, const struct story *story, int samples)
{
    for (int at = 0; at < samples; at++) {
        const struct snapshot *snapshot = sample(story, at);

        history_add(history, snapshot);
        snapshot_unref(snapshot);
    }
}

static void judge_first(const struct story *story, int samples, struct verdicts *verdicts)
{
    struct history *history = history_new();

    assert_false(verdict_judge(history, verdicts));
    watch(history, story, samples);
    assert_true(verdict_judge(history, verdicts));
    history_free(history);
}

static void assert_first(const struct story *story, const char *rule, int64_t bytes)
{
    struct verdicts verdicts;

    judge_first(story, SAMPLES, &verdicts);
    assert_string_equal(verdicts.items[0].rule, rule);
    if (bytes)
        assert_in_range(verdicts.items[0].bytes.value, bytes * 9 / 10, bytes * 11 / 10);
}

static void names_the_cause(void **state)
{
    const int64_t span = SAMPLES - 1, step = MB / 2;

    (void)state;
    assert_first(&(struct story){.res = 0}, "R1", 0);
    assert_first(&(struct story){.res = step, .objects = step}, "R2", span * step);
    assert_first(&(struct story){.res = step, .large = step}, "R7", span * step);
    assert_first(&(struct story){.res = step, .native = step}, "R6", span * step);
    assert_first(&(struct story){.res = step, .file = step}, "R8", span * step);
    assert_first(&(struct story){.swap = step}, "R13", span * step);
    assert_first(&(struct story){.uss = step}, "R10", span * step);
    assert_first(&(struct story){.garbage = 30 * MB}, "R3", 30 * MB);
    assert_first(&(struct story){.malloc_free = 90 * MB, .trim = 80 * MB}, "R4", 90 * MB);
    assert_first(&(struct story){.malloc_free = 90 * MB, .threshold_free = 80 * MB},
                 "R4c", 80 * MB);
    assert_first(&(struct story){.free_pools = 40 * MB}, "R5", 40 * MB);
    assert_first(&(struct story){.free_lists = 9 * MB}, "R9", 9 * MB);
    assert_first(&(struct story){.saw = 60 * MB}, "R14", 0);
}

static void judge_shared(const struct story *story, const struct sharing *sharing,
                         struct verdicts *verdicts)
{
    struct history *history = history_new();

    watch(history, story, SAMPLES);
    history_set_sharing(history, sharing);
    assert_true(verdict_judge(history, verdicts));
    history_free(history);
}

/* Measured by comparing pages: the causes decide, not what USS did in the window. */
static void unsharing_is_measured(void **state)
{
    struct sharing sharing = {.wall_ns = 1, .shared_bytes = 60 * MB};
    struct verdicts verdicts;

    (void)state;
    sharing.unshared_bytes[UNSHARED_GC_HEADS] = 50 * MB;
    sharing.unshared_bytes[UNSHARED_REFCOUNTS] = 6 * MB;
    judge_shared(&(struct story){.res = 0}, &sharing, &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R10");
    assert_int_equal(verdicts.items[0].bytes.value, 56 * MB);
    assert_int_equal(verdicts.items[0].gain_bytes.value, 50 * MB);
    assert_non_null(strstr(verdicts.items[0].remedy, "gc.freeze()"));
    sharing.unshared_bytes[UNSHARED_GC_HEADS] = 0;
    sharing.unshared_bytes[UNSHARED_REFCOUNTS] = 40 * MB;
    judge_shared(&(struct story){.res = 0}, &sharing, &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R10");
    assert_false(reading_is_known(verdicts.items[0].gain_bytes));
    assert_non_null(strstr(verdicts.items[0].remedy, "reference counts"));
}

/* New data is nobody's mistake; and a little is not worth a word. */
static void unsharing_by_new_data(void **state)
{
    struct sharing sharing = {.wall_ns = 1, .shared_bytes = 60 * MB};
    struct verdicts verdicts;

    (void)state;
    sharing.unshared_bytes[UNSHARED_NEW_DATA] = 50 * MB;
    sharing.unshared_bytes[UNSHARED_GC_HEADS] = 9 * MB;
    judge_shared(&(struct story){.uss = MB / 2}, &sharing, &verdicts);
    assert_string_not_equal(verdicts.items[0].rule, "R10");
    /* Compared before it grew: USS says what it says. */
    sharing.unshared_bytes[UNSHARED_NEW_DATA] = 0;
    judge_shared(&(struct story){.uss = MB / 2}, &sharing, &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R10");
    assert_null(strstr(verdicts.items[0].words, "GC heads"));
}

/* RES and USS of two moments differ by what came and went between them. */
static void an_old_uss_proves_nothing(void **state)
{
    (void)state;
    assert_first(&(struct story){.uss = MB / 2, .uss_age_ns = SECOND}, "R1", 0);
}

/* A third of something else does not hide the cause; halves are not called one. */
static void mixes(void **state)
{
    (void)state;
    assert_first(
        &(struct story){.res = MB, .objects = MB * 7 / 10, .native = MB * 3 / 10}, "R2",
        0);
    assert_first(&(struct story){.res = MB, .native = MB * 85 / 100, .file = MB / 10},
                 "R6", 0);
    assert_first(&(struct story){.res = MB, .objects = MB / 2, .native = MB / 2}, "-", 0);
}

/* What is mostly garbage is no leak, though it grows like one. */
static void garbage_is_no_leak(void **state)
{
    const int64_t step = MB / 2;
    struct verdicts verdicts;

    (void)state;
    judge_first(
        &(struct story){.res = step, .objects = step, .garbage_growth = step * 9 / 10},
        SAMPLES, &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R3");
    for (size_t i = 0; i < verdicts.count; i++)
        assert_string_not_equal(verdicts.items[i].rule, "R2");
}

/* The agent imports gc where the program did not: that is no start of its work. */
static void tells_the_agents_module(void **state)
{
    (void)state;
    assert_first(&(struct story){.module_at = 50}, "R0", 0);
    assert_first(&(struct story){.module_at = 50, .agent_at = 50}, "R1", 0);
    assert_first(&(struct story){.module_at = 50, .agent_at = 48}, "R1", 0);
    assert_first(&(struct story){.module_at = 50, .agent_at = 55}, "R0", 0);
}

static void says_words_and_gain(void **state)
{
    struct verdicts verdicts;

    (void)state;
    judge_first(&(struct story){.res = MB, .objects = MB}, SAMPLES, &verdicts);
    assert_non_null(strstr(verdicts.items[0].words, "app.Entry"));
    assert_non_null(strstr(verdicts.items[0].words, "100 % of the growth"));
    judge_first(&(struct story){.malloc_free = 90 * MB, .trim = 80 * MB}, SAMPLES,
                &verdicts);
    assert_int_equal(verdicts.items[0].gain_bytes.value, 80 * MB);
    assert_false(verdict_is_calm(&verdicts.items[0]));
}

/* Kinds of which there are as many are all named; who holds most of one, if anybody. */
static void names_who_holds_survivors(void **state)
{
    const struct pin_row rows[] = {{.kind = kind_of("str"),
                                    .arenas = 9,
                                    .cheap = 20,
                                    .owner = "(a frame or C code)"},
                                   {.kind = kind_of("app.Entry"),
                                    .arenas = 8,
                                    .cheap = 9,
                                    .references = 9,
                                    .owner_references = 8,
                                    .owner = "list in app.Cache._items"},
                                   {.kind = kind_of("app.Key"),
                                    .arenas = 7,
                                    .cheap = 9,
                                    .references = 9,
                                    .owner_references = 2,
                                    .owner = "tuple"}};
    const struct pins_section facts = {
        .cheap = {.arenas = 9, .objects = 38, .bytes = 2048, .return_bytes = 9 << 20}};
    const struct pins_section *pins = pins_seal(&facts, rows, 3);
    char words[PINS_WORDS_MAX];

    (void)state;
    assert_true(pins_words(pins, words));
    assert_string_equal(words, "38 objects of 2.0K keep 9 arenas, 9.0M: 20 str, "
                               "9 app.Entry, 9 app.Key");
    assert_true(pins_owner_words(pins, words));
    assert_string_equal(words, "9 app.Entry are held by list in app.Cache._items");
    pins_unref(pins);
    pins = pins_seal(&facts, rows, 1);
    assert_false(pins_owner_words(pins, words));
    pins_unref(pins);
}

/* Nothing is called growth in the first minute. */
static void waits(void **state)
{
    struct verdicts verdicts;

    (void)state;
    judge_first(&(struct story){.res = 5 * MB, .objects = 5 * MB}, 25, &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R0");
    assert_true(verdict_is_calm(&verdicts.items[0]));
    assert_non_null(strstr(verdicts.items[0].words, "too short"));
    judge_first(&(struct story){.res = 5 * MB}, 1, &verdicts);
    assert_non_null(strstr(verdicts.items[0].words, "one sample"));
}

/* Who looks back is told what was said then. */
static void looks_back(void **state)
{
    const struct story story = {.res = MB / 2, .objects = MB / 2, .module_at = 5};
    struct verdicts then, again, now;

    (void)state;
    judge_first(&story, SAMPLES, &now);
    for (int at = 10; at < SAMPLES; at += 7) {
        struct history *history = history_new(), *past;

        judge_first(&story, at, &then);
        watch(history, &story, SAMPLES);
        past = history_as_of(history, history_at(history, (size_t)at - 1));
        assert_true(verdict_judge(past, &again));
        assert_int_equal(again.count, then.count);
        assert_string_equal(again.items[0].words, then.items[0].words);
        assert_int_equal(again.items[0].bytes.value, then.items[0].bytes.value);
        assert_string_not_equal(again.items[0].words, now.items[0].words);
        history_free(past);
        assert_int_equal(history_count(history), SAMPLES);
        history_free(history);
    }
}

/* Half a megabyte a minute, for a working day: and so it was in the middle of it. */
static void sees_slow_leaks(void **state)
{
    const int64_t step = MB / 60;
    const int samples = 8 * 1800;
    struct history *history = history_new(), *past;
    struct verdicts verdicts;

    (void)state;
    watch(history, &(struct story){.res = step, .objects = step}, samples);
    assert_true(verdict_judge(history, &verdicts));
    assert_string_equal(verdicts.items[0].rule, "R2");
    past = history_as_of(history, history_at(history, history_count(history) / 4));
    assert_true(verdict_judge(past, &verdicts));
    assert_string_equal(verdicts.items[0].rule, "R2");
    history_free(past);
    history_free(history);
}

/* What grew in the first hour is long over; what comes and goes never was one. */
static void long_ago_is_no_leak(void **state)
{
    const struct story cache = {.res = MB / 20, .objects = MB / 20, .stops_at = 1800};
    const struct story scratch = {.saw = 60 * MB};
    struct verdicts verdicts;

    (void)state;
    for (int at = 2400; at <= 14400; at += 1500) {
        judge_first(&cache, at, &verdicts);
        assert_string_equal(verdicts.items[0].rule, "R1");
        judge_first(&scratch, at, &verdicts);
        assert_string_not_equal(verdicts.items[0].rule, "R2");
    }
}

/* Batches of scratch memory stand high above it: their troughs show it. */
static void sees_a_rising_floor(void **state)
{
    const int64_t step = MB / 2;
    struct verdicts verdicts;

    (void)state;
    judge_first(&(struct story){.ramp = 25 * MB}, SAMPLES, &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R14");
    assert_non_null(strstr(verdicts.items[0].words, "not a leak"));
    judge_first(&(struct story){.ramp = 25 * MB, .res = step, .objects = step}, SAMPLES,
                &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R2");
    assert_in_range(verdicts.items[0].bytes.value, (SAMPLES - 1) * step * 9 / 10,
                    (SAMPLES - 1) * step * 11 / 10);
    assert_first(&(struct story){.ramp = 25 * MB, .res = step, .native = step}, "R6",
                 (SAMPLES - 1) * step);
}

/* One level up: a row that holds `references` of the 1000 objects that were asked for. */
static void answer(struct history *history, const char *label, const char *kind,
                   uint64_t references, uint64_t n_holders, bool is_root)
{
    struct holders *holders = holders_new();
    struct inquiry wanted;

    assert_true(cause_wants(history, &wanted));
    assert_string_equal(wanted.topic, INQUIRY_HOLDERS);
    holders->answer.inquiry = wanted;
    holders->objects = wanted.kind ? 1000 : 1;
    for (uint64_t i = 0; i < n_holders; i++)
        holders_add(holders, label, kind_of(kind), references / n_holders, 4096 + i * 64,
                    is_root);
    holders_sort(holders);
    assert_true(cause_take(history, &wanted, &holders->answer));
    assert_false(cause_take(history, &wanted, &holders->answer));
    answer_free(&holders->answer);
}

static void assert_words(const struct history *history, const char *words)
{
    struct verdicts verdicts;

    assert_true(verdict_judge(history, &verdicts));
    assert_string_equal(verdicts.items[0].rule, "R2");
    if (!strstr(verdicts.items[0].words, words))
        fail_msg("\"%s\" is not in \"%s\"", words, verdicts.items[0].words);
}

/* The kind that grows most is asked about, its holders as a kind, the last one by itself.
 */
static void names_the_holder(void **state)
{
    const struct story story = {.res = MB, .objects = MB};
    struct history *history = history_new();
    struct inquiry wanted;

    (void)state;
    assert_false(cause_wants(history, &wanted));
    watch(history, &story, SAMPLES);
    assert_true(cause_wants(history, &wanted));
    assert_ptr_equal(wanted.kind, kind_of("app.Entry"));
    answer(history, "app.Page.entries", "app.Page", 990, 99, false);
    assert_words(history, "; held by app.Page.entries");
    assert_true(cause_wants(history, &wanted));
    assert_ptr_equal(wanted.kind, kind_of("app.Page"));
    answer(history, "dict", "dict", 600, 1, false);
    assert_true(cause_wants(history, &wanted));
    assert_null(wanted.kind);
    answer(history, "dict of module app key PAGES", "dict", 1, 1, true);
    assert_words(history,
                 "held by app.Page.entries, and that by dict of module app key PAGES");
    assert_false(cause_wants(history, &wanted));
    history_free(history);
}

/* What holds a few of them is not said to hold them. */
static void names_no_chance_holder(void **state)
{
    struct history *history = history_new();
    struct inquiry wanted;

    (void)state;
    watch(history, &(struct story){.res = MB, .objects = MB}, SAMPLES);
    answer(history, "list in app.Other.items", "list", 100, 1, false);
    assert_false(cause_wants(history, &wanted));
    assert_words(history, "a minute");
    history_free(history);
}

static bool has_gap(const struct verdicts *verdicts, const char *rule)
{
    for (size_t i = 0; i < verdicts->n_gaps; i++)
        if (!strcmp(verdicts->gaps[i].rule, rule))
            return true;
    return false;
}

/* A rule without its counter is silent, and that is said. */
static void names_what_is_missing(void **state)
{
    struct verdicts verdicts;

    (void)state;
    judge_first(&(struct story){.has_no_account = true, .garbage = 99 * MB}, SAMPLES,
                &verdicts);
    assert_string_equal(verdicts.items[0].rule, "R1");
    assert_true(has_gap(&verdicts, "R3"));
    assert_true(has_gap(&verdicts, "R4"));
    assert_true(has_gap(&verdicts, "R6"));
    assert_false(has_gap(&verdicts, "R5"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_cause),
        cmocka_unit_test(unsharing_is_measured),
        cmocka_unit_test(unsharing_by_new_data),
        cmocka_unit_test(an_old_uss_proves_nothing),
        cmocka_unit_test(mixes),
        cmocka_unit_test(garbage_is_no_leak),
        cmocka_unit_test(tells_the_agents_module),
        cmocka_unit_test(says_words_and_gain),
        cmocka_unit_test(names_who_holds_survivors),
        cmocka_unit_test(waits),
        cmocka_unit_test(looks_back),
        cmocka_unit_test(sees_slow_leaks),
        cmocka_unit_test(long_ago_is_no_leak),
        cmocka_unit_test(sees_a_rising_floor),
        cmocka_unit_test(names_the_holder),
        cmocka_unit_test(names_no_chance_holder),
        cmocka_unit_test(names_what_is_missing),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
