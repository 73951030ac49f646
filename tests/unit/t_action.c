/*
 * The actions without a target: arguments, what they say before and after, and what
 * becomes of answers that make no sense. session.h is played by this file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "agent/protocol.h"
#include "attach/session.h"
#include "heaptop/action.h"
#include "target/target.h"
#include "tests/lib/fixture.h"
#include "tui/action_dialog.h"

static struct {
    enum session_state state;
    struct err err;
    const char *other_malloc;
    enum agent_command command; /* the last one asked */
    int64_t arguments[AGENT_ARGUMENTS];
    bool is_busy, is_answered, is_private;
    struct agent_answer answer;
} play;

enum session_state session_step(struct session *session)
{
    (void)session;
    return play.state;
}

const struct err *session_err(const struct session *session)
{
    (void)session;
    return &play.err;
}

const char *session_other_malloc(const struct session *session)
{
    (void)session;
    return play.other_malloc;
}

static char asked_text[AGENT_QUESTION_BYTES];

int session_ask(struct session *session, enum agent_command command,
                const int64_t *arguments, struct err *err)
{
    (void)session;
    if (play.is_busy)
        return err_set(err, ERR_FAILED, "the agent is busy with another command");
    play.command = command;
    memcpy(play.arguments, arguments, sizeof(play.arguments));
    return 0;
}

int session_ask_text(struct session *session, enum agent_command command,
                     const int64_t *arguments, const char *question, struct err *err)
{
    snprintf(asked_text, sizeof(asked_text), "%s", question);
    return session_ask(session, command, arguments, err);
}

bool session_answer(struct session *session, int64_t wait_ns, struct agent_answer *answer)
{
    (void)session;
    (void)wait_ns;
    *answer = play.answer;
    return play.is_answered;
}

bool session_counters(struct session *session, struct agent_counters *counters)
{
    (void)session;
    (void)counters;
    return false;
}

bool session_is_shared(const struct session *session)
{
    (void)session;
    return !play.is_private;
}

static struct target target;
static struct session *const session = (struct session *)&target;

/* What the kernel says of a process with little memory and no seccomp filter. */
static int status_file(void)
{
    static const char text[] = "Name:\tpython3\nVmPTE:\t64 kB\nRssAnon:\t4096 kB\n"
                               "Seccomp:\t0\n";
    int fd = memfd_create("status", MFD_CLOEXEC);

    return write(fd, text, sizeof(text) - 1) == sizeof(text) - 1 ? fd : -1;
}

static int begin(void **state)
{
    (void)state;
    memset(&play, 0, sizeof(play));
    memset(&target, 0, sizeof(target));
    play.state = SESSION_READY;
    play.other_malloc = "";
    play.answer.value = play.answer.uncollectable = -1;
    for (int i = 0; i < AGENT_ARGUMENTS; i++)
        play.answer.before[i] = play.answer.after[i] = -1;
    target.fds.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    target.fds.status = status_file();
    target.fds.dir = -1;
    return target.fds.statm < 0 || target.fds.status < 0;
}

static int end(void **state)
{
    (void)state;
    return close(target.fds.statm) || close(target.fds.status);
}

/* Starts it, answers, and gives what it ends with. */
static enum action_progress run(const char *name, const char *text,
                                struct action_result *result)
{
    const struct action_ops *action = action_find(name);
    struct action_arguments arguments;
    enum action_progress progress;
    void *state;

    memset(result, 0, sizeof(*result));
    assert_int_equal(action_parse(action, text, &arguments, &result->err), 0);
    progress = action->start(&target, session, &arguments, &state, result);
    if (progress != ACTION_RUNNING) {
        assert_null(state);
        return progress;
    }
    if (!play.is_answered)
        assert_int_equal(action->poll(state, result), ACTION_RUNNING);
    play.is_answered = true;
    progress = action->poll(state, result);
    action->free(state);
    return progress;
}

