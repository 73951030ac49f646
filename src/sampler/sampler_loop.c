/* The sampler's thread: what comes next, and waiting until it does. */
#include "sampler/sampler_private.h"

#include <poll.h>
#include <string.h>

#include "util/clock.h"
#include "util/thread.h"
#include "util/log.h"

#define ACTION_STEP_NS (5 * NS_PER_MS)   /* while an action is under way */
#define PROBE_STEP_NS  NS_PER_MS         /* while a plugin asks in the target */
#define ATTACH_STEP_NS NS_PER_MS         /* while the agent comes in, */
#define ATTACH_LATE_NS (50 * NS_PER_MS)  /* and when it is late */
#define BEAT_NS        (150 * NS_PER_MS) /* the agent wants one every 250 ms */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t loop_agent_ns(const struct sampler_agent *agent, int64_t now_ns)
{
    if (agent->state != AGENT_ATTACHING)
        return now_ns + BEAT_NS;
    return now_ns + (now_ns - agent->opened_mono_ns < ATTACH_LATE_NS ? ATTACH_STEP_NS
                                                                     : ACTION_STEP_NS);
}

static int64_t loop_next_ns(const struct sampler *sampler, int64_t now_ns)
{
    int64_t next_ns =
        sampler->options.samples_on_request ? INT64_MAX : sampler->next_tick_ns;

    if (sampler->is_failed || sampler->is_ended)
        return INT64_MAX;
    if (sampler->is_sample_due)
        return now_ns;
    if (sampler_inquiry_is_due(sampler))
        return now_ns;
    if (!sampler->action.ops || sampler->walk.is_running)
        next_ns = earlier(next_ns, sampler_walk_next_ns(sampler));
    if (sampler->agent.session)
        next_ns = earlier(next_ns, loop_agent_ns(&sampler->agent, now_ns));
    if (sampler->action.ops)
        next_ns = earlier(next_ns, now_ns + ACTION_STEP_NS);
    if (sampler_probes_wait(sampler))
        next_ns = earlier(next_ns, now_ns + PROBE_STEP_NS);
    return next_ns;
}

/* Waits for a wish, for the target's end, for the agent, or until the next thing is due.
 */
static void loop_wait(struct sampler *sampler)
{
    int64_t now_ns = clock_monotonic_ns(), next_ns = loop_next_ns(sampler, now_ns);
    bool is_watching = !sampler->is_ended && !sampler->is_failed;
    size_t n_plugins;
    struct pollfd fds[3 + PLUGINS_MAX] = {
        {.fd = sampler->wish_fd, .events = POLLIN},
        {.fd = is_watching ? sampler->target->fds.pidfd : -1, .events = POLLIN},
        {.fd = sampler->agent.session ? session_fd(sampler->agent.session) : -1,
         .events = POLLIN},
    };
    struct timespec wait;

    n_plugins = sampler_plugins_poll(sampler, fds + 3, &next_ns);
    if (next_ns < now_ns)
        next_ns = now_ns;
    wait.tv_sec = (next_ns - now_ns) / NS_PER_S;
    wait.tv_nsec = (next_ns - now_ns) % NS_PER_S;
    ppoll(fds, 3 + n_plugins, next_ns == INT64_MAX ? NULL : &wait, NULL);
}

/* Who asked is told. */
static void loop_end_inquiry(struct sampler *sampler)
{
    if (sampler->inquiry.ops)
        sampler_inquiry_order(sampler, &sampler->inquiry.asked);
}

static void loop_end(struct sampler *sampler)
{
    struct sampler_message message = {.type = SAMPLER_ENDED};

    sampler->is_ended = true;
    sampler->ended_wall_ns = clock_wall_ns();
    target_gone(sampler->target, &message.err);
    message.has_executed = sampler->target->has_executed;
    sampler_event(sampler, EVENT_STATE, "%s", message.err.text);
    sampler->walk.is_running = false;
    loop_end_inquiry(sampler);
    sampler_exact_drop(sampler);
    sampler_agent_close(sampler);
    sampler->close_err.code = ERR_NONE; /* nothing is left in a process that is gone */
    sampler_action_drop(sampler);
    sampler_sample_end(sampler);
    sampler_send(sampler, &message);
}

static void loop_check_state(struct sampler *sampler)
{
    enum target_state state = target_state(sampler->target);

    if (state == sampler->state)
        return;
    sampler->state = state;
    if (state == TARGET_ENDED) {
        loop_end(sampler);
        return;
    }
    sampler_event(sampler, EVENT_STATE,
                  state == TARGET_STOPPED ? "the target was stopped"
                                          : "the target continued");
    sampler->is_sample_due = true;
}

