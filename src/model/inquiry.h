/*
 * inquiry.h - a question about the target's objects, and its answer.
 *
 * What the ordinary walk counts is for every sample; what the objects of one kind are
 * like, or who holds an object, is asked when somebody looks. The main thread asks with a
 * `struct inquiry` (sampler_ask()), the sampler's thread answers in slices by a pass of
 * its own, and the answer comes back as a message that owns it. An answer says when it
 * was made and what that cost: it ages, and is made anew only when asked again.
 *
 * How to add an inquiry is told in source/inquiry.h.
 */
#ifndef HEAPTOP_MODEL_INQUIRY_H
#define HEAPTOP_MODEL_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/snapshot.h"

/* What is asked. */
struct inquiry {
    const char *topic;       /* the name of its struct inquiry_ops; NULL: nothing */
    const struct kind *kind; /* NULL: of all kinds, or not by kind */
    uint64_t address;        /* of one object; 0 = of none */
    uint32_t mark;           /* since which, or at which; 0 = none */
    bool shows_values;       /* the answer may hold what objects contain */
};

/* The first member of every answer. */
struct answer {
    struct inquiry inquiry; /* that it answers */
    struct walk_facts walk; /* when, how long, how complete */
    /* Frees what the answer owns, not the answer itself; NULL: it owns nothing. */
    void (*release)(struct answer *answer);
};

bool inquiry_is_same(const struct inquiry *one, const struct inquiry *other);

/* Frees an answer of any topic; NULL is allowed. */
void answer_free(struct answer *answer);

#endif
