/*
 * fleet.h - the processes of one service, watched together: for --tree.
 *
 * Each member has a sampler of its own, which samples only when it is told to, and a
 * history; the fleet gives them their turns, so that at any time at most one of them is
 * sampled and one is walked or compared with its parent. All together takes at most about
 * 1.7 % of a core (fleet_budget.h), however many members there are, and more members are
 * looked at less often. Only the first look at each is not paid for in this way. RES and
 * its growth come with each listing. Memory is read from outside; no agent is loaded.
 *
 * All functions are called from the main thread, which is never held up by a walk. The
 * members' descriptors all lie in this process: see SECURITY.md.
 */
#ifndef HEAPTOP_FLEET_FLEET_H
#define HEAPTOP_FLEET_FLEET_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "model/fleet.h"
#include "sampler/sampler.h"

#define FLEET_FDS_MAX (FLEET_MEMBERS_MAX + 1)

struct fleet;

struct fleet_options {
    pid_t root;          /* this process and all below it, */
    const char *pattern; /* or those whose command has this, and all below; borrowed */
    struct sampler_options sampler;
};

/* ERR_GONE when there is no such process. Nothing is read of the members yet. */
int fleet_open(const struct fleet_options *options, struct fleet **fleet,
               struct err *err);
/* Says in `err` when a member's sampler could not be ended; it ends with heaptop. */
int fleet_close(struct fleet *fleet, struct err *err);

/* To be polled for reading; how many, at most FLEET_FDS_MAX. */
size_t fleet_fds(const struct fleet *fleet, struct pollfd *fds);
/* When fleet_step() has something to do although nothing can be read. */
int64_t fleet_due_ns(const struct fleet *fleet);
/* Takes what came, lists the processes anew, gives the next turns. True when the rows
 * have changed. */
bool fleet_step(struct fleet *fleet);

void fleet_set_interval(struct fleet *fleet, int64_t interval_ns);
/* Every member has its turns as soon as may be. */
void fleet_hurry(struct fleet *fleet);

/* The rows of now; borrowed until the next call. */
const struct fleet_sample *fleet_look(struct fleet *fleet);
/* Has each member been sampled and, unless that is off, walked? */
bool fleet_is_complete(const struct fleet *fleet);
/* All have ended. */
bool fleet_is_over(const struct fleet *fleet);

/* The history of a member, or NULL. Borrowed. */
struct history *fleet_history(const struct fleet *fleet, pid_t pid);
/* The member is looked at by somebody else from now on, who adds to its history; NULL
 * when it has ended or cannot be read. */
struct history *fleet_lend(struct fleet *fleet, pid_t pid);
/* It has its turns again. */
void fleet_take_back(struct fleet *fleet, pid_t pid);

#endif
