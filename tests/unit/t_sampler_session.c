/*
 * The sampler with an agent and an action, without either: session.h is played
 * by this file, the target is a real Python that sleeps. Skipped without one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "attach/session.h"
#include "sampler/sampler.h"
#include "util/clock.h"

#define PATIENCE_NS (20 * NS_PER_S)

struct session {
    int n_steps;
};

/* What the play does; set before the sampler starts, or while it runs. */
static struct {
    atomic_int state;    /* enum session_state after the third step */
    atomic_int n_open;   /* sessions that are open now */
    atomic_int n_opened; /* since the play began */
    atomic_bool is_late; /* the session is lost for that */
    atomic_int n_asked;  /* commands asked */
    atomic_int n_pauses; /* full collections to tell of */
    atomic_bool is_mute; /* never answers */
} play;

int session_open(struct target *target, struct session **session, struct err *err)
{
    (void)target;
    (void)err;
    *session = calloc(1, sizeof(**session));
    play.n_open++;
    play.n_opened++;
    return 0;
}

int session_open_launched(struct target *target, struct launch *launch,
                          struct session **session, struct err *err)
{
    (void)target;
    (void)launch;
    (void)session;
    (void)err;
    return -1;
}

const char *session_way(const struct session *session)
{
    (void)session;
    return "ptrace";
}

const char *session_why_remote(const struct session *session)
{
    (void)session;
    return "";
}

enum session_state session_step(struct session *session)
{
    if (session->n_steps++ < 2)
        return SESSION_ATTACHING;
    return (enum session_state)play.state;
}

const struct err *session_err(const struct session *session)
{
    static const struct err err = {ERR_DENIED, "the play forbids it", "rewrite the play"};

    (void)session;
    return &err;
}

int session_ask(struct session *session, enum agent_command command,
                const int64_t *arguments, struct err *err)
{
    (void)session;
    (void)command;
    (void)arguments;
    (void)err;
    play.n_asked++;
    return 0;
}

int session_ask_text(struct session *session, enum agent_command command,
                     const int64_t *arguments, const char *question, struct err *err)
{
    (void)question;
    return session_ask(session, command, arguments, err);
}

int64_t session_text(struct session *session, const struct agent_answer *answer,
                     char *text, size_t bytes)
{
    (void)session;
    (void)answer;
    (void)text;
    (void)bytes;
    return -1;
}

int session_fd(const struct session *session)
{
    (void)session;
    return -1;
}

bool session_answer(struct session *session, int64_t wait_ns, struct agent_answer *answer)
{
    (void)session;
    (void)wait_ns;
    memset(answer, 0, sizeof(*answer));
    return !play.is_mute;
}

bool session_kinds(struct session *session, struct agent_kind *kinds, size_t count)
{
    (void)session;
    (void)kinds;
    (void)count;
    return false;
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
    return true;
}

void session_end_copy(struct session *session)
{
    (void)session;
}

uint32_t session_pauses(struct session *session, uint32_t *seen,
                        struct agent_pause *pauses, uint32_t max)
{
    uint32_t count = 0;

    (void)session;
    while (*seen < (uint32_t)play.n_pauses && count < max) {
        pauses[count++] = (struct agent_pause){
            .ended_ns = 41 * NS_PER_MS, .collected = 1204, .generation = 2};
        ++*seen;
    }
    return count;
}

bool session_was_late(const struct session *session)
{
    (void)session;
    return play.is_late;
}

const char *session_other_malloc(const struct session *session)
{
    (void)session;
    return "";
}

int64_t session_diverted_ns(const struct session *session)
{
    (void)session;
    return 200000;
}

int session_close(struct session *session, struct err *err)
{
    (void)err;
    free(session);
    play.n_open--;
    return 0;
}

/* An action that takes three polls. */
static enum action_progress start_three(struct target *target, struct session *session,
                                        const struct action_arguments *arguments,
                                        void **state, struct action_result *result)
{
    (void)target;
    (void)session;
    snprintf(result->words, sizeof(result->words), "three polls of %d",
             (int)arguments->values[0]);
    *state = calloc(1, sizeof(int));
    return ACTION_RUNNING;
}

static enum action_progress poll_three(void *state, struct action_result *result)
{
    int *n_polls = state;

    result->unreachable = reading_exact(*n_polls);
    return ++*n_polls < 3 ? ACTION_RUNNING : ACTION_OVER;
}

static int possible_with_agent(struct target *target, struct session *session,
                               struct err *err)
{
    (void)target;
    return session ? 0 : err_set(err, ERR_UNSUPPORTED, "it needs the agent");
}

