/* The tree of candidates and what a filter leaves of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "target/candidates_private.h"

/* pid, parent; `python` says whether it is a row. All sorted by PID. */
struct process {
    pid_t pid, parent;
    bool is_python;
    const char *command;
};

static void build(struct candidates *list, const struct process *processes, size_t count)
{
    struct listed *listed = calloc(count + 1, sizeof(*listed));

    *list = (struct candidates)CANDIDATES_INIT;
    list->rows = calloc(count + 1, sizeof(*list->rows));
    for (size_t i = 0; i < count; i++) {
        listed[i].pid = processes[i].pid;
        listed[i].parent = processes[i].parent;
        if (!processes[i].is_python)
            continue;
        list->rows[list->count].pid = processes[i].pid;
        list->rows[list->count++].command =
            strdup(processes[i].command ? processes[i].command : "python3");
    }
    candidates_order(list, listed, count);
    free(listed);
}

/* "pid/parent@depth ..." */
static void check_order(const struct candidates *list, const char *expected)
{
    char text[512] = "";
    size_t used = 0;

    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d/%d@%d",
                                 i ? " " : "", list->rows[i].pid, list->rows[i].parent,
                                 list->rows[i].depth);
    assert_string_equal(text, expected);
}

static const struct process server[] = {
    {1, 0, false, NULL},
    {10, 1, true, "gunicorn: master"},
    {11, 10, true, "gunicorn: worker"},
    {12, 10, false, "sh"},
    {13, 12, true, "Celery beat"},
    {14, 11, true, "helper"},
    {20, 1, true, "other"},
    {21, 20, true, "other child"},
};

static void test_tree(void **state)
{
    struct candidates list;

    (void)state;
    build(&list, server, 8);
    check_order(&list, "10/0@0 11/10@1 14/11@2 13/10@1 20/0@0 21/20@1");
    candidates_release(&list);
}

/* PIDs wrap: a parent may have a greater number than its child. */
static void test_parent_after_child(void **state)
{
    static const struct process processes[] = {
        {5, 900, true, NULL}, {6, 5, true, NULL}, {900, 1, true, NULL}};
    struct candidates list;

    (void)state;
    build(&list, processes, 3);
    check_order(&list, "900/0@0 5/900@1 6/5@2");
    candidates_release(&list);
}

static void test_ring(void **state)
{
    static const struct process processes[] = {{5, 6, true, NULL},
                                               {6, 5, true, NULL},
                                               {7, 7, true, NULL},
                                               {8, 9, true, NULL},
                                               {9, 9, false, NULL}};
    struct candidates list;

    (void)state;
    build(&list, processes, 5);
    assert_int_equal(list.count, 4);
    candidates_release(&list);
}

static void test_long_chain(void **state)
{
    size_t count = 3000;
    struct process *processes = calloc(count, sizeof(*processes));
    struct candidates list;

    (void)state;
    for (size_t i = 0; i < count; i++)
        processes[i] = (struct process){(pid_t)i + 2, (pid_t)i + 1, true, NULL};
    build(&list, processes, count);
    assert_int_equal(list.count, count);
    assert_int_equal(list.rows[count - 1].depth, count - 1);
    candidates_release(&list);
    free(processes);
}

static void check_filter(const char *pattern, const char *expected)
{
    struct candidates list;

    build(&list, server, 8);
    candidates_filter(&list, pattern);
    check_order(&list, expected);
    candidates_release(&list);
}

static void test_filter(void **state)
{
    (void)state;
    check_filter("celery", "10/0@0 13/10@1");
    check_filter("celerY", "");
    check_filter("Celery", "10/0@0 13/10@1");
    check_filter("helper", "10/0@0 11/10@1 14/11@2");
    check_filter("21", "20/0@0 21/20@1");
    check_filter("nothing", "");
    check_filter("", "10/0@0 11/10@1 14/11@2 13/10@1 20/0@0 21/20@1");
    check_filter(NULL, "10/0@0 11/10@1 14/11@2 13/10@1 20/0@0 21/20@1");
}

/* The machine as it is: nothing crashes, twice gives the same processes. */
static void test_refresh(void **state)
{
    struct candidates list = CANDIDATES_INIT;
    struct err err;

    (void)state;
    assert_int_equal(candidates_refresh(&list, &err), 0);
    assert_int_equal(candidates_refresh(&list, &err), 0);
    for (size_t i = 0; i < list.count; i++) {
        assert_non_null(list.rows[i].command);
        assert_true(list.rows[i].pid > 0);
        assert_true(reading_is_known(list.rows[i].virt_bytes));
        assert_true(list.rows[i].can_read || list.rows[i].access_why[0]);
    }
    candidates_release(&list);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tree),   cmocka_unit_test(test_parent_after_child),
        cmocka_unit_test(test_ring),   cmocka_unit_test(test_long_chain),
        cmocka_unit_test(test_filter), cmocka_unit_test(test_refresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
