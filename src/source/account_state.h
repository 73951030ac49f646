/*
 * account_state.h - one round of the account, between its files: account_begin.c finds
 * whose the memory is, account.c goes through it in slices, account_gain.c lets the
 * collector run dry in between, account_sections.c tells what was found.
 */
#ifndef HEAPTOP_SOURCE_ACCOUNT_STATE_H
#define HEAPTOP_SOURCE_ACCOUNT_STATE_H

#include "heaptop/source.h"
#include "source/account_claims.h"
#include "source/account_mimalloc.h"
#include "source/account_pools.h"
#include "source/cycles.h"
#include "source/free_lists.h"
#include "source/heaps_picture.h"
#include "source/images.h"
#include "source/malloc_pass.h"
#include "source/thread_stacks.h"

enum account_stage {
    STAGE_IDLE = 0,
    STAGE_POOLS,
    STAGE_MIMALLOC,
    STAGE_DRY_RUN,      /* of the collector */
    STAGE_CHUNKS_LEAST, /* as they would be after a collection: */
    STAGE_CHUNKS_MOST,  /* what it frees at least, and at most */
    STAGE_CHUNKS,       /* as they are */
};

/* What a collection would return besides what a trim does. */
struct collect_gain {
    struct reading least_bytes, most_bytes, objects, bytes;
    enum garbage_why why; /* they are not known */
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
    struct account_mimalloc mimalloc;
    struct account_section account;
    struct cycles *cycles; /* NULL while no dry run is made */
    struct collect_gain gain;
    int64_t dry_run_cpu_ns, next_dry_run_mono_ns, gathered_mono_ns;
    int64_t began_mono_ns, cpu_ns;
    uint64_t free_list_heads[FREE_LIST_PLACES_MOST];
    bool is_glibc, has_had_round;
};

/* Looks at the pages of the whole process, and finds who claims them. account_begin.c */
int account_begin(struct account_state *state, struct source_context *context,
                  struct err *err);
/* Lets go of the round. account.c */
void account_abandon(void *opaque);
/* Begins a pass over malloc's chunks. account.c */
void account_chunks_begin(struct account_state *state, enum account_stage stage);

/* The collector's dry run, or, when none is due, the pass over the chunks as they are.
 * Then its steps. What it would return is the difference between two passes.
 * account_gain.c */
void account_dry_run_begin(struct account_state *state, struct source_context *context);
void account_dry_run_step(struct account_state *state, struct source_context *context);
struct reading account_returned(const struct account_state *state,
                                const struct cycles_freed *freed);
void account_gain_end(struct account_state *state);
void account_fill_gain(const struct account_state *state,
                       struct account_section *section);

/* The sections of a round that is over. account_sections.c */
enum source_result account_end(struct account_state *state,
                               struct source_context *context, struct err *err);

#endif