static const struct action_ops action_three = {
    .name = "three",
    .call = "three",
    .event = EVENT_COLLECT,
    .flags = ACTION_FREES_OBJECTS,
    .possible = possible_with_agent,
    .start = start_three,
    .poll = poll_three,
    .free = free,
};

static const struct action_arguments seven = {.values = {7}};

struct scene {
    bool is_mute; /* the agent, from the beginning */
    pid_t pid;
    struct sampler *sampler;
};

/* Returns when Python has started up, so that nothing of it moves any more. */
static pid_t start_python(void)
{
    int ready[2];
    pid_t pid;
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (!pid) {
        dup2(ready[1], STDOUT_FILENO);
        close(ready[0]);
        close(ready[1]);
        execlp("python3", "python3", "-I", "-c",
               "import os, time; os.write(1, b'x'); os.close(1); time.sleep(60)", NULL);
        _exit(127);
    }
    close(ready[1]);
    (void)!read(ready[0], &byte, 1);
    close(ready[0]);
    return pid;
}

/* Until Python is up; -1 when there is none that heaptop reads. */
static int open_python(pid_t pid, struct target **target)
{
    const int64_t end_ns = clock_monotonic_ns() + PATIENCE_NS;
    struct err err;

    do {
        if (!target_open(pid, target, &err))
            return 0;
        poll(NULL, 0, 20);
    } while (clock_monotonic_ns() < end_ns && !waitpid(pid, NULL, WNOHANG));
    return -1;
}

static void begin(struct scene *scene, enum agent_policy policy, int state)
{
    struct sampler_options options = {.interval_ns = 100 * NS_PER_MS, .agent = policy};
    struct err err = ERR_INIT;
    struct target *target;

    memset(&play, 0, sizeof(play));
    play.state = state;
    play.is_mute = scene->is_mute;
    scene->pid = start_python();
    if (open_python(scene->pid, &target)) {
        kill(scene->pid, SIGKILL);
        waitpid(scene->pid, NULL, 0);
        skip();
    }
    assert_int_equal(sampler_start(target, &options, &scene->sampler, &err), 0);
}

static void end(struct scene *scene)
{
    struct err err = ERR_INIT;

    assert_int_equal(sampler_stop(scene->sampler, &err), 0);
    assert_int_equal(play.n_open, 0);
    kill(scene->pid, SIGKILL);
    waitpid(scene->pid, NULL, 0);
}

static struct sampler_message next_of(struct scene *scene, enum sampler_message_type type)
{
    const int64_t end_ns = clock_monotonic_ns() + PATIENCE_NS;
    struct sampler_message message;

    while (clock_monotonic_ns() < end_ns) {
        struct pollfd fd = {.fd = sampler_fd(scene->sampler), .events = POLLIN};

        if (!sampler_next(scene->sampler, &message)) {
            poll(&fd, 1, 100);
            continue;
        }
        if (message.type == type)
            return message;
        if (message.type == SAMPLER_SNAPSHOT)
            snapshot_unref(message.snapshot);
    }
    fail_msg("no message of type %d came", type);
    return message;
}

/* The next complete snapshot that holds an event with these words. */
static const struct snapshot *snapshot_with(struct scene *scene, const char *words)
{
    for (;;) {
        const struct snapshot *snapshot = next_of(scene, SAMPLER_SNAPSHOT).snapshot;

        for (size_t i = 0; i < snapshot->n_events; i++)
            if (strstr(snapshot->events[i].words, words))
                return snapshot;
        snapshot_unref(snapshot);
    }
}

static void test_ready_and_asked_each_time(void **state)
{
    const struct snapshot *snapshot;
    struct scene scene = {0};
    (void)state;

    begin(&scene, AGENT_AUTO, SESSION_READY);
    snapshot = snapshot_with(&scene, "agent loaded");
    assert_int_equal(snapshot->access.agent, AGENT_LOADED);
    assert_int_equal(snapshot->cost.target_stopped_ns, 200000);
    snapshot_unref(snapshot);
    snapshot_unref(next_of(&scene, SAMPLER_SNAPSHOT).snapshot);
    assert_true(play.n_asked >= 2);
    play.n_pauses = 5;
    snapshot_unref(snapshot_with(&scene, "full collection: 41ms, 1,204 collected"));
    end(&scene);
}

static void test_many_collections_are_one_sentence(void **state)
{
    struct scene scene = {0};
    (void)state;

    begin(&scene, AGENT_AUTO, SESSION_READY);
    play.n_pauses = 100;
    snapshot_unref(snapshot_with(&scene, "and 97 more full collections"));
    end(&scene);
}

