/* Snapshots, kinds, partitions, history and marks: src/model, without a target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/builder.h"
#include "model/history.h"
#include "model/kind.h"
#include "model/mark.h"
#include "model/partition.h"

#define KINDS_MANY 50000

static const struct kind *kind_of(const char *name)
{
    return kind_intern(name, strlen(name));
}

static const struct objects_section *section_of(const struct kind_row *rows, size_t count)
{
    struct objects_section facts = {.walk = {.method = "outside", .complete = true}};
    const struct objects_section *section = objects_seal(&facts, rows, count);

    assert_non_null(section);
    return section;
}

static const struct snapshot *snapshot_of(uint64_t seq,
                                          const struct objects_section *objects)
{
    struct snapshot_builder *builder = builder_new(seq);

    builder->snapshot->mono_ns = (int64_t)seq * 1000;
    builder_process(builder)->res_bytes = reading_exact((int64_t)seq * 4096);
    builder_objects(builder, objects);
    return snapshot_seal(builder);
}

static void test_one_kind_for_one_name(void **state)
{
    (void)state;
    assert_ptr_equal(kind_of("app.Entry"), kind_of("app.Entry"));
    assert_ptr_not_equal(kind_of("app.Entry"), kind_of("app.Other"));
    assert_string_equal(kind_of("bad\033name")->name, "bad\\x1bname");
    assert_string_equal(kind_of("")->name, "(no name)");
}

static void test_sealed_rows_are_sorted_and_summed(void **state)
{
    const struct kind_row rows[] = {{kind_of("a"), 1, 10, 16, 0, 0, 0, 0},
                                    {kind_of("b"), 2, 20, 64, 2, 0, 0, 0},
                                    {kind_of("c"), 3, 30, 64, 1, 0, 0, 0}};
    const struct objects_section *section = section_of(rows, 3);
    (void)state;

    assert_string_equal(section->kinds[0].kind->name, "b");
    assert_string_equal(section->kinds[1].kind->name, "c");
    assert_int_equal(section->count, 6);
    assert_int_equal(section->size_bytes, 60);
    assert_int_equal(section->memory_bytes, 144);
    assert_int_equal(section->tracked, 3);
    objects_unref(section);
}

static void test_partition_with_deltas(void **state)
{
    const struct kind_row before[] = {{kind_of("gone"), 5, 50, 80, 0, 0, 0, 0},
                                      {kind_of("same"), 7, 70, 112, 0, 0, 0, 0}};
    const struct kind_row after[] = {{kind_of("same"), 7, 70, 112, 0, 0, 0, 0},
                                     {kind_of("came"), 9, 90, 144, 0, 0, 0, 0}};
    const struct objects_section *older = section_of(before, 2);
    const struct objects_section *now = section_of(after, 2);
    struct partition_options options = {.sort = PARTITION_BY_COUNT_DELTA};
    struct partition partition;
    (void)state;

    assert_int_equal(partition_make(&partition, now, older, &options), 0);
    assert_int_equal(partition.count, 3);
    assert_string_equal(partition.rows[0].now.kind->name, "came");
    assert_int_equal(partition.rows[0].count_delta, 9);
    assert_int_equal(partition.rows[1].count_delta, 0);
    assert_string_equal(partition.rows[2].now.kind->name, "gone");
    assert_int_equal(partition.rows[2].memory_delta_bytes, -80);
    assert_int_equal(partition.rows[2].now.count, 0);
    assert_int_equal(partition.rows[2].cumulated_milli_percent, 100000);
    partition_release(&partition);
    objects_unref(older);
    objects_unref(now);
}

static size_t filtered_count(const struct objects_section *now, const char *filter)
{
    struct partition_options options = {.sort = PARTITION_BY_KIND, .filter = filter};
    struct partition partition;
    size_t count;

    assert_int_equal(partition_make(&partition, now, NULL, &options), 0);
    count = partition.count;
    partition_release(&partition);
    return count;
}

static void test_partition_filter_and_order(void **state)
{
    const struct kind_row rows[] = {{kind_of("app.Entry"), 1, 1, 16, 0, 0, 0, 0},
                                    {kind_of("app.entry"), 1, 1, 16, 0, 0, 0, 0},
                                    {kind_of("dict"), 1, 1, 16, 0, 0, 0, 0}};
    const struct objects_section *now = section_of(rows, 3);
    struct partition_options options = {.sort = PARTITION_BY_KIND, .ascending = true};
    struct partition partition;
    (void)state;

    assert_int_equal(partition_make(&partition, now, NULL, &options), 0);
    assert_string_equal(partition.rows[0].now.kind->name, "app.Entry");
    assert_string_equal(partition.rows[2].now.kind->name, "dict");
    assert_false(partition.has_deltas);
    partition_release(&partition);
    assert_int_equal(filtered_count(now, "entry"), 2); /* no capital: both */
    assert_int_equal(filtered_count(now, "Entry"), 1); /* a capital: one */
    assert_int_equal(filtered_count(now, "nothing"), 0);
    objects_unref(now);
}

