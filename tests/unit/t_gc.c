/* The collector's state: numbers, lists that do not end, pauses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_python.h"
#include "source/gc.h"
#include "source/gc_pauses.h"
#include "util/clock.h"

struct gc_case {
    struct fake_python fake;
    struct layout layout;
    struct gc_lists *lists;
    struct gc_section section;
    struct err err;
};

static void begin_version(struct gc_case *c, const struct fake_version *version)
{
    memset(c, 0, sizeof(*c));
    fake_python_init(&c->fake);
    if (version)
        fake_set_version(&c->fake, version);
    assert_int_equal(layout_find(&c->fake.target, &c->layout, &c->err), 0);
    assert_true(c->layout.has_gc);
    c->lists = gc_lists_new();
    assert_non_null(c->lists);
}

static void begin(struct gc_case *c)
{
    begin_version(c, NULL);
}

static void end(struct gc_case *c)
{
    free(c->lists);
    fake_python_release(&c->fake);
}

static int sample(struct gc_case *c)
{
    memset(&c->section, 0, sizeof(c->section));
    return gc_read_section(&c->section, c->lists, c->fake.reader, &c->layout, NS_PER_S,
                           &c->err);
}

static void reads_numbers(void **state)
{
    struct gc_case c;

    (void)state;
    begin(&c);
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.enabled.value, 1);
    assert_int_equal(c.section.frozen.value, 7);
    assert_int_equal(c.section.n_generations, 3);
    for (int i = 0; i < 3; i++) {
        const struct generation_row *row = &c.section.generations[i];

        assert_int_equal(row->count.value, 100 + i);
        assert_int_equal(row->threshold.value, i ? 10 : 700);
        assert_int_equal(row->objects.value, i * 10 + 5);
        assert_int_equal(row->collections.value, i * 10);
        assert_int_equal(row->collected.value, i * 10 + 1);
        assert_int_equal(row->uncollectable.value, i * 10 + 2);
    }
    end(&c);
}

/* 3.14.0: generation 1 is the old space being visited, and has no third threshold. */
static void reads_incremental(void **state)
{
    struct gc_case c;

    (void)state;
    begin_version(&c, &fake_versions[2]);
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.generations[1].count.value, 101);
    fake_set_u32(&c.fake, FAKE_NEW_GC + 232, 1);
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.generations[1].count.value, 102);
    assert_int_equal(c.section.generations[2].count.value, 101);
    assert_int_equal(c.section.generations[2].threshold.value, 0);
    end(&c);
}

/* 3.15: rings of items; the one with the most collections is the newest. */
static void reads_rings(void **state)
{
    static const struct {
        uint64_t at, count;
    } rings[] = {{0, 11}, {712, 3}, {912, 3}};
    struct gc_case c;

    (void)state;
    begin_version(&c, &fake_versions[4]);
    for (unsigned i = 0; i < 3; i++)
        for (uint64_t j = 0; j < rings[i].count; j++) {
            uint64_t item = FAKE_GC_STATS + rings[i].at + j * 64;
            uint64_t age = (j + 2) % rings[i].count; /* the newest is inside */

            fake_set_u64(&c.fake, item + 16, 100 * i + age);
            fake_set_u64(&c.fake, item + 24, 1000 + age);
            fake_set_u64(&c.fake, item + 32, 5);
        }
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.generations[0].collections.value, 10);
    assert_int_equal(c.section.generations[0].collected.value, 1010);
    assert_int_equal(c.section.generations[2].collections.value, 202);
    assert_int_equal(c.section.generations[2].uncollectable.value, 5);
    assert_int_equal(c.section.frozen.value, 7);
    fake_set_u64(&c.fake, FAKE_NEW_GC + 104, 64);
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.generations[0].collections.state, READING_UNKNOWN);
    assert_int_equal(c.section.generations[0].count.state, READING_EXACT);
    end(&c);
}

static void knows_when_it_does_not_know(void **state)
{
    struct gc_case c;

    (void)state;
    begin(&c);
    fake_set_u32(&c.fake, FAKE_GC + 200, 1); /* collecting: the links are numbers */
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.frozen.state, READING_UNKNOWN);
    assert_int_equal(c.section.generations[2].objects.state, READING_UNKNOWN);
    assert_int_equal(c.section.generations[2].count.state, READING_EXACT);
    fake_set_u32(&c.fake, FAKE_GC + 200, 0);
    fake_set_u64(&c.fake, FAKE_GC + 128, UINT64_MAX); /* collections < 0 */
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.generations[0].collections.state, READING_UNKNOWN);
    fake_set_u32(&c.fake, FAKE_GC + 12, 99);
    assert_int_equal(sample(&c), -1);
    assert_string_not_equal(c.err.text, "");
    end(&c);
}

