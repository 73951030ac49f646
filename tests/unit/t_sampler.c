/* When the sampler walks, and when a sample is complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sampler/sampler_private.h"
#include "util/clock.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks_keep_to_their_budget),
        cmocka_unit_test(test_when_a_walk_is_due),
        cmocka_unit_test(test_complete_when_all_had_their_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
