/* The exposition formats: names, heads, labels of hostile kinds, what is left out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/kind.h"
#include "sink/exposition.h"
#include "sink/metrics.h"
#include "sink/target_name.h"
#include "tests/lib/fixture.h"

static const struct {
    const char *type, *name, *unit, *help;
} families[METRICS] = {
#define METRIC(id, type, name, unit, help) {#type, name, unit, help},
#include "sink/metrics.def"
#undef METRIC
};

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && !strcmp(text + length - end_length, end);
}

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < METRICS; i++) {
        const char *name = families[i].name;

        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_false(ends_in(name, "_total") || ends_in(name, "_info"));
        assert_false(ends_in(name, "_bytes") && strcmp(families[i].unit, "bytes") != 0);
        assert_false(ends_in(name, "_seconds") &&
                     strcmp(families[i].unit, "seconds") != 0);
        assert_true(ends_in(name, families[i].unit));
        assert_false(ends_in(families[i].help, "."));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(name, families[k].name);
    }
}

static char *print(const struct exposition *exposition, enum exposition_format format)
{
    size_t length;
    char *text;
    FILE *out = open_memstream(&text, &length);

    assert_int_equal(exposition_print(exposition, format, out), 0);
    fclose(out);
    return text;
}

static void expect(const struct exposition *exposition, enum exposition_format format,
                   const char *expected)
{
    char *text = print(exposition, format);

    assert_string_equal(text, expected);
    free(text);
}

static void test_formats(void **state)
{
    struct exposition exposition = {.target = "app"};

    (void)state;
    exposition_add(&exposition, METRIC_OWN_CPU, reading_exact(1500000000), NULL);
    exposition_add(&exposition, METRIC_TARGET, reading_exact(1), "exe",
                   "/a \"b\\c\nd\xff", NULL);
    exposition_add(&exposition, METRIC_RESIDENT, reading_unknown(), NULL);
    exposition_add(&exposition, METRIC_ACCOUNT, reading_exact(-4096), "part", "x", NULL);
    expect(&exposition, EXPOSITION_TEXT,
           "# TYPE heaptop_target_info gauge\n"
           "# HELP heaptop_target_info The process that is looked at; always 1.\n"
           "heaptop_target_info{target=\"app\",exe=\"/a \\\"b\\\\c\\\\x0ad\\\\xff\"} 1\n"
           "# TYPE heaptop_own_cpu_seconds_total counter\n"
           "# HELP heaptop_own_cpu_seconds_total CPU time of heaptop itself.\n"
           "heaptop_own_cpu_seconds_total{target=\"app\"} 1.5\n"
           "# TYPE heaptop_account_part_bytes gauge\n"
           "# HELP heaptop_account_part_bytes Where RES goes: its parts, which with the "
           "unexplained rest sum to it.\n"
           "heaptop_account_part_bytes{target=\"app\",part=\"x\"} -4096\n");
    exposition_reset(&exposition);
    exposition.wall_ns = INT64_C(1794996151120000999);
    exposition_add(&exposition, METRIC_OWN_CPU, reading_exact(-1), NULL);
    expect(&exposition, EXPOSITION_OPENMETRICS,
           "# TYPE heaptop_own_cpu_seconds counter\n"
           "# UNIT heaptop_own_cpu_seconds seconds\n"
           "# HELP heaptop_own_cpu_seconds CPU time of heaptop itself.\n"
           "heaptop_own_cpu_seconds_total{target=\"app\"} -0.000000001 "
           "1794996151.12\n"
           "# EOF\n");
    exposition_release(&exposition);
}

static size_t count_lines(const char *text, const char *beginning)
{
    size_t count = 0;

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        count += !strncmp(line, beginning, strlen(beginning));
    }
    return count;
}

static char *exposition_of(enum fixture fixture, struct metrics_options options)
{
    struct exposition exposition = {.wall_ns = 0};
    struct history *history = fixture_history(fixture);
    char *text;

    metrics_add(&exposition, history_latest(history), history, &options);
    text = print(&exposition, EXPOSITION_TEXT);
    exposition_release(&exposition);
    history_free(history);
    return text;
}

static void test_basic(void **state)
{
    char *text = exposition_of(FIXTURE_SERVICE, (struct metrics_options){.sets = 0});
    size_t series = count_lines(text, "heaptop_");

    (void)state;
    assert_in_range(series, 35, 60);
    assert_int_equal(count_lines(text, "heaptop_kind_"), 0);
    assert_int_equal(count_lines(text, "heaptop_pymalloc_pool_bytes"), 0);
    assert_int_equal(count_lines(text, "heaptop_account_part_bytes"), ACCOUNT_PARTS + 1);
    assert_int_equal(count_lines(text, "heaptop_up{"), 1);
    free(text);
}

/* Only one series has the PID, or all. */
static void test_label_pid(void **state)
{
    char *text = exposition_of(FIXTURE_SERVICE, (struct metrics_options){.sets = 0});
    char *with =
        exposition_of(FIXTURE_SERVICE, (struct metrics_options){.label_pid = true});
    size_t count = 0;

    (void)state;
    assert_non_null(strstr(text, "\",pid=\"4242\",python="));
    assert_null(strstr(strstr(text, "pid=") + 1, "pid="));
    for (const char *at = with; (at = strstr(at, ",pid=\"4242\"")); at++)
        count++;
    assert_int_equal(count, count_lines(with, "heaptop_"));
    assert_int_equal(count, count_lines(text, "heaptop_"));
    free(text);
    free(with);
}

