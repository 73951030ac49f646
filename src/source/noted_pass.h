/*
 * noted_pass.h - a pass over all objects that measures them, after one that only notes
 * where that is wanted: what the inquiries into one kind and into duplicates have in
 * common. In front of both a walk may count as the walk for the tables does, and learn
 * which fields of C lead to parts. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_NOTED_PASS_H
#define HEAPTOP_SOURCE_NOTED_PASS_H

#include "source/objects_measure.h"
#include "source/objects_pass.h"

struct noted_pass {
    struct objects_pass pass;
    struct measure measure;
    bool is_noting;   /* the first of two passes; set it before the pass begins */
    bool is_counting; /* a walk that counts comes first; likewise */
    const struct objects_section *counted; /* by it; NULL: nothing was, or no memory */
    walk_visitor *visit;
};

/* As objects_pass_begin(). Call noted_pass_release() in any case. */
int noted_pass_begin(struct noted_pass *noted, const struct source_context *context,
                     walk_visitor *visit, void *with, struct err *err);
/* SOURCE_DONE when all passes are over. */
enum source_result noted_pass_step(struct noted_pass *noted, int64_t deadline_mono_ns,
                                   struct err *err);
void noted_pass_release(struct noted_pass *noted);

#endif