static void test_history_finds_the_previous_walk(void **state)
{
    const struct kind_row row = {kind_of("a"), 1, 1, 16, 0, 0, 0, 0};
    const struct objects_section *first = section_of(&row, 1);
    const struct objects_section *second = section_of(&row, 1);
    struct history *history = history_new();
    (void)state;

    for (uint64_t seq = 1; seq <= 5; seq++) {
        const struct snapshot *snapshot = snapshot_of(seq, seq < 3 ? first : second);

        history_add(history, snapshot);
        snapshot_unref(snapshot);
    }
    assert_int_equal(history_latest(history)->seq, 5);
    assert_int_equal(history_back(history, 4)->seq, 1);
    assert_null(history_back(history, 5));
    assert_int_equal(history_previous_walk(history, history_latest(history))->seq, 2);
    assert_null(history_previous_walk(history, history_back(history, 4)));
    objects_unref(first);
    objects_unref(second);
    history_free(history);
}

/* Partitions of many kinds, as of a program that makes classes: fewer are kept, and the
 * newest and the oldest always. */
static void test_history_keeps_within_room(void **state)
{
    const size_t most = HISTORY_ROWS_BYTES / (KINDS_MANY * sizeof(struct kind_row));
    struct kind_row *rows = calloc(KINDS_MANY, sizeof(*rows));
    struct history *history = history_new();
    (void)state;

    for (size_t i = 0; i < KINDS_MANY; i++)
        rows[i].kind = kind_of("many");
    for (uint64_t seq = 1; seq <= 3 * most; seq++) {
        const struct objects_section *section = section_of(rows, KINDS_MANY);
        const struct snapshot *snapshot = snapshot_of(seq, section);

        history_add(history, snapshot);
        assert_true(history_count(history) <= most);
        assert_ptr_equal(history_latest(history), snapshot);
        objects_unref(section);
        snapshot_unref(snapshot);
    }
    assert_int_equal(history_count(history), most);
    assert_int_equal(history_at(history, 0)->seq, 1);
    for (size_t i = 1; i < most; i++)
        assert_true(history_at(history, i - 1)->seq < history_at(history, i)->seq);
    assert_ptr_equal(history_at(history, most - 1), history_back(history, 0));
    assert_null(history_back(history, most));
    free(rows);
    history_free(history);
}

static void test_marks_outlive_the_ring(void **state)
{
    struct history *history = history_new();
    const struct history_point *points;
    const struct mark *marks;
    (void)state;

    assert_null(history_mark(history, NULL));
    for (uint64_t seq = 1; seq <= HISTORY_POINTS + 10; seq++) {
        const struct snapshot *snapshot = snapshot_of(seq, NULL);

        history_add(history, snapshot);
        snapshot_unref(snapshot);
        if (seq == 2)
            assert_int_equal(history_mark(history, "deploy")->number, 1);
    }
    assert_int_equal(history_marks(history, &marks), 1);
    assert_int_equal(marks[0].snapshot->seq, 2);
    assert_string_equal(marks[0].name, "deploy");
    assert_true(history_points(history, &points) < HISTORY_POINTS);
    for (size_t i = 1; i < history_points(history, &points); i++)
        assert_true(points[i].mono_ns > points[i - 1].mono_ns);
    for (int i = 0; i < MARKS_MAX; i++)
        assert_non_null(history_mark(history, NULL));
    assert_int_equal(history_marks(history, &marks), MARKS_MAX);
    assert_int_equal(marks[0].number, 2);
    history_free(history);
}

