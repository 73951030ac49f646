/* Who belongs to the fleet: those that were asked for, and all below them. */
#include "fleet/fleet_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/fleet_comparison.h"
#include "fleet/fleet_watch.h"
#include "model/partition.h"
#include "target/scope.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

#define LIST_FACTOR   250 /* of a listing to the rest after it: 0.4 % of a core */
#define LIST_REST_MAX (10 * NS_PER_S)
#define ENDED_SHOWN_S 60 /* so long a row stays when its process has ended */

static struct member *find_member(const struct fleet *fleet, pid_t pid,
                                  uint64_t start_ticks)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->members[i]->row.pid == pid &&
            fleet->members[i]->row.start_ticks == start_ticks)
            return fleet->members[i];
    return NULL;
}

static bool is_asked_for(const struct fleet *fleet, const struct candidate *row)
{
    if (fleet->options.root)
        return row->pid == fleet->options.root ||
               scope_is_below(row->pid, fleet->options.root);
    return pattern_matches(fleet->options.pattern, row->command);
}

/* Parents stand before their children. */
static void choose(const struct fleet *fleet, bool *is_chosen)
{
    const struct candidates *list = &fleet->candidates;

    for (size_t i = 0; i < list->count; i++) {
        const struct candidate *row = &list->rows[i];

        is_chosen[i] = find_member(fleet, row->pid, row->start_ticks) != NULL;
        for (size_t k = 0; k < i && row->parent && !is_chosen[i]; k++)
            is_chosen[i] = is_chosen[k] && list->rows[k].pid == row->parent;
        is_chosen[i] = is_chosen[i] || is_asked_for(fleet, row);
    }
}

int member_close(struct fleet *fleet, struct member *member, struct err *err)
{
    struct sampler *sampler = member->sampler;

    if (fleet->sample.member == member)
        fleet->sample.member = NULL;
    if (fleet->walk.member == member) {
        comparison_give_up(fleet->walk.comparison);
        fleet->walk.comparison = NULL;
        fleet->walk.member = NULL;
    }
    if (member->is_watched)
        watch_remove(fleet->watch, member->row.pid);
    member->is_watched = false;
    member->sampler = NULL;
    return sampler ? sampler_stop(sampler, err) : 0;
}

void member_end(struct fleet *fleet, struct member *member)
{
    struct err ignored = ERR_INIT;

    if (member->row.state == MEMBER_ENDED)
        return;
    log_line("fleet: %d has ended", (int)member->row.pid);
    member_close(fleet, member, &ignored);
    member->row.state = MEMBER_ENDED;
    member->row.ended_wall_ns = clock_wall_ns();
    fleet->has_changed = true;
}

void member_free(struct member *member)
{
    history_free(member->history);
    growth_free(member->res);
    free(member);
}

void fleet_forget(struct fleet *fleet, struct member *member)
{
    struct err ignored = ERR_INIT;
    size_t place = 0;

    while (fleet->members[place] != member)
        place++;
    fleet->count--;
    memmove(fleet->members + place, fleet->members + place + 1,
            (fleet->count - place) * sizeof(*fleet->members));
    member_close(fleet, member, &ignored);
    member_free(member);
    fleet->has_changed = true;
}

static struct member *add_member(struct fleet *fleet, const struct candidate *row)
{
    struct member *member = xcalloc(1, sizeof(*member));

    member->res = growth_new_of_readings();
    member->row.pid = row->pid;
    member->row.start_ticks = row->start_ticks;
    member->row.role = member->row.rule = "";
    fleet->members[fleet->count++] = member;
    fleet->has_changed = true;
    log_line("fleet: %d is new", (int)row->pid);
    return member;
}

static void update_member(struct member *member, const struct candidate *row)
{
    struct fleet_row *to = &member->row;

    member->is_listed = true;
    snprintf(to->command, sizeof(to->command), "%s", row->command);
    to->parent = row->parent;
    fleet_row_add_res(to, member->res, row->res_bytes, clock_monotonic_ns(),
                      clock_wall_ns());
    if (row->can_read && to->state == MEMBER_CLOSED && !member->retry_mono_ns)
        to->state = MEMBER_NEW;
    if (row->can_read || member->is_lent || member->sampler)
        return;
    to->state = MEMBER_CLOSED;
    snprintf(to->why, sizeof(to->why), "%s", row->access_why);
}

/* A process that executes another program is another target with the same number. */
static void take_candidate(struct fleet *fleet, const struct candidate *row)
{
    struct member *member = find_member(fleet, row->pid, row->start_ticks);

    if (member && member->row.state == MEMBER_ENDED && !member->is_lent) {
        fleet_forget(fleet, member);
        member = NULL;
    }
    if (!member && fleet->count == FLEET_MEMBERS_MAX) {
        fleet->n_left_out++;
        return;
    }
    update_member(member ? member : add_member(fleet, row), row);
}

