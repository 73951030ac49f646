/* Roles, outliers and sums of the processes of a service. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/fleet.h"

#define MIB (INT64_C(1) << 20)

static struct fleet_sample sample;

/* A master, and workers with so much private memory (MiB) and growth (KiB a minute). */
static void make(size_t n, const int *private_mib, const int *growth_kib)
{
    memset(&sample, 0, sizeof(sample));
    sample.rows[0] = (struct fleet_row){.pid = 100, .role = "master"};
    sample.rows[0].state = MEMBER_LIVE;
    sample.rows[0].private_bytes = reading_exact(500 * MIB);
    sample.count = n + 1;
    for (size_t i = 0; i < n; i++) {
        struct fleet_row *row = &sample.rows[i + 1];

        row->pid = 101 + (pid_t)i;
        row->parent = 100;
        row->role = "worker";
        row->state = MEMBER_LIVE;
        if (private_mib)
            row->private_bytes = reading_exact(private_mib[i] * MIB);
        if (growth_kib)
            row->growth_bytes = reading_exact(growth_kib[i] * INT64_C(1024));
        row->res_bytes = reading_exact(60 * MIB);
    }
    fleet_judge(&sample);
}

static enum outlier outlier_of(size_t worker)
{
    return sample.rows[worker + 1].outlier;
}

static void finds_the_one_that_leaks(void **state)
{
    (void)state;
    make(8, (const int[]){40, 41, 40, 42, 140, 39, 40, 41}, NULL);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(outlier_of(i), i == 4 ? OUTLIER_PRIVATE : OUTLIER_NONE);
    assert_int_equal(sample.rows[5].peers, 8);
    assert_int_equal(sample.rows[5].outlier_value.value, 140 * MIB);
    assert_true(sample.rows[5].outlier_median.value >= 40 * MIB);
    assert_int_equal(sample.sums.outliers, 1);
    /* The master is larger than all, but compared with nobody. */
    assert_int_equal(sample.rows[0].outlier, OUTLIER_NONE);
}

static void growth_comes_first(void **state)
{
    (void)state;
    make(4, (const int[]){40, 40, 40, 140}, (const int[]){0, 0, 0, 5000});
    assert_int_equal(outlier_of(3), OUTLIER_GROWTH);
    make(4, (const int[]){40, 40, 40, 40}, (const int[]){0, 0, 0, 900});
    assert_int_equal(outlier_of(3), OUTLIER_NONE); /* under the floor of a MiB */
}

static void a_spread_is_no_outlier(void **state)
{
    (void)state;
    make(8, (const int[]){40, 80, 120, 160, 200, 240, 280, 320}, NULL);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(outlier_of(i), OUTLIER_NONE);
    /* Neither is who lies near the others, be they ever so equal. */
    make(4, (const int[]){400, 400, 400, 450}, NULL);
    assert_int_equal(outlier_of(3), OUTLIER_NONE);
}

static void too_few_to_compare(void **state)
{
    (void)state;
    make(2, (const int[]){40, 400}, NULL);
    assert_int_equal(outlier_of(1), OUTLIER_NONE);
}

static void unknown_is_compared_with_nothing(void **state)
{
    (void)state;
    make(4, NULL, NULL);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(outlier_of(i), OUTLIER_NONE);
    assert_false(reading_is_known(sample.sums.private_bytes));
    assert_false(reading_is_known(sample.sums.growth_bytes));
}

static void the_ended_count_no_more(void **state)
{
    (void)state;
    make(4, (const int[]){40, 40, 40, 400}, NULL);
    sample.rows[4].state = MEMBER_ENDED;
    sample.rows[0].res_bytes = reading_exact(60 * MIB);
    fleet_judge(&sample);
    assert_int_equal(outlier_of(3), OUTLIER_NONE);
    assert_int_equal(sample.sums.ended, 1);
    assert_int_equal(sample.sums.members, 4);
    assert_int_equal(sample.sums.res_bytes.value, 4 * 60 * MIB);
    assert_int_equal(sample.sums.private_bytes.value, (500 + 3 * 40) * MIB);
}

static void roles(void **state)
{
    static const char forkserver[] =
        "python -c from multiprocessing.forkserver import main; main(5, 7, [], **{})";
    static const char gunicorn[] = "/usr/bin/python3 /usr/bin/gunicorn app:app";

    (void)state;
    assert_string_equal(fleet_role(gunicorn, "", 8), "master");
    assert_string_equal(fleet_role(gunicorn, gunicorn, 0), "worker");
    assert_string_equal(fleet_role("gunicorn: worker [app]", "gunicorn: master [app]", 0),
                        "worker");
    assert_string_equal(fleet_role("python -c from multiprocessing.spawn import "
                                   "spawn_main; spawn_main(tracker_fd=5)",
                                   "python job.py", 0),
                        "spawned");
    assert_string_equal(fleet_role("python -c from multiprocessing.resource_tracker "
                                   "import main;main(4)",
                                   "python job.py", 0),
                        "tracker");
    assert_string_equal(fleet_role(forkserver, "python job.py", 3), "forkserver");
    assert_string_equal(fleet_role(forkserver, forkserver, 0), "worker");
    assert_string_equal(fleet_role("python other.py", "python job.py", 0), "child");
    assert_string_equal(fleet_role("python job.py", "", 0), "");
}

/* Of two masters each worker says whose it is, and one whose parent has gone says
 * nothing. */
static void names_its_parent(void **state)
{
    char name[FLEET_NAME_MAX];

    (void)state;
    make(4, NULL, NULL);
    sample.rows[0].number = 1;
    sample.rows[3] = (struct fleet_row){.pid = 103, .role = "master", .number = 2};
    sample.rows[3].state = MEMBER_LIVE;
    sample.rows[4].parent = 103;
    assert_string_equal(fleet_parent_name(&sample, &sample.rows[0], name), "");
    assert_string_equal(fleet_parent_name(&sample, &sample.rows[1], name), "master-1");
    assert_string_equal(fleet_parent_name(&sample, &sample.rows[4], name), "master-2");
    sample.rows[3].state = MEMBER_ENDED;
    assert_string_equal(fleet_parent_name(&sample, &sample.rows[4], name), "");
}

static void says_why(void **state)
{
    char words[160];

    (void)state;
    make(4, (const int[]){40, 40, 40, 140}, (const int[]){0, 0, 0, 5120});
    fleet_outlier_words(&sample.rows[4], words, sizeof(words));
    assert_string_equal(words, "104 grows by 5.0M a minute; the median of 4 is 0");
    make(4, (const int[]){40, 40, 40, 140}, NULL);
    fleet_outlier_words(&sample.rows[4], words, sizeof(words));
    assert_string_equal(words, "104 has 140.0M private; the median of 4 is 40.0M");
    fleet_outlier_words(&sample.rows[1], words, sizeof(words));
    assert_string_equal(words, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_one_that_leaks),
        cmocka_unit_test(growth_comes_first),
        cmocka_unit_test(a_spread_is_no_outlier),
        cmocka_unit_test(too_few_to_compare),
        cmocka_unit_test(unknown_is_compared_with_nothing),
        cmocka_unit_test(the_ended_count_no_more),
        cmocka_unit_test(roles),
        cmocka_unit_test(names_its_parent),
        cmocka_unit_test(says_why),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