static void test_events_travel_with_the_snapshot(void **state)
{
    struct event events[2] = {{1, EVENT_NOTE, "one"}, {2, EVENT_STATE, "two"}};
    struct snapshot_builder *builder = builder_new(1);
    struct history *history = history_new();
    const struct event *kept;
    const struct snapshot *snapshot;
    (void)state;

    builder_events(builder, events, 2);
    events[0].words[0] = 'X';
    snapshot = snapshot_seal(builder);
    history_add(history, snapshot);
    snapshot_unref(snapshot);
    assert_int_equal(history_events(history, &kept), 2);
    assert_string_equal(kept[0].words, "one");
    history_free(history);
}

/* Marks by the clock go before those that somebody set. */
static void test_many_marks(void **state)
{
    struct history *history = history_new();
    const struct snapshot *snapshot = snapshot_of(1, NULL);
    const struct mark *marks;
    (void)state;

    history_add(history, snapshot);
    history_mark(history, "before deploy");
    for (int i = 0; i < 2 * MARKS_MAX; i++)
        history_mark_snapshot(history, snapshot, NULL, true, " by the clock");
    assert_int_equal(history_marks(history, &marks), MARKS_MAX);
    assert_string_equal(marks[0].name, "before deploy");
    assert_ptr_equal(history_find_mark(history, 1), &marks[0]);
    assert_null(history_find_mark(history, 2));
    assert_non_null(history_find_mark(history, 2 * MARKS_MAX + 1));
    snapshot_unref(snapshot);
    history_free(history);
}

static void test_what_lies_between_marks(void **state)
{
    struct snapshot_builder *builders[2];
    const struct snapshot *snapshots[2];
    struct mark_difference change;
    (void)state;

    for (int i = 0; i < 2; i++) {
        builders[i] = builder_new((uint64_t)i + 1);
        builders[i]->snapshot->mono_ns = 1000 + i * 500;
        builder_pymalloc(builders[i])->allocated_blocks = reading_exact(4625 + i * 869);
    }
    builder_process(builders[1])->res_bytes = reading_exact(5);
    for (int i = 0; i < 2; i++)
        snapshots[i] = snapshot_seal(builders[i]);
    change = mark_difference(snapshots[0], snapshots[1]);
    assert_int_equal(change.elapsed_ns, 500);
    assert_int_equal(change.blocks.value, 869);
    assert_false(reading_is_known(change.objects)); /* nobody walked */
    assert_false(reading_is_known(change.res_bytes));
    change = mark_difference(NULL, snapshots[1]);
    assert_false(reading_is_known(change.blocks));
    for (int i = 0; i < 2; i++)
        snapshot_unref(snapshots[i]);
}

/* Two days of samples: whole ones of any age, all of it in the series, none too many. */
static void test_history_stays_bounded(void **state)
{
    const uint64_t last = 2 * 86400 / 2;
    struct history *history = history_new();
    const struct history_point *points;
    size_t count;
    (void)state;

    for (uint64_t seq = 1; seq <= last; seq++) {
        const struct snapshot *snapshot = snapshot_of(seq, NULL);

        history_add(history, snapshot);
        snapshot_unref(snapshot);
    }
    count = history_count(history);
    assert_in_range(count, HISTORY_RECENT, HISTORY_RECENT + HISTORY_KEPT);
    for (size_t i = 1; i < count; i++)
        assert_true(history_at(history, i - 1)->seq < history_at(history, i)->seq);
    assert_true(history_at(history, 0)->seq < last / 10);
    assert_int_equal(
        history_at(history, history_at_time(history, 1000 * 40000))->seq <= 40000, 1);
    count = history_points(history, &points);
    assert_true(count <= HISTORY_POINTS);
    assert_true(points[0].mono_ns < (int64_t)last * 1000 / 10);
    assert_int_equal(points[count - 1].mono_ns, last * 1000);
    history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_marks),
        cmocka_unit_test(test_what_lies_between_marks),
        cmocka_unit_test(test_history_stays_bounded),
        cmocka_unit_test(test_one_kind_for_one_name),
        cmocka_unit_test(test_sealed_rows_are_sorted_and_summed),
        cmocka_unit_test(test_partition_with_deltas),
        cmocka_unit_test(test_partition_filter_and_order),
        cmocka_unit_test(test_history_finds_the_previous_walk),
        cmocka_unit_test(test_history_keeps_within_room),
        cmocka_unit_test(test_marks_outlive_the_ring),
        cmocka_unit_test(test_events_travel_with_the_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
