/* The session's stay: in, asked for numbers at each tick, out. */
#include "sampler/sampler_private.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "util/clock.h"
#include "util/log.h"

#define AGENT_ANSWER_WAIT_NS (6 * NS_PER_MS)
#define AGENT_REQUIRE_NS     (30 * NS_PER_S)
#define AGAIN_MAX            3 /* attaches by itself after heaptop was too slow */
#define AGAIN_FORGET_NS      (60 * NS_PER_S)
#define PAUSES_AS_EVENTS     3 /* in one interval; more become one sentence */

static void agent_failed(struct sampler *sampler, const struct err *err)
{
    struct sampler_agent *agent = &sampler->agent;

    agent->state = AGENT_NONE;
    agent->is_settled = true;
    agent->err = *err;
    sampler->is_sample_due = true;
    if (sampler->options.agent == AGENT_REQUIRE) {
        sampler_fail(sampler, err);
        return;
    }
    sampler_event(sampler, EVENT_NOTE, "no agent: %.250s%s%.120s", err->text,
                  err->remedy[0] ? "; " : "", err->remedy);
}

/* The agent that came with the program, else an attach. */
static int agent_open_session(struct sampler *sampler, struct err *err)
{
    struct launch *launch = sampler->options.launch;

    if (launch &&
        !session_open_launched(sampler->target, launch, &sampler->agent.session, err))
        return 0;
    if (err->code != ERR_NONE)
        return -1;
    return session_open(sampler->target, &sampler->agent.session, err);
}

void sampler_agent_open(struct sampler *sampler)
{
    struct sampler_agent *agent = &sampler->agent;
    struct err err = ERR_INIT;

    agent->opened_mono_ns = clock_monotonic_ns();
    if (sampler->options.agent == AGENT_NEVER) {
        agent->is_settled = true;
        err_set(&agent->err, ERR_NONE, "--agent=never was given");
        return;
    }
    if (agent_open_session(sampler, &err)) {
        agent->session = NULL;
        agent_failed(sampler, &err);
        return;
    }
    agent->state = AGENT_ATTACHING;
}

/* The samples stay complete meanwhile: what there is was shown already. */
void sampler_agent_again(struct sampler *sampler)
{
    struct sampler_agent *agent = &sampler->agent;

    if (agent->session || sampler->options.agent == AGENT_NEVER)
        return;
    memset(agent, 0, sizeof(*agent));
    agent->is_given_up = true;
    sampler->is_sample_due = true;
    sampler_agent_open(sampler);
}

static void agent_drop(struct sampler_agent *agent)
{
    struct err ignored = ERR_INIT;

    session_close(agent->session, &ignored);
    agent->session = NULL;
    agent->is_asked = false;
}

static void agent_ready(struct sampler *sampler)
{
    struct sampler_agent *agent = &sampler->agent;
    int64_t took_ns = clock_monotonic_ns() - agent->opened_mono_ns;
    char took[UNITS_MAX], diverted[UNITS_MAX];

    agent->state = AGENT_LOADED;
    agent->is_settled = true;
    sampler->is_sample_due = true;
    if (!strcmp(session_way(agent->session), "launch")) {
        sampler_event(sampler, EVENT_ATTACH, "the agent came with the program");
        return;
    }
    if (!strcmp(session_way(agent->session), "remote")) {
        const char *why = session_why_remote(agent->session);

        sampler_event(
            sampler, EVENT_ATTACH,
            "agent loaded in %s by a script that the main thread executed%s%.200s",
            units_duration(took, reading_exact(took_ns)),
            why[0] ? "; not by ptrace: " : "", why);
        return;
    }
    sampler_event(
        sampler, EVENT_ATTACH, "agent loaded in %s, one thread diverted for %s",
        units_duration(took, reading_exact(took_ns)),
        units_duration(diverted, reading_exact(session_diverted_ns(agent->session))));
}

static void agent_too_late(struct sampler *sampler)
{
    struct err err = ERR_INIT;

    if (sampler->options.agent != AGENT_REQUIRE || sampler->agent.is_settled ||
        clock_monotonic_ns() - sampler->agent.opened_mono_ns < AGENT_REQUIRE_NS)
        return;
    if (sampler->agent.is_at_gil) {
        err_set(&err, ERR_FAILED, "a thread of the target has held the GIL for 30 s");
        err_remedy(&err,
                   "it is in a long call in C, or stands still; try again later, or "
                   "look from outside: --agent=never");
    } else {
        err_set(&err, ERR_FAILED, "the agent did not become ready within 30 s");
        err_remedy(&err, "try again later, or look from outside: --agent=never");
    }
    sampler_fail(sampler, &err);
}

/* A machine under load starves heaptop, too: what it held by the agent is nothing lost.
 */
static bool agent_comes_again(struct sampler *sampler, bool was_late)
{
    int64_t stayed_ns = clock_monotonic_ns() - sampler->agent.opened_mono_ns;
    uint32_t n_again = stayed_ns < AGAIN_FORGET_NS ? sampler->agent.n_again + 1 : 1;

    if (!was_late || n_again > AGAIN_MAX || sampler->action.is_started)
        return false;
    sampler_event(sampler, EVENT_NOTE, "%.250s; attaching again",
                  sampler->agent.err.text);
    sampler_agent_again(sampler);
    sampler->agent.n_again = n_again;
    return true;
}

static void agent_lost(struct sampler *sampler)
{
    struct sampler_agent *agent = &sampler->agent;
    bool was_late = session_was_late(agent->session);

    agent->err = *session_err(agent->session);
    agent->state = AGENT_LOST;
    agent->is_settled = true;
    agent_drop(agent);
    sampler->is_sample_due = true;
    if (target_state(sampler->target) == TARGET_ENDED ||
        agent_comes_again(sampler, was_late))
        return;
    if (!agent->err.text[0])
        err_set(&agent->err, ERR_FAILED, "the agent left the target");
    sampler_event(sampler, EVENT_ERROR, "agent lost: %.300s", agent->err.text);
    if (sampler->options.agent == AGENT_REQUIRE)
        sampler_fail(sampler, &agent->err);
}

