#include "source/objects_pass.h"

#include <string.h>

int objects_pass_begin(struct objects_pass *pass, const struct source_context *context,
                       walk_visitor *visit, void *with, struct err *err)
{
    memset(pass, 0, sizeof(*pass));
    if (walk_is_possible(context, err))
        return -1;
    walk_init(&pass->walk, context->target->reader, context->layout,
              context->target->type_type.value);
    pass->is_open = true;
    walk_set_target_image(&pass->walk, context->target);
    walk_set_pagemap(&pass->walk, context->target->fds.pagemap);
    walk_set_target_regions(&pass->walk, context->target);
    walk_set_target_follow(&pass->walk, context->target);
    pass->walk.visit = visit;
    pass->walk.visit_with = with;
    return walk_begin(&pass->walk, err);
}

int objects_pass_again(struct objects_pass *pass, struct err *err)
{
    struct walk_facts facts = pass->walk.facts;
    uint64_t read_bytes_before = pass->walk.read_bytes_before;

    if (walk_begin(&pass->walk, err))
        return -1;
    pass->walk.facts.began_mono_ns = facts.began_mono_ns;
    pass->walk.facts.cpu_ns += facts.cpu_ns;
    pass->walk.read_bytes_before = read_bytes_before;
    return 0;
}

bool objects_pass_step(struct objects_pass *pass, int64_t deadline_mono_ns)
{
    return walk_step(&pass->walk, deadline_mono_ns);
}

void objects_pass_facts(struct objects_pass *pass, struct walk_facts *facts)
{
    walk_end_facts(&pass->walk);
    *facts = pass->walk.facts;
}

void objects_pass_release(struct objects_pass *pass)
{
    if (pass->is_open)
        walk_release(&pass->walk);
    pass->is_open = false;
}
