/*
 * The account: whose each resident byte of the target is. One round looks at the pages
 * of the whole process at one instant, then, in slices, at the pools of pymalloc and the
 * chunks of malloc; all that is counted is counted against that instant, so the parts
 * add up to the RES that was read beside it. What changed since shows up as unexplained.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/source.h"
#include "model/account.h"
#include "model/builder.h"
#include "source/account_claims.h"
#include "source/account_pools.h"
#include "source/cycles.h"
#include "source/free_lists.h"
#include "source/images.h"
#include "source/malloc_pass.h"
#include "source/malloc_threshold.h"
#include "source/thread_stacks.h"
#include "target/procfs.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define DRY_RUN_CPU_FACTOR  200    /* averaged: 0.5 % of one core */
#define DRY_RUN_AT_ONCE     200000 /* tracked objects */
#define STACKS_BUDGET_BYTES (UINT64_C(256) << 20)

enum account_stage {
    STAGE_IDLE = 0,
    STAGE_POOLS,
    STAGE_DRY_RUN,      /* of the collector */
    STAGE_CHUNKS_LEAST, /* as they would be after a collection: */
    STAGE_CHUNKS_MOST,  /* what it frees at least, and at most */
    STAGE_CHUNKS,       /* as they are */
};

/* What a collection would return besides what a trim does. */
struct collect_gain {
    struct reading least_bytes, most_bytes, objects, bytes;
    int64_t mono_ns;
};

struct account_state {
    enum account_stage stage;
    struct images images;
    struct thread_stacks stacks;
    struct residency residency;
    struct arena_table arenas;
    struct malloc_heaps heaps;
    struct malloc_pass pass;
    struct heaps_picture picture;
    struct account_claims claims;
    struct account_pools pools;
    struct account_section account;
    struct cycles *cycles; /* NULL while no dry run is made */
    struct collect_gain gain;
    int64_t dry_run_cpu_ns, next_dry_run_mono_ns, gathered_mono_ns;
    int64_t began_mono_ns, cpu_ns;
    uint64_t free_list_heads[FREE_LIST_PLACES_MOST];
    bool is_glibc, has_had_round;
};

static int account_open(struct target *target, void **state, struct err *err)
{
    (void)target;
    (void)err;
    *state = xcalloc(1, sizeof(struct account_state));
    return 0;
}

