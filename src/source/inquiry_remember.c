/* At a mark: all objects are remembered, compactly, to ask later which are new. */
#include "source/inquiry.h"

#include <stdlib.h>

#include "model/born.h"
#include "source/gc_recent.h"
#include "source/marked_pass.h"
#include "source/object_evidence.h"
#include "util/xalloc.h"

struct remember_inquiry {
    struct marked_pass marked;
    struct remembered_set *set;
    struct remembered *answer;
};

static void remember_visit(void *with, const struct met_object *met)
{
    struct remember_inquiry *inquiry = with;
    const struct walk *walk = &inquiry->marked.pass.walk;
    struct object_place place = object_place_of(walk, met);
    struct object_trace trace = {.kind = 0};
    struct birth_evidence evidence = {.is_tracked = false};

    object_evidence(walk, met, &trace, &evidence);
    trace.is_old = met->is_tracked && inquiry->marked.are_generations_known &&
                   !marked_pass_is_recent(&inquiry->marked, met);
    object_set_add(&inquiry->set->objects, &place, &trace);
}

static int remember_begin(const struct inquiry *asked, struct source_context *context,
                          void **state, struct err *err)
{
    struct remember_inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

    *state = inquiry;
    inquiry->answer = xcalloc(1, sizeof(*inquiry->answer));
    if (marked_pass_begin(&inquiry->marked, context, remember_visit, inquiry, err))
        return -1;
    inquiry->set = object_sets_add(context->object_sets, asked->mark);
    inquiry->set->are_generations_known = inquiry->marked.are_generations_known;
    inquiry->set->last_old = gc_last_old(context->target->reader, context->layout);
    inquiry->set->full_collections =
        gc_full_collections(context->target->reader, context->layout);
    return 0;
}

static enum source_result remember_step(void *state, struct source_context *context,
                                        struct answer **answer, struct err *err)
{
    struct remember_inquiry *inquiry = state;
    struct object_set *objects = &inquiry->set->objects;

    (void)err;
    if (!objects_pass_step(&inquiry->marked.pass, context->deadline_mono_ns))
        return SOURCE_MORE;
    object_set_end(objects);
    objects_pass_facts(&inquiry->marked.pass, &inquiry->answer->answer.walk);
    inquiry->answer->answer.walk.complete &= !objects->is_full;
    inquiry->answer->count = objects->count;
    inquiry->answer->bytes = objects->bytes;
    inquiry->answer->is_full = objects->is_full;
    *answer = &inquiry->answer->answer;
    inquiry->answer = NULL;
    return SOURCE_DONE;
}

static void remember_end(void *state)
{
    struct remember_inquiry *inquiry = state;

    marked_pass_release(&inquiry->marked);
    free(inquiry->answer);
    free(inquiry);
}

const struct inquiry_ops inquiry_remember = {
    .name = INQUIRY_REMEMBER,
    .begin = remember_begin,
    .step = remember_step,
    .end = remember_end,
};