static void loop_wishes(struct sampler *sampler)
{
    struct sampler_wish wish = sampler_take_wish(sampler);

    if (wish.has_interval && wish.interval_ns > 0) {
        sampler->options.interval_ns = wish.interval_ns;
        sampler->next_tick_ns =
            earlier(sampler->next_tick_ns, clock_monotonic_ns() + wish.interval_ns);
    }
    sampler->is_sample_due |= wish.sample;
    if ((wish.walk || wish.turn) && !sampler->walk.is_running)
        sampler->walk.is_wanted = true;
    sampler->walk.is_requested |= wish.walk;
    sampler->walk.is_in_turn |= wish.turn;
    sampler->is_stopping = wish.stop;
    if (wish.arena && !wish.stop)
        sampler_inspect_now(sampler, wish.arena);
    if (!wish.stop && !sampler->is_ended)
        sampler_plugins_use(sampler, wish.plugin);
    sampler_plugins_hand(sampler, wish.handed, wish.n_unseen);
    if (wish.inquiry.topic && !wish.stop)
        sampler_inquiry_order(sampler, &wish.inquiry);
    if (wish.agent && !wish.stop && !sampler->is_ended && !sampler->is_failed)
        sampler_agent_again(sampler);
    if (wish.action && !wish.stop && !sampler->is_ended && !sampler->is_failed)
        sampler_action_begin(sampler, wish.action, &wish.arguments);
}

/* Its pages are shared from now on, until one of the two writes to them. */
static void loop_check_children(struct sampler *sampler)
{
    pid_t first = 0;
    size_t more = children_look(sampler->target, &sampler->children, &first);

    if (more == 1)
        sampler_event(sampler, EVENT_STATE, "the target forked: child %d", (int)first);
    else if (more)
        sampler_event(sampler, EVENT_STATE,
                      "the target forked: %zu children, the first %d", more, (int)first);
}

/* On a busy machine a sample may take longer than its interval: the walk that is under
 * way gets as much time as they do. */
static void loop_leave_room(struct sampler *sampler, int64_t began_ns)
{
    int64_t ended_ns = clock_monotonic_ns(),
            earliest_ns = ended_ns + (ended_ns - began_ns);

    if (sampler->walk.is_running && sampler->next_tick_ns < earliest_ns)
        sampler->next_tick_ns = earliest_ns;
}

/* A sample out of turn moves the ticks, so that the next comes an interval later. */
static void loop_tick(struct sampler *sampler)
{
    int64_t now_ns = clock_monotonic_ns();
    bool was_complete = sampler->is_complete_shown;

    if (!sampler->is_sample_due &&
        (sampler->options.samples_on_request || now_ns < sampler->next_tick_ns))
        return;
    if (sampler->is_sample_due ||
        now_ns - sampler->next_tick_ns > sampler->options.interval_ns / 4)
        sampler->next_tick_ns = now_ns;
    sampler_check_layout(sampler);
    loop_check_children(sampler);
    sampler_sample(sampler);
    if (!was_complete && sampler->is_complete_shown)
        log_line("first complete sample");
    sampler->next_tick_ns += sampler->options.interval_ns;
    loop_leave_room(sampler, now_ns);
}

static void loop_turn(struct sampler *sampler)
{
    loop_check_state(sampler);
    if (sampler->is_ended || sampler->is_failed)
        return;
    sampler_agent_step(sampler);
    if (sampler->is_failed)
        return;
    sampler_action_step(sampler);
    sampler_plugins_step(sampler);
    sampler_probes_step(sampler);
    loop_tick(sampler);
    if (sampler_inquiry_is_due(sampler))
        sampler_inquiry_slice(sampler);
    if (sampler_walk_is_due(sampler, clock_monotonic_ns()))
        sampler_walk_begin(sampler);
    if (sampler->walk.is_running)
        sampler_walk_slice(sampler);
}

static void loop_begin(struct sampler *sampler)
{
    if (sampler->options.rights)
        sampler_event(sampler, EVENT_NOTE, "heaptop's own rights: %s",
                      sampler->options.rights);
    sampler_sources_open(sampler);
    sampler_plugins_open(sampler);
    sampler->state = sampler->target->facts.state;
    loop_check_state(sampler);
    if (sampler->is_ended)
        return;
    sampler_sample(sampler); /* the process's own numbers, at once */
    sampler->next_tick_ns = clock_monotonic_ns() + sampler->options.interval_ns;
    sampler_find_layout(sampler);
    sampler_agent_open(sampler);
    sampler->is_sample_due = true;
}

void *sampler_thread(void *argument)
{
    struct sampler *sampler = argument;

    atomic_store(&sampler->state_fd, thread_state_open());
    atomic_fetch_add(&sampler->turn, 1);
    loop_begin(sampler);
    while (!sampler->is_stopping) {
        atomic_fetch_add(&sampler->turn, 1);
        loop_wait(sampler);
        atomic_fetch_add(&sampler->turn, 1);
        loop_wishes(sampler);
        if (!sampler->is_stopping)
            loop_turn(sampler);
    }
    sampler_exact_drop(sampler);
    sampler_agent_close(sampler);
    sampler_action_drop(sampler);
    sampler_inquiry_drop(sampler);
    sampler_plugins_close(sampler);
    sampler_sources_close(sampler);
    target_close(sampler->target);
    return NULL;
}
