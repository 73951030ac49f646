#include "fleet/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "fleet/fleet_comparison.h"
#include "fleet/fleet_private.h"
#include "fleet/fleet_watch.h"
#include "util/clock.h"
#include "util/xalloc.h"

int fleet_open(const struct fleet_options *options, struct fleet **fleet, struct err *err)
{
    struct fleet *new = xcalloc(1, sizeof(*new));

    new->options = *options;
    new->watch = watch_new();
    if (fleet_list(new, err)) {
        fleet_close(new, &(struct err)ERR_INIT);
        return -1;
    }
    if (!new->count) {
        fleet_close(new, &(struct err)ERR_INIT);
        if (options->root)
            err_set(err, ERR_GONE, "process %d and those below it run no Python",
                    (int)options->root);
        else
            err_set(err, ERR_GONE, "no Python process matches \"%.100s\"",
                    options->pattern);
        return err_remedy(err, "heaptop without an argument lists the processes");
    }
    *fleet = new;
    return 0;
}

int fleet_close(struct fleet *fleet, struct err *err)
{
    int result = 0;

    for (size_t i = 0; i < fleet->count; i++) {
        struct member *member = fleet->members[i];

        if (member_close(fleet, member, err))
            result = -1;
        member_free(member);
    }
    watch_free(fleet->watch);
    candidates_release(&fleet->candidates);
    free(fleet);
    return result;
}

size_t fleet_fds(const struct fleet *fleet, struct pollfd *fds)
{
    size_t count = 0;

    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->members[i]->sampler)
            fds[count++] = (struct pollfd){.fd = sampler_fd(fleet->members[i]->sampler),
                                           .events = POLLIN};
    if (fleet->walk.comparison)
        fds[count++] = (struct pollfd){.fd = comparison_fd(fleet->walk.comparison),
                                       .events = POLLIN};
    return count;
}

int64_t fleet_due_ns(const struct fleet *fleet)
{
    int64_t turns_ns = fleet_turns_due_ns(fleet);

    return turns_ns < fleet->list_due_mono_ns ? turns_ns : fleet->list_due_mono_ns;
}

bool fleet_step(struct fleet *fleet)
{
    struct err ignored = ERR_INIT; /* the next listing may come */
    bool has_changed;

    fleet_take_messages(fleet);
    if (clock_monotonic_ns() >= fleet->list_due_mono_ns)
        fleet_list(fleet, &ignored);
    fleet_give_turns(fleet);
    has_changed = fleet->has_changed;
    fleet->has_changed = false;
    return has_changed;
}

void fleet_set_interval(struct fleet *fleet, int64_t interval_ns)
{
    fleet->options.sampler.interval_ns = interval_ns;
    fleet->list_due_mono_ns = 0;
}

void fleet_hurry(struct fleet *fleet)
{
    fleet->list_due_mono_ns = 0;
    for (size_t i = 0; i < fleet->count; i++) {
        fleet->members[i]->sampled_mono_ns = 0;
        fleet->members[i]->has_walked = fleet->members[i]->has_compared = false;
    }
}

const struct fleet_sample *fleet_look(struct fleet *fleet)
{
    struct fleet_sample *look = &fleet->look;

    look->seq++;
    look->wall_ns = clock_wall_ns();
    look->interval_ns = fleet->options.sampler.interval_ns;
    look->root = fleet->options.root;
    look->pattern = fleet->options.pattern;
    look->n_left_out = fleet->n_left_out;
    look->cpu_ns = clock_process_cpu_ns();
    look->count = fleet->count;
    for (size_t i = 0; i < fleet->count; i++) {
        struct member *member = fleet->members[i];

        if (member->history && (member->is_stale || member->is_lent))
            fleet_row_fill(&member->row, member->history);
        member->is_stale = false;
        member->row.history = member->history;
        if (member->is_watched && member->row.gc_milli_percent.state != READING_EXACT)
            member->row.gc_milli_percent = watch_share(fleet->watch, member->row.pid);
        if (!member->row.parent && member->row.sharing.wall_ns)
            member_set_sharing(member, &(struct sharing){.wall_ns = 0});
        look->rows[i] = member->row;
    }
    fleet_judge(look);
    return look;
}

static bool member_is_complete(const struct fleet *fleet, const struct member *member)
{
    bool wants_walk = fleet->options.sampler.walk_interval_ns != WALK_OFF;

    if (member->row.state == MEMBER_CLOSED || member->row.state == MEMBER_ENDED ||
        member->is_lent)
        return true;
    if (fleet_wants_comparison(fleet, member) && !member->has_compared)
        return false;
    return wants_walk ? member->has_walked : member->is_complete;
}

bool fleet_is_complete(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (!member_is_complete(fleet, fleet->members[i]))
            return false;
    return true;
}

bool fleet_is_over(const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->members[i]->row.state != MEMBER_ENDED)
            return false;
    return true;
}

static struct member *member_of(const struct fleet *fleet, pid_t pid)
{
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->members[i]->row.pid == pid)
            return fleet->members[i];
    return NULL;
}

struct history *fleet_history(const struct fleet *fleet, pid_t pid)
{
    const struct member *member = member_of(fleet, pid);

    return member ? member->history : NULL;
}

struct history *fleet_lend(struct fleet *fleet, pid_t pid)
{
    struct member *member = member_of(fleet, pid);
    struct err ignored = ERR_INIT;

    if (!member || member->row.state == MEMBER_ENDED)
        return NULL;
    member_close(fleet, member, &ignored);
    if (!member->history)
        member->history = history_new();
    member->is_lent = true;
    return member->history;
}

void fleet_take_back(struct fleet *fleet, pid_t pid)
{
    struct member *member = member_of(fleet, pid);

    if (!member)
        return;
    member->is_lent = member->is_complete = member->has_walked = false;
    member->sampled_mono_ns = 0;
    member->is_stale = fleet->has_changed = true;
}
