/* A snapshot against itself: sums that must hold, and numbers that come two ways. */
#include "batch/selfcheck.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define UNOWNED_SHARE 100       /* of the used bytes, one part in so many */
#define UNOWNED_BYTES 65536     /* the free lists of CPython 3.8 and 3.9 are among them */
#define MOVED_SHARE   50        /* the same, by a target that works meanwhile */
#define MOVED_BYTES   (1 << 20) /* of a small one */
#define AT_REST       500       /* objects */

void selfcheck_line(struct selfcheck *check, const char *verdict, const char *format, ...)
{
    va_list arguments;

    check->n_checks++;
    check->n_failed += !strcmp(verdict, "FAIL");
    check->n_skipped += !strcmp(verdict, "skip");
    printf("%-5s", verdict);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    fflush(stdout);
}

void selfcheck_that(struct selfcheck *check, bool holds, const char *words)
{
    selfcheck_line(check, holds ? "ok" : "FAIL", "%s", words);
}

void selfcheck_equal(struct selfcheck *check, const char *words, uint64_t a, uint64_t b)
{
    if (a == b)
        selfcheck_line(check, "ok", "%s: %" PRIu64, words, a);
    else
        selfcheck_line(check, "FAIL", "%s: %" PRIu64 " and %" PRIu64, words, a, b);
}

static void check_process(struct selfcheck *check, const struct process_section *process)
{
    int64_t parts, res, slack;

    if (!process || !reading_is_known(process->res_bytes) ||
        !reading_is_known(process->virt_bytes)) {
        selfcheck_line(check, "skip", "process: RES is not known");
        return;
    }
    res = process->res_bytes.value;
    selfcheck_that(check, res > 0 && res <= process->virt_bytes.value,
                   "RES is within VIRT");
    if (!reading_is_known(process->anon_bytes) ||
        !reading_is_known(process->file_bytes) || !reading_is_known(process->shmem_bytes))
        return;
    parts = process->anon_bytes.value + process->file_bytes.value +
            process->shmem_bytes.value;
    slack = res / 20 + (1 << 20); /* the kernel counts per CPU and adds up late */
    selfcheck_line(check, parts >= res - slack && parts <= res + slack ? "ok" : "FAIL",
                   "anon + file + shmem is RES: %" PRId64 " and %" PRId64, parts, res);
}

static void check_pymalloc(struct selfcheck *check,
                           const struct pymalloc_section *section)
{
    uint64_t pools = 0, used = 0, unused = 0, used_bytes = 0;

    if (!section)
        return;
    for (size_t i = 0; i < section->n_size_classes; i++) {
        const struct size_class_row *row = &section->size_classes[i];

        pools += row->pools;
        used += row->blocks_used;
        unused += row->blocks_free;
        used_bytes += row->blocks_used * row->block_bytes;
    }
    selfcheck_equal(check, "pools of the size classes are all used pools", pools,
                    section->pools_used);
    selfcheck_equal(check, "used blocks of the size classes add up", used,
                    section->blocks_used);
    selfcheck_equal(check, "free blocks of the size classes add up", unused,
                    section->blocks_free);
    selfcheck_equal(check, "bytes of the size classes add up", used_bytes,
                    section->used_bytes);
    selfcheck_equal(check, "arenas are used + free blocks + free pools + headers",
                    section->used_bytes + section->free_block_bytes +
                        section->free_pool_bytes + section->header_bytes,
                    section->arena_bytes);
}

/* What was swapped out, or freed under a walk of a target that runs, is no fault. */
static void check_complete(struct selfcheck *check, const struct walk_facts *walk)
{
    if (walk->tracked_only)
        selfcheck_line(check, "ok", "only tracked objects are seen with this allocator");
    else if (walk->complete || !(walk->absent_pools || walk->absent_chunks))
        selfcheck_line(check, walk->complete ? "ok" : "FAIL",
                       "the walk is complete, %" PRIu64 " pools torn", walk->torn_pools);
    else
        selfcheck_line(check, "skip",
                       "the walk is complete: %" PRIu64 " pools and %" PRIu64
                       " places of malloc's heap were not in memory",
                       walk->absent_pools, walk->absent_chunks);
}

static void check_objects(struct selfcheck *check, const struct snapshot *snapshot)
{
    const struct objects_section *objects = snapshot->objects;
    uint64_t count = 0, memory = 0;

    if (!objects)
        return;
    for (size_t i = 0; i < objects->n_kinds; i++) {
        count += objects->kinds[i].count;
        memory += objects->kinds[i].memory_bytes;
    }
    selfcheck_equal(check, "objects of the kinds add up", count, objects->count);
    selfcheck_equal(check, "memory of the kinds adds up", memory, objects->memory_bytes);
    selfcheck_that(check, objects->tracked <= objects->count,
                   "tracked objects are some of all objects");
    check_complete(check, &objects->walk);
    if (snapshot->pymalloc)
        selfcheck_that(check,
                       objects->unowned_blocks <= snapshot->pymalloc->blocks_used * 2,
                       "parts are some of the used blocks");
}

