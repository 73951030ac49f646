/*
 * What is held though nothing lives in it: malloc's free memory, pymalloc's, free lists.
 * Counted is what was free all the time: what falls and rises is scratch, used again.
 */
#include <stdio.h>

#include "model/pins.h"
#include "model/verdict_private.h"
#include "util/plural.h"

#define TRIMMED_LEAST 10 /* a trim that returns less than a tenth is no remedy */

static int64_t part_bytes(const struct account_section *account, enum account_part part)
{
    return (int64_t)account->parts[part].resident;
}

/* It is free, and ever more of it explains the growth. */
static bool is_growth(const struct evidence *evidence, enum account_part a,
                      enum account_part b)
{
    const struct fit *first = &evidence->parts[a], *second = &evidence->parts[b];

    return evidence->has_parts &&
           explains(evidence, first,
                    fit_risen(evidence, first) + fit_risen(evidence, second));
}

/* ---- malloc ---- */

static int64_t malloc_free_bytes(const struct evidence *evidence)
{
    return evidence_lowest_part(evidence, PART_MALLOC_FREE) +
           evidence_lowest_part(evidence, PART_MALLOC_TOP);
}

/* At least 50 MiB and 30 per cent of what malloc has in memory is free. */
static bool is_much_free(const struct evidence *evidence, int64_t free_bytes)
{
    const struct account_section *account = evidence->now->account;
    int64_t all =
        part_bytes(account, PART_MALLOC_FREE) + part_bytes(account, PART_MALLOC_TOP) +
        part_bytes(account, PART_PYTHON_LARGE) + part_bytes(account, PART_NATIVE);

    return free_bytes >= 50 * MB && free_bytes * 10 >= all * 3;
}

enum judgement judge_malloc_free(const struct evidence *evidence, struct finding *finding)
{
    const struct account_section *account = evidence->now->account;
    struct verdict *verdict = &finding->verdict;
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
    int64_t free_bytes;

    if (!account)
        return JUDGED_UNKNOWN;
    free_bytes = malloc_free_bytes(evidence);
    if (!is_much_free(evidence, free_bytes))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "free in malloc: %s of RES %s is kept for reuse, malloc_trim would return "
             "%s; not a leak",
             say_bytes(a, free_bytes), say_bytes(b, (int64_t)account->res_bytes),
             units_bytes(c, account->trim_bytes));
    verdict->bytes = reading_exact(free_bytes);
    verdict->gain_bytes = account->trim_bytes;
    if (reading_is_known(account->trim_bytes) &&
        account->trim_bytes.value * TRIMMED_LEAST < free_bytes)
        verdict->remedy = "the holes are smaller than pages: used again, or until a "
                          "restart; malloc_trim(0) returns only";
    verdict_count(verdict, "free chunks", HISTORY_BYTES,
                  reading_exact(part_bytes(account, PART_MALLOC_FREE)));
    verdict_count(verdict, "tops of heaps", HISTORY_BYTES,
                  reading_exact(part_bytes(account, PART_MALLOC_TOP)));
    verdict_count(verdict, "large memory of Python's", HISTORY_BYTES,
                  reading_exact(part_bytes(account, PART_PYTHON_LARGE)));
    verdict_count(verdict, "other malloc in use", HISTORY_BYTES,
                  reading_exact(part_bytes(account, PART_NATIVE)));
    finding->is_now = is_growth(evidence, PART_MALLOC_FREE, PART_MALLOC_TOP);
    return JUDGED_YES;
}

/* At least four of malloc's arenas are half free, and 50 MiB together. */
enum judgement judge_malloc_arenas(const struct evidence *evidence,
                                   struct finding *finding)
{
    const struct malloc_section *section = evidence->now->malloc;
    struct verdict *verdict = &finding->verdict;
    uint64_t half_free = 0, free_bytes = 0, held = 0;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!section || !section->n_rows)
        return JUDGED_UNKNOWN;
    for (size_t i = 1; i < section->n_rows; i++) { /* the main arena stands first */
        const struct malloc_arena_row *row = &section->rows[i];
        uint64_t unused = row->free_bytes + row->cached_bytes + row->top_bytes;

        held += row->heap_bytes;
        if (unused * 2 < row->heap_bytes)
            continue;
        half_free++;
        free_bytes += unused;
    }
    if (half_free < 4 || free_bytes < (uint64_t)(50 * MB))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "malloc's arenas: %zu besides the main one hold %s, %s of it free",
             section->n_rows - 1, say_bytes(a, (int64_t)held),
             say_bytes(b, (int64_t)free_bytes));
    verdict->bytes = reading_exact((int64_t)free_bytes);
    verdict->gain_bytes = (struct reading){(int64_t)free_bytes, READING_ESTIMATE};
    verdict_count(verdict, "arenas", HISTORY_NUMBER, section->arenas);
    verdict_count(verdict, "of them half free", HISTORY_NUMBER,
                  reading_exact((int64_t)half_free));
    if (evidence->now->process)
        verdict_count(verdict, "threads", HISTORY_NUMBER,
                      evidence->now->process->threads);
    return JUDGED_YES;
}

