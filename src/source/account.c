/*
 * The account: whose each resident byte of the target is. One round looks at the pages
 * of the whole process at one instant, then, in slices, at the pools of pymalloc and the
 * chunks of malloc; all that is counted is counted against that instant, so the parts
 * add up to the RES that was read beside it. What changed since shows up as unexplained.
 */
#include "source/account_state.h"

#include <stdlib.h>
#include <string.h>

#include "target/target.h"
#include "util/clock.h"
#include "util/xalloc.h"

static int account_open(struct target *target, void **state, struct err *err)
{
    (void)target;
    (void)err;
    *state = xcalloc(1, sizeof(struct account_state));
    return 0;
}

void account_abandon(void *opaque)
{
    struct account_state *state = opaque;

    if (state->stage == STAGE_CHUNKS_LEAST || state->stage == STAGE_CHUNKS_MOST)
        memset(&state->pass.freed, 0, sizeof(state->pass.freed)); /* the dry run's */
    if (state->cycles)
        cycles_release(state->cycles);
    free(state->cycles);
    state->cycles = NULL;
    account_pools_release(&state->pools);
    account_mimalloc_release(&state->mimalloc);
    heaps_picture_release(&state->picture);
    malloc_pass_release(&state->pass);
    arenas_release(&state->arenas);
    state->stage = STAGE_IDLE;
}

static void account_close_source(void *opaque)
{
    struct account_state *state = opaque;

    if (!state)
        return;
    account_abandon(state);
    images_release(&state->images);
    residency_release(&state->residency);
    malloc_heaps_release(&state->heaps);
    account_claims_release(&state->claims);
    free(state);
}

static bool is_late(const struct source_context *context)
{
    return clock_monotonic_ns() > context->deadline_mono_ns;
}

void account_chunks_begin(struct account_state *state, enum account_stage stage)
{
    struct chunk_set none = {NULL, 0, 0, 0};

    state->stage = stage;
    state->pass.freed = none;
    if (stage == STAGE_CHUNKS_LEAST)
        state->pass.freed = state->cycles->least.chunks;
    else if (stage == STAGE_CHUNKS_MOST)
        state->pass.freed = state->cycles->most.chunks;
    state->pass.picture = NULL;
    if (stage == STAGE_CHUNKS && heaps_picture_begin(&state->picture, &state->heaps))
        state->pass.picture = &state->picture;
    malloc_pass_begin(&state->pass);
}

/* False when the round is over. */
static bool account_step(struct account_state *state, struct source_context *context)
{
    switch (state->stage) {
    case STAGE_IDLE:
        return false;
    case STAGE_POOLS:
        if (!account_pools_step(&state->pools, state->account.parts))
            state->stage = STAGE_MIMALLOC;
        return true;
    case STAGE_MIMALLOC:
        if (!account_mimalloc_step(&state->mimalloc, &state->residency,
                                   state->account.parts))
            account_dry_run_begin(state, context);
        return true;
    case STAGE_DRY_RUN:
        account_dry_run_step(state, context);
        return true;
    case STAGE_CHUNKS_LEAST:
        if (malloc_pass_step(&state->pass))
            return true;
        state->gain.least_bytes = account_returned(state, &state->cycles->least);
        account_chunks_begin(state, STAGE_CHUNKS_MOST);
        return true;
    case STAGE_CHUNKS_MOST:
        if (malloc_pass_step(&state->pass))
            return true;
        state->gain.most_bytes = account_returned(state, &state->cycles->most);
        account_chunks_begin(state, STAGE_CHUNKS);
        return true;
    case STAGE_CHUNKS:
        if (malloc_pass_step(&state->pass))
            return true;
        account_gain_end(state);
        return false;
    }
    return false;
}

static enum source_result account_sample(void *opaque, struct source_context *context,
                                         struct err *err)
{
    struct account_state *state = opaque;
    int64_t began_ns = clock_thread_cpu_ns();
    bool is_over = false;

    if (!context->target->reader) {
        *err = context->target->access_why;
        err_prefix(err, "RES cannot be explained");
        return SOURCE_FAILED;
    }
    if (state->stage == STAGE_IDLE) {
        state->cpu_ns = 0;
        if (account_begin(state, context, err))
            return SOURCE_FAILED;
    }
    while (!is_over && !is_late(context))
        is_over = !account_step(state, context);
    state->cpu_ns += clock_thread_cpu_ns() - began_ns;
    context->wants_again = is_over && state->gain.why == GARBAGE_WHY_PUT_OFF;
    return is_over ? account_end(state, context, err) : SOURCE_MORE;
}

const struct source_ops source_account = {
    .name = "account",
    .title = "Where RES goes",
    .cost = SOURCE_WALK,
    .open = account_open,
    .sample = account_sample,
    .abandon = account_abandon,
    .close = account_close_source,
};