/* Pages that come and go while they are counted show up as unexplained. */
static void check_account(struct selfcheck *check, const struct snapshot *snapshot)
{
    const struct account_section *account = snapshot->account;
    const struct malloc_section *malloc = snapshot->malloc;
    uint64_t parts = 0, used = 0;

    if (!account)
        return;
    for (int i = 0; i < ACCOUNT_PARTS; i++)
        parts += account->parts[i].resident;
    selfcheck_equal(check, "the parts of RES add up",
                    parts + (uint64_t)account->unexplained_bytes, account->res_bytes);
    selfcheck_line(check,
                   account->unexplained_bytes <= (int64_t)(account->res_bytes / 100) &&
                           account->unexplained_bytes >=
                               -(int64_t)(account->res_bytes / 100)
                       ? "ok"
                       : "FAIL",
                   "less than 1 %% of RES is unexplained: %" PRId64 " of %" PRIu64,
                   account->unexplained_bytes, account->res_bytes);
    if (!malloc || !reading_is_known(malloc->used_bytes))
        return;
    for (size_t i = 0; i < malloc->n_rows; i++)
        used += malloc->rows[i].used_bytes;
    selfcheck_equal(check, "malloc's arenas add up", used,
                    (uint64_t)malloc->used_bytes.value);
    selfcheck_line(
        check,
        malloc->lost_bytes <= (uint64_t)malloc->used_bytes.value / 100 ? "ok" : "FAIL",
        "the chains of malloc's chunks hold: %" PRIu64 " bytes lost", malloc->lost_bytes);
}

/* Of numbers that are read one after the other: a target that works may come between. */
static const char *verdict_of(const struct selfcheck *check, bool holds)
{
    return holds ? "ok" : check->is_at_rest ? "FAIL" : "skip";
}

/* Each block once. */
static void check_parts(struct selfcheck *check, const struct snapshot *snapshot)
{
    const struct objects_section *objects = snapshot->objects;
    const struct pymalloc_section *pymalloc = snapshot->pymalloc;
    uint64_t used, sum, off, most = 0;

    if (!objects || !pymalloc || !pymalloc->used_bytes || objects->walk.tracked_only)
        return;
    for (size_t i = 0; i < objects->n_kinds; i++)
        most += objects->kinds[i].parts_bytes > objects->kinds[i].memory_bytes;
    selfcheck_equal(check, "kinds whose parts are larger than their memory", most, 0);
    used = pymalloc->used_bytes;
    selfcheck_line(
        check,
        verdict_of(check, objects->unowned_bytes <= used / UNOWNED_SHARE + UNOWNED_BYTES),
        "at most 1 %% of the used bytes and 64 KiB have no owner: %" PRIu64
        " of %" PRIu64,
        objects->unowned_bytes, used);
    sum = objects->memory_bytes - objects->malloc_bytes + objects->unowned_bytes +
          objects->statics_bytes + objects->freelist_bytes;
    off = sum > used ? sum - used : used - sum;
    selfcheck_line(check, verdict_of(check, off <= used / MOVED_SHARE + MOVED_BYTES),
                   "kinds, free lists and unowned parts are the used blocks: %" PRIu64
                   " and %" PRIu64,
                   sum, used);
}

static void check_free_lists(struct selfcheck *check,
                             const struct free_lists_section *lists)
{
    uint64_t count = 0, bytes = 0;

    if (!lists) {
        selfcheck_line(check, "skip", "free lists: not read in this version");
        return;
    }
    for (size_t i = 0; i < lists->n_rows; i++) {
        count += lists->rows[i].count;
        bytes += lists->rows[i].bytes;
    }
    selfcheck_equal(check, "entries of the free lists add up", count, lists->count);
    selfcheck_equal(check, "bytes of the free lists add up", bytes, lists->bytes);
}

/* The lists of the collector against the objects that the walk found tracked. */
static void check_gc(struct selfcheck *check, const struct snapshot *snapshot)
{
    const struct gc_section *gc = snapshot->gc;
    int64_t listed = 0, tracked;
    bool is_known = gc && snapshot->objects;

    for (size_t i = 0; gc && i < gc->n_generations; i++) {
        is_known = is_known && reading_is_known(gc->generations[i].objects);
        listed += gc->generations[i].objects.value;
    }
    if (gc && reading_is_known(gc->frozen))
        listed += gc->frozen.value;
    if (!is_known) {
        selfcheck_line(check, "skip", "gc: its lists were too long to be counted");
        return;
    }
    tracked = (int64_t)snapshot->objects->tracked;
    selfcheck_line(
        check,
        verdict_of(check, listed - tracked <= tracked / MOVED_SHARE + AT_REST &&
                              tracked - listed <= tracked / MOVED_SHARE + AT_REST),
        "the collector's lists have the tracked objects: %" PRId64 " and %" PRId64,
        listed, tracked);
}

static void check_predictions(struct selfcheck *check,
                              const struct account_section *account)
{
    if (!account || !reading_is_known(account->trim_bytes))
        return;
    selfcheck_that(check, account->trim_bytes.value <= (int64_t)account->res_bytes,
                   "a trim returns no more than RES");
    if (reading_is_known(account->collect_trim_bytes))
        selfcheck_that(check,
                       account->collect_trim_bytes.value >= account->trim_bytes.value &&
                           account->collect_trim_most_bytes.value >=
                               account->collect_trim_bytes.value,
                       "a collection and a trim return no less than a trim");
}

void selfcheck_sections(struct selfcheck *check, const struct snapshot *snapshot)
{
    check_process(check, snapshot->process);
    check_pymalloc(check, snapshot->pymalloc);
    check_objects(check, snapshot);
    check_parts(check, snapshot);
    check_gc(check, snapshot);
    check_account(check, snapshot);
    check_predictions(check, snapshot->account);
    check_free_lists(check, snapshot->free_lists);
}
