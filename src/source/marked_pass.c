#include "source/marked_pass.h"

#include "source/gc_recent.h"
#include "target/target.h"

int marked_pass_begin(struct marked_pass *marked, struct source_context *context,
                      walk_visitor *visit, void *with, struct err *err)
{
    if (!context->object_sets)
        return err_set(err, ERR_UNSUPPORTED, "nothing is remembered of marks here");
    if (objects_pass_begin(&marked->pass, context, visit, with, err))
        return -1;
    marked->are_generations_known =
        gc_young_read(&marked->recent, context->target->reader, context->layout);
    return 0;
}

bool marked_pass_is_recent(struct marked_pass *marked, const struct met_object *met)
{
    return met->is_tracked && marked->are_generations_known &&
           chunk_set_has(&marked->recent, met->view.address - GC_HEAD_BYTES);
}

void marked_pass_release(struct marked_pass *marked)
{
    objects_pass_release(&marked->pass);
    chunk_set_release(&marked->recent);
}
