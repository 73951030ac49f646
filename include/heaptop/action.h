/*
 * action.h - the only thing that may change a target.
 *
 * An action explains itself, is asked for, runs, and reports. explain() and
 * needless() are called in the main thread and only read what is known. The
 * others run in the sampler's thread: start() gives the order, poll() is called on
 * every turn of the sampler until the action is over, so a collection that takes
 * seconds does not stop the header.
 *
 * From the list of actions come the menu, the dialogs, the options of the command
 * line and what batch mode prints: an action is one file and one line in
 * src/action/actions.def.
 */
#ifndef HEAPTOP_ACTION_H
#define HEAPTOP_ACTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/plugins.h"
#include "heaptop/reading.h"
#include "heaptop/snapshot.h"

struct history;
struct session;
struct target;

#define ACTION_ARGUMENTS 3
#define ACTION_NOT_GIVEN INT64_C(-1)
#define ACTION_CALL_MAX  96

enum action_progress {
    ACTION_FAILED = -1,
    ACTION_OVER = 0,
    ACTION_RUNNING = 1,
};

enum action_flag {
    ACTION_FREES_OBJECTS = 1, /* walks before and after it tell which */
    ACTION_FREES_MEMORY = 2,  /* a mark is set before it */
    ACTION_COPIES = 4,        /* its value is a copy of the target, to be walked once */
    ACTION_CALLS = 8,         /* what it calls must be given: arguments.call */
    ACTION_LOOKS = 16,        /* it needs no agent; result.seen is kept for plugins */
};

struct action_parameter {
    const char *name; /* "generation" */
    int64_t least, most;
    int64_t standard; /* when it is not given; ACTION_NOT_GIVEN: the target decides */
    bool is_needed;   /* must be given */
    const char *most_words; /* what the last of few choices means: "full"; or NULL */
};

struct action_arguments {
    int64_t values[ACTION_ARGUMENTS];
    char call[ACTION_CALL_MAX]; /* "module.function(1, 2)" with its values; "" = none */
};

/* What is said before the action is confirmed. */
struct action_plan {
    char words[1000];           /* what it does, what it costs, how to put it back */
    struct reading expected_ns; /* how long it will take */
};

/* An action as a plugin offers it. Its words are shown besides the action's own. */
struct action_offer {
    const struct action_ops *action;
    struct action_arguments arguments;
    char plugin[PLUGIN_NAME_BYTES];
    char words[PLUGIN_OFFER_BYTES];
};

/* What came of it. Unknown readings are those that the action does not know. */
struct action_result {
    struct reading value;                      /* what the call returned */
    struct reading unreachable, uncollectable; /* collect */
    struct reading pause_ns;                   /* the call itself */
    struct reading elapsed_ns;                 /* from the order to the answer */
    struct reading gil_wait_ns, gil_held_ns;
    struct reading res_before_bytes, res_after_bytes;
    struct reading arenas_before, arenas_after;
    struct reading blocks_before, blocks_after;
    /* The setting that it is about (action_ops.setting). */
    struct reading before[ACTION_ARGUMENTS], after[ACTION_ARGUMENTS];
    char words[200];   /* "gc.collect(2): 1,204 unreachable, 41ms; RES -0.4M; ..." */
    char details[160]; /* "RES 612.4M -> 612.0M, 43ms elapsed, GIL held 42ms" */
    char undo[80];     /* "gc.enable() puts it back"; "" = nothing to put back */
    char *seen;        /* ACTION_LOOKS: malloc()ed, for the sampler; NULL in messages */
    struct err err;    /* code ERR_NONE when it went well */
};

struct action_ops {
    const char *name; /* of the option: "gc-enable" */
    const char *call; /* "gc.enable()"; with parameters without brackets: "gc.collect" */
    const char *help; /* one line: what it does */
    char key;         /* in the menu of actions; 0: it is not there by itself */
    enum event_type event;
    unsigned flags;      /* enum action_flag */
    const char *setting; /* "enabled": name of result.before and .after; or NULL */
    const struct action_parameter *parameters;
    size_t n_parameters;
    const char *takes;    /* "a generation: 0, 1 or 2"; NULL without parameters */
    const char *argument; /* in --help: "GEN" */

    void (*explain)(const struct history *history,
                    const struct action_arguments *arguments, struct action_plan *plan);
    /* What a dialog begins with; NULL: the standard of each parameter. */
    void (*defaults)(const struct snapshot *snapshot, struct action_arguments *arguments);
    /* Why it would change nothing now ("it is on already"), else NULL; optional. */
    const char *(*needless)(const struct snapshot *snapshot);

    /* May it run now? 0, or -1 with the reason and the remedy. */
    int (*possible)(struct target *target, struct session *session, struct err *err);
    enum action_progress (*start)(struct target *target, struct session *session,
                                  const struct action_arguments *arguments, void **state,
                                  struct action_result *result);
    enum action_progress (*poll)(void *state, struct action_result *result);
    void (*free)(void *state);
};

/* All actions in the order of actions.def, ended by NULL. */
extern const struct action_ops *const actions[];
const struct action_ops *action_find(const char *name);

/* The arguments of "700,10,10"; NULL for none given. */
int action_parse(const struct action_ops *action, const char *text,
                 struct action_arguments *arguments, struct err *err);
/* The action that a plugin's call means: one of those here by its own call, else a
 * function of Python. -1: it makes no sense. */
int action_of_call(const char *call, struct action_offer *offer);
int action_check(const struct action_ops *action,
                 const struct action_arguments *arguments, struct err *err);
/* "gc.set_threshold(700, 10, 10)"; returns `text`. */
const char *action_call(char text[ACTION_CALL_MAX], const struct action_ops *action,
                        const struct action_arguments *arguments);

#endif