static void test_each_action_is_whole(void **state)
{
    struct history *history = fixture_history(FIXTURE_SERVICE);
    (void)state;

    for (size_t i = 0; actions[i]; i++) {
        const struct action_ops *action = actions[i];
        struct action_arguments arguments = {.values = {2, 10, 10}};
        struct action_plan plan = {.words = ""};

        assert_ptr_equal(action_find(action->name), action);
        assert_non_null(action->help);
        /* Without a key it is only in the menu when a plugin offers it. */
        assert_int_equal(action->key == 0,
                         action->flags & (ACTION_CALLS | ACTION_LOOKS) ? 1 : 0);
        assert_true(!action->key || (action->key >= 'a' && action->key <= 'z'));
        for (size_t k = 0; k < i; k++)
            assert_true(!action->key || action->key != actions[k]->key);
        /* Letters that move in a menu are taken. */
        assert_true(!action->key || !strchr("jkgnqhy", action->key));
        assert_int_equal(action->n_parameters || (action->flags & ACTION_CALLS),
                         action->takes != NULL);
        action->explain(history, &arguments, &plan);
        assert_true(strlen(plan.words) > 60 && strlen(plan.words) < 700);
        if (action->setting)
            assert_non_null(strstr(plan.words, "put it back"));
    }
    assert_null(action_find("explode"));
    history_free(history);
}

static void test_arguments(void **state)
{
    const struct action_ops *threshold = action_find("gc-threshold");
    struct action_arguments arguments;
    char call[ACTION_CALL_MAX];
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(action_parse(threshold, "1,2,3", &arguments, &err), 0);
    assert_string_equal(action_call(call, threshold, &arguments),
                        "gc.set_threshold(1, 2, 3)");
    assert_int_equal(action_parse(threshold, "2147483647", &arguments, &err), 0);
    assert_string_equal(action_call(call, threshold, &arguments),
                        "gc.set_threshold(2147483647)");
    for (const char *const *text =
             (const char *const[]){"", ",", "1,", "-1", "+1", " 1", "1;2", "2147483648",
                                   "1,2,3,4", "0x10", "9223372036854775808", NULL};
         *text; text++)
        assert_int_equal(action_parse(threshold, *text, &arguments, &err), -1);
    arguments = (struct action_arguments){.values = {ACTION_NOT_GIVEN, 1, 1}};
    assert_int_equal(action_check(threshold, &arguments, &err), -1);
    assert_non_null(strstr(err.text, "Generation 0 is a number from 0 to 2147483647"));
    action_parse(action_find("freeze"), NULL, &arguments, &err);
    assert_string_equal(action_call(call, action_find("freeze"), &arguments),
                        "gc.freeze()");
}

static void test_collect(void **state)
{
    struct action_result result;
    (void)state;

    play.answer.value = 1204;
    play.answer.uncollectable = 0;
    play.answer.elapsed_ns = 41000000;
    play.answer.gil_held_ns = 42000000;
    assert_int_equal(run("collect", "1", &result), ACTION_OVER);
    assert_int_equal(play.command, AGENT_COLLECT);
    assert_int_equal(play.arguments[0], 1);
    assert_int_equal(result.unreachable.value, 1204);
    assert_int_equal(result.gil_held_ns.value, 42000000);
    assert_non_null(strstr(result.words, "gc.collect(1): 1,204 unreachable, 41ms; RES "));
    assert_string_equal(result.undo, "");
}

