/* What a collection would return besides what a trim does: the collector, run dry. */
#include "source/account_state.h"

#include <stdlib.h>

#include "model/builder.h"
#include "target/target.h"
#include "util/clock.h"

#define DRY_RUN_CPU_FACTOR 200    /* averaged: 0.5 % of one core */
#define DRY_RUN_AT_ONCE    200000 /* tracked objects */

/* Nobody who has just come waits for the dry run of a large heap. */
static bool is_put_off(const struct account_state *state,
                       const struct source_context *context)
{
    const struct objects_section *objects = context->builder->snapshot->objects;

    return !state->has_had_round && objects && objects->tracked > DRY_RUN_AT_ONCE;
}

static enum garbage_why why_not(const struct account_state *state,
                                const struct source_context *context)
{
    enum garbage_why why = cycles_why_not(context->layout);

    if (!why && !state->is_glibc)
        return GARBAGE_WHY_OTHER_MALLOC;
    return !why && is_put_off(state, context) ? GARBAGE_WHY_PUT_OFF : why;
}

/* A dry run reads all that the collector tracks: it is made seldom. */
static bool dry_run_is_due(struct account_state *state,
                           const struct source_context *context)
{
    enum garbage_why why = why_not(state, context);

    state->has_had_round = true;
    if (why)
        state->gain = (struct collect_gain){.why = why};
    return !why && clock_monotonic_ns() >= state->next_dry_run_mono_ns;
}

static bool cycles_open(struct account_state *state, struct source_context *context)
{
    state->gain = (struct collect_gain){.why = GARBAGE_WHY_NO_MEMORY};
    state->dry_run_cpu_ns = 0;
    state->cycles = calloc(1, sizeof(*state->cycles));
    if (!state->cycles)
        return false;
    if (cycles_begin(state->cycles, context->layout, context->target->reader,
                     &state->residency, &state->arenas, state->pools.uses, &state->heaps))
        return true;
    state->gain.why = state->cycles->why;
    return false;
}

void account_dry_run_begin(struct account_state *state, struct source_context *context)
{
    if (dry_run_is_due(state, context) && cycles_open(state, context))
        state->stage = STAGE_DRY_RUN;
    else
        account_chunks_begin(state, STAGE_CHUNKS);
}

struct reading account_returned(const struct account_state *state,
                                const struct cycles_freed *freed)
{
    return reading_exact((int64_t)(malloc_pass_trim_bytes(&state->pass) +
                                   state->pass.mmapped_freed_bytes + freed->arena_bytes));
}

static void dry_run_end(struct account_state *state)
{
    const struct cycles *cycles = state->cycles;

    state->next_dry_run_mono_ns =
        clock_monotonic_ns() + state->dry_run_cpu_ns * DRY_RUN_CPU_FACTOR;
    state->gain.why = cycles->why;
    if (!cycles_is_known(cycles)) {
        account_chunks_begin(state, STAGE_CHUNKS);
        return;
    }
    state->gain.objects = reading_exact((int64_t)cycles->most.objects);
    state->gain.bytes = reading_exact((int64_t)cycles->most.bytes);
    state->gain.mono_ns = state->gathered_mono_ns;
    account_chunks_begin(state, STAGE_CHUNKS_LEAST);
}

void account_dry_run_step(struct account_state *state, struct source_context *context)
{
    int64_t began_ns = clock_thread_cpu_ns(), spent_ns;
    bool is_over;

    /* What is made later is not among the objects that are judged. */
    if (state->cycles->stage == CYCLES_GATHER)
        state->gathered_mono_ns = clock_monotonic_ns();
    is_over = !cycles_step(state->cycles);
    spent_ns = clock_thread_cpu_ns() - began_ns;
    state->dry_run_cpu_ns += spent_ns;
    context->own_budget_cpu_ns += spent_ns;
    if (is_over)
        dry_run_end(state);
}

/* The last pass is over: now the gain is the difference to it. */
void account_gain_end(struct account_state *state)
{
    int64_t trim = (int64_t)malloc_pass_trim_bytes(&state->pass);

    if (!state->cycles || !reading_is_known(state->gain.least_bytes))
        return;
    state->gain.least_bytes.value -= trim;
    state->gain.most_bytes.value -= trim;
}

/* The gain may be of an earlier round: a dry run is dear. */
static struct reading with_gain(struct reading trim, struct reading gain)
{
    if (!reading_is_known(gain) || !reading_is_known(trim))
        return reading_unknown();
    return (struct reading){trim.value + (gain.value > 0 ? gain.value : 0),
                            READING_ESTIMATE};
}

void account_fill_gain(const struct account_state *state, struct account_section *section)
{
    const struct collect_gain *gain = &state->gain;

    section->collect_trim_bytes = with_gain(section->trim_bytes, gain->least_bytes);
    section->collect_trim_most_bytes = with_gain(section->trim_bytes, gain->most_bytes);
    /* The passes are not of one moment. */
    if (section->collect_trim_most_bytes.value < section->collect_trim_bytes.value)
        section->collect_trim_most_bytes.value = section->collect_trim_bytes.value;
    section->garbage_objects = gain->objects;
    section->garbage_bytes = gain->bytes;
    section->garbage_why = gain->why;
    section->garbage_mono_ns = gain->mono_ns;
}
