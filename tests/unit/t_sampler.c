/* When the sampler walks, and when a sample is complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sampler/sampler_private.h"
#include "util/clock.h"
#include "util/thread.h"

static void test_walks_keep_to_their_budget(void **state)
{
    const int64_t interval_ns = 2 * NS_PER_S;
    (void)state;

    /* Cheap: as often as samples. */
    assert_int_equal(sampler_walk_pause_ns(interval_ns, 5 * NS_PER_MS, 5 * NS_PER_MS),
                     interval_ns);
    /* 100 ms of CPU: 2 % of a core. */
    assert_int_equal(sampler_walk_pause_ns(interval_ns, 100 * NS_PER_MS, 100 * NS_PER_MS),
                     5 * NS_PER_S);
    /* Beyond the cap: once a minute. */
    assert_int_equal(sampler_walk_pause_ns(interval_ns, 5 * NS_PER_S, 5 * NS_PER_S),
                     60 * NS_PER_S);
    /* So large that a minute would be more than a fifth. */
    assert_int_equal(sampler_walk_pause_ns(interval_ns, 30 * NS_PER_S, 30 * NS_PER_S),
                     120 * NS_PER_S);
}

static void prepare(struct sampler *sampler)
{
    sampler->walk.n_sources = 1;
    sampler->is_layout_tried = true;
    sampler->options.interval_ns = 2 * NS_PER_S;
}

static void test_when_a_walk_is_due(void **state)
{
    struct sampler *sampler = calloc(1, sizeof(*sampler));
    static const struct action_ops action = {.name = "any"};
    struct target target = {0};
    (void)state;

    assert_false(sampler_walk_is_due(sampler, 1000)); /* no source */
    prepare(sampler);
    sampler->target = &target;
    assert_false(
        sampler_walk_is_due(sampler, 1000)); /* the agent is to count, and comes */
    sampler->agent.is_settled = true;
    assert_true(sampler_walk_is_due(sampler, 1000)); /* the first, at once */
    sampler->options.walk_interval_ns = WALK_OFF;
    assert_false(sampler_walk_is_due(sampler, 1000));
    sampler->walk.is_wanted = true;
    assert_true(sampler_walk_is_due(sampler, 1000)); /* on request even so */
    sampler->action.ops = &action;
    assert_false(sampler_walk_is_due(sampler, 1000)); /* not during a collection */
    sampler->action.ops = NULL;
    sampler->walk.is_wanted = false;
    sampler->options.walk_interval_ns = WALK_AUTO;
    sampler->walk.has_run = true;
    sampler->walk.next_mono_ns = 2000;
    assert_false(sampler_walk_is_due(sampler, 1999));
    assert_true(sampler_walk_is_due(sampler, 2000));
    free(sampler);
}

static void test_complete_when_all_had_their_turn(void **state)
{
    struct sampler *sampler = calloc(1, sizeof(*sampler));
    struct sampler_source cheap[2] = {{.had_turn = true}, {.had_turn = false}};
    (void)state;

    prepare(sampler);
    sampler->cheap = cheap;
    sampler->n_cheap = 2;
    sampler->agent.is_settled = true;
    assert_false(sampler_is_complete(sampler));
    cheap[1].had_turn = true;
    assert_false(sampler_is_complete(sampler)); /* the walk */
    sampler->walk.has_run = true;
    assert_true(sampler_is_complete(sampler));
    sampler->agent.is_settled = false;
    assert_false(sampler_is_complete(sampler));
    free(sampler);
}

static int n_turns[3];

static enum source_result has_a_turn(void *state, struct source_context *context,
                                     struct err *err)
{
    size_t at = (size_t)(uintptr_t)state;

    (void)err;
    context->wants_again = at == 1 && !n_turns[1];
    n_turns[at]++;
    return SOURCE_DONE;
}

/* What is found before all is found is shown, and nobody waits for the rest. */
static void test_what_is_put_off_is_not_waited_for(void **state)
{
    static const struct source_ops ops = {.name = "any", .sample = has_a_turn};
    struct sampler *sampler = calloc(1, sizeof(*sampler));
    struct target target = {0};
    (void)state;

    prepare(sampler);
    sampler->target = &target;
    sampler->agent.is_settled = true;
    sampler->walk.n_sources = 3;
    for (uintptr_t i = 0; i < 3; i++)
        sampler->walk.sources[i] =
            (struct sampler_source){.ops = &ops, .state = (void *)i, .is_open = true};
    sampler->walk.is_running = true;
    sampler_walk_slice(sampler);
    sampler_walk_slice(sampler);
    assert_false(sampler_is_complete(sampler));
    sampler_walk_slice(sampler);
    assert_true(sampler_is_complete(sampler)); /* all had one */
    assert_true(sampler->is_sample_due);
    assert_true(sampler->walk.is_running);
    sampler_walk_slice(sampler);
    assert_false(sampler->walk.is_running);
    assert_int_equal(n_turns[0], 1);
    assert_int_equal(n_turns[1], 2);
    assert_int_equal(n_turns[2], 1);
    free(sampler);
}

