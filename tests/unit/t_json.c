/* JSON: what is written can be parsed, whatever the names; unknown is null. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "heaptop/sink.h"
#include "model/builder.h"
#include "model/history.h"
#include "model/kind.h"
#include "sink/json_value.h"

static const char *const hostile_names[] = {
    "plain",
    "quote\"back\\slash",
    "line\nbreak\ttab",
    "\033[2Jescape",
    "bad\xff\xc0\x80utf8",
    "cut\xe2\x82",
    "null\\u0000",
    "\xed\xa0\x80surrogate",
    "\xe2\x80\xaeoverride",
    "</script>",
    "{\"kind\":\"trick\"}",
    "\xf0\x9f\x90\x8dsnake",
    "",
};

#define N_NAMES (sizeof(hostile_names) / sizeof(hostile_names[0]))

static const struct objects_section *hostile_objects(void)
{
    struct objects_section facts = {.walk = {.method = "outside", .complete = true}};
    struct kind_row rows[N_NAMES];

    for (size_t i = 0; i < N_NAMES; i++)
        rows[i] =
            (struct kind_row){kind_intern(hostile_names[i], strlen(hostile_names[i])),
                              i + 1,
                              10 * (i + 1),
                              16 * (N_NAMES - i),
                              0,
                              0,
                              0,
                              0};
    return objects_seal(&facts, rows, N_NAMES);
}

static struct snapshot_builder *fixture(void)
{
    struct snapshot_builder *builder = builder_new(7);

    builder->snapshot->wall_ns = INT64_C(1794996151120000000);
    builder->snapshot->mono_ns = INT64_C(5000000000);
    builder->snapshot->interval_ns = 100000000;
    builder->snapshot->target.pid = 4242;
    /* Not clean: whatever slips through must not break the line. */
    snprintf(builder->snapshot->target.command, sizeof(builder->snapshot->target.command),
             "run \xff\n\"x\"");
    return builder;
}

/* Writes one snapshot (its reference is given away) and parses the line. */
static json_t *round_trip(const struct snapshot *snapshot, struct sink_options options)
{
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t length = 0;
    void *state;
    json_t *object;

    options.out = open_memstream(&text, &length);
    assert_int_equal(sink_json.open(&options, &state, &err), 0);
    assert_int_equal(sink_json.snapshot(state, snapshot, NULL, &err), 0);
    assert_int_equal(sink_json.close(state, &err), 0);
    fclose(options.out);
    snapshot_unref(snapshot);
    assert_int_equal(text[length - 1], '\n');
    assert_ptr_equal(strchr(text, '\n'), text + length - 1); /* one line */
    object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(object);
    free(text);
    return object;
}

static const json_t *at(const json_t *object, const char *path)
{
    char words[128], *rest = words, *name;

    snprintf(words, sizeof(words), "%s", path);
    while ((name = strsep(&rest, "."))) {
        object = json_object_get(object, name);
        if (!object)
            fail_msg("%s is missing", path);
    }
    return object;
}

static void test_missing_sections_are_null(void **state)
{
    static const char *const sections[] = {"process", "account", "pymalloc",
                                           "malloc",  "gc",      "free_lists",
                                           "objects", "verdicts"};
    json_t *object = round_trip(snapshot_seal(fixture()), (struct sink_options){0});
    (void)state;

    for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++)
        assert_true(json_is_null(at(object, sections[i])));
    assert_string_equal(json_string_value(at(object, "schema")), "heaptop.sample/1");
    assert_int_equal(json_integer_value(at(object, "seq")), 7);
    assert_string_equal(json_string_value(at(object, "time")),
                        "2026-11-18T10:02:31.120Z");
    assert_true(json_is_null(at(object, "target.python")));
    assert_true(json_is_null(at(object, "access.why")));
    assert_string_equal(json_string_value(at(object, "access.method")), "process-only");
    assert_int_equal(json_array_size(at(object, "events")), 0);
    json_decref(object);
}

static void test_unknown_is_null_and_zero_is_zero(void **state)
{
    struct snapshot_builder *builder = fixture();
    struct process_section *process = builder_process(builder);
    struct gc_section *gc = builder_gc(builder);
    json_t *object;
    (void)state;

    process->res_bytes = reading_exact(INT64_C(9007199254740993)); /* 2^53 + 1 */
    process->swap_bytes = reading_exact(0);
    process->cpu_milli_percent = reading_exact(33100);
    gc->n_generations = 3;
    gc->generations[2].count = (struct reading){5, READING_TORN};
    gc->enabled = reading_exact(0);
    object = round_trip(snapshot_seal(builder), (struct sink_options){0});
    assert_true(json_is_null(at(object, "process.virt_bytes")));
    assert_true(json_is_integer(at(object, "process.res_bytes")));
    assert_true(json_integer_value(at(object, "process.res_bytes")) ==
                INT64_C(9007199254740993));
    assert_int_equal(json_integer_value(at(object, "process.swap_bytes")), 0);
    assert_true(json_is_integer(at(object, "process.swap_bytes")));
    assert_float_equal(json_real_value(at(object, "process.cpu_percent")), 33.1, 1e-9);
    assert_true(json_is_false(at(object, "gc.enabled")));
    assert_true(json_is_null(at(object, "gc.frozen")));
    assert_true(json_is_null(at(object, "gc.debug")));
    assert_true(json_is_null(at(object, "gc.pauses.p99_s")));
    assert_int_equal(json_array_size(at(object, "gc.generations")), 3);
    json_decref(object);
}