static void test_settings(void **state)
{
    struct action_result result;
    (void)state;

    play.answer.before[0] = 1;
    play.answer.after[0] = 0;
    assert_int_equal(run("gc-disable", NULL, &result), ACTION_OVER);
    assert_int_equal(play.command, AGENT_DISABLE);
    assert_string_equal(result.words,
                        "gc.disable(): automatic collection is off, it was on");
    assert_string_equal(result.undo, "gc.enable() puts it back");
    play.answer.before[0] = 0;
    assert_int_equal(run("gc-disable", NULL, &result), ACTION_OVER);
    assert_string_equal(result.undo, ""); /* it was off: nothing to put back */
    memcpy(play.answer.before, (int64_t[]){700, 10, 10}, sizeof(play.answer.before));
    memcpy(play.answer.after, (int64_t[]){1, 10, 0}, sizeof(play.answer.after));
    assert_int_equal(run("gc-threshold", "1,10,10", &result), ACTION_OVER);
    assert_non_null(strstr(result.words, "are 1, 10, 0, they were 700, 10, 10"));
    assert_string_equal(result.undo, "gc.set_threshold(700, 10, 10) puts it back");
    play.answer.before[0] = 0;
    play.answer.after[0] = 2410882;
    assert_int_equal(run("freeze", NULL, &result), ACTION_OVER);
    assert_non_null(strstr(result.words, "2,410,882 objects are frozen, 0 were"));
}

static void test_trim(void **state)
{
    struct action_result result;
    (void)state;

    play.answer.value = 0;
    assert_int_equal(run("trim", NULL, &result), ACTION_OVER);
    assert_non_null(strstr(result.words, "malloc had nothing to return"));
    play.other_malloc = "libjemalloc.so.2";
    play.command = AGENT_NOTHING;
    assert_int_equal(run("trim", NULL, &result), ACTION_FAILED);
    assert_int_equal(play.command, AGENT_NOTHING); /* it was not even asked */
    assert_int_equal(result.err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(result.err.text, "libjemalloc.so.2"));
    assert_string_not_equal(result.err.remedy, "");
}

static void test_exact(void **state)
{
    struct action_result result;
    (void)state;

    play.answer.value = 4711;
    play.answer.elapsed_ns = 9100000;
    assert_int_equal(run("exact", NULL, &result), ACTION_OVER);
    assert_int_equal(play.command, AGENT_COPY);
    assert_in_range(play.arguments[0], 1000, 120000); /* it has a bound */
    assert_int_equal(result.value.value, 4711);
    assert_non_null(strstr(result.words, "stood still for 9.1ms"));
    play.answer.status = AGENT_STATUS_REFUSED;
    play.answer.value = EAGAIN;
    assert_int_equal(run("exact", NULL, &result), ACTION_FAILED);
    assert_non_null(strstr(result.err.text, "the kernel refused the exact snapshot"));
    assert_non_null(strstr(result.err.remedy, "number of processes is limited"));
    play.command = AGENT_NOTHING;
    play.is_private = true;
    assert_int_equal(run("exact", NULL, &result), ACTION_FAILED);
    play.is_private = false;
    target.is_free_threaded = true;
    assert_int_equal(run("exact", NULL, &result), ACTION_FAILED);
    assert_non_null(strstr(result.err.text, "free-threaded"));
    assert_int_equal(play.command, AGENT_NOTHING); /* it was not even asked */
}

/* What cannot be is unknown, and never a number. */
static void test_hostile_answers(void **state)
{
    struct action_result result;
    (void)state;

    play.answer.status = AGENT_STATUS_OK;
    for (size_t i = 0; actions[i]; i++) {
        const char *text = actions[i]->flags & ACTION_CALLS ? "a.b(1)"
                           : actions[i]->n_parameters       ? "1"
                                                            : NULL;

        if (actions[i]->flags & ACTION_LOOKS) /* it asks nobody in the target */
            continue;
        assert_int_equal(run(actions[i]->name, text, &result), ACTION_OVER);
        assert_false(reading_is_known(result.value));
        assert_false(reading_is_known(result.before[0]));
        assert_false(reading_is_known(result.after[2]));
        assert_true(strlen(result.words) > 0);
    }
    play.answer.value = (INT64_C(1) << 53) - 1;
    play.answer.elapsed_ns = (INT64_C(1) << 53) - 1;
    assert_int_equal(run("collect", NULL, &result), ACTION_OVER);
    assert_true(strlen(result.words) < sizeof(result.words) - 1);
}

/* What a plugin offers: heaptop's own actions by their calls, else a function of Python.
 */
