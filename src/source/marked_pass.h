/*
 * marked_pass.h - a pass over all objects that knows which of them are recent: what the
 * inquiries at a mark and since a mark have in common. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_MARKED_PASS_H
#define HEAPTOP_SOURCE_MARKED_PASS_H

#include "source/malloc_caches.h"
#include "source/objects_pass.h"

struct marked_pass {
    struct objects_pass pass;
    struct chunk_set recent; /* GC heads of young objects; what is added is, too */
    bool are_generations_known;
};

/* As objects_pass_begin(). Call marked_pass_release() in any case. */
int marked_pass_begin(struct marked_pass *marked, struct source_context *context,
                      walk_visitor *visit, void *with, struct err *err);
bool marked_pass_is_recent(struct marked_pass *marked, const struct met_object *met);
void marked_pass_release(struct marked_pass *marked);

#endif
