/* Windows that are read ahead hold what is there, whoever read them and in whatever
 * order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "source/objects_walk.h"
#include "util/window.h"

#define WINDOW ((uint64_t)64 << 10)
#define AREA   (40 * WINDOW)

struct fixture {
    struct walk walk;
    struct walk_ahead *ahead;
    uint8_t *area;
    uint64_t start, end;
};

static void fixture_open(struct fixture *f)
{
    struct err err;

    memset(f, 0, sizeof(*f));
    f->area =
        mmap(NULL, AREA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(f->area != MAP_FAILED);
    for (uint64_t at = 0; at < AREA; at += 8)
        memcpy(f->area + at, &at, sizeof(at));
    f->start = (uintptr_t)f->area;
    f->end = f->start + AREA;
    assert_int_equal(reader_live_open(getpid(), -1, &f->walk.reader, &err), 0);
    for (size_t i = 0; i < 2; i++) {
        f->walk.workers[i].walk = &f->walk;
        pagemap_init(&f->walk.workers[i].pagemap, -1);
        f->walk.workers[i].index = (uint32_t)i;
    }
    f->walk.workers[0].window = window_take(WINDOW);
    f->ahead = walk_ahead_open(WINDOW);
    assert_non_null(f->ahead);
    walk_ahead_forget(f->ahead);
    walk_ahead_begin(f->ahead);
}

static void fixture_close(struct fixture *f)
{
    walk_ahead_close(f->ahead);
    reader_close(f->walk.reader);
    for (size_t i = 0; i < 2; i++)
        window_give(f->walk.workers[i].window, WINDOW);
    munmap(f->area, AREA);
}

static void *help(void *given)
{
    struct fixture *f = given;

    walk_ahead_help(f->ahead, &f->walk.workers[1]);
    return NULL;
}

/* The window with `at`, which shows what is there, and enough of it. */
static void check_take(struct fixture *f, uint64_t at)
{
    struct walk_worker *worker = &f->walk.workers[0];
    uint64_t behind;

    assert_true(walk_ahead_take(f->ahead, worker, at, f->end));
    assert_true(worker->window_address <= at);
    behind = worker->window_address + worker->window_bytes - at;
    assert_true(behind <= WINDOW && (behind >= 4096 || at + behind == f->end));
    assert_memory_equal(worker->window + (at - worker->window_address),
                        f->area + (at - f->start), behind);
}

/* From window to window, as a chain of small chunks goes; then in jumps, and back. */
static void go_through(struct fixture *f)
{
    const struct walk_worker *worker = &f->walk.workers[0];
    uint64_t at = f->start;

    while (at < f->end) {
        check_take(f, at);
        at = worker->window_address + worker->window_bytes;
        at -= at < f->end ? 128 : 0;
    }
    for (at = f->start; at < f->end; at += 3 * WINDOW + 1008)
        check_take(f, at);
    check_take(f, f->start + 5 * WINDOW);
    check_take(f, f->start + 2 * WINDOW);
    check_take(f, f->start + 2 * WINDOW);
}

static void test_alone(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    go_through(&f);
    fixture_close(&f);
}

static void test_with_a_helper(void **state)
{
    struct fixture f;
    pthread_t thread;

    (void)state;
    fixture_open(&f);
    for (int round = 0; round < 20; round++) {
        assert_int_equal(pthread_create(&thread, NULL, help, &f), 0);
        go_through(&f);
        walk_ahead_end(f.ahead);
        assert_int_equal(pthread_join(thread, NULL), 0);
        walk_ahead_begin(f.ahead);
    }
    fixture_close(&f);
}

/* What went away meanwhile is told, and what is behind it is found. */
static void test_a_hole(void **state)
{
    struct fixture f;
    pthread_t thread;

    (void)state;
    fixture_open(&f);
    assert_int_equal(mprotect(f.area + 10 * WINDOW, 4096, PROT_NONE), 0);
    assert_int_equal(pthread_create(&thread, NULL, help, &f), 0);
    for (uint64_t at = f.start; at < f.start + 8 * WINDOW; at += WINDOW - 4096)
        check_take(&f, at);
    assert_false(walk_ahead_take(f.ahead, &f.walk.workers[0],
                                 f.start + 10 * WINDOW - 4096, f.end));
    assert_non_null(f.walk.workers[0].window); /* for the chain to read by itself */
    check_take(&f, f.start + 11 * WINDOW);
    walk_ahead_end(f.ahead);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_false(walk_ahead_take(NULL, &f.walk.workers[0], f.start, f.end));
    walk_ahead_begin(NULL);
    walk_ahead_help(NULL, NULL);
    walk_ahead_end(NULL);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alone),
        cmocka_unit_test(test_with_a_helper),
        cmocka_unit_test(test_a_hole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
