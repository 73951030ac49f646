/* Which processes the helper opens for a tree. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/scope.h"

/* A child that has a child; tells the grandchild's number and waits for its end. */
static pid_t fork_two(pid_t *grandchild)
{
    int pipes[2];
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0) {
        pid_t own = fork();

        if (own == 0)
            for (;;)
                pause();
        if (write(pipes[1], &own, sizeof(own)) != sizeof(own))
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(pipes[0], grandchild, sizeof(*grandchild)),
                     sizeof(*grandchild));
    close(pipes[0]);
    close(pipes[1]);
    return child;
}

static void is_the_tree(void **state)
{
    struct err err = ERR_INIT;
    pid_t grandchild, child = fork_two(&grandchild);

    (void)state;
    assert_int_equal(scope_check(1, &err), 0); /* without a root there is no bound */
    scope_set_root(child);
    assert_int_equal(scope_check(child, &err), 0);
    assert_int_equal(scope_check(grandchild, &err), 0);
    assert_int_equal(scope_check(getpid(), &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(scope_check(1, &err), -1);
    assert_int_equal(scope_check(0, &err), -1);
    assert_int_equal(scope_check(-1, &err), -1);
    /* An orphan was seen in it; a number that another process has is another process. */
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_int_equal(scope_check(child, &err), -1);
    assert_int_equal(scope_check(grandchild, &err), 0);
    kill(grandchild, SIGKILL);
    scope_set_root(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_tree),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
