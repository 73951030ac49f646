/*
 * fleet_private.h - what the files of the fleet share: fleet.c is what is called from
 * outside, fleet_list.c says who belongs to it, fleet_turn.c who is looked at next,
 * fleet_budget.c says when that is paid for, fleet_comparison.c compares one with its
 * parent, fleet_watch.c looks at collections.
 * Main thread only.
 */
#ifndef HEAPTOP_FLEET_FLEET_PRIVATE_H
#define HEAPTOP_FLEET_FLEET_PRIVATE_H

#include "fleet/fleet.h"
#include "fleet/fleet_budget.h"
#include "target/candidates.h"

struct member {
    struct fleet_row row;
    struct sampler *sampler; /* NULL: not opened, ended, lent, or it cannot be read */
    struct history *history; /* NULL until it was opened */
    struct growth *res;      /* by the listings: RES at each */
    bool is_listed;          /* in the last listing */
    bool is_lent;
    bool is_stale;    /* the row is older than the history */
    bool is_complete; /* a sample with all that is cheap has come */
    bool has_walked, has_compared, is_watched;
    /* When its last turn began; 0: never. */
    int64_t sampled_mono_ns, walked_mono_ns, compared_mono_ns;
    int64_t retry_mono_ns; /* it could not be opened: not again before this */
};

struct comparison_turn; /* fleet_comparison.h */

/* At most one member has it. */
struct turn {
    struct member *member;              /* NULL: nobody */
    struct comparison_turn *comparison; /* not a walk, but this; NULL */
    int64_t began_cpu_ns;               /* of the sampler; of a sample */
    int64_t rest_until_mono_ns, ended_mono_ns;
};

struct fleet {
    struct fleet_options options;
    struct candidates candidates;
    struct member *members[FLEET_MEMBERS_MAX]; /* in the order of the rows */
    size_t count, n_left_out;
    int64_t list_due_mono_ns;
    struct turn sample, walk; /* walk: also to be compared */
    struct budget budget;     /* of walks and comparisons: all that others leave */
    struct watch *watch;      /* of collections; NULL: none */
    bool has_changed;
    struct fleet_sample look;
};

/* fleet_list.c */
int fleet_list(struct fleet *fleet, struct err *err);
void fleet_forget(struct fleet *fleet, struct member *member);
/* It has ended: its sampler goes, its row stays for a while. */
void member_end(struct fleet *fleet, struct member *member);
void member_free(struct member *member);
/* Ends its sampler; -1 when that hangs. */
int member_close(struct fleet *fleet, struct member *member, struct err *err);

/* NULL when its parent is no member. */
const struct member *member_parent(const struct fleet *fleet,
                                   const struct member *member);

/* fleet_turn.c */
/* wall_ns 0: it is not known, any more. */
void member_set_sharing(struct member *member, const struct sharing *sharing);
void fleet_take_messages(struct fleet *fleet);
bool fleet_wants_comparison(const struct fleet *fleet, const struct member *member);
void fleet_give_turns(struct fleet *fleet);
int64_t fleet_turns_due_ns(const struct fleet *fleet);

#endif
