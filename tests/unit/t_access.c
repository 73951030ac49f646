/* Why a process may not be read, in words, under every policy of the kernel's: also those
 * that the kernel of this machine has not, and of users that the test does not run as.
 * What /proc says of policies and of oneself is played (--wrap); the process is the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target/access.h"
#include "target/procfs.h"

static struct {
    const char *scope;        /* NULL: no Yama */
    const char *capabilities; /* of heaptop */
    uid_t euid, owner;
    bool has_ended;
} play;

ssize_t __wrap_procfs_read_file(const char *path, char *text, size_t size);
uid_t __wrap_geteuid(void);

static ssize_t say(char *text, size_t size, const char *words)
{
    snprintf(text, size, "%s", words);
    return (ssize_t)strlen(text);
}

ssize_t __wrap_procfs_read_file(const char *path, char *text, size_t size)
{
    char words[128];

    if (!strcmp(path, "sys/kernel/yama/ptrace_scope"))
        return play.scope ? say(text, size, play.scope) : -1;
    if (!strcmp(path, "self/status")) {
        snprintf(words, sizeof(words), "Name:\theaptop\nCapEff:\t%s\n",
                 play.capabilities);
        return say(text, size, words);
    }
    if (play.has_ended)
        return -1;
    snprintf(words, sizeof(words), "Name:\tpython3\nUid:\t%u\t0\t0\t0\n",
             (unsigned)play.owner);
    return say(text, size, words);
}

uid_t __wrap_geteuid(void)
{
    return play.euid;
}

#define NO_CAPABILITY  "0000000000000000"
#define ALL_CAPABILITY "000001ffffffffff"
#define A_USER         65534

static struct err refusal(const char *expected_word)
{
    struct err err = ERR_INIT;
    char word[16];

    access_explain(getpid(), word, &err);
    assert_string_equal(word, expected_word);
    return err;
}

static void assert_says(const char *text, const char *words)
{
    if (!strstr(text, words))
        fail_msg("\"%s\" does not say \"%s\"", text, words);
}

/* One's own process, and another one of the same user: 1 and 2 name both ways out. */
static void test_yama_can_be_lowered(void **state)
{
    static const char *const scopes[] = {"1\n", "2\n"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        char words[64];
        struct err err;

        play.scope = scopes[i];
        play.capabilities = NO_CAPABILITY;
        play.euid = play.owner = A_USER;
        err = refusal("Yama");
        assert_int_equal(err.code, ERR_DENIED);
        snprintf(words, sizeof(words), "kernel.yama.ptrace_scope is %d", i + 1);
        assert_says(err.text, words);
        snprintf(words, sizeof(words), "sudo heaptop %d", (int)getpid());
        assert_says(err.remedy, words);
        assert_says(err.remedy, "sudo sysctl kernel.yama.ptrace_scope=0");
    }
}

/* 3 binds root too, and no way out is promised that there is not. */
static void test_yama_cannot_be_lowered(void **state)
{
    (void)state;
    play.scope = "3\n";
    for (int is_root = 0; is_root < 2; is_root++) {
        struct err err;

        play.capabilities = is_root ? ALL_CAPABILITY : NO_CAPABILITY;
        play.euid = play.owner = is_root ? 0 : A_USER;
        err = refusal("Yama");
        assert_says(err.text, "kernel.yama.ptrace_scope is 3");
        assert_says(err.remedy, "restart of the machine");
        assert_null(strstr(err.remedy, "sudo"));
    }
}

/* Where Yama permits, or cannot be the reason, it is not blamed. */
static void test_not_yama(void **state)
{
    struct err err;

    (void)state;
    play.scope = "1\n";
    play.capabilities = NO_CAPABILITY;
    play.euid = A_USER;
    play.owner = 0;
    err = refusal("uid");
    assert_says(err.remedy, "as root");
    play.euid = play.owner = 0;
    err = refusal("container");
    assert_says(err.remedy, "--cap-add SYS_PTRACE");
    play.capabilities = ALL_CAPABILITY;
    err = refusal("policy");
    assert_says(err.remedy, "SELinux");
    play.scope = NULL;
    refusal("policy");
    play.has_ended = true;
    err = refusal("gone");
    assert_int_equal(err.code, ERR_GONE);
    play.has_ended = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yama_can_be_lowered),
        cmocka_unit_test(test_yama_cannot_be_lowered),
        cmocka_unit_test(test_not_yama),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