static void test_calls(void **state)
{
    struct action_offer offer;
    struct action_result result;
    char call[ACTION_CALL_MAX];
    (void)state;

    assert_int_equal(action_of_call("malloc_trim(0)", &offer), 0);
    assert_ptr_equal(offer.action, action_find("trim"));
    assert_int_equal(action_of_call("gc.collect(1)", &offer), 0);
    assert_ptr_equal(offer.action, action_find("collect"));
    assert_int_equal(offer.arguments.values[0], 1);
    assert_int_equal(action_of_call("gc.collect(7)", &offer), -1);
    assert_int_equal(action_of_call("_tracemalloc.start(25)", &offer), 0);
    assert_ptr_equal(offer.action, action_find("call"));
    assert_int_equal(offer.arguments.values[0], 25);
    assert_string_equal(action_call(call, offer.action, &offer.arguments),
                        "_tracemalloc.start(25)");
    for (const char *const *text =
             (const char *const[]){"", "free(0)", "a.b", "a.b(", "a.b(x)", "a.b(1,2,3,4)",
                                   "a.b(-1)", "a.b(1);", "a b.c()", "os.system('x')",
                                   NULL};
         *text; text++)
        assert_int_equal(action_of_call(*text, &offer), -1);
    play.answer.value = 4;
    assert_int_equal(run("call", "app.cache.clear(1, 2)", &result), ACTION_OVER);
    assert_int_equal(play.command, AGENT_CALL);
    assert_string_equal(asked_text, "app.cache.clear");
    assert_int_equal(play.arguments[1], 2);
    assert_non_null(strstr(result.words, "app.cache.clear(1, 2): returned 4;"));
}

static void test_refusals(void **state)
{
    struct action_result result;
    (void)state;

    play.is_busy = true;
    assert_int_equal(run("freeze", NULL, &result), ACTION_FAILED);
    play.is_busy = false;
    play.state = SESSION_WAITING_FOR_GIL;
    assert_int_equal(run("freeze", NULL, &result), ACTION_FAILED);
    assert_non_null(strstr(result.err.text, "waits for the GIL"));
    play.state = SESSION_READY;
    play.answer.status = AGENT_STATUS_FINALIZING;
    assert_int_equal(run("collect", NULL, &result), ACTION_FAILED);
    assert_int_equal(result.err.code, ERR_GONE);
    play.answer.status = AGENT_STATUS_UNAVAILABLE;
    assert_int_equal(run("trim", NULL, &result), ACTION_FAILED);
    assert_non_null(strstr(result.err.text, "the target has no malloc_trim(0)"));
    play.answer.status = AGENT_STATUS_PYTHON_ERROR;
    assert_int_equal(run("gc-threshold", "1,2,3", &result), ACTION_FAILED);
    assert_non_null(strstr(result.err.text, "gc.set_threshold(1, 2, 3) raised"));
}

static const struct snapshot *only_gc(struct gc_section *gc, struct snapshot *snapshot)
{
    memset(snapshot, 0, sizeof(*snapshot));
    snapshot->gc = gc;
    return snapshot;
}

static void test_needless(void **state)
{
    struct gc_section gc = {0};
    struct snapshot snapshot;
    (void)state;

    for (size_t i = 0; actions[i]; i++) /* unknown is no reason */
        if (actions[i]->needless)
            assert_null(actions[i]->needless(only_gc(&gc, &snapshot)));
    gc.enabled = gc.frozen = reading_exact(0);
    assert_non_null(action_find("gc-disable")->needless(only_gc(&gc, &snapshot)));
    assert_null(action_find("gc-enable")->needless(only_gc(&gc, &snapshot)));
    assert_non_null(action_find("unfreeze")->needless(only_gc(&gc, &snapshot)));
    gc.enabled = gc.frozen = reading_exact(1);
    assert_null(action_find("gc-disable")->needless(only_gc(&gc, &snapshot)));
    assert_non_null(action_find("gc-enable")->needless(only_gc(&gc, &snapshot)));
    assert_null(action_find("unfreeze")->needless(only_gc(&gc, &snapshot)));
}

