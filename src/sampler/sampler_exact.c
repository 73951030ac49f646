/* The walk of a sleeping copy of the target, which an action has had made. */
#include "sampler/sampler_private.h"

#include <string.h>

#include "attach/copy.h"
#include "heaptop/units.h"
#include "util/clock.h"

#define SHOWN_NS (60 * NS_PER_S) /* before an automatic walk takes its place */

bool sampler_exact_is_due(const struct sampler_walk *walk)
{
    return walk->exact.copy && !walk->at;
}

/* The copy and what was begun on it go; the agent notices by itself when it is lost. */
void sampler_exact_drop(struct sampler *sampler)
{
    struct sampler_exact *exact = &sampler->walk.exact;

    if (!exact->copy)
        return;
    if (exact->source.is_open)
        exact->source.ops->close(exact->source.state);
    if (sampler->agent.session)
        session_end_copy(sampler->agent.session);
    target_close(exact->copy);
    memset(exact, 0, sizeof(*exact));
}

int sampler_exact_begin(struct sampler *sampler, const struct action_result *result,
                        struct err *err)
{
    struct sampler_walk *walk = &sampler->walk;
    struct sampler_exact *exact = &walk->exact;
    const struct source_ops *ops = walk->sources[0].ops;

    memset(exact, 0, sizeof(*exact));
    exact->stopped_ns = result->pause_ns.value;
    exact->began_mono_ns = clock_monotonic_ns();
    if (copy_open(sampler->target, (pid_t)result->value.value, &exact->copy, err)) {
        session_end_copy(sampler->agent.session);
        return -1;
    }
    exact->source.ops = ops;
    if (ops->open && ops->open(exact->copy, &exact->source.state, err)) {
        sampler_exact_drop(sampler);
        return -1;
    }
    exact->source.is_open = true;
    walk->is_wanted = true; /* its end is shown at once */
    sampler_walk_begin(sampler);
    return 0;
}

enum source_result sampler_exact_slice(struct sampler *sampler,
                                       struct source_context *context, struct err *err)
{
    struct sampler_exact *exact = &sampler->walk.exact;
    enum source_result result;

    context->target = exact->copy;
    context->session = NULL;
    context->is_copy = true;
    context->stopped_ns = exact->stopped_ns;
    result = exact->source.ops->sample(exact->source.state, context, err);
    if (result != SOURCE_FAILED && target_state(exact->copy) != TARGET_ENDED)
        return result;
    if (err->code == ERR_NONE || target_state(exact->copy) == TARGET_ENDED)
        err_set(err, ERR_GONE, "the copy of the process ended before it was walked");
    return SOURCE_FAILED;
}

void sampler_exact_end(struct sampler *sampler, bool is_good)
{
    struct sampler_walk *walk = &sampler->walk;
    char count[UNITS_MAX], stopped[UNITS_MAX], lived[UNITS_MAX], cost[UNITS_MAX];
    int64_t now_ns = clock_monotonic_ns();

    if (is_good && walk->latest) {
        walk->shown_until_mono_ns = now_ns + SHOWN_NS;
        sampler_event(
            sampler, EVENT_NOTE,
            "exact snapshot: %s objects, %llu torn; %s stopped, the copy was there "
            "for %s and came to cost %s",
            units_count(count, reading_exact((int64_t)walk->latest->count)),
            (unsigned long long)walk->latest->walk.torn_pools,
            units_duration(stopped, reading_exact(walk->exact.stopped_ns)),
            units_duration(lived, reading_exact(now_ns - walk->exact.began_mono_ns)),
            units_bytes(cost, copy_own_bytes(walk->exact.copy)));
    }
    sampler_exact_drop(sampler);
}
