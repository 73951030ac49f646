/*
 * account_claims.h - whose the target's memory is, stretch by stretch.
 *
 * Those who know what a stretch is claim it: arenas, heaps, stacks, images. What is left
 * of a mapping goes by what the kernel says of it. So each resident byte is in exactly
 * one stretch, and each stretch in one row of the table of mappings.
 *
 * One thread.
 */
#ifndef HEAPTOP_SOURCE_ACCOUNT_CLAIMS_H
#define HEAPTOP_SOURCE_ACCOUNT_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"
#include "target/maps.h"
#include "target/residency.h"

#define CLAIM_ROWS_MAX 256

enum claim_sort {
    CLAIM_ARENA,    /* counted pool by pool */
    CLAIM_MIMALLOC, /* counted page by page */
    CLAIM_HEAP,     /* counted chunk by chunk */
    CLAIM_MMAPPED,  /* ditto */
    CLAIM_STACK,
    CLAIM_IMAGE, /* a loaded segment of the interpreter or a library */
};

struct claim {
    uint64_t start, end;
    enum claim_sort sort;
    const char *name; /* of its row; borrowed until the rows are copied */
};

struct account_claims {
    struct claim *claims;
    size_t count, capacity;
    struct mapping_row rows[CLAIM_ROWS_MAX];
    size_t n_rows;
};

void account_claims_begin(struct account_claims *claims);
void account_claims_release(struct account_claims *claims);

/* Without memory the claim is dropped, and its bytes go where the mapping's go. */
void account_claims_add(struct account_claims *claims, enum claim_sort sort,
                        uint64_t start, uint64_t end, const char *name);

/* After the last claim: sorts them; of two that overlap the lower one is cut. */
void account_claims_sort(struct account_claims *claims);

/* Calls `visit` for every stretch of anonymous, writable, private memory that nobody
 * claims. */
void account_claims_rest(const struct account_claims *claims, const struct maps *maps,
                         void (*visit)(void *context, uint64_t start, uint64_t end),
                         void *context);

/* Adds what is not counted by pool or chunk to the parts, and fills the rows. `is_glibc`
 * tells whose [heap] is. */
void account_claims_count(struct account_claims *claims, const struct maps *maps,
                          struct residency *residency, bool is_glibc,
                          struct account_bytes parts[ACCOUNT_PARTS]);

#endif