static void test_hostile_names(void **state)
{
    const struct objects_section *objects = hostile_objects();
    struct snapshot_builder *builder = fixture();
    json_t *object;
    const json_t *kinds;
    (void)state;

    builder_objects(builder, objects);
    object = round_trip(snapshot_seal(builder), (struct sink_options){0});
    kinds = at(object, "objects.kinds");
    assert_int_equal(json_array_size(kinds), N_NAMES);
    for (size_t i = 0; i < N_NAMES; i++) {
        const json_t *row = json_array_get(kinds, i);

        assert_string_equal(json_string_value(at(row, "kind")),
                            objects->kinds[i].kind->name);
        assert_int_equal(json_integer_value(at(row, "count")), objects->kinds[i].count);
    }
    assert_int_equal(json_integer_value(at(object, "objects.count")),
                     N_NAMES * (N_NAMES + 1) / 2);
    assert_string_equal(json_string_value(at(object, "target.command")),
                        "run \\xff\\x0a\"x\"");
    objects_unref(objects);
    json_decref(object);
}

static void test_rows_sort_and_filter(void **state)
{
    const struct objects_section *objects = hostile_objects();
    struct snapshot_builder *builder = fixture();
    struct sink_options options = {.sort = "count", .rows = 2};
    const json_t *kinds;
    json_t *object;
    (void)state;

    builder_objects(builder, objects);
    object = round_trip(snapshot_seal(builder), options);
    kinds = at(object, "objects.kinds");
    assert_int_equal(json_array_size(kinds), 2);
    assert_int_equal(json_integer_value(at(json_array_get(kinds, 0), "count")), N_NAMES);
    json_decref(object);
    builder = fixture();
    builder_objects(builder, objects);
    object = round_trip(snapshot_seal(builder), (struct sink_options){.filter = "plain"});
    assert_int_equal(json_array_size(at(object, "objects.kinds")), 1);
    json_decref(object);
    objects_unref(objects);
}

static void test_a_sort_that_does_not_exist(void **state)
{
    struct sink_options options = {.sort = "colour"};
    struct err err = ERR_INIT;
    void *sink = NULL;
    (void)state;

    assert_int_equal(sink_json.open(&options, &sink, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
}

static const struct snapshot *snapshot_with_event(int64_t wall_ns, const char *words)
{
    struct snapshot_builder *builder = fixture();
    struct event event = {wall_ns, EVENT_NOTE, ""};

    snprintf(event.words, sizeof(event.words), "%s", words);
    builder_events(builder, &event, 1);
    return snapshot_seal(builder);
}

/* The first of three samples is not written; no event is lost and none comes twice. */
static void test_events_of_samples_not_written(void **state)
{
    const char *words[] = {"first", "second", "third"};
    struct history *history = history_new();
    struct sink_options options = {0};
    struct err err = ERR_INIT;
    size_t length = 0;
    char *text = NULL;
    void *sink;
    (void)state;

    options.out = open_memstream(&text, &length);
    assert_int_equal(sink_json.open(&options, &sink, &err), 0);
    for (int i = 0; i < 3; i++) {
        const struct snapshot *snapshot = snapshot_with_event(i + 1, words[i]);

        history_add(history, snapshot);
        if (i > 0)
            assert_int_equal(sink_json.snapshot(sink, snapshot, history, &err), 0);
        snapshot_unref(snapshot);
    }
    assert_int_equal(sink_json.close(sink, &err), 0);
    fclose(options.out);
    for (int i = 0; i < 3; i++) {
        const char *found = strstr(text, words[i]);

        assert_non_null(found);
        assert_null(strstr(found + 1, words[i]));
        assert_int_equal(found > strchr(text, '\n'), i == 2);
    }
    free(text);
    history_free(history);
}

static void test_events_and_full_disk(void **state)
{
    struct event events[] = {{1000000000, EVENT_GC, "full collection: 41ms"},
                             {2000000000, EVENT_NOTE, "cut \xe2\x82"}};
    struct snapshot_builder *builder = fixture();
    FILE *full = fopen("/dev/full", "w");
    struct err err = ERR_INIT;
    json_t *object;
    (void)state;

    builder_events(builder, events, 2);
    object = round_trip(snapshot_seal(builder), (struct sink_options){0});
    assert_int_equal(json_array_size(at(object, "events")), 2);
    json_decref(object);
    if (!full)
        skip();
    assert_int_equal(json_write_line(full, json_object(), &err), -1);
    assert_non_null(strstr(err.text, "No space left"));
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_missing_sections_are_null),
        cmocka_unit_test(test_unknown_is_null_and_zero_is_zero),
        cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_rows_sort_and_filter),
        cmocka_unit_test(test_a_sort_that_does_not_exist),
        cmocka_unit_test(test_events_of_samples_not_written),
        cmocka_unit_test(test_events_and_full_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