/* What a thread does that does not end its turn. */
enum doing { WAITS, COMPUTES, WORKS_AND_RESTS, STARVES };

struct turn {
    struct sampler *sampler;
    enum doing doing;
    int pipe[2]; /* its end ends the thread */
};

/* All who do so share one processor. */
static void stand_behind(int policy)
{
    const struct sched_param none = {0};
    cpu_set_t first;

    CPU_ZERO(&first);
    sched_getaffinity(0, sizeof(first), &first);
    for (int i = 0, n = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &first) && n++)
            CPU_CLR(i, &first);
    sched_setaffinity(0, sizeof(first), &first);
    sched_setscheduler(0, policy, &none);
}

/* Keeps that processor busy. */
static void *takes_it_all(void *given)
{
    const atomic_bool *is_over = given;

    stand_behind(SCHED_OTHER);
    while (!atomic_load(is_over))
        ;
    return NULL;
}

/* Until the pipe ends. */
static void *never_ends(void *given)
{
    struct turn *turn = given;
    const struct timespec rest = {0, NS_PER_MS};
    char byte;

    atomic_store(&turn->sampler->state_fd, thread_state_open());
    atomic_fetch_add(&turn->sampler->turn, 1);
    if (turn->doing == STARVES)
        stand_behind(SCHED_IDLE);
    if (turn->doing != WAITS)
        fcntl(turn->pipe[0], F_SETFL, O_NONBLOCK);
    while (read(turn->pipe[0], &byte, 1) < 0 && errno == EAGAIN) {
        for (int64_t end = clock_thread_cpu_ns() + NS_PER_MS;
             clock_thread_cpu_ns() < end;)
            ;
        if (turn->doing == WORKS_AND_RESTS)
            nanosleep(&rest, NULL);
    }
    return NULL;
}

/* Asks as if a second had passed from one asking to the next. */
static bool is_stuck(enum doing doing)
{
    struct sampler *sampler = calloc(1, sizeof(*sampler));
    struct turn turn = {sampler, doing, {-1, -1}};
    const struct timespec nap = {0, 20 * NS_PER_MS};
    struct err err = ERR_INIT;
    bool found = false;

    sampler->state_fd = -1;
    assert_int_equal(pipe(turn.pipe), 0);
    assert_int_equal(thread_begin(&sampler->thread, never_ends, &turn), 0);
    while (!atomic_load(&sampler->turn))
        nanosleep(&nap, NULL);
    for (int i = 0; i < 40 && !found; i++) {
        nanosleep(&nap, NULL);
        found = sampler_is_stuck(sampler, &err);
        sampler->seen_mono_ns -= NS_PER_S;
    }
    close(turn.pipe[1]);
    assert_int_equal(pthread_join(sampler->thread, NULL), 0);
    close(turn.pipe[0]);
    close(sampler->state_fd);
    free(sampler);
    return found;
}

static void test_only_who_waits_is_stuck(void **state)
{
    (void)state;
    assert_true(is_stuck(WAITS));
    assert_false(is_stuck(COMPUTES));
    assert_false(is_stuck(WORKS_AND_RESTS));
}

static void test_who_gets_no_processor_is_not_stuck(void **state)
{
    pthread_t others[4];
    atomic_bool is_over = false;
    bool found;
    (void)state;

    for (size_t i = 0; i < 4; i++)
        assert_int_equal(thread_begin(&others[i], takes_it_all, &is_over), 0);
    found = is_stuck(STARVES);
    atomic_store(&is_over, true);
    for (size_t i = 0; i < 4; i++)
        pthread_join(others[i], NULL);
    assert_false(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks_keep_to_their_budget),
        cmocka_unit_test(test_when_a_walk_is_due),
        cmocka_unit_test(test_complete_when_all_had_their_turn),
        cmocka_unit_test(test_what_is_put_off_is_not_waited_for),
        cmocka_unit_test(test_only_who_waits_is_stuck),
        cmocka_unit_test(test_who_gets_no_processor_is_not_stuck),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
