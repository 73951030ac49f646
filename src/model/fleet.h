/*
 * fleet.h - the processes of one service side by side: what the row of each says, who of
 * them is an outlier, and the sums.
 *
 * A row is drawn from the history of its process, like every other screen; the rest of
 * this is arithmetic over the rows. Pure; the histories' thread. `src/fleet` has the
 * processes themselves.
 */
#ifndef HEAPTOP_MODEL_FLEET_H
#define HEAPTOP_MODEL_FLEET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/history.h"
#include "model/sharing.h"

#define FLEET_MEMBERS_MAX 64

/* One process of a fleet is a member of it. */
enum member_state {
    MEMBER_NEW = 0, /* not looked at yet */
    MEMBER_LIVE,
    MEMBER_STOPPED,
    MEMBER_CLOSED, /* cannot be read: see why */
    MEMBER_ENDED,
};

/* What an outlier was noticed by. */
enum outlier {
    OUTLIER_NONE = 0,
    OUTLIER_GROWTH,
    OUTLIER_PRIVATE,
    OUTLIER_RES,
};

struct fleet_row {
    pid_t pid, parent; /* the parent when it is a member too, else 0 */
    int depth;         /* below the topmost member */
    uint64_t start_ticks;
    enum member_state state;
    const char *role; /* static text: "master", "worker", ...; "" = by itself */
    unsigned number;  /* among the living of its role, from 1: the next one takes it */
    char command[256];
    char why[400];         /* it cannot be read; "" */
    int64_t ended_wall_ns; /* 0 while it lives */

    int64_t sampled_wall_ns, walked_wall_ns; /* 0: not yet */
    int64_t res_wall_ns; /* RES is younger than the rest: each listing has it */
    struct reading res_bytes, pss_bytes, private_bytes, swap_bytes;
    struct reading arena_bytes, malloc_bytes, other_bytes; /* of RES when it was walked */
    struct reading objects;
    struct reading growth_bytes; /* of RES a minute; 0: the test finds none; unknown: not
                                    watched for long enough */
    struct reading gc_milli_percent; /* of the time: collections; exact with the agent */
    const char *rule;                /* of the first verdict, "R2"; "" = none yet */
    char verdict[480];               /* its words */

    struct sharing sharing; /* with its parent */
    char sharing_why[160];  /* it is not known; "" */

    const struct history *history; /* borrowed; NULL: it was not looked at */

    enum outlier outlier;
    size_t peers; /* that it is compared with, itself among them */
    struct reading outlier_value, outlier_median;
};

struct fleet_sums {
    size_t members, ended, closed, outliers;
    /* Over the living; unknown when one of them is. RES counts shared pages again for
     * each process, PSS counts every page once. */
    struct reading res_bytes, pss_bytes, private_bytes, swap_bytes;
    struct reading arena_bytes, malloc_bytes, other_bytes, objects, growth_bytes;
    struct sharing sharing; /* of those of which it is known; as old as the oldest */
    /* Of the living that were; 0: none. */
    int64_t oldest_res_wall_ns, oldest_sampled_wall_ns, oldest_walked_wall_ns;
};

struct fleet_sample {
    uint64_t seq; /* from 1 */
    int64_t wall_ns, interval_ns;
    pid_t root;          /* what was asked for: this process and all below it, */
    const char *pattern; /* or those whose command has this; NULL. Borrowed */
    size_t n_left_out;   /* beyond FLEET_MEMBERS_MAX */
    int64_t cpu_ns;      /* heaptop's own processor time since it began */
    struct fleet_sums sums;
    size_t count;
    struct fleet_row rows[FLEET_MEMBERS_MAX];
};

/* RES as a listing has it now: one more point of `series` (growth_new_of_readings()), and
 * what they say of its growth. */
void fleet_row_add_res(struct fleet_row *row, struct growth *series,
                       struct reading res_bytes, int64_t mono_ns, int64_t wall_ns);

/* Fills what the history tells: the other numbers, and the verdict. */
void fleet_row_fill(struct fleet_row *row, const struct history *history);

#define FLEET_NAME_MAX 32
/* "worker-3": the one that takes its place when it has ended is called so too. */
const char *fleet_name(const struct fleet_row *row, char name[FLEET_NAME_MAX]);
/* Likewise of its parent; "": that is none of them. */
const char *fleet_parent_name(const struct fleet_sample *sample,
                              const struct fleet_row *row, char name[FLEET_NAME_MAX]);

/* What a process is to its service, from its command line and its parent's ("": none). */
const char *fleet_role(const char *command, const char *parent_command, size_t children);

/* Finds the outliers among processes of one role and parent, and adds the sums up. */
void fleet_judge(struct fleet_sample *sample);

/* Sums what those below this process share with their parent; 0: all. How many it is. */
size_t fleet_sharing_below(const struct fleet_sample *sample, pid_t parent,
                           struct sharing *sum);

/* "4243 grows by 4.1M a minute, the median of 8 is 0"; "" for who is none. */
void fleet_outlier_words(const struct fleet_row *row, char *text, size_t size);

const char *member_state_name(enum member_state state); /* "new" "live" "closed" ... */
const char *outlier_name(enum outlier outlier);         /* "growth" "private" ...; "" */

#endif
