/*
 * objects_agent.h - the objects as the agent counts them, where the memory cannot be
 * read from outside or is not understood there: what the collector tracks, by kind.
 *
 * One hold of the interpreter of at most AGENT_WALK_HOLD_NS counts; short ones name the
 * kinds. The price is in walk.stopped_ns. The sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_AGENT_H
#define HEAPTOP_SOURCE_OBJECTS_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/source.h"

#define AGENT_WALK_HOLD_NS INT64_C(10000000)

struct agent_walk {
    bool is_walking; /* between SOURCE_MORE and the next call */
    bool is_asked;   /* a command is under way */
    bool is_counted; /* the types are counted, names follow */
    int64_t n_slots, next;
    struct objects_section facts;
    struct kind_row *rows;
    size_t n_rows;
};

enum source_result agent_walk_sample(struct agent_walk *walk,
                                     struct source_context *context, struct err *err);
void agent_walk_release(struct agent_walk *walk);

#endif
