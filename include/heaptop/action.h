/*
 * action.h - the only thing that may change a target.
 *
 * An action explains itself, runs, and reports. It runs in the sampler's
 * thread: start() gives the order, poll() is called on every turn of the
 * sampler until the action is over, so a collection that takes a second does
 * not stop the header.
 */
#ifndef HEAPTOP_ACTION_H
#define HEAPTOP_ACTION_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/reading.h"
#include "heaptop/snapshot.h"

struct session;
struct target;

enum action_progress {
    ACTION_FAILED = -1,
    ACTION_OVER = 0,
    ACTION_RUNNING = 1,
};

/* What came of it. Unknown readings are those that the action does not know. */
struct action_result {
    struct reading unreachable, uncollectable; /* collect */
    struct reading pause_ns;
    struct reading res_before_bytes, res_after_bytes;
    struct reading arenas_before, arenas_after;
    struct reading blocks_before, blocks_after;
    char words[400]; /* "gc.collect(2): 1,204 unreachable, ..., 41 ms; RES -0.4M; ..." */
    struct err err;  /* code ERR_NONE when it went well */
};

struct action_ops {
    const char *name;  /* "collect" */
    const char *title; /* "Run gc.collect()" */
    enum event_type event;
    /* May it run now? 0, or -1 with the reason and the remedy. */
    int (*possible)(struct target *target, struct session *session, struct err *err);
    /* `argument` is the action's own number: collect's generation. */
    enum action_progress (*start)(struct target *target, struct session *session,
                                  int64_t argument, void **state,
                                  struct action_result *result);
    enum action_progress (*poll)(void *state, struct action_result *result);
    void (*free)(void *state);
};

/* All actions in the order of actions.def, ended by NULL. */
extern const struct action_ops *const actions[];
const struct action_ops *action_find(const char *name);

#endif
