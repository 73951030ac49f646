/* The end of a round: what was found, as sections of the sample. */
#include "source/account_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/account.h"
#include "model/builder.h"
#include "target/target.h"
#include "util/clock.h"

static void fill_malloc(struct account_state *state, struct malloc_section *section,
                        struct snapshot_builder *builder)
{
    const struct malloc_pass *pass = &state->pass;
    uint64_t used = 0, free = 0, top = 0, cached = 0, fast = 0, mmapped = 0, heaps = 0;

    for (size_t i = 0; i < pass->n_rows; i++) {
        used += pass->rows[i].used_bytes;
        free += pass->rows[i].free_bytes;
        top += pass->rows[i].top_bytes;
        cached += pass->rows[i].cached_bytes;
        heaps += pass->rows[i].heaps;
    }
    for (size_t i = 0; i < state->heaps.n_mmapped; i++)
        mmapped += state->heaps.mmapped[i].end - state->heaps.mmapped[i].start;
    fast = pass->fast_bytes;
    section->arenas = reading_exact((int64_t)pass->n_rows);
    section->heaps = reading_exact((int64_t)heaps);
    section->used_bytes = reading_exact((int64_t)used);
    section->used_chunks = reading_exact((int64_t)pass->used_chunks);
    section->free_bytes = reading_exact((int64_t)free);
    section->tcache_bytes = reading_exact((int64_t)(cached - fast));
    section->fastbin_bytes = reading_exact((int64_t)fast);
    section->top_bytes = reading_exact((int64_t)top);
    section->mmapped_bytes = reading_exact((int64_t)mmapped);
    section->mmapped_chunks = reading_exact((int64_t)state->heaps.n_mmapped);
    section->trim_bytes = reading_exact((int64_t)malloc_pass_trim_bytes(pass));
    if (pass->mmap_threshold) {
        section->mmap_threshold_bytes = reading_exact((int64_t)pass->mmap_threshold);
        section->threshold_free_bytes =
            reading_exact((int64_t)pass->threshold_free_bytes);
    }
    section->lost_bytes = pass->lost_bytes;
    section->rows = builder_copy(builder, pass->rows, pass->n_rows, sizeof(*pass->rows));
    section->n_rows = section->rows ? pass->n_rows : 0;
}

static void fill_picture(struct account_state *state, struct malloc_section *section,
                         const struct source_context *context)
{
    struct heaps_picture *picture = &state->picture;
    struct snapshot_builder *builder = context->builder;

    if (!state->pass.picture)
        return;
    heaps_picture_end(picture, context->target, context->layout);
    section->heap_rows =
        builder_copy(builder, picture->rows, picture->n_rows, sizeof(*picture->rows));
    section->heap_cells = builder_copy(builder, picture->cells, picture->n_cells, 1);
    section->tops =
        builder_copy(builder, picture->tops, picture->n_tops, sizeof(*picture->tops));
    if (section->heap_rows && section->heap_cells)
        section->n_heap_rows = picture->n_rows;
    section->n_tops = section->tops ? picture->n_tops : 0;
}

static void fill_free_lists(struct account_state *state, struct source_context *context)
{
    struct free_lists lists = {
        .reader = context->target->reader,
        .layout = context->layout,
        .table = &state->arenas,
        .uses = state->pools.uses,
        .heads = state->free_list_heads,
    };
    struct free_lists_section *section;

    if (!context->layout || !free_lists_read(&lists))
        return;
    section = builder_free_lists(context->builder);
    if (!section)
        return;
    *section = lists.totals;
    section->ended_mono_ns = clock_monotonic_ns();
    section->rows = builder_copy(context->builder, lists.rows, lists.totals.n_rows,
                                 sizeof(lists.rows[0]));
    section->n_rows = section->rows ? lists.totals.n_rows : 0;
}

static void add(struct account_bytes *to, const struct account_bytes *from)
{
    to->resident += from->resident;
    to->swapped += from->swapped;
}

static int mapping_compare(const void *left, const void *right)
{
    const struct mapping_row *a = left, *b = right;

    if (a->res_bytes != b->res_bytes)
        return a->res_bytes < b->res_bytes ? 1 : -1;
    return a->virt_bytes < b->virt_bytes ? 1 : a->virt_bytes > b->virt_bytes ? -1 : 0;
}

static void fill_account(struct account_state *state, struct source_context *context,
                         struct account_section *section)
{
    const struct objects_section *objects = context->builder->snapshot->objects;
    const struct malloc_memory *memory = &state->pass.memory;
    struct account_bytes *parts = state->account.parts;
    struct account_claims *claims = &state->claims;

    add(&parts[PART_NATIVE], &memory->used);
    add(&parts[PART_MALLOC_FREE], &memory->free);
    add(&parts[PART_MALLOC_TOP], &memory->top);
    add(&parts[PART_PRIVATE], &memory->other);
    account_claims_count(claims, &context->target->maps, &state->residency,
                         state->is_glibc, parts);
    *section = state->account;
    account_close(section);
    if (objects && !state->mimalloc.map.n_segments)
        account_split_large(section, objects->malloc_bytes, state->is_glibc);
    if (state->is_glibc)
        section->trim_bytes =
            reading_exact((int64_t)malloc_pass_trim_bytes(&state->pass));
    account_fill_gain(state, section);
    account_predict_restart(section);
    qsort(claims->rows, claims->n_rows, sizeof(*claims->rows), mapping_compare);
    section->mappings = builder_mappings(context->builder, claims->rows, claims->n_rows);
    section->n_mappings = section->mappings ? claims->n_rows : 0;
    section->ended_mono_ns = clock_monotonic_ns();
    section->wall_ns = section->ended_mono_ns - state->began_mono_ns;
    section->cpu_ns = state->cpu_ns;
}

enum source_result account_end(struct account_state *state,
                               struct source_context *context, struct err *err)
{
    struct malloc_section *malloc_section = builder_malloc(context->builder);
    struct account_section *account = builder_account(context->builder);

    if (!malloc_section || !account) {
        err_set(err, ERR_FAILED, "out of memory for the account");
        return SOURCE_FAILED;
    }
    snprintf(malloc_section->allocator, sizeof(malloc_section->allocator), "%s",
             state->images.allocator);
    if (state->is_glibc)
        fill_malloc(state, malloc_section, context->builder);
    fill_picture(state, malloc_section, context);
    fill_account(state, context, account);
    malloc_section->ended_mono_ns = account->ended_mono_ns;
    fill_free_lists(state, context);
    account_abandon(state);
    return SOURCE_DONE;
}
