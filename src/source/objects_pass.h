/*
 * objects_pass.h - shows every object of the target, one by one, to one visitor.
 *
 * A walk of its own that counts nothing: for inquiries, which want to see the objects
 * themselves. It is dearer than the ordinary walk (each block is classified by itself)
 * and as careful: torn pools are read again, pages that are not in memory are left alone,
 * and where the ordinary walk finds objects, there this one does. What is an entry of a
 * free list is not shown.
 *
 * The pass borrows the context's target, and must not outlive it. One thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_PASS_H
#define HEAPTOP_SOURCE_OBJECTS_PASS_H

#include "heaptop/source.h"
#include "source/objects_walk.h"

struct objects_pass {
    struct walk walk;
    bool is_open;
};

/* The visitor is called in the order of the addresses within an arena, and may read the
 * target; what `met` leads to is valid during the call only. -1 when the objects cannot
 * be read from outside: err says why. Call objects_pass_release() in any case. */
int objects_pass_begin(struct objects_pass *pass, const struct source_context *context,
                       walk_visitor *visit, void *with, struct err *err);

/* True when all were shown; false when the deadline has passed. */
bool objects_pass_step(struct objects_pass *pass, int64_t deadline_mono_ns);

/* Begins again from the first object, with the types found so far. */
int objects_pass_again(struct objects_pass *pass, struct err *err);

/* When, how long, how complete: after the last step. */
void objects_pass_facts(struct objects_pass *pass, struct walk_facts *facts);

void objects_pass_release(struct objects_pass *pass);

#endif
