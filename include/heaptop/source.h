/*
 * source.h - what fills one section of a sample.
 *
 * A source is a const struct of functions, filled by name at the end of its
 * file, and one line in src/source/sources.def. It never prints, never sorts
 * for show, never sees another source. It runs in the sampler's thread.
 *
 * A cheap source fills its section whole in sample(). A walk works in slices:
 * sample() returns SOURCE_MORE when the deadline passes and is called again
 * after the cheap sources had their turn, so the header stays live while a
 * large heap is walked; when it is SOURCE_DONE its result appears in the next
 * snapshot and in all that follow until the next walk.
 */
#ifndef HEAPTOP_SOURCE_H
#define HEAPTOP_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"

struct target;
struct layout;
struct session;
struct snapshot_builder;
struct object_sets;

enum source_cost {
    SOURCE_CHEAP, /* every sample */
    SOURCE_WALK,  /* on its own interval, in slices */
};

enum source_result {
    SOURCE_FAILED = -1, /* err says why; the section stays NULL, others go on */
    SOURCE_DONE = 0,
    SOURCE_MORE = 1,
};

/* What a source may look at. Borrowed; valid during the call only. */
struct source_context {
    struct target *target;
    const struct layout *layout; /* NULL until one is proven */
    struct session *session;     /* NULL without an agent */
    struct snapshot_builder *builder;
    struct object_sets *object_sets; /* what is remembered of marks; NULL: nothing is */
    int64_t deadline_mono_ns;        /* a walk gives way when this has passed */
    bool wants_whole; /* somebody asked for a walk: nothing old may be in it */
    /* Written by the source: of its processor time what it keeps a budget of its own for;
     * the pause before the next walk is not made longer by it. */
    int64_t own_budget_cpu_ns;
    /* Written by the source: the processor time of threads of its own. */
    int64_t helpers_cpu_ns;
    /* Written by a walk that is done: there is more to find, for which nobody who has
     * just come shall wait. It has another turn when all others have had theirs. */
    bool wants_again;
    bool is_copy;       /* the target is a sleeping copy of the real one, */
    int64_t stopped_ns; /* for which that stood still so long */
};

struct source_ops {
    const char *name;
    const char *title;
    enum source_cost cost;
    /* The state is freed by close(). NULL state with return 0 is allowed. */
    int (*open)(struct target *target, void **state, struct err *err);
    enum source_result (*sample)(void *state, struct source_context *context,
                                 struct err *err);
    /* A walk that said SOURCE_MORE is given up: the next call begins anew. */
    void (*abandon)(void *state);
    void (*close)(void *state);
};

/* All built-in sources in the order of sources.def, ended by NULL. */
extern const struct source_ops *const sources[];

#endif
