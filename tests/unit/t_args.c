/* The command line: every option, every mistake with its sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"
#include "model/partition.h"
#include "sink/columns.h"

#define WORDS_MAX 32

/* Parses a line split at blanks; the words live until the next call. */
static int parse(struct args *args, const char *line, struct err *err)
{
    static char words[512];
    char *argv[WORDS_MAX + 1] = {NULL};
    char *rest = words, *word;
    int argc = 0;

    snprintf(words, sizeof(words), "heaptop %s", line);
    while (argc < WORDS_MAX && (word = strsep(&rest, " ")))
        if (*word)
            argv[argc++] = word;
    memset(err, 0, sizeof(*err));
    args_init(args);
    return args_parse(args, argc, argv, err);
}

static void assert_refused(const char *line, const char *words)
{
    struct args args;
    struct err err;

    assert_int_equal(parse(&args, line, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" for %s does not say \"%s\"", err.text, line, words);
    assert_string_not_equal(err.remedy, "");
}

static void test_defaults(void **state)
{
    struct args args;
    struct err err;
    (void)state;

    assert_int_equal(parse(&args, "", &err), 0);
    assert_int_equal(args.sampler.interval_ns, INT64_C(2000000000));
    assert_int_equal(args.sampler.agent, AGENT_AUTO);
    assert_int_equal(args.sampler.walk_interval_ns, WALK_AUTO);
    assert_string_equal(args.output, "text");
    assert_int_equal(args.pid, 0);
    assert_null(args.pattern);
    assert_false(args.has_iterations);
}

static void test_all_options(void **state)
{
    struct args args;
    struct err err;
    (void)state;

    assert_int_equal(parse(&args,
                           "-d 0.5 -n 3 -b -o json --pane types -s -count -F Entry "
                           "--rows=7 --agent=never --walk 10 4242",
                           &err),
                     0);
    assert_int_equal(args.sampler.interval_ns, 500000000);
    assert_int_equal(args.iterations, 3);
    assert_true(args.is_batch && args.has_iterations);
    assert_string_equal(args.output, "json");
    assert_string_equal(args.pane, "types");
    assert_string_equal(args.sort, "-count");
    assert_string_equal(args.filter, "Entry");
    assert_int_equal(args.rows, 7);
    assert_int_equal(args.sampler.agent, AGENT_NEVER);
    assert_int_equal(args.sampler.walk_interval_ns, INT64_C(10000000000));
    assert_int_equal(args.pid, 4242);
    assert_int_equal(parse(&args, "-CUM --read-only --selfcheck --walk=off web", &err),
                     0);
    assert_false(args.use_color || args.use_unicode || args.use_mouse);
    assert_true(args.sampler.read_only && args.selfcheck);
    assert_int_equal(args.sampler.walk_interval_ns, WALK_OFF);
    assert_string_equal(args.pattern, "web");
}

static void test_collect_and_requests(void **state)
{
    struct args args;
    struct err err;
    (void)state;

    assert_int_equal(parse(&args, "--collect 12", &err), 0);
    assert_string_equal(args.action->name, "collect");
    assert_int_equal(args.action_arguments.values[0], 2);
    assert_int_equal(args.pid, 12);
    assert_int_equal(parse(&args, "--collect=0 12", &err), 0);
    assert_int_equal(args.action_arguments.values[0], 0);
    assert_int_equal(parse(&args, "--gc-threshold 700,5 12", &err), 0);
    assert_string_equal(args.action->name, "gc-threshold");
    assert_int_equal(args.action_arguments.values[0], 700);
    assert_int_equal(args.action_arguments.values[1], 5);
    assert_int_equal(args.action_arguments.values[2], ACTION_NOT_GIVEN);
    assert_int_equal(args.pid, 12);
    assert_int_equal(parse(&args, "--trim 12", &err), 0);
    assert_string_equal(args.action->name, "trim");
    assert_int_equal(args.pid, 12);
    assert_int_equal(parse(&args, "-s help", &err), 0);
    assert_int_equal(args.request, ARGS_COLUMNS);
    assert_int_equal(parse(&args, "-V", &err), 0);
    assert_int_equal(args.request, ARGS_VERSION);
    assert_int_equal(parse(&args, "--help", &err), 0);
    assert_int_equal(args.request, ARGS_HELP);
    assert_int_equal(parse(&args, "-n 3 -- python -n app.py", &err), 0);
    assert_string_equal(args.command[0], "python");
    assert_string_equal(args.command[1], "-n");
    assert_int_equal(args.iterations, 3);
    assert_null(args.pattern);
}

static void test_mistakes(void **state)
{
    (void)state;
    assert_refused("-d 0", "--delay takes");
    assert_refused("-d nan", "--delay takes");
    assert_refused("-d 1e300", "--delay takes");
    assert_refused("-d 2x", "--delay takes");
    assert_refused("-n 0", "--iterations takes");
    assert_refused("-n 99999999999999999999", "--iterations takes");
    assert_refused("--rows -1", "--rows takes");
    assert_refused("--agent=maybe", "auto, never or require");
    assert_refused("--walk=never", "--walk takes");
    assert_refused("-o xml", "takes text, json, csv or openmetrics");
    assert_refused("--metrics nonsense 1", "no metrics \"nonsense\"");
    assert_refused("--textfile x.prom -r y.htr", "a process that lives");
    assert_refused("--listen 1 -r y.htr", "a process that lives");
    assert_refused("-r file 12", "not at a process");
    assert_refused("-r file -w other", "cannot be recorded");
    assert_refused("-r file --listen 127.0.0.1:9100",
                   "--listen is of a process that lives");
    assert_refused("-r file --kind str", "--kind is of a process that lives");
    assert_refused("-r file --duplicates", "--duplicates is of a process that lives");
    assert_refused("-r file --holders str", "--holders is of a process that lives");
    assert_refused("-r file --born 2", "--born is of a process that lives");
    assert_refused("-r file --tree", "--tree is of a process that lives");
    assert_refused("-r file --agent=require", "--agent=require is of a process");
    assert_refused("-r file --plugin x", "--plugin is of a process that lives");
    assert_refused("--plugin-dir . -r file", "--plugin-dir is of a process");
    assert_refused("-r file --walk off", "--walk is of a process that lives");
    assert_refused("-r file --mark-every 5", "--mark-every is of a process that lives");
    assert_refused("--begin 14:02 12", "are of a recording");
    assert_refused("--nonsense", "no option --nonsense");
    assert_refused("-Z", "no option -Z");
    assert_refused("-d", "needs an argument");
    assert_refused("--collect=3 12", "--collect takes");
    assert_refused("--collect=1,1 12", "--collect takes");
    assert_refused("--gc-threshold=1,2,3,4 12", "--gc-threshold takes");
    assert_refused("--gc-threshold=-1 12", "--gc-threshold takes");
    assert_refused("--gc-threshold=99999999999999999999 12", "--gc-threshold takes");
    assert_refused("--gc-threshold=700, 12", "--gc-threshold takes");
    assert_refused("--gc-threshold", "needs an argument");
    assert_refused("--trim=1 12", "--trim");
    assert_refused("--collect --trim 12", "one action at a time");
    for (size_t i = 0; actions[i]; i++) {
        char line[80];

        snprintf(line, sizeof(line), "--%s=%s --read-only 12", actions[i]->name,
                 actions[i]->flags & ACTION_CALLS ? "a.b(1)" : "1");
        if (actions[i]->n_parameters || (actions[i]->flags & ACTION_CALLS))
            assert_refused(line, "--read-only forbids");
        snprintf(line, sizeof(line), "--%s --agent=never 12", actions[i]->name);
        if (!actions[i]->n_parameters && !(actions[i]->flags & ACTION_CALLS))
            assert_refused(line, "--agent=never forbids");
    }
    assert_refused("1 2", "one process at a time");
    assert_refused("99999999999", "not a process number");
    assert_refused("0", "not a process number");
    assert_refused("-n 3 --", "no program follows");
    assert_refused("12 -- python app.py", "were given");
}

/* What would be passed over in silence is refused. */
static void test_formats_of_answers(void **state)
{
    static const char *const asked[] = {"--collect",     "--trim",       "--kind str",
                                        "--holders x",   "--duplicates", "--born 1",
                                        "--list-plugins"};
    struct args args;
    struct err err;
    char line[80];

    (void)state;
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        snprintf(line, sizeof(line), "%s -o csv 12", asked[i]);
        assert_refused(line, "prints text or JSON, not csv");
        snprintf(line, sizeof(line), "%s -o openmetrics 12", asked[i]);
        assert_refused(line, "prints text or JSON, not openmetrics");
        snprintf(line, sizeof(line), "%s --textfile f 12", asked[i]);
        assert_refused(line, "--textfile is given samples");
        snprintf(line, sizeof(line), "%s -o json 12", asked[i]);
        assert_int_equal(parse(&args, line, &err), 0);
    }
    assert_refused("-r a --changes -o csv", "--changes prints text or JSON, not csv");
    assert_refused("-r a --compare b -o csv", "--compare prints text or JSON, not csv");
    assert_refused("-r a --cut b -o json", "--cut prints text, not json");
    assert_refused("--selfcheck -o json 12", "--selfcheck prints text, not json");
    assert_refused("--verdict -o csv 12", "--verdict prints words, not csv");
    assert_int_equal(parse(&args, "--exact -o csv 12", &err), 0);
    assert_int_equal(parse(&args, "--verdict --textfile f 12", &err), 0);
    assert_int_equal(parse(&args, "-o csv --version", &err), 0);
}

