/* The configuration file: what it sets, what it leaves alone, whom it obeys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "configuration.h"

/* Writes a file under a new folder's heaptop/ and returns the folder. */
static const char *write_config(const char *text, mode_t mode)
{
    static char folder[64], path[128];
    FILE *file;

    snprintf(folder, sizeof(folder), "/tmp/heaptop-t_config.XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/heaptop", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof(path), "%s/heaptop/heaptoprc", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
    return folder;
}

static void remove_config(const char *folder)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/heaptop/heaptoprc", folder);
    unlink(path);
    snprintf(path, sizeof(path), "%s/heaptop", folder);
    rmdir(path);
    rmdir(folder);
}

static int load(const char *text, mode_t mode, bool is_named, struct config *config,
                struct args *args, struct err *err)
{
    const char *folder = write_config(text, mode);
    char path[128];
    int result;

    snprintf(path, sizeof(path), "%s/heaptop/heaptoprc", folder);
    unsetenv("HEAPTOPRC");
    setenv("XDG_CONFIG_HOME", folder, 1);
    args_init(args);
    memset(err, 0, sizeof(*err));
    result = config_load(config, is_named ? path : NULL, args, err);
    remove_config(folder);
    return result;
}

static void test_known_keys(void **state)
{
    struct config config = CONFIG_INIT;
    struct args args;
    struct err err;
    (void)state;

    assert_int_equal(load("# mine\n delay = 5 # seconds\nunicode=no\ncolor = off\n"
                          "mouse = yes\nsort = -count\r\nagent = never\n"
                          "future.key = 7\nrows=3\nread-only = true",
                          0600, false, &config, &args, &err),
                     0);
    assert_int_equal(args.sampler.interval_ns, INT64_C(5000000000));
    assert_false(args.use_unicode || args.use_color);
    assert_true(args.use_mouse && args.sampler.read_only);
    assert_string_equal(args.sort, "-count");
    assert_int_equal(args.sampler.agent, AGENT_NEVER);
    assert_int_equal(args.rows, 3);
    config_release(&config);
}

/* What is said once for all processes is no mistake where there is none, or are many. */
static void test_keys_of_a_process_are_no_mistake_elsewhere(void **state)
{
    static char lines[][4][20] = {{"heaptop", "-r", "file.htr"},
                                  {"heaptop", "--tree", "12"},
                                  {"heaptop", "-r", "file.htr", "--agent=require"}};
    struct config config = CONFIG_INIT;
    struct args args;
    struct err err = ERR_INIT;
    (void)state;

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        char *words[] = {lines[i][0], lines[i][1], lines[i][2], lines[i][3], NULL};
        bool is_mistake = *words[3] != '\0';

        assert_int_equal(load("agent = require\nwalk = 3\nread-only = yes\n"
                              "plugin = example\n",
                              0600, false, &config, &args, &err),
                         0);
        optind = 0;
        words[3] = is_mistake ? words[3] : NULL;
        assert_int_equal(args_parse(&args, is_mistake ? 4 : 3, words, &err), -is_mistake);
        assert_int_equal(args.sampler.agent, AGENT_REQUIRE);
        config_release(&config);
    }
}

static void assert_bad(const char *text, const char *words)
{
    struct config config = CONFIG_INIT;
    struct args args;
    struct err err;

    assert_int_equal(load(text, 0600, false, &config, &args, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    config_release(&config);
}

static void test_mistakes_name_the_line(void **state)
{
    (void)state;
    assert_bad("\n\ndelay = soon\n", "line 3");
    assert_bad("color = perhaps\n", "yes or no");
    assert_bad("just words\n", "key = value");
    assert_bad("delay =\n", "--delay takes");
}

static void test_root_obeys_only_itself(void **state)
{
    struct config config = CONFIG_INIT;
    struct args args;
    struct err err;
    (void)state;

    if (geteuid() != 0)
        skip();
    assert_int_equal(load("delay = 5\n", 0666, false, &config, &args, &err), 0);
    assert_int_equal(args.sampler.interval_ns, INT64_C(2000000000));
    config_release(&config);
    assert_int_equal(load("delay = 5\n", 0666, true, &config, &args, &err), 0);
    assert_int_equal(args.sampler.interval_ns, INT64_C(5000000000));
    config_release(&config);
}

static void test_a_named_file_must_exist(void **state)
{
    struct config config = CONFIG_INIT;
    struct args args;
    struct err err = ERR_INIT;
    (void)state;

    args_init(&args);
    assert_int_equal(config_load(&config, "/nonexistent/heaptoprc", &args, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_non_null(strstr(err.text, "No such file"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_keys),
        cmocka_unit_test(test_keys_of_a_process_are_no_mistake_elsewhere),
        cmocka_unit_test(test_mistakes_name_the_line),
        cmocka_unit_test(test_root_obeys_only_itself),
        cmocka_unit_test(test_a_named_file_must_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
