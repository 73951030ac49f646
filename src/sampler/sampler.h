/*
 * sampler.h - the thread that owns target, readers, sources and session.
 *
 * Only requests go in, only messages come out: sealed snapshots, events,
 * results of actions. The main thread polls sampler_fd() beside its keys, so a
 * key never waits for a walk. Functions here are called from the main thread.
 */
#ifndef HEAPTOP_SAMPLER_H
#define HEAPTOP_SAMPLER_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/action.h"
#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "model/inquiry.h"
#include "model/inspection.h"
#include "target/target.h"

struct keeper;
struct launch;
struct sampler;

enum agent_policy {
    AGENT_AUTO = 0, /* attach when permitted and safe */
    AGENT_NEVER,
    AGENT_REQUIRE, /* fail when it cannot be attached */
};

#define WALK_AUTO INT64_C(0)  /* as often as the CPU budget allows */
#define WALK_OFF  INT64_C(-1) /* only on request */

struct sampler_options {
    int64_t interval_ns;
    enum agent_policy agent;
    int64_t walk_interval_ns; /* WALK_AUTO, WALK_OFF, or the least time between walks */
    bool read_only;           /* refuse actions */
    bool samples_on_request;  /* else every interval as well */
    struct launch *launch;    /* the program that heaptop started, or NULL; borrowed */
    struct keeper *keeper;    /* of plugins, or NULL; borrowed */
    uint64_t seq_before; /* of the last sample of the history that goes on; 0: none */
    const char *rights; /* what heaptop itself may still do, for the log; NULL: unknown */
};

enum sampler_message_type {
    SAMPLER_SNAPSHOT,
    SAMPLER_ACTION_RESULT,
    SAMPLER_INSPECTION, /* a close look at an arena, or err says why not */
    SAMPLER_ANSWER,     /* to an inquiry, or err says why there is none */
    SAMPLER_ENDED,      /* the target ended: the last snapshot came before this */
    SAMPLER_FAILED,     /* nothing more will come: err says why (agent required, ...) */
};

struct sampler_message {
    enum sampler_message_type type;
    const struct snapshot *snapshot; /* the receiver owns the reference */
    const char *action;              /* name of the action */
    struct action_result result;
    struct inspection *inspection; /* the receiver owns it; NULL when it failed */
    struct inquiry inquiry;        /* that was asked */
    struct answer *answer;         /* likewise */
    struct err err;
    bool has_executed; /* SAMPLER_ENDED: the process lives and runs another program */
};

/* Keeps the target: closes it when stopped. */
int sampler_start(struct target *target, const struct sampler_options *options,
                  struct sampler **sampler, struct err *err);

/* Processor time of its thread so far. */
int64_t sampler_cpu_ns(const struct sampler *sampler);

/* Readable while messages wait. */
int sampler_fd(const struct sampler *sampler);
bool sampler_next(struct sampler *sampler, struct sampler_message *message);

void sampler_set_interval(struct sampler *sampler, int64_t interval_ns);
/* A sample now; `walk` also begins a walk of the heap now. */
void sampler_sample_now(struct sampler *sampler, bool walk);
/* A walk that need not look again at what has not changed, and then a sample: for who
 * orders the walks itself (WALK_OFF). */
void sampler_walk_in_turn(struct sampler *sampler);
/* A close look at this arena, soon; the last one asked for counts. */
void sampler_inspect(struct sampler *sampler, uint64_t arena);
/* An answer to this, as soon as a walk or action that is under way has ended; the last
 * inquiry asked counts, one before it that is not answered yet is given up. */
void sampler_ask(struct sampler *sampler, const struct inquiry *inquiry);
/* Starts the plugin of this place in the snapshot's list, also one that has failed. */
void sampler_use_plugin(struct sampler *sampler, size_t index);
/* Hands the sinks among the plugins a sample as JSON (malloc()ed, taken); one that is not
 * seen in time gives way to the next, and is counted. */
void sampler_hand(struct sampler *sampler, char *json);
/* Loads the agent again when there is none: it was lost, or another heaptop was there. */
void sampler_load_agent(struct sampler *sampler);
/* Runs an action; its result comes as a message. -1 when one is running already,
 * when read-only, or when it is not possible. */
int sampler_run_action(struct sampler *sampler, const struct action_ops *action,
                       const struct action_arguments *arguments, struct err *err);

/* Where the collector says that it is at work: a 32-bit number, 1 during a collection,
 * and a descriptor of the target's memory, which becomes the caller's. False: not known,
 * or not yet. */
bool sampler_collecting(struct sampler *sampler, struct raddr *address, int *mem_fd);

/* When the ordered action began in the target (monotonic); 0: none is under way, it
 * waits for the objects to be counted. */
int64_t sampler_action_began_ns(struct sampler *sampler);
/* No action begins from now on: before leaving. True when one is under way. */
bool sampler_hold_actions(struct sampler *sampler);

/*
 * Has one turn of the sampler not ended for 20 s, in which its thread neither ran nor
 * waited for a processor? A page of the target can be served by the target itself
 * (userfaultfd, FUSE), and who reads it waits as long as that pleases; only the end of
 * heaptop helps then. Ask about once a second: what is counted are askings in a row, so
 * that a heaptop that was stopped meanwhile, or gets no processor on a busy machine, is
 * not taken for stuck. `err` says so in words. sampler_stop() leaves such a thread alone
 * and frees nothing.
 */
bool sampler_is_stuck(struct sampler *sampler, struct err *err);

/* Releases the agent, joins the thread, closes the target. Frees all. */
int sampler_stop(struct sampler *sampler, struct err *err);

#endif
