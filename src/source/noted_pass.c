#include "source/noted_pass.h"

int noted_pass_begin(struct noted_pass *noted, const struct source_context *context,
                     walk_visitor *visit, void *with, struct err *err)
{
    if (objects_pass_begin(&noted->pass, context, visit, with, err))
        return -1;
    return measure_begin(&noted->measure, &noted->pass.walk, err);
}

enum source_result noted_pass_step(struct noted_pass *noted, int64_t deadline_mono_ns,
                                   struct err *err)
{
    if (!objects_pass_step(&noted->pass, deadline_mono_ns))
        return SOURCE_MORE;
    if (!noted->is_noting)
        return SOURCE_DONE;
    noted->is_noting = false;
    if (objects_pass_again(&noted->pass, err) ||
        measure_begin(&noted->measure, &noted->pass.walk, err))
        return SOURCE_FAILED;
    return SOURCE_MORE;
}

void noted_pass_release(struct noted_pass *noted)
{
    measure_release(&noted->measure);
    objects_pass_release(&noted->pass);
}