static void test_help_lists_every_option_once(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    const char *names[] = {
        "--delay",        "--iterations", "--batch",    "--output",    "--pane",
        "--sort",         "--filter",     "--rows",     "--agent",     "--walk",
        "--read-only",    "--collect",    "--trim",     "--gc-enable", "--gc-disable",
        "--gc-threshold", "--freeze",     "--unfreeze", "--selfcheck", "--no-color",
        "--no-unicode",   "--no-mouse",   "--config",   "--verbose",   "--version",
        "--help"};
    (void)state;

    args_print_help(out);
    fclose(out);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strstr(text, names[i]))
            fail_msg("%s is not in --help", names[i]);
    free(text);
}

static void test_sort_columns(void **state)
{
    struct partition_options options = {.sort = PARTITION_BY_MEMORY};
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(columns_sort(NULL, &options, &err), 0);
    assert_int_equal(options.sort, PARTITION_BY_MEMORY);
    assert_int_equal(columns_sort("count", &options, &err), 0);
    assert_int_equal(options.sort, PARTITION_BY_COUNT);
    assert_false(options.ascending);
    assert_int_equal(columns_sort("+size", &options, &err), 0);
    assert_true(options.ascending);
    assert_int_equal(columns_sort("kind", &options, &err), 0);
    assert_true(options.ascending);
    assert_int_equal(columns_sort("-kind", &options, &err), 0);
    assert_false(options.ascending);
    assert_int_equal(columns_sort("colour", &options, &err), -1);
    assert_int_equal(err.code, ERR_USAGE);
    assert_int_equal(columns_sort("", &options, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all_options),
        cmocka_unit_test(test_collect_and_requests),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_formats_of_answers),
        cmocka_unit_test(test_help_lists_every_option_once),
        cmocka_unit_test(test_sort_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
