/* The beginning of a round: who claims what. */
#include "source/account_state.h"

#include <string.h>

#include "source/malloc_threshold.h"
#include "target/procfs.h"
#include "target/target.h"
#include "util/clock.h"

#define STACKS_BUDGET_BYTES (UINT64_C(256) << 20)

static void claim_arenas(struct account_state *state, const struct layout *layout)
{
    for (size_t i = 0; i < state->arenas.count; i++) {
        uint64_t start = state->arenas.rows[i].address;

        account_claims_add(&state->claims, CLAIM_ARENA, start,
                           start + layout->pymalloc.arena_bytes, "pymalloc arenas");
    }
}

/* Of free-threaded builds too: no object of theirs is anywhere else. */
static void claim_mimalloc(struct account_state *state, struct target *target,
                           const struct layout *layout)
{
    const struct mimalloc_map *map = &state->mimalloc.map;

    if (!layout || !(layout_uses_mimalloc(layout) || layout->is_free_threaded))
        return;
    account_mimalloc_find(&state->mimalloc, target->reader, target->fds.pagemap,
                          &target->maps);
    for (size_t i = 0; i < map->n_segments; i++)
        account_claims_add(&state->claims, CLAIM_MIMALLOC, map->segments[i].address,
                           map->segments[i].address + map->segments[i].bytes,
                           "mimalloc's segments");
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

int account_begin(struct account_state *state, struct source_context *context,
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
    claim_mimalloc(state, target, layout);
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
