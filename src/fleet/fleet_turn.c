/* Whose turn it is: one member is sampled at a time, and one is walked or compared. */
#include "fleet/fleet_private.h"

#include <stdio.h>
#include <string.h>

#include "fleet/fleet_comparison.h"
#include "fleet/fleet_watch.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/log.h"

#define SAMPLE_FACTOR   150 /* of a sample to the rest after it: 0.7 % of a core */
#define SAMPLE_REST_MAX (5 * NS_PER_S)
#define WALK_REST_MAX   (60 * NS_PER_S)
#define RETRY_NS        (30 * NS_PER_S)
#define STUCK_LOOK_NS   NS_PER_S

static void end_turn(struct turn *turn, int64_t rest_ns)
{
    turn->member = NULL;
    turn->comparison = NULL;
    turn->ended_mono_ns = clock_monotonic_ns();
    turn->rest_until_mono_ns = turn->ended_mono_ns + rest_ns;
}

static void watch_member(struct fleet *fleet, struct member *member)
{
    struct raddr collecting;
    int mem_fd;

    if (!fleet->watch || member->is_watched || !member->sampler ||
        !sampler_collecting(member->sampler, &collecting, &mem_fd))
        return;
    watch_add(fleet->watch, member->row.pid, mem_fd, collecting);
    member->is_watched = true;
}

static int64_t sample_rest_ns(const struct fleet *fleet)
{
    int64_t price_ns =
        sampler_cpu_ns(fleet->sample.member->sampler) - fleet->sample.began_cpu_ns;

    return price_ns < SAMPLE_REST_MAX / SAMPLE_FACTOR ? price_ns * SAMPLE_FACTOR
                                                      : SAMPLE_REST_MAX;
}

/* The first look at a member is not rested for: its row is waited for. */
static void take_snapshot(struct fleet *fleet, struct member *member,
                          const struct snapshot *snapshot)
{
    bool is_first = !member->is_complete;

    history_add(member->history, snapshot);
    member->is_stale = fleet->has_changed = true;
    member->is_complete |= snapshot->is_complete;
    member->row.why[0] = '\0';
    member->retry_mono_ns = 0;
    watch_member(fleet, member);
    if (snapshot->target.state != TARGET_ENDED)
        member->row.state =
            snapshot->target.state == TARGET_STOPPED ? MEMBER_STOPPED : MEMBER_LIVE;
    if (fleet->sample.member == member && member->is_complete)
        end_turn(&fleet->sample, is_first ? 0 : sample_rest_ns(fleet));
    if (fleet->walk.member == member && !fleet->walk.comparison) {
        end_turn(&fleet->walk, 0);
        member->has_walked = true;
    }
    snapshot_unref(snapshot);
}

static void cannot_read(struct fleet *fleet, struct member *member, const struct err *why)
{
    struct err ignored = ERR_INIT;

    member_close(fleet, member, &ignored);
    member->row.state = MEMBER_CLOSED;
    member->retry_mono_ns = clock_monotonic_ns() + RETRY_NS;
    snprintf(member->row.why, sizeof(member->row.why), "%.200s%s%.190s", why->text,
             why->remedy[0] ? "; " : "", why->remedy);
    fleet->has_changed = true;
}

static void take_message(struct fleet *fleet, struct member *member,
                         const struct sampler_message *message)
{
    if (message->type == SAMPLER_SNAPSHOT)
        take_snapshot(fleet, member, message->snapshot);
    else if (message->type == SAMPLER_ENDED)
        member_end(fleet, member);
    else if (message->type == SAMPLER_FAILED)
        cannot_read(fleet, member, &message->err);
}

void member_set_sharing(struct member *member, const struct sharing *sharing)
{
    member->row.sharing = *sharing;
    history_set_sharing(member->history, sharing);
    member->is_stale = true;
}

/* Its parent may have ended, or be another one now: then nothing is known any more. */
static void take_comparison(struct fleet *fleet)
{
    struct member *member = fleet->walk.member;
    struct sharing sharing;
    struct err err = ERR_INIT;

    if (!fleet->walk.comparison ||
        !comparison_take(fleet->walk.comparison, &sharing, &err))
        return;
    member_set_sharing(member, &sharing);
    snprintf(member->row.sharing_why, sizeof(member->row.sharing_why), "%.150s",
             err.text);
    log_line("fleet: %d compared in %lld us, %s", (int)member->row.pid,
             (long long)(sharing.cpu_ns / NS_PER_US), err.text);
    end_turn(&fleet->walk, 0);
    member->has_compared = fleet->has_changed = true;
}