/* Two thirds of what is free is in chunks of the size from which on malloc would have
 * mapped them, had freeing such a chunk not raised that size. */
enum judgement judge_threshold(const struct evidence *evidence, struct finding *finding)
{
    const struct malloc_section *section = evidence->now->malloc;
    const struct account_section *account = evidence->now->account;
    struct verdict *verdict = &finding->verdict;
    struct reading all;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!section || !account || !reading_is_known(section->mmap_threshold_bytes))
        return JUDGED_UNKNOWN;
    all = reading_sum(section->free_bytes, section->top_bytes);
    if (section->threshold_free_bytes.value * 3 < all.value * 2 ||
        !is_much_free(evidence, malloc_free_bytes(evidence)))
        return JUDGED_NO;
    snprintf(
        verdict->words, sizeof(verdict->words),
        "mmap threshold: freed buffers of about %s keep %s, as malloc takes them from "
        "its heap since one of them was freed",
        units_bytes(a, section->mmap_threshold_bytes),
        units_bytes(b, section->threshold_free_bytes));
    verdict->bytes = section->threshold_free_bytes;
    verdict->gain_bytes =
        (struct reading){section->threshold_free_bytes.value, READING_ESTIMATE};
    verdict_count(verdict, "mmap threshold", HISTORY_BYTES,
                  section->mmap_threshold_bytes);
    verdict_count(verdict, "free in chunks of about that size", HISTORY_BYTES,
                  section->threshold_free_bytes);
    verdict_count(verdict, "free chunks", HISTORY_BYTES, section->free_bytes);
    return JUDGED_YES;
}

/* ---- pymalloc ---- */

/* Free in blocks and pools, and in memory; all the time. */
static int64_t unused_bytes(const struct evidence *evidence)
{
    const struct pymalloc_section *pymalloc = evidence->now->pymalloc;
    int64_t now = (int64_t)(pymalloc->free_block_bytes + pymalloc->free_pool_bytes);
    int64_t lowest = evidence_lowest_part(evidence, PART_FREE_BLOCKS) +
                     evidence_lowest_part(evidence, PART_FREE_POOLS);

    return evidence->has_parts && lowest < now ? lowest : now;
}

/* At least 32 MiB and 40 per cent of the arenas is free, and still they are kept. */
enum judgement judge_fragmentation(const struct evidence *evidence,
                                   struct finding *finding)
{
    const struct pymalloc_section *pymalloc = evidence->now->pymalloc;
    const struct account_section *account = evidence->now->account;
    struct verdict *verdict = &finding->verdict;
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];
    char pins[PINS_WORDS_MAX], owner[PINS_WORDS_MAX];
    bool has_owner;
    int64_t unused;

    if (!pymalloc)
        return JUDGED_UNKNOWN;
    unused = unused_bytes(evidence);
    if (unused < 32 * MB || unused * 10 < (int64_t)pymalloc->arena_bytes * 4)
        return JUDGED_NO;
    has_owner = pins_owner_words(evidence->now->pins, owner);
    snprintf(verdict->words, sizeof(verdict->words),
             "pymalloc is fragmented: %s of its %s is free, but %s; %s is in free pools"
             "%s%s",
             say_bytes(a, unused), say_bytes(b, (int64_t)pymalloc->arena_bytes),
             pins_words(evidence->now->pins, pins) ? pins
                                                   : "every arena has something in use",
             say_bytes(c, (int64_t)pymalloc->free_pool_bytes), has_owner ? "; " : "",
             has_owner ? owner : "");
    verdict->bytes = reading_exact(unused);
    verdict->gain_bytes = account ? account->restart_bytes : reading_unknown();
    verdict_count(verdict, "arenas", HISTORY_NUMBER,
                  reading_exact((int64_t)pymalloc->arenas));
    verdict_count(verdict, "blocks in use", HISTORY_BYTES,
                  reading_exact((int64_t)pymalloc->used_bytes));
    verdict_count(verdict, "free blocks in used pools", HISTORY_BYTES,
                  reading_exact((int64_t)pymalloc->free_block_bytes));
    verdict_count(verdict, "free pools", HISTORY_BYTES,
                  reading_exact((int64_t)pymalloc->free_pool_bytes));
    finding->is_now = is_growth(evidence, PART_FREE_BLOCKS, PART_FREE_POOLS);
    return JUDGED_YES;
}

