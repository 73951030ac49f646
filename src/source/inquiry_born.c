/* Since a mark: each object is looked up among those that were remembered there. */
#include "source/inquiry.h"

#include <inttypes.h>
#include <stdlib.h>

#include "model/born.h"
#include "source/gc_recent.h"
#include "source/marked_pass.h"
#include "source/object_evidence.h"
#include "target/target.h"
#include "util/xalloc.h"

struct born_inquiry {
    struct marked_pass marked;
    const struct remembered_set *set;
    bool are_positions_known; /* since the mark */
    struct born *born;
};

static void born_visit(void *with, const struct met_object *met)
{
    struct born_inquiry *inquiry = with;
    const struct walk *walk = &inquiry->marked.pass.walk;
    struct object_place place = object_place_of(walk, met);
    struct birth_evidence evidence = {.is_tracked = false};
    struct object_trace now = {.kind = 0}, then;
    bool was_there = object_set_find(&inquiry->set->objects, &place, &then);

    object_evidence(walk, met, &now, &evidence);
    evidence.is_recent = marked_pass_is_recent(&inquiry->marked, met);
    /* A young object was never old, whatever the list of the old ones says. */
    evidence.are_positions_known =
        inquiry->are_positions_known ||
        (inquiry->marked.are_generations_known && evidence.is_recent);
    born_add(inquiry->born, met->entry->kind, met->view.address, met->block_bytes,
             birth_judge(was_there ? &then : NULL, &now, &evidence));
}

/* As long as no full collection ran, what is behind the object that was the last old one
 * at the mark came since. */
static void find_promoted(struct born_inquiry *inquiry,
                          const struct source_context *context)
{
    struct reader *reader = context->target->reader;
    const struct remembered_set *set = inquiry->set;

    inquiry->marked.are_generations_known &= set->are_generations_known;
    inquiry->are_positions_known =
        inquiry->marked.are_generations_known && set->full_collections >= 0 &&
        set->full_collections == gc_full_collections(reader, context->layout) &&
        gc_promoted_read(&inquiry->marked.recent, reader, context->layout, set->last_old);
}

static int born_begin(const struct inquiry *asked, struct source_context *context,
                      void **state, struct err *err)
{
    struct born_inquiry *inquiry = xcalloc(1, sizeof(*inquiry));

    *state = inquiry;
    inquiry->born = born_new();
    if (marked_pass_begin(&inquiry->marked, context, born_visit, inquiry, err))
        return -1;
    inquiry->set = object_sets_find(context->object_sets, asked->mark);
    if (!inquiry->set) {
        err_set(err, ERR_GONE, "the objects of mark #%" PRIu32 " are not remembered",
                asked->mark);
        return err_remedy(err, "those of the last four marks set by a key are");
    }
    find_promoted(inquiry, context);
    return 0;
}

static enum source_result born_step(void *state, struct source_context *context,
                                    struct answer **answer, struct err *err)
{
    struct born_inquiry *inquiry = state;

    (void)err;
    if (!objects_pass_step(&inquiry->marked.pass, context->deadline_mono_ns))
        return SOURCE_MORE;
    born_end(inquiry->born, &inquiry->set->objects);
    objects_pass_facts(&inquiry->marked.pass, &inquiry->born->answer.walk);
    inquiry->born->answer.walk.complete &= !inquiry->set->objects.is_full;
    *answer = &inquiry->born->answer;
    inquiry->born = NULL;
    return SOURCE_DONE;
}

static void born_end_inquiry(void *state)
{
    struct born_inquiry *inquiry = state;

    marked_pass_release(&inquiry->marked);
    if (inquiry->born)
        answer_free(&inquiry->born->answer);
    free(inquiry);
}

const struct inquiry_ops inquiry_born = {
    .name = INQUIRY_BORN,
    .begin = born_begin,
    .step = born_step,
    .end = born_end_inquiry,
};