void fleet_take_messages(struct fleet *fleet)
{
    struct sampler_message message;

    take_comparison(fleet);

    for (size_t i = 0; i < fleet->count; i++) {
        struct member *member = fleet->members[i];

        while (member->sampler && sampler_next(member->sampler, &message))
            take_message(fleet, member, &message);
    }
}

/* A target whose memory does not answer costs its own row, and nothing else. */
static void check_stuck(struct fleet *fleet, struct turn *turn)
{
    struct member *member = turn->member;
    struct err err = ERR_INIT;

    if (member && member->sampler && !turn->comparison &&
        sampler_is_stuck(member->sampler, &err))
        cannot_read(fleet, member, &err);
}

static int start_sampler(struct fleet *fleet, struct member *member, struct err *err)
{
    struct sampler_options options = fleet->options.sampler;
    struct target *target;

    options.agent = AGENT_NEVER;
    options.walk_interval_ns = WALK_OFF;
    options.samples_on_request = true;
    options.rights = NULL;
    options.keeper = NULL;
    if (member->history && history_latest(member->history))
        options.seq_before = history_latest(member->history)->seq;
    if (target_open(member->row.pid, &target, err))
        return -1;
    if (target->start_ticks != member->row.start_ticks) {
        target_close(target);
        return err_set(err, ERR_GONE, "process %d has ended", (int)member->row.pid);
    }
    return sampler_start(target, &options, &member->sampler, err);
}

static void begin_sample(struct fleet *fleet, struct member *member)
{
    struct err err = ERR_INIT;

    member->sampled_mono_ns = clock_monotonic_ns();
    fleet->sample.member = member;
    if (!member->sampler)
        log_line("fleet: %d is opened", (int)member->row.pid);
    if (member->sampler) {
        fleet->sample.began_cpu_ns = sampler_cpu_ns(member->sampler);
        sampler_sample_now(member->sampler, false);
        return;
    }
    if (!member->history)
        member->history = history_new();
    if (start_sampler(fleet, member, &err)) {
        member->sampler = NULL;
        cannot_read(fleet, member, &err);
    }
}

static void begin_walk(struct fleet *fleet, struct member *member)
{
    member->walked_mono_ns = clock_monotonic_ns();
    fleet->walk.member = member;
    sampler_walk_in_turn(member->sampler);
}

static void begin_comparison(struct fleet *fleet, struct member *member)
{
    struct fleet_row *row = &member->row;
    struct err err = ERR_INIT;

    member->compared_mono_ns = clock_monotonic_ns();
    if (!comparison_begin(member, member_parent(fleet, member), &fleet->walk.comparison,
                          &err)) {
        fleet->walk.member = member;
        return;
    }
    member_set_sharing(member, &(struct sharing){.wall_ns = 0});
    snprintf(row->sharing_why, sizeof(row->sharing_why), "%.150s", err.text);
    member->has_compared = fleet->has_changed = true;
}

/* When it may be sampled next; INT64_MAX: not at all. */
static int64_t sample_due_ns(const struct fleet *fleet, const struct member *member)
{
    if (member->is_lent || member->row.state == MEMBER_ENDED ||
        (fleet->walk.member == member && !fleet->walk.comparison))
        return INT64_MAX;
    if (member->row.state == MEMBER_CLOSED)
        return member->retry_mono_ns ? member->retry_mono_ns : INT64_MAX;
    if (!member->sampled_mono_ns)
        return 0;
    return member->sampled_mono_ns + fleet->options.sampler.interval_ns;
}

/* A walk, a comparison: the first at once, others after a pause, who waits longest first.
 */
static int64_t dear_due_ns(const struct fleet *fleet, bool was_done, int64_t began_ns)
{
    const struct sampler_options *options = &fleet->options.sampler;
    int64_t pause_ns = options->walk_interval_ns > options->interval_ns
                           ? options->walk_interval_ns
                           : options->interval_ns;

    return was_done ? began_ns + pause_ns : 0;
}

static int64_t walk_due_ns(const struct fleet *fleet, const struct member *member)
{
    if (!member->sampler || !member->is_complete || fleet->sample.member == member ||
        fleet->options.sampler.walk_interval_ns == WALK_OFF)
        return INT64_MAX;
    return dear_due_ns(fleet, member->has_walked, member->walked_mono_ns);
}