/* The lowest that the class had free in the window. */
static int64_t lowest_free(const struct evidence *evidence,
                           const struct size_class_row *row, size_t index)
{
    int64_t lowest = (int64_t)(row->blocks_free * row->block_bytes);
    const struct history *history = evidence->history;

    for (size_t i = 0; i < history_count(history); i++) {
        const struct snapshot *snapshot = history_at(history, i);
        const struct pymalloc_section *pymalloc = snapshot->pymalloc;
        int64_t free_bytes;

        if (!pymalloc || snapshot->mono_ns < evidence->then->mono_ns ||
            index >= pymalloc->n_size_classes)
            continue;
        free_bytes = (int64_t)(pymalloc->size_classes[index].blocks_free *
                               pymalloc->size_classes[index].block_bytes);
        lowest = free_bytes < lowest ? free_bytes : lowest;
    }
    return lowest;
}

/* One class has at least 60 per cent of all free blocks' bytes, and 32 MiB. */
enum judgement judge_hoard(const struct evidence *evidence, struct finding *finding)
{
    const struct pymalloc_section *pymalloc = evidence->now->pymalloc;
    struct verdict *verdict = &finding->verdict;
    char a[UNITS_MAX];

    if (!pymalloc)
        return JUDGED_UNKNOWN;
    for (size_t i = 0; i < pymalloc->n_size_classes; i++) {
        const struct size_class_row *row = &pymalloc->size_classes[i];
        int64_t unused = (int64_t)(row->blocks_free * row->block_bytes);

        if (unused < 32 * MB || unused * 10 < (int64_t)pymalloc->free_block_bytes * 6 ||
            (unused = lowest_free(evidence, row, i)) < 32 * MB)
            continue;
        snprintf(
            verdict->words, sizeof(verdict->words),
            "one size hoards: blocks of %u B keep %s free that no other size can use",
            (unsigned)row->block_bytes, say_bytes(a, unused));
        verdict->bytes = reading_exact(unused);
        verdict_count(verdict, "pools of that size", HISTORY_NUMBER,
                      reading_exact((int64_t)row->pools));
        verdict_count(verdict, "blocks of it in use", HISTORY_NUMBER,
                      reading_exact((int64_t)row->blocks_used));
        verdict_count(verdict, "free blocks of all sizes", HISTORY_BYTES,
                      reading_exact((int64_t)pymalloc->free_block_bytes));
        return JUDGED_YES;
    }
    return JUDGED_NO;
}

/* Entries of free lists have 8 MiB, or alone keep ten arenas. */
enum judgement judge_free_lists(const struct evidence *evidence, struct finding *finding)
{
    const struct free_lists_section *lists = evidence->now->free_lists;
    const struct pymalloc_section *pymalloc = evidence->now->pymalloc;
    struct verdict *verdict = &finding->verdict;
    char a[UNITS_MAX], b[UNITS_MAX];
    int64_t kept;

    if (!lists || !pymalloc)
        return JUDGED_UNKNOWN;
    if ((int64_t)lists->bytes < 8 * MB && lists->arenas < 10)
        return JUDGED_NO;
    kept = (int64_t)(lists->arenas * pymalloc->arena_bytes_each);
    snprintf(verdict->words, sizeof(verdict->words),
             lists->arenas ? "free lists hold %s and alone keep %llu arena%s, %s"
                           : "free lists hold %s",
             say_bytes(a, (int64_t)lists->bytes), (unsigned long long)lists->arenas,
             plural((int64_t)lists->arenas), say_bytes(b, kept));
    verdict->bytes =
        reading_exact((int64_t)lists->bytes > kept ? (int64_t)lists->bytes : kept);
    verdict->gain_bytes = reading_exact(kept);
    verdict_count(verdict, "entries", HISTORY_NUMBER,
                  reading_exact((int64_t)lists->count));
    verdict_count(verdict, "bytes of entries", HISTORY_BYTES,
                  reading_exact((int64_t)lists->bytes));
    verdict_count(verdict, "arenas they alone keep", HISTORY_NUMBER,
                  reading_exact((int64_t)lists->arenas));
    return JUDGED_YES;
}