/* What the dialog begins with are the settings of now. */
static void test_dialog(void **state)
{
    struct history *history = fixture_history(FIXTURE_SERVICE);
    struct action_arguments arguments;
    struct dialog dialog;
    (void)state;

    action_dialog_ask(&dialog, action_find("collect"), NULL, history, "");
    action_dialog_arguments(&dialog, action_find("collect"), NULL, &arguments);
    assert_int_equal(arguments.values[0], 2);
    assert_non_null(strstr(dialog.body, "Last full collection took 41ms."));
    action_dialog_ask(&dialog, action_find("gc-threshold"), NULL, history, "14:02 done");
    action_dialog_arguments(&dialog, action_find("gc-threshold"), NULL, &arguments);
    assert_memory_equal(arguments.values, ((int64_t[]){700, 10, 10}),
                        sizeof(arguments.values));
    assert_non_null(strstr(dialog.body, "Last: 14:02 done"));
    action_dialog_ask(&dialog, action_find("gc-enable"), NULL, history, "");
    assert_non_null(strstr(dialog.body, "It would change nothing: it is on already."));
    history_free(history);
    history = fixture_history(FIXTURE_UNKNOWN);
    for (size_t i = 0; actions[i]; i++)
        action_dialog_ask(&dialog, actions[i], NULL, history, "");
    history_free(history);
    history = fixture_history(FIXTURE_EMPTY);
    for (size_t i = 0; actions[i]; i++)
        action_dialog_ask(&dialog, actions[i], NULL, history, "");
    history_free(history);
}

static void let_pauses_be_of(const struct history *history, int generation)
{
    const struct snapshot *snapshot;

    for (size_t back = 0; (snapshot = history_back(history, back)); back++)
        if (snapshot->gc)
            ((struct gc_section *)(uintptr_t)snapshot->gc)->pauses.last_generation =
                generation;
}

/* What a full collection costs is reckoned from one of the youngest when no other was
 * seen, and said to be; from nothing it is not. */
static void test_collect_reckoned(void **state)
{
    struct history *history = fixture_history(FIXTURE_SERVICE);
    struct action_arguments arguments = {.values = {2}};
    struct action_plan plan = {0};
    (void)state;

    let_pauses_be_of(history, 0);
    action_find("collect")->explain(history, &arguments, &plan);
    assert_int_equal(plan.expected_ns.state, READING_ESTIMATE);
    assert_true(plan.expected_ns.value > 0);
    assert_non_null(strstr(plan.words, "reckoned from"));
    memset(&plan, 0, sizeof(plan));
    let_pauses_be_of(history, 1);
    action_find("collect")->explain(history, &arguments, &plan);
    assert_int_equal(plan.expected_ns.state, READING_UNKNOWN);
    assert_non_null(strstr(plan.words, "not known yet"));
    history_free(history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_collect_reckoned, begin, end),
        cmocka_unit_test_setup_teardown(test_each_action_is_whole, begin, end),
        cmocka_unit_test_setup_teardown(test_arguments, begin, end),
        cmocka_unit_test_setup_teardown(test_collect, begin, end),
        cmocka_unit_test_setup_teardown(test_settings, begin, end),
        cmocka_unit_test_setup_teardown(test_trim, begin, end),
        cmocka_unit_test_setup_teardown(test_exact, begin, end),
        cmocka_unit_test_setup_teardown(test_hostile_answers, begin, end),
        cmocka_unit_test_setup_teardown(test_calls, begin, end),
        cmocka_unit_test_setup_teardown(test_refusals, begin, end),
        cmocka_unit_test_setup_teardown(test_needless, begin, end),
        cmocka_unit_test_setup_teardown(test_dialog, begin, end),
    };

    return cmocka_run_group_tests_name("action", tests, NULL, NULL);
}
