/* What is left on the terminal, and what ends the process, for each way to be ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "tui/term_signals.h"
#include "util/clock.h"

#define RESTORE "put-back"

struct ending {
    int status;
    char written[64];
    int64_t took_ns;
};

/* Those of cmocka and of a sanitizer are chained to, and are no part of this. Nor is
 * what nohup or a shell's & has left ignored: term_signals would leave it so too. */
static void forget_handlers(void)
{
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS,
                                  SIGTERM, SIGINT, SIGHUP, SIGQUIT};
    struct sigaction normal;

    memset(&normal, 0, sizeof(normal));
    normal.sa_handler = SIG_DFL;
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        sigaction(numbers[i], &normal, NULL);
}

/* Runs the scene in a child whose terminal is a pipe. */
static struct ending play(void (*scene)(void))
{
    struct ending ending = {0, "", clock_monotonic_ns()};
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct termios settings;
        struct err err = ERR_INIT;

        memset(&settings, 0, sizeof(settings));
        forget_handlers();
        if (term_signals_begin(ends[1], &settings, &err) < 0)
            _exit(99);
        term_signals_prepare(RESTORE, strlen(RESTORE));
        scene();
        _exit(0);
    }
    close(ends[1]);
    for (size_t used = 0; used < sizeof(ending.written) - 1;) {
        ssize_t got =
            read(ends[0], ending.written + used, sizeof(ending.written) - 1 - used);
        if (got <= 0)
            break;
        used += (size_t)got;
    }
    close(ends[0]);
    assert_int_equal(waitpid(child, &ending.status, 0), child);
    ending.took_ns = clock_monotonic_ns() - ending.took_ns;
    return ending;
}

static void assert_ended_by(struct ending ending, int number)
{
    assert_string_equal(ending.written, RESTORE);
    assert_true(WIFSIGNALED(ending.status));
    assert_int_equal(WTERMSIG(ending.status), number);
}

static void wait_long(void)
{
    struct timespec left = {30, 0};

    while (nanosleep(&left, &left) < 0)
        ;
}

/* The deadline is read rather than measured: a busy machine is late for everything. */
static void ignore_term(void)
{
    raise(SIGTERM);
    if (alarm(1) != 1)
        _exit(98);
    wait_long();
}

/* At once means inside raise: what comes after it is never reached, and no deadline
 * can have done it. */
static void ignore_two(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGINT);
    raise(SIGTERM);
    _exit(98);
}

static void answer_term(void)
{
    struct timespec left = {1, 200000000};

    raise(SIGTERM);
    if (term_signals_next() != SIGTERM || term_signals_next() != 0)
        _exit(1);
    term_signals_answered();
    while (nanosleep(&left, &left) < 0)
        ;
}

static void answer_then_again(void)
{
    answer_term();
    raise(SIGTERM);
    _exit(98);
}

static void only_tell(void)
{
    raise(SIGWINCH);
    raise(SIGCONT);
    if (term_signals_next() != SIGWINCH || term_signals_next() != SIGCONT)
        _exit(1);
}

static void abort_here(void)
{
    abort();
}

/* A fault of this thread's own, which must not end in an endless repetition. */
__attribute__((no_sanitize("undefined", "address"))) static void fault_here(void)
{
    volatile int *volatile nowhere = NULL;

    *nowhere = 1;
}

static void fault_is_sent(void)
{
    raise(SIGBUS);
}

static void end_in_order(void)
{
    term_signals_end();
    raise(SIGTERM);
}

static void test_unanswered(void **state)
{
    (void)state;
    struct ending ending = play(ignore_term);

    assert_ended_by(ending, SIGTERM);
    assert_true(ending.took_ns > 900 * NS_PER_MS);
}

static void test_second_is_at_once(void **state)
{
    (void)state;

    assert_ended_by(play(ignore_two), SIGTERM);
    assert_ended_by(play(answer_then_again), SIGTERM);
}

static void test_answered(void **state)
{
    (void)state;
    struct ending ending = play(answer_term);

    assert_true(WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0);
    assert_string_equal(ending.written, "");
    ending = play(only_tell);
    assert_true(WIFEXITED(ending.status) && WEXITSTATUS(ending.status) == 0);
}

static void test_faults(void **state)
{
    (void)state;
    assert_ended_by(play(abort_here), SIGABRT);
    assert_ended_by(play(fault_is_sent), SIGBUS);
    assert_ended_by(play(fault_here), SIGSEGV);
}

static void test_after_the_end(void **state)
{
    (void)state;
    struct ending ending = play(end_in_order);

    assert_string_equal(ending.written, "");
    assert_int_equal(WTERMSIG(ending.status), SIGTERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unanswered),    cmocka_unit_test(test_second_is_at_once),
        cmocka_unit_test(test_answered),      cmocka_unit_test(test_faults),
        cmocka_unit_test(test_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