/* The first counters are worth a sample of their own: some show nothing before. */
static void agent_counts(struct sampler *sampler)
{
    struct agent_counters counters;

    if (sampler->agent.has_counted ||
        !session_counters(sampler->agent.session, &counters))
        return;
    sampler->agent.has_counted = true;
    sampler->is_sample_due = true;
}

void sampler_agent_step(struct sampler *sampler)
{
    struct sampler_agent *agent = &sampler->agent;
    enum session_state state;
    struct err err;

    if (!agent->session)
        return;
    state = session_step(agent->session);
    agent->is_at_gil = state == SESSION_WAITING_FOR_GIL;
    switch (state) {
    case SESSION_ATTACHING:
    case SESSION_WAITING_FOR_GIL:
        agent_too_late(sampler);
        break;
    case SESSION_READY:
        if (agent->state == AGENT_ATTACHING)
            agent_ready(sampler);
        else
            agent_counts(sampler);
        break;
    case SESSION_FAILED:
        err = *session_err(agent->session);
        agent_drop(agent);
        if (target_state(sampler->target) != TARGET_ENDED)
            agent_failed(sampler, &err);
        break;
    case SESSION_LOST:
        agent_lost(sampler);
        break;
    }
}

/* A late answer counts for the next sample; nothing is asked while one is due. */
void sampler_agent_sample(struct sampler *sampler)
{
    struct sampler_agent *agent = &sampler->agent;
    struct agent_answer answer;
    struct err err = ERR_INIT;

    if (agent->state != AGENT_LOADED || sampler->action.is_started ||
        sampler->probing.is_under_way)
        return;
    if (agent->is_asked && !session_answer(agent->session, 0, &answer))
        return;
    agent->is_asked = !session_ask(agent->session, AGENT_SAMPLE, NULL, &err);
    if (!agent->is_asked)
        log_line("agent not asked: %s", err.text);
    else if (session_answer(agent->session, AGENT_ANSWER_WAIT_NS, &answer))
        agent->is_asked = false;
}

static void pause_event(struct sampler *sampler, const struct agent_pause *pause)
{
    char lasted[UNITS_MAX], collected[UNITS_MAX];

    sampler_event(
        sampler, EVENT_GC, "full collection: %s, %s collected",
        units_duration(lasted, reading_exact(pause->ended_ns - pause->began_ns)),
        units_count(collected, reading_exact(pause->collected)));
}

void sampler_agent_pauses(struct sampler *sampler, bool is_silent)
{
    struct agent_pause pauses[AGENT_PAUSES];
    struct sampler_agent *agent = &sampler->agent;
    int64_t total_ns = 0, n_full = 0;
    char total[UNITS_MAX];
    uint32_t count;

    if (agent->state != AGENT_LOADED || (sampler->action.is_started && !is_silent))
        return;
    count = session_pauses(agent->session, &agent->pauses_seen, pauses, AGENT_PAUSES);
    for (uint32_t i = 0; i < count && !is_silent; i++) {
        if (pauses[i].generation != AGENT_GENERATIONS - 1)
            continue;
        if (n_full++ < PAUSES_AS_EVENTS)
            pause_event(sampler, &pauses[i]);
        else
            total_ns += pauses[i].ended_ns - pauses[i].began_ns;
    }
    if (n_full > PAUSES_AS_EVENTS)
        sampler_event(sampler, EVENT_GC, "and %lld more full collections: %s",
                      (long long)(n_full - PAUSES_AS_EVENTS),
                      units_duration(total, reading_exact(total_ns)));
}

void sampler_agent_close(struct sampler *sampler)
{
    struct sampler_agent *agent = &sampler->agent;

    if (agent->session)
        session_close(agent->session, &sampler->close_err);
    agent->session = NULL;
    agent->is_asked = false;
    if (agent->state == AGENT_LOADED || agent->state == AGENT_ATTACHING)
        agent->state = AGENT_LOST;
}

static void why_add(char *why, size_t size, const char *text, const char *remedy)
{
    size_t used = strlen(why);

    if (text[0] && !strstr(why, text))
        snprintf(why + used, size - used, "%s%s%s%s", used ? "; " : "", text,
                 remedy[0] ? ": " : "", remedy);
}

/* Without pymalloc they are found by way of the collector's lists. */
bool sampler_reads_objects(const struct sampler *sampler)
{
    const struct layout *layout = &sampler->layout;

    return sampler->target->reader && sampler->has_layout &&
           (layout->has_pymalloc || (layout->has_gc && !layout->is_free_threaded));
}

void sampler_access_facts(const struct sampler *sampler, struct access_facts *access)
{
    const struct sampler_agent *agent = &sampler->agent;
    const struct target *target = sampler->target;

    access->agent = agent->state;
    if (sampler_reads_objects(sampler))
        access->method = METHOD_OUTSIDE;
    else if (agent->state == AGENT_LOADED)
        access->method = METHOD_AGENT;
    if (!target->reader)
        why_add(access->why, sizeof(access->why), target->access_why.text,
                target->access_why.remedy);
    why_add(access->why, sizeof(access->why), sampler->layout_err.text,
            sampler->layout_err.remedy);
    why_add(access->why, sizeof(access->why), agent->err.text, agent->err.remedy);
    if (agent->is_at_gil)
        why_add(access->why, sizeof(access->why),
                "the agent waits for the GIL: a thread of the target holds it", "");
}
