#include "source/noted_pass.h"

int noted_pass_begin(struct noted_pass *noted, const struct source_context *context,
                     walk_visitor *visit, void *with, struct err *err)
{
    noted->visit = visit;
    if (objects_pass_begin(&noted->pass, context, noted->is_counting ? NULL : visit, with,
                           err))
        return -1;
    return measure_begin(&noted->measure, &noted->pass.walk, err);
}

/* The pass that comes next; false when this was the last. */
static bool next_pass(struct noted_pass *noted)
{
    bool is_more = noted->is_counting || noted->is_noting;

    if (noted->is_counting) {
        noted->counted = walk_finish(&noted->pass.walk);
        noted->pass.walk.visit = noted->visit;
        noted->is_counting = false;
    } else {
        noted->is_noting = false;
    }
    return is_more;
}

enum source_result noted_pass_step(struct noted_pass *noted, int64_t deadline_mono_ns,
                                   struct err *err)
{
    if (!objects_pass_step(&noted->pass, deadline_mono_ns))
        return SOURCE_MORE;
    if (!next_pass(noted))
        return SOURCE_DONE;
    if (objects_pass_again(&noted->pass, err) ||
        measure_begin(&noted->measure, &noted->pass.walk, err))
        return SOURCE_FAILED;
    return SOURCE_MORE;
}

void noted_pass_release(struct noted_pass *noted)
{
    objects_unref(noted->counted);
    measure_release(&noted->measure);
    objects_pass_release(&noted->pass);
}
