/* Growth: the statistics, the series, and that memory stays bounded over days. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/growth.h"

#define SECOND INT64_C(1000000000)

/* The same numbers on every machine. */
static int64_t noise(unsigned *seed, int64_t range)
{
    *seed = *seed * 1103515245u + 12345u;
    return (int64_t)(*seed >> 8) % range;
}

static void test_mann_kendall(void **state)
{
    const int64_t rising[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const int64_t falling[] = {12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1};
    const int64_t level[12] = {5};
    const int64_t steps[] = {1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2};
    const int64_t short_one[] = {1, 2, 3, 4};

    (void)state;
    assert_int_equal(mann_kendall(rising, 12), 1);
    assert_int_equal(mann_kendall(falling, 12), -1);
    assert_int_equal(mann_kendall(level + 1, 11), 0);
    assert_int_equal(mann_kendall(steps, 12), 1); /* ties are accounted for */
    assert_int_equal(mann_kendall(short_one, 4), 0);
    assert_int_equal(mann_kendall(rising, 0), 0);
}

/* At p < 0.01 about one series of pure noise in a hundred may seem to have a trend. */
static void test_noise_is_no_trend(void **state)
{
    unsigned seed = 1;
    int claimed = 0;

    (void)state;
    for (int series = 0; series < 1000; series++) {
        int64_t values[40];

        for (int i = 0; i < 40; i++)
            values[i] = noise(&seed, 1000);
        claimed += mann_kendall(values, 40) != 0;
    }
    assert_in_range(claimed, 1, 25);
}

static void test_theil_sen(void **state)
{
    int64_t times[20], values[20];

    (void)state;
    for (int i = 0; i < 20; i++) {
        times[i] = i * 6 * SECOND;
        values[i] = 100 + 10 * i; /* 100 a minute */
    }
    values[4] = 1000000; /* two outliers do not move it */
    values[11] = -1000000;
    assert_true(theil_sen(times, values, 20) > 99 && theil_sen(times, values, 20) < 101);
    for (int i = 0; i < 20; i++)
        times[i] = 5;
    assert_true(theil_sen(times, values, 20) == 0);
}

static void put(struct growth *growth, int at, uint64_t key, int64_t count)
{
    growth_begin(growth, at * SECOND, (1000 + at) * SECOND);
    growth_put(growth, key, count, count * 64);
    growth_put(growth, 99, 7, 7 * 16); /* never changes */
    growth_end(growth);
}

static void test_claims_only_what_is_sure(void **state)
{
    struct growth *growth = growth_new();
    struct trend trend;

    (void)state;
    assert_false(growth_trend(growth, 1, GROWTH_WINDOW_NS, &trend));
    for (int i = 0; i < GROWTH_LEAST - 1; i++)
        put(growth, i, 1, 100 + i);
    assert_true(growth_trend(growth, 1, GROWTH_WINDOW_NS, &trend));
    assert_false(trend.is_claimed); /* too few points */
    put(growth, GROWTH_LEAST - 1, 1, 100 + GROWTH_LEAST - 1);
    assert_true(growth_trend(growth, 1, GROWTH_WINDOW_NS, &trend));
    assert_true(trend.is_claimed);
    assert_true(trend.count_per_minute > 59.9 && trend.count_per_minute < 60.1);
    assert_true(trend.bytes_per_minute > 3839 && trend.bytes_per_minute < 3841);
    assert_true(growth_total(growth, GROWTH_WINDOW_NS) > 3839);
    assert_true(growth_trend(growth, 99, GROWTH_WINDOW_NS, &trend));
    assert_false(trend.is_claimed);
    assert_int_equal(trend.points, 0); /* it never changed */
    growth_free(growth);
}

/* A saw-tooth goes nowhere, however steep it is. */
static void test_saw_tooth(void **state)
{
    struct growth *growth = growth_new();
    struct trend trend;

    (void)state;
    for (int i = 0; i < 100; i++)
        put(growth, i, 1, i % 10 * 1000);
    assert_true(growth_trend(growth, 1, GROWTH_WINDOW_NS, &trend));
    assert_false(trend.is_claimed);
    growth_free(growth);
}

/* objgraph's two notions. */
static void test_over_previous_and_peak(void **state)
{
    const int64_t counts[] = {10, 30, 20, 25, 31};
    const int64_t over_previous[] = {0, 20, -10, 5, 6}, over_peak[] = {0, 20, 0, 0, 1};
    struct growth *growth = growth_new();
    struct trend trend;

    (void)state;
    for (int i = 0; i < 5; i++) {
        put(growth, i, 1, counts[i]);
        assert_true(growth_trend(growth, 1, GROWTH_WINDOW_NS, &trend));
        assert_int_equal(trend.count_over_previous, over_previous[i]);
        assert_int_equal(trend.count_over_peak, over_peak[i]);
        assert_int_equal(trend.bytes_over_peak, over_peak[i] * 64);
    }
    assert_int_equal(trend.peak_count, 31);
    growth_free(growth);
}

/* What comes later was nothing before; what is not put is gone. */
static void test_comes_and_goes(void **state)
{
    int64_t bytes[8], counts[8], times[8];
    struct growth *growth = growth_new();
    struct trend trend;

    (void)state;
    put(growth, 0, 1, 5);
    put(growth, 1, 2, 6);
    put(growth, 2, 2, 6);
    assert_true(growth_trend(growth, 2, GROWTH_WINDOW_NS, &trend));
    assert_int_equal(trend.first_seen_wall_ns, 1001 * SECOND);
    assert_true(growth_trend(growth, 1, GROWTH_WINDOW_NS, &trend));
    assert_int_equal(trend.first_seen_wall_ns, 0);
    assert_int_equal(growth_values(growth, 1, bytes, counts, times, 8), 3);
    assert_int_equal(counts[0], 5);
    assert_int_equal(counts[1], 0);
    assert_int_equal(growth_values(growth, 2, bytes, counts, times, 8), 3);
    assert_int_equal(counts[0], 0);
    assert_int_equal(bytes[2], 6 * 64);
    assert_int_equal(growth_values(growth, 3, bytes, counts, times, 8), 0);
    growth_free(growth);
}

/* A week of points each second: the axis stays short and spans all of it. */
/* What is known late, and not always, did not grow from nothing. */
static void test_readings_are_not_zero_before(void **state)
{
    struct growth *growth = growth_new_of_readings();
    struct trend trend;

    (void)state;
    for (int i = 0; i < 40; i++) {
        growth_begin(growth, i * SECOND, i * SECOND);
        if (i >= 20 && i % 5)
            growth_put(growth, 7, 1000, 9000);
        growth_end(growth);
    }
    assert_true(growth_trend(growth, 7, 100 * SECOND, &trend));
    assert_false(trend.is_claimed);
    assert_true(trend.bytes_per_minute == 0);
    growth_free(growth);
}

static void test_long_run(void **state)
{
    int64_t bytes[GROWTH_POINTS], counts[GROWTH_POINTS], times[GROWTH_POINTS];
    struct growth *growth = growth_new();
    const int last = 7 * 86400;
    struct trend trend;
    size_t count;

    (void)state;
    for (int i = 0; i <= last; i++)
        put(growth, i, 1, 1000 + i / 60);
    count = growth_values(growth, 1, bytes, counts, times, GROWTH_POINTS);
    assert_in_range(count, GROWTH_POINTS / 2, GROWTH_POINTS);
    assert_int_equal(times[count - 1], last * SECOND);
    assert_true(times[0] < 86400 * SECOND);
    for (size_t i = 1; i < count; i++)
        assert_true(times[i] > times[i - 1] && counts[i] >= counts[i - 1]);
    assert_true(growth_trend(growth, 1, INT64_MAX, &trend));
    assert_true(trend.is_claimed);
    assert_true(trend.count_per_minute > 0.9 && trend.count_per_minute < 1.1);
    growth_free(growth);
}

#define MB INT64_C(1048576)

/* A cache that fills for 48 samples and then is full: soon it is no growth any more. */
static void test_what_is_full_grows_no_more(void **state)
{
    int64_t times[FIT_POINTS_MOST], values[FIT_POINTS_MOST];

    (void)state;
    for (int i = 0; i < FIT_POINTS_MOST; i++) {
        times[i] = i * SECOND;
        values[i] = 20 * MB + (i < 48 ? i : 48) * MB;
    }
    assert_true(fit_line(times, values, 49).is_rising);
    assert_true(fit_line(times, values, 52).is_rising); /* this may be chance */
    assert_false(fit_line(times, values, 60).is_rising);
    for (int i = 0; i < FIT_POINTS_MOST; i++)
        values[i] = i / 6 * 6 * MB; /* it always came in steps of six seconds */
    assert_true(fit_line(times, values, 60).is_rising);
}

/* The table of a dict whose items come one by one, as walks saw it: it doubles. */
static void test_a_table_that_doubles_grows(void **state)
{
    const struct {
        int at_s;
        int64_t bytes;
    } steps[] = {{0, 389232},   {2, 598000},   {4, 806896},  {6, 1351664},
                 {12, 2314224}, {22, 4235248}, {44, 8081392}};
    int64_t times[44], values[44];

    (void)state;
    for (int i = 0; i < 44; i++) {
        times[i] = 2 * i * SECOND;
        for (size_t k = 0; k < sizeof(steps) / sizeof(steps[0]); k++)
            if (2 * i >= steps[k].at_s)
                values[i] = steps[k].bytes;
    }
    for (size_t n = 34; n <= 44; n++)
        assert_true(fit_line(times, values, n).is_rising);
}

/* Rounds of scratch memory whose troughs differ, above what the start left. */
static void test_unequal_troughs(void **state)
{
    const int64_t troughs[] = {70, 110, 104, 116, 103, 108};
    int64_t times[60], values[60];
    struct fit fit;

    (void)state;
    for (int i = 0; i < 60; i++) {
        times[i] = i * SECOND;
        values[i] = (troughs[i / 10] + i % 10 * 9) * MB;
    }
    fit = fit_line(times, values, 60);
    assert_true(fit.kept < fit.points && fit.low_at_last > fit.low_at_first);
    assert_false(fit.is_rising);
    for (int i = 0; i < 60; i++)
        values[i] += i * MB; /* and behind it something grows */
    fit = fit_line(times, values, 60);
    assert_true(fit.troughs_rose > 5 * MB);
}

/* A recording that was put together from others: nothing but a bounded answer. */
static void test_times_that_go_back(void **state)
{
    int64_t times[60], values[60];

    (void)state;
    for (int64_t i = 0; i < 60; i++) {
        times[i] = (i * 37 % 60 - 30) * (INT64_C(1) << 40);
        values[i] = i;
    }
    assert_int_equal(fit_line(times, values, 60).points, 60);
    times[0] = times[59] + 1;
    assert_int_equal(fit_line(times, values, 60).points, 60);
    assert_int_equal(fit_line(times, values, 3).points, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mann_kendall),
        cmocka_unit_test(test_noise_is_no_trend),
        cmocka_unit_test(test_theil_sen),
        cmocka_unit_test(test_claims_only_what_is_sure),
        cmocka_unit_test(test_saw_tooth),
        cmocka_unit_test(test_over_previous_and_peak),
        cmocka_unit_test(test_comes_and_goes),
        cmocka_unit_test(test_readings_are_not_zero_before),
        cmocka_unit_test(test_long_run),
        cmocka_unit_test(test_what_is_full_grows_no_more),
        cmocka_unit_test(test_a_table_that_doubles_grows),
        cmocka_unit_test(test_unequal_troughs),
        cmocka_unit_test(test_times_that_go_back),
    };

    return cmocka_run_group_tests_name("growth", tests, NULL, NULL);
}