/* Those that are no longer listed have ended; after a while they are forgotten. */
static void drop_ended(struct fleet *fleet)
{
    int64_t now_ns = clock_wall_ns();

    for (size_t i = fleet->count; i-- > 0;) {
        struct member *member = fleet->members[i];

        if (!member->is_listed)
            member_end(fleet, member);
        if (member->row.state == MEMBER_ENDED && !member->is_lent &&
            now_ns - member->row.ended_wall_ns > ENDED_SHOWN_S * NS_PER_S)
            fleet_forget(fleet, member);
    }
}

static size_t count_children(const struct fleet *fleet, pid_t pid)
{
    size_t count = 0;

    for (size_t i = 0; i < fleet->count; i++)
        count += fleet->members[i]->row.parent == pid;
    return count;
}

static struct member *find_parent(const struct fleet *fleet, const struct member *of)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->members[i]->row.pid == of->row.parent && fleet->members[i] != of)
            return fleet->members[i];
    return NULL;
}

const struct member *member_parent(const struct fleet *fleet, const struct member *member)
{
    return member->row.parent ? find_parent(fleet, member) : NULL;
}

/* The member and all below it; `depth` bounds what a torn listing can make of it. */
static size_t place_below(struct fleet *fleet, struct member **ordered, size_t count,
                          struct member *member, int depth)
{
    member->row.depth = depth;
    ordered[count++] = member;
    for (size_t i = 0; i < fleet->count && depth < FLEET_MEMBERS_MAX; i++) {
        struct member *child = fleet->members[i];

        if (child->row.parent == member->row.pid && child->row.depth < 0)
            count = place_below(fleet, ordered, count, child, depth + 1);
    }
    return count;
}

static int compare_pids(const void *left, const void *right)
{
    const struct member *a = *(struct member *const *)left,
                        *b = *(struct member *const *)right;

    return (a->row.pid > b->row.pid) - (a->row.pid < b->row.pid);
}

/* Parents before their children, and these by PID. */
static void put_in_order(struct fleet *fleet)
{
    struct member *ordered[FLEET_MEMBERS_MAX];
    size_t count = 0;

    qsort(fleet->members, fleet->count, sizeof(*fleet->members), compare_pids);
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->members[i]->row.depth = -1;
        if (!find_parent(fleet, fleet->members[i]))
            fleet->members[i]->row.parent = 0;
    }
    for (size_t i = 0; i < fleet->count; i++)
        if (!fleet->members[i]->row.parent)
            count = place_below(fleet, ordered, count, fleet->members[i], 0);
    for (size_t i = 0; i < fleet->count && count < fleet->count; i++)
        if (fleet->members[i]->row.depth < 0)
            count = place_below(fleet, ordered, count, fleet->members[i], 0);
    memcpy(fleet->members, ordered, count * sizeof(*ordered));
}

static void set_roles(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        struct fleet_row *row = &fleet->members[i]->row;
        const struct member *parent = find_parent(fleet, fleet->members[i]);

        const char *role = fleet_role(row->command, parent ? parent->row.command : "",
                                      count_children(fleet, row->pid));

        if (strcmp(role, row->role) != 0)
            row->number = 0;
        row->role = role;
    }
}

static bool is_taken(const struct fleet *fleet, const struct fleet_row *by,
                     unsigned number)
{
    for (size_t i = 0; i < fleet->count; i++) {
        const struct fleet_row *row = &fleet->members[i]->row;

        if (row != by && row->state != MEMBER_ENDED && row->number == number &&
            !strcmp(row->role, by->role))
            return true;
    }
    return false;
}

/* A worker that comes takes the number of one that has gone. */
static void set_numbers(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++) {
        struct fleet_row *row = &fleet->members[i]->row;

        if (row->number || row->state == MEMBER_ENDED)
            continue;
        do
            row->number++;
        while (is_taken(fleet, row, row->number));
    }
}

/* The whole machine is listed, which may have very many processes. */
static int refresh(struct fleet *fleet, struct err *err)
{
    int64_t began_ns = budget_spent_ns(), spent_ns, rest_ns;
    int result = candidates_refresh(&fleet->candidates, err);

    spent_ns = budget_spent_ns() - began_ns;
    rest_ns = spent_ns * LIST_FACTOR;
    if (rest_ns > LIST_REST_MAX)
        rest_ns = LIST_REST_MAX;
    if (rest_ns < fleet->options.sampler.interval_ns)
        rest_ns = fleet->options.sampler.interval_ns;
    fleet->list_due_mono_ns = clock_monotonic_ns() + rest_ns;
    log_line("fleet: listed for %lld us", (long long)(spent_ns / NS_PER_US));
    return result;
}

int fleet_list(struct fleet *fleet, struct err *err)
{
    bool *is_chosen;

    if (refresh(fleet, err))
        return -1;
    is_chosen = xcalloc(fleet->candidates.count + 1, sizeof(*is_chosen));
    choose(fleet, is_chosen);
    fleet->n_left_out = 0;
    for (size_t i = 0; i < fleet->count; i++)
        fleet->members[i]->is_listed = false;
    for (size_t i = 0; i < fleet->candidates.count; i++)
        if (is_chosen[i])
            take_candidate(fleet, &fleet->candidates.rows[i]);
    free(is_chosen);
    drop_ended(fleet);
    put_in_order(fleet);
    set_roles(fleet);
    set_numbers(fleet);
    return 0;
}