static void test_refused_and_required(void **state)
{
    struct sampler_message message;
    const struct snapshot *snapshot;
    struct scene scene = {0};
    (void)state;

    begin(&scene, AGENT_AUTO, SESSION_FAILED);
    snapshot = snapshot_with(&scene, "no agent: the play forbids it; rewrite the play");
    assert_int_equal(snapshot->access.agent, AGENT_NONE);
    assert_non_null(strstr(snapshot->access.why, "the play forbids it"));
    snapshot_unref(snapshot);
    end(&scene);
    begin(&scene, AGENT_REQUIRE, SESSION_FAILED);
    message = next_of(&scene, SAMPLER_FAILED);
    assert_int_equal(message.err.code, ERR_DENIED);
    end(&scene);
}

static void test_lost(void **state)
{
    const struct snapshot *snapshot;
    struct scene scene = {0};
    (void)state;

    begin(&scene, AGENT_AUTO, SESSION_READY);
    snapshot_unref(snapshot_with(&scene, "agent loaded"));
    play.state = SESSION_LOST;
    snapshot = snapshot_with(&scene, "agent lost");
    assert_int_equal(snapshot->access.agent, AGENT_LOST);
    snapshot_unref(snapshot);
    end(&scene);
}

/* It is tried a few times, and then told as lost. */
static void test_lost_because_late(void **state)
{
    const struct snapshot *snapshot;
    struct scene scene = {0};
    (void)state;

    begin(&scene, AGENT_AUTO, SESSION_READY);
    snapshot_unref(snapshot_with(&scene, "agent loaded"));
    play.is_late = true;
    play.state = SESSION_LOST;
    snapshot_unref(snapshot_with(&scene, "attaching again"));
    snapshot = snapshot_with(&scene, "agent lost");
    assert_int_equal(snapshot->access.agent, AGENT_LOST);
    assert_int_equal(play.n_opened, 4);
    snapshot_unref(snapshot);
    end(&scene);
}

static void test_action(void **state)
{
    struct sampler_message message;
    struct err err = ERR_INIT;
    struct scene scene = {0};
    (void)state;

    begin(&scene, AGENT_AUTO, SESSION_READY);
    snapshot_unref(snapshot_with(&scene, "agent loaded"));
    assert_int_equal(sampler_run_action(scene.sampler, &action_three, &seven, &err), 0);
    assert_int_equal(sampler_run_action(scene.sampler, &action_three, &seven, &err), -1);
    assert_non_null(strstr(err.text, "running already"));
    message = next_of(&scene, SAMPLER_ACTION_RESULT);
    assert_string_equal(message.action, "three");
    assert_int_equal(message.result.err.code, ERR_NONE);
    assert_int_equal(message.result.unreachable.value, 2);
    assert_non_null(strstr(message.result.words, "three polls of 7; 0 arenas freed"));
    assert_true(reading_is_known(message.result.res_before_bytes));
    assert_true(reading_is_known(message.result.blocks_after));
    snapshot_unref(snapshot_with(&scene, "three polls of 7"));
    end(&scene);
}

static void test_action_that_is_not_possible(void **state)
{
    struct sampler_message message;
    struct err err = ERR_INIT;
    struct scene scene = {0};
    (void)state;

    begin(&scene, AGENT_NEVER, SESSION_READY);
    assert_int_equal(sampler_run_action(scene.sampler, &action_three, &seven, &err), 0);
    message = next_of(&scene, SAMPLER_ACTION_RESULT);
    assert_string_equal(message.result.err.text, "it needs the agent");
    end(&scene);
}

static void test_mute_agent_and_the_end(void **state)
{
    struct sampler_message message;
    struct err err = ERR_INIT;
    struct scene scene = {.is_mute = true};
    int n_asked;
    (void)state;

    begin(&scene, AGENT_AUTO, SESSION_READY);
    snapshot_unref(snapshot_with(&scene, "agent loaded"));
    snapshot_unref(next_of(&scene, SAMPLER_SNAPSHOT).snapshot); /* samples go on */
    n_asked = play.n_asked;
    snapshot_unref(next_of(&scene, SAMPLER_SNAPSHOT).snapshot);
    assert_int_equal(play.n_asked, n_asked); /* one command at a time */
    kill(scene.pid, SIGKILL);
    message = next_of(&scene, SAMPLER_ENDED);
    assert_int_equal(message.err.code, ERR_GONE);
    assert_int_equal(sampler_run_action(scene.sampler, &action_three, &seven, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_and_asked_each_time),
        cmocka_unit_test(test_many_collections_are_one_sentence),
        cmocka_unit_test(test_refused_and_required),
        cmocka_unit_test(test_lost),
        cmocka_unit_test(test_lost_because_late),
        cmocka_unit_test(test_action),
        cmocka_unit_test(test_action_that_is_not_possible),
        cmocka_unit_test(test_mute_agent_and_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