static void account_abandon(void *opaque)
{
    struct account_state *state = opaque;

    if (state->stage == STAGE_CHUNKS_LEAST || state->stage == STAGE_CHUNKS_MOST)
        memset(&state->pass.freed, 0, sizeof(state->pass.freed)); /* the dry run's */
    if (state->cycles)
        cycles_release(state->cycles);
    free(state->cycles);
    state->cycles = NULL;
    account_pools_release(&state->pools);
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

/* ---- the beginning of a round: who claims what ---- */

static void claim_arenas(struct account_state *state, const struct layout *layout)
{
    for (size_t i = 0; i < state->arenas.count; i++) {
        uint64_t start = state->arenas.rows[i].address;

        account_claims_add(&state->claims, CLAIM_ARENA, start,
                           start + layout->pymalloc.arena_bytes, "pymalloc arenas");
    }
}

static void claim_heaps(struct account_state *state)
{
    const struct malloc_heaps *heaps = &state->heaps;

    for (size_t i = 0; i < heaps->count; i++)
        account_claims_add(&state->claims, CLAIM_HEAP, heaps->heaps[i].start,
                           heaps->heaps[i].end,
                           heaps->heaps[i].arena ? "malloc heaps of threads" : "[heap]");
    for (size_t i = 0; i < heaps->n_mmapped; i++)
        account_claims_add(&state->claims, CLAIM_MMAPPED, heaps->mmapped[i].start,
                           heaps->mmapped[i].end, "malloc's mmapped chunks");
}

static void claim_images(struct account_state *state)
{
    const struct images *images = &state->images;

    for (size_t i = 0; i < images->count; i++)
        account_claims_add(&state->claims, CLAIM_IMAGE, images->ranges[i].start,
                           images->ranges[i].end, images->paths[images->ranges[i].path]);
}

struct search {
    struct account_state *state;
    struct reader *reader;
    uint64_t budget_bytes;
};

static void search_stacks(void *context, uint64_t start, uint64_t end)
{
    struct search *search = context;

    thread_stacks_search(&search->state->stacks, search->reader,
                         &search->state->residency, start, end, &search->budget_bytes);
}

/* Stacks are looked for in what is left, so they come last. */
static void claim_stacks(struct account_state *state, struct target *target)
{
    struct search search = {state, target->reader, STACKS_BUDGET_BYTES};
    struct thread_stacks *stacks = &state->stacks;

    thread_stacks_tids(stacks, target->fds.dir);
    if (thread_stacks_prove(stacks, target->reader, (uint32_t)target->pid))
        account_claims_rest(&state->claims, &target->maps, search_stacks, &search);
    for (size_t i = 0; i < stacks->count; i++)
        account_claims_add(&state->claims, CLAIM_STACK, stacks->stacks[i].start,
                           stacks->stacks[i].end, "thread stacks");
    account_claims_sort(&state->claims);
}

static void find_heaps(struct account_state *state, struct target *target,
                       const struct layout *layout)
{
    const struct malloc_places places = {
        target->reader,
        &state->residency,
        &target->maps,
        state->arenas.count ? &state->arenas : NULL,
        layout ? layout->pymalloc.arena_bytes : 0,
    };

    if (state->is_glibc)
        malloc_heaps_find(&state->heaps, &places);
    else
        state->heaps.count = state->heaps.n_mmapped = 0;
}

/* The fastbins of all arenas: the main one is in libc's data, the others in a heap. */
static void find_fastbins(struct account_state *state, struct reader *reader)
{
    const struct malloc_heaps *heaps = &state->heaps;
    struct chunk_set *set = &state->pass.fastbins;
    uint64_t lists = malloc_lists_find(reader, heaps, state->images.malloc_start,
                                       state->images.malloc_end);

    if (lists)
        malloc_fastbins_add(set, reader, heaps, lists);
    for (size_t i = 0; i < heaps->count; i++) {
        uint64_t arena = heaps->heaps[i].arena;

        if (!arena || arena < heaps->heaps[i].start || arena >= heaps->heaps[i].first)
            continue;
        lists = malloc_lists_find(reader, heaps, arena, heaps->heaps[i].first);
        if (lists)
            malloc_fastbins_add(set, reader, heaps, lists);
    }
    chunk_set_sort(set);
}

static int account_begin(struct account_state *state, struct source_context *context,
                         struct err *err)
{
    struct target *target = context->target;
    const struct layout *layout = context->layout;
    struct err ignored = ERR_INIT;
    struct reading res;
    size_t bad;

    account_abandon(state);
    memset(&state->account, 0, sizeof(state->account));
    state->began_mono_ns = clock_monotonic_ns();
    if (target_refresh_maps(target, err))
        return -1;
    if (residency_scan(&state->residency, target->fds.pagemap, &target->maps, err))
        return -1;
    res = procfs_res(target->fds.statm);
    if (!reading_is_known(res))
        return err_set(err, ERR_FAILED, "RES of the target cannot be read");
    state->account.res_bytes = (uint64_t)res.value;
    images_refresh(&state->images, target->reader, &target->maps);
    state->is_glibc = !strcmp(state->images.allocator, "glibc");
    if (layout && layout->has_pymalloc &&
        arenas_read(&state->arenas, target->reader, layout, &bad, &ignored))
        state->arenas.count = 0;
    find_heaps(state, target, layout);
    account_claims_begin(&state->claims);
    if (layout)
        claim_arenas(state, layout);
    claim_heaps(state);
    claim_images(state);
    account_claims_sort(&state->claims);
    claim_stacks(state, target);
    state->pools = (struct account_pools){
        .reader = target->reader,
        .residency = &state->residency,
        .pymalloc = layout ? &layout->pymalloc : NULL,
        .table = &state->arenas,
    };
    account_pools_begin(&state->pools);
    if (!malloc_pass_init(&state->pass, target->reader, &state->residency, &state->heaps))
        return err_set(err, ERR_FAILED, "out of memory for malloc's chunks");
    find_fastbins(state, target->reader);
    state->pass.mmap_threshold = malloc_threshold_find(
        target->reader, state->images.malloc_start, state->images.malloc_end);
    malloc_pass_begin(&state->pass);
    state->stage = STAGE_POOLS;
    return 0;
}

/* ---- its end: the sections ---- */

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

/* The gain may be of an earlier round: a dry run is dear. */
static struct reading with_gain(struct reading trim, struct reading gain)
{
    if (!reading_is_known(gain) || !reading_is_known(trim))
        return reading_unknown();
    return (struct reading){trim.value + (gain.value > 0 ? gain.value : 0),
                            READING_ESTIMATE};
}

static void fill_gain(const struct account_state *state, struct account_section *section)
{
    const struct collect_gain *gain = &state->gain;

    section->collect_trim_bytes = with_gain(section->trim_bytes, gain->least_bytes);
    section->collect_trim_most_bytes = with_gain(section->trim_bytes, gain->most_bytes);
    /* The passes are not of one moment. */
    if (section->collect_trim_most_bytes.value < section->collect_trim_bytes.value)
        section->collect_trim_most_bytes.value = section->collect_trim_bytes.value;
    section->garbage_objects = gain->objects;
    section->garbage_bytes = gain->bytes;
    section->garbage_mono_ns = gain->mono_ns;
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
    if (objects)
        account_split_large(section, objects->malloc_bytes,
                            state->is_glibc && !layout_uses_mimalloc(context->layout));
    if (state->is_glibc)
        section->trim_bytes =
            reading_exact((int64_t)malloc_pass_trim_bytes(&state->pass));
    fill_gain(state, section);
    account_predict_restart(section);
    qsort(claims->rows, claims->n_rows, sizeof(*claims->rows), mapping_compare);
    section->mappings = builder_mappings(context->builder, claims->rows, claims->n_rows);
    section->n_mappings = section->mappings ? claims->n_rows : 0;
    section->ended_mono_ns = clock_monotonic_ns();
    section->wall_ns = section->ended_mono_ns - state->began_mono_ns;
    section->cpu_ns = state->cpu_ns;
}

static enum source_result account_end(struct account_state *state,
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

static bool is_late(const struct source_context *context)
{
    return clock_monotonic_ns() > context->deadline_mono_ns;
}

/* ---- the stages ---- */

/* A dry run reads all that the collector tracks: it is made seldom, and nobody who has
 * just come waits for that of a large heap. */
static bool dry_run_is_due(struct account_state *state,
                           const struct source_context *context)
{
    const struct objects_section *objects = context->builder->snapshot->objects;
    bool is_first = !state->has_had_round;

    state->has_had_round = true;
    if (!state->is_glibc || (is_first && objects && objects->tracked > DRY_RUN_AT_ONCE))
        return false;
    return clock_monotonic_ns() >= state->next_dry_run_mono_ns;
}

static void dry_run_begin(struct account_state *state, struct source_context *context)
{
    state->stage = STAGE_CHUNKS;
    if (!dry_run_is_due(state, context))
        return;
    memset(&state->gain, 0, sizeof(state->gain));
    state->dry_run_cpu_ns = 0;
    state->cycles = calloc(1, sizeof(*state->cycles));
    if (!state->cycles)
        return;
    if (cycles_begin(state->cycles, context->layout, context->target->reader,
                     &state->residency, &state->arenas, state->pools.uses, &state->heaps))
        state->stage = STAGE_DRY_RUN;
}

static void chunks_begin(struct account_state *state, enum account_stage stage)
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

static struct reading returned(const struct account_state *state,
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
    if (!cycles_is_known(cycles)) {
        chunks_begin(state, STAGE_CHUNKS);
        return;
    }
    state->gain.objects = reading_exact((int64_t)cycles->most.objects);
    state->gain.bytes = reading_exact((int64_t)cycles->most.bytes);
    state->gain.mono_ns = state->gathered_mono_ns;
    chunks_begin(state, STAGE_CHUNKS_LEAST);
}

static void dry_run_step(struct account_state *state, struct source_context *context)
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
static void gain_end(struct account_state *state)
{
    int64_t trim = (int64_t)malloc_pass_trim_bytes(&state->pass);

    if (!state->cycles || !reading_is_known(state->gain.least_bytes))
        return;
    state->gain.least_bytes.value -= trim;
    state->gain.most_bytes.value -= trim;
}

/* False when the round is over. */
static bool account_step(struct account_state *state, struct source_context *context)
{
    switch (state->stage) {
    case STAGE_IDLE:
        return false;
    case STAGE_POOLS:
        if (!account_pools_step(&state->pools, state->account.parts)) {
            dry_run_begin(state, context);
            if (state->stage == STAGE_CHUNKS)
                chunks_begin(state, STAGE_CHUNKS);
        }
        return true;
    case STAGE_DRY_RUN:
        dry_run_step(state, context);
        return true;
    case STAGE_CHUNKS_LEAST:
        if (malloc_pass_step(&state->pass))
            return true;
        state->gain.least_bytes = returned(state, &state->cycles->least);
        chunks_begin(state, STAGE_CHUNKS_MOST);
        return true;
    case STAGE_CHUNKS_MOST:
        if (malloc_pass_step(&state->pass))
            return true;
        state->gain.most_bytes = returned(state, &state->cycles->most);
        chunks_begin(state, STAGE_CHUNKS);
        return true;
    case STAGE_CHUNKS:
        if (malloc_pass_step(&state->pass))
            return true;
        gain_end(state);
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