/* A circle that does not come back to the head, and links to nowhere. */
static void bounds_lists(void **state)
{
    struct gc_case c;

    (void)state;
    begin(&c);
    fake_set_u64(&c.fake, FAKE_OBJECTS + 4 * 16, FAKE_OBJECTS + 16);
    fake_set_u64(&c.fake, FAKE_OBJECTS + 102 * 16, 24);
    fake_set_u64(&c.fake, FAKE_OBJECTS + 202 * 16, UINT64_MAX - 7);
    fake_set_u64(&c.fake, FAKE_OBJECTS + 402 * 16, FAKE_OBJECTS + 402 * 16);
    assert_int_equal(sample(&c), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(c.section.generations[i].objects.state, READING_UNKNOWN);
    assert_int_equal(c.section.frozen.state, READING_UNKNOWN);
    end(&c);
}

static void keeps_to_the_budget(void **state)
{
    struct gc_case c;
    struct reading length;

    (void)state;
    begin(&c);
    fake_link(&c.fake, FAKE_GC + 24 + 48, 500, 1500);
    memset(&c.section, 0, sizeof(c.section));
    assert_int_equal(
        gc_read_section(&c.section, c.lists, c.fake.reader, &c.layout, -1, &c.err), 0);
    assert_int_equal(c.section.generations[2].objects.state, READING_UNKNOWN);
    assert_int_equal(c.section.generations[0].objects.value, 5);
    /* It is left alone once, then counted when there is time. */
    assert_int_equal(sample(&c), 0);
    assert_int_equal(c.section.generations[2].objects.state, READING_UNKNOWN);
    assert_int_equal(sample(&c), 0);
    length = c.section.generations[2].objects;
    assert_int_equal(length.state, READING_EXACT);
    assert_int_equal(length.value, 1500);
    end(&c);
}

static void survives_every_failed_read(void **state)
{
    struct gc_case c;

    (void)state;
    begin(&c);
    for (uint64_t n = 1; n < 60; n++) {
        c.err = (struct err)ERR_INIT;
        reader_image_fail_at(c.fake.reader, n);
        if (sample(&c))
            assert_string_not_equal(c.err.text, "");
    }
    end(&c);
}

static void survives_damage(void **state)
{
    unsigned seed = 3;

    (void)state;
    for (int i = 0; i < 400; i++) {
        struct gc_case c;

        begin(&c);
        fake_damage(&c.fake, &seed, 1 + i % 20);
        sample(&c);
        end(&c);
    }
}

static void sums_pauses(void **state)
{
    struct gc_pause_record record = {0};
    struct agent_pause pauses[100], wrong = {.began_ns = 10, .ended_ns = 5};
    struct gc_pauses filled;

    (void)state;
    gc_pauses_fill(&record, &filled);
    assert_int_equal(filled.count.value, 0);
    assert_int_equal(filled.last_ns.state, READING_UNKNOWN);
    assert_int_equal(filled.last_generation, -1);
    for (int i = 0; i < 100; i++)
        pauses[i] = (struct agent_pause){
            .began_ns = i * 1000, .ended_ns = i * 1000 + 100 - i, .generation = i % 3};
    record.seen = 100;
    gc_pauses_add(&record, pauses, 100);
    gc_pauses_fill(&record, &filled);
    assert_true(filled.exact);
    assert_int_equal(filled.count.value, 100);
    assert_int_equal(filled.total_ns.value, 5050);
    assert_int_equal(filled.max_ns.value, 100);
    assert_int_equal(filled.p50_ns.value, 50);
    assert_int_equal(filled.p99_ns.value, 99);
    assert_int_equal(filled.last_ns.value, 1);
    assert_int_equal(filled.last_generation, 0);
    gc_pauses_add(&record, &wrong, 1);
    gc_pauses_fill(&record, &filled);
    assert_false(filled.exact);
    for (int i = 0; i < 50; i++)
        gc_pauses_add(&record, pauses, 100);
    gc_pauses_fill(&record, &filled);
    assert_int_equal(filled.max_ns.value, 100);
}

/* The ring holds 256: what it lost is in the sums of the newest. */
static void knows_pauses_that_the_ring_lost(void **state)
{
    struct agent_pause newest = {.began_ns = 1000,
                                 .ended_ns = 1010,
                                 .total_ns = 5000,
                                 .max_ns = 700,
                                 .generation = 1};
    struct agent_pause absurd = newest;
    struct gc_pause_record record = {.seen = 900, .has_missed = true};
    struct gc_pauses filled;

    (void)state;
    gc_pauses_add(&record, &newest, 1);
    gc_pauses_fill(&record, &filled);
    assert_true(filled.exact);
    assert_int_equal(filled.total_ns.value, 5000);
    assert_int_equal(filled.total_ns.state, READING_EXACT);
    assert_int_equal(filled.max_ns.value, 700);
    assert_int_equal(filled.last_ns.value, 10);
    assert_int_equal(filled.p50_ns.state, READING_ESTIMATE);
    absurd.max_ns = INT64_MAX;
    gc_pauses_add(&record, &absurd, 1);
    gc_pauses_fill(&record, &filled);
    assert_int_equal(filled.max_ns.value, 700);
    assert_false(filled.exact);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_numbers),
        cmocka_unit_test(reads_incremental),
        cmocka_unit_test(reads_rings),
        cmocka_unit_test(knows_when_it_does_not_know),
        cmocka_unit_test(bounds_lists),
        cmocka_unit_test(keeps_to_the_budget),
        cmocka_unit_test(survives_every_failed_read),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(sums_pauses),
        cmocka_unit_test(knows_pauses_that_the_ring_lost),
    };

    return cmocka_run_group_tests_name("gc", tests, NULL, NULL);
}
