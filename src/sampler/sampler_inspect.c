/* A close look at one arena, when the main thread asks for one. */
#include "sampler/sampler_private.h"

#include "source/inspect.h"

void sampler_inspect_now(struct sampler *sampler, uint64_t arena)
{
    struct sampler_message message = {.type = SAMPLER_INSPECTION};

    if (sampler->is_ended || sampler->is_failed)
        err_set(&message.err, ERR_GONE, "the target has ended");
    else
        message.inspection =
            inspect_arena(sampler->target, sampler->has_layout ? &sampler->layout : NULL,
                          arena, &message.err);
    sampler_send(sampler, &message);
}

void sampler_inspect(struct sampler *sampler, uint64_t arena)
{
    pthread_mutex_lock(&sampler->lock);
    sampler->wish.arena = arena;
    pthread_mutex_unlock(&sampler->lock);
    sampler_wake(sampler);
}