bool fleet_wants_comparison(const struct fleet *fleet, const struct member *member)
{
    const struct member *parent = member_parent(fleet, member);

    return fleet->options.sampler.walk_interval_ns != WALK_OFF && member->sampler &&
           parent && parent->row.state != MEMBER_ENDED;
}

/* After the first samples of both, which say how often each has collected. */
static int64_t comparison_due_ns(const struct fleet *fleet, const struct member *member)
{
    const struct member *parent = member_parent(fleet, member);

    if (!fleet_wants_comparison(fleet, member) || !member->is_complete ||
        (!parent->is_complete && parent->row.state != MEMBER_CLOSED))
        return INT64_MAX;
    return dear_due_ns(fleet, member->has_compared, member->compared_mono_ns);
}

/* The member that has waited longest, and since when it may have its turn. */
static struct member *next_member(const struct fleet *fleet,
                                  int64_t (*due_ns)(const struct fleet *,
                                                    const struct member *),
                                  int64_t *since_ns)
{
    struct member *next = NULL;

    *since_ns = INT64_MAX;
    for (size_t i = 0; i < fleet->count; i++) {
        int64_t due = due_ns(fleet, fleet->members[i]);

        if (due >= *since_ns)
            continue;
        *since_ns = due;
        next = fleet->members[i];
    }
    return next;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void give_sample_turn(struct fleet *fleet, int64_t now_ns)
{
    int64_t since_ns;
    struct member *member = next_member(fleet, sample_due_ns, &since_ns);

    if (member && later(since_ns, fleet->sample.rest_until_mono_ns) <= now_ns)
        begin_sample(fleet, member);
}

/* What a screen of one member costs is not the fleet's. */
static void settle_budget(struct fleet *fleet)
{
    enum budget_kind kind =
        fleet_is_complete(fleet) ? BUDGET_LONG_RUN : BUDGET_FIRST_LOOK;
    int64_t due_ns, most_ns = fleet->walk.ended_mono_ns + WALK_REST_MAX;
    bool is_fleets = true;

    for (size_t i = 0; i < fleet->count; i++)
        is_fleets = is_fleets && !fleet->members[i]->is_lent;
    if (!is_fleets || kind != fleet->budget.kind)
        budget_begin(&fleet->budget, kind);
    due_ns = budget_due_ns(&fleet->budget);
    fleet->walk.rest_until_mono_ns = due_ns < most_ns ? due_ns : most_ns;
}

static void give_walk_turn(struct fleet *fleet, int64_t now_ns)
{
    int64_t walk_ns, comparison_ns;
    struct member *walked = next_member(fleet, walk_due_ns, &walk_ns);
    struct member *compared = next_member(fleet, comparison_due_ns, &comparison_ns);

    /* A comparison is cheaper: before the first walk there is time for it. */
    if (compared && comparison_ns <= walk_ns) {
        if (later(comparison_ns, fleet->walk.rest_until_mono_ns) <= now_ns)
            begin_comparison(fleet, compared);
    } else if (walked && later(walk_ns, fleet->walk.rest_until_mono_ns) <= now_ns) {
        begin_walk(fleet, walked);
    }
}

void fleet_give_turns(struct fleet *fleet)
{
    int64_t now_ns = clock_monotonic_ns();

    check_stuck(fleet, &fleet->sample);
    check_stuck(fleet, &fleet->walk);
    settle_budget(fleet);
    if (!fleet->sample.member)
        give_sample_turn(fleet, now_ns);
    if (!fleet->walk.member)
        give_walk_turn(fleet, now_ns);
}

int64_t fleet_turns_due_ns(const struct fleet *fleet)
{
    int64_t stuck_ns = clock_monotonic_ns() + STUCK_LOOK_NS;
    int64_t sample_ns, walk_ns, comparison_ns;

    next_member(fleet, sample_due_ns, &sample_ns);
    next_member(fleet, walk_due_ns, &walk_ns);
    next_member(fleet, comparison_due_ns, &comparison_ns);
    walk_ns = walk_ns < comparison_ns ? walk_ns : comparison_ns;
    sample_ns = fleet->sample.member ? stuck_ns
                                     : later(sample_ns, fleet->sample.rest_until_mono_ns);
    walk_ns =
        fleet->walk.member ? stuck_ns : later(walk_ns, fleet->walk.rest_until_mono_ns);
    return sample_ns < walk_ns ? sample_ns : walk_ns;
}