static void test_unknown_is_left_out(void **state)
{
    char *text = exposition_of(FIXTURE_UNKNOWN, (struct metrics_options){.sets = 0});

    (void)state;
    assert_int_equal(count_lines(text, "heaptop_process_resident"), 0);
    assert_int_equal(count_lines(text, "# TYPE heaptop_process_resident"), 0);
    assert_int_equal(count_lines(text, "heaptop_cpython_gc_enabled"), 0);
    free(text);
}

static void test_ended(void **state)
{
    char *text = exposition_of(FIXTURE_ENDED, (struct metrics_options){.sets = 0});

    (void)state;
    assert_non_null(strstr(text, "} 0\n"));
    assert_int_equal(count_lines(text, "heaptop_up{"), 1);
    assert_int_equal(count_lines(text, "heaptop_process_resident"), 0);
    free(text);
}

static void test_kinds(void **state)
{
    struct metrics_options options = {.sets = METRIC_SET_ALL, .kinds = 3};
    char *text = exposition_of(FIXTURE_SERVICE, options);

    (void)state;
    assert_int_equal(count_lines(text, "heaptop_kind_objects{"), 4);
    assert_non_null(strstr(text, "kind=\"(other)\""));
    assert_int_not_equal(count_lines(text, "heaptop_pymalloc_pool_bytes{"), 0);
    free(text);
    options.kinds = 100000;
    text = exposition_of(FIXTURE_SERVICE, options);
    assert_null(strstr(text, "kind=\"(other)\""));
    free(text);
}

/* No name breaks a line, or out of its quotes. */
static void test_hostile(void **state)
{
    struct metrics_options options = {.sets = METRIC_SET_ALL, .kinds = 1000};
    char *text = exposition_of(FIXTURE_HOSTILE, options);

    (void)state;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        bool is_quoted = false;

        assert_true(!strncmp(line, "# ", 2) || !strncmp(line, "heaptop_", 8));
        for (const char *at = line; *at && *line != '#'; at++) {
            assert_false((unsigned char)*at < 0x20);
            if (*at == '\\' && is_quoted)
                at++;
            else if (*at == '"')
                is_quoted = !is_quoted;
        }
        assert_false(is_quoted);
    }
    free(text);
}

static void test_sets(void **state)
{
    struct err err = ERR_INIT;
    unsigned sets;

    (void)state;
    assert_int_equal(metrics_parse("kinds,classes", &sets, &err), 0);
    assert_int_equal(sets, METRIC_SET_ALL);
    assert_int_equal(metrics_parse("basic", &sets, &err), 0);
    assert_int_equal(sets, 0);
    assert_int_equal(metrics_parse("kinds,nonsense", &sets, &err), -1);
    assert_non_null(strstr(err.text, "\"nonsense\""));
    assert_int_equal(metrics_parse("kin", &sets, &(struct err)ERR_INIT), -1);
}

static void test_target_name(void **state)
{
    static const struct {
        const char *command, *name;
    } rows[] = {
        {"python3 /srv/app/worker.py --queue a", "worker.py"},
        {"/usr/bin/python3.11 -X dev -u /usr/bin/gunicorn app:app", "gunicorn"},
        {"python3 -m http.server 8000", "http.server"},
        {"python3 -c import time", "python"},
        {"python3", "python"},
        {"gunicorn: master [app:app]", "gunicorn"},
        {"/opt/app/bin/daemon", "daemon"},
        {"", "python"},
        {"python3 -m", "python"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char name[TARGET_NAME_MAX];

        assert_string_equal(target_name(rows[i].command, name), rows[i].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_basic),
        cmocka_unit_test(test_label_pid),
        cmocka_unit_test(test_unknown_is_left_out),
        cmocka_unit_test(test_ended),
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_target_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
