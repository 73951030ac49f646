/*
 * inquiry.h - what answers a question about the objects: one file and one line each.
 *
 * To add one, say "holders":
 *   1. src/model/holders.h: `struct holders` whose first member is `struct answer`, and
 *      `#define INQUIRY_HOLDERS "holders"`, its topic. Pure: no reading there.
 *   2. src/source/inquiry_holders.c: `const struct inquiry_ops inquiry_holders`. Who
 * needs to see every object makes an objects_pass (source/objects_pass.h) its state.
 *   3. INQUIRY(holders) in src/source/inquiries.def.
 *   4. A pane gives the inquiry in its wants(), and finds the answer in its view_input;
 *      batch asks with sampler_ask() and waits for SAMPLER_ANSWER.
 *
 * The sampler (sampler_inquiry.c) runs one inquiry at a time, the one asked for last,
 * between the samples; it begins when no walk and no action is under way, and no walk
 * begins before it is over. Memory must be bounded by the inquiry, and loops by what was
 * read; what a bound left out makes the answer's walk.complete false.
 */
#ifndef HEAPTOP_SOURCE_INQUIRY_H
#define HEAPTOP_SOURCE_INQUIRY_H

#include "heaptop/err.h"
#include "heaptop/source.h"
#include "model/inquiry.h"

struct inquiry_ops {
    const char *name; /* the topic */
    /* Starts; *state is freed by end() in any case, also when this fails. */
    int (*begin)(const struct inquiry *inquiry, struct source_context *context,
                 void **state, struct err *err);
    /* Goes on until done or the context's deadline has passed: then SOURCE_MORE. When
     * SOURCE_DONE, *answer is the caller's. */
    enum source_result (*step)(void *state, struct source_context *context,
                               struct answer **answer, struct err *err);
    void (*end)(void *state); /* NULL is allowed */
};

/* NULL: there is none of this name. */
const struct inquiry_ops *inquiry_find(const char *topic);

#endif
