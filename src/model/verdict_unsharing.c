/*
 * Copy on write after a fork. What was copied, and by what, is known where the pages were
 * compared with the parent's (sharing.h); else USS says that something was.
 */
#include <stdio.h>

#include "model/sharing.h"
#include "model/verdict_private.h"

#define PAGE_BYTES   4096
#define USS_AGE_NS   INT64_C(100000000) /* in a second scratch memory comes and goes */
#define FRESH_LEAST  6
#define COPIED_LEAST (10 * MB)
#define COPIED_SHARE 10 /* of what was inherited: at least a tenth */

/* Pages that become private by a write are faulted in; those whose other users ended are
 * not. */
static bool were_copied(const struct process_section *now,
                        const struct process_section *then, int64_t uss)
{
    struct reading faults = reading_difference(now->minor_faults, then->minor_faults);

    return !reading_is_known(faults) || faults.value * PAGE_BYTES * 2 >= uss;
}

/* Full collections in the window; -1 = not known. */
static int64_t full_collections(const struct evidence *evidence)
{
    const struct gc_section *now = evidence->now->gc, *then = evidence->then->gc;
    struct reading since;

    if (!now || !then || !now->n_generations || now->n_generations != then->n_generations)
        return -1;
    since = reading_difference(now->generations[now->n_generations - 1].collections,
                               then->generations[then->n_generations - 1].collections);
    return reading_is_known(since) ? since.value : -1;
}

/* USS is read less often than RES: the two of one moment, or false. */
static bool has_fresh_uss(const struct snapshot *snapshot)
{
    const struct process_section *process = snapshot->process;

    return process && reading_is_known(process->uss_bytes) &&
           reading_is_known(process->res_bytes) &&
           reading_is_known(process->pss_age_ns) &&
           process->pss_age_ns.value <= USS_AGE_NS;
}

/* The samples of the window with a USS of their moment, the oldest first. */
struct fresh {
    const struct process_section *rows[HISTORY_RECENT + HISTORY_KEPT];
    size_t count;
};

static void gather_fresh(const struct evidence *evidence, struct fresh *fresh)
{
    fresh->count = 0;
    for (size_t i = 0; i < history_count(evidence->history); i++) {
        const struct snapshot *snapshot = history_at(evidence->history, i);

        if (snapshot->mono_ns >= evidence->then->mono_ns && has_fresh_uss(snapshot))
            fresh->rows[fresh->count++] = snapshot->process;
    }
}

/* What was shared in each sample of the first third, and in none of the last: RES and USS
 * are not read at once, and memory that comes and goes looks shared for a moment. */
static int64_t unshared_for_good(const struct fresh *fresh)
{
    int64_t first_least = INT64_MAX, last_most = 0;

    if (fresh->count < FRESH_LEAST)
        return 0;
    for (size_t i = 0; i < fresh->count; i++) {
        int64_t shared =
            fresh->rows[i]->res_bytes.value - fresh->rows[i]->uss_bytes.value;

        if (i * 3 < fresh->count && shared < first_least)
            first_least = shared;
        if (i * 3 >= fresh->count * 2 && shared > last_most)
            last_most = shared;
    }
    return first_least - last_most;
}

/* What USS and RES say of the window. */
struct unsharing {
    struct reading uss;
    int64_t res;
    struct fit fit;
};

/* Private pages grow by at least 10 MiB, RES by less than a fifth of that, and as much
 * that was shared no longer is. */
static enum judgement look_at_uss(const struct evidence *evidence,
                                  struct unsharing *found)
{
    const struct process_section *now, *then;
    struct fresh fresh;

    gather_fresh(evidence, &fresh);
    if (!fresh.count || !evidence_fit(evidence, SERIES_USS, &found->fit))
        return JUDGED_UNKNOWN;
    then = fresh.rows[0];
    now = fresh.rows[fresh.count - 1];
    found->uss = reading_difference(now->uss_bytes, then->uss_bytes);
    found->res = now->res_bytes.value - then->res_bytes.value;
    if (found->uss.value < COPIED_LEAST || found->res * 5 > found->uss.value ||
        found->res * 5 < -found->uss.value || !were_copied(now, then, found->uss.value) ||
        unshared_for_good(&fresh) * 4 < found->uss.value)
        return JUDGED_NO;
    return JUDGED_YES;
}

static const char *const remedy_refcounts =
    "reference counts are written: use fewer of the inherited objects";

static void say_by_uss(const struct evidence *evidence, const struct unsharing *found,
                       struct finding *finding)
{
    struct verdict *verdict = &finding->verdict;
    int64_t collections = full_collections(evidence);
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!collections)
        verdict->remedy = remedy_refcounts;
    snprintf(
        verdict->words, sizeof(verdict->words),
        "copy on write: %s that were shared became private in %s, RES did not grow%s",
        say_bytes(a, found->uss.value), say_elapsed(b, evidence),
        collections > 0    ? "; a collection wrote to every object"
        : collections == 0 ? "; no collection did it"
                           : "");
    verdict_take_fit(verdict, evidence, &found->fit, found->uss.value);
    verdict->gain_bytes = collections ? found->uss : reading_unknown();
    verdict_count(verdict, "growth of RES", HISTORY_BYTES, reading_exact(found->res));
    verdict_count(verdict, "full collections since", HISTORY_NUMBER,
                  reading_of_count(collections));
    finding->is_now = true;
}

/* By nobody's new data: the process only looked at what it inherited, or collected. */
static int64_t copied_in_vain(const struct sharing *sharing)
{
    return sharing->unshared_bytes[UNSHARED_GC_HEADS] +
           sharing->unshared_bytes[UNSHARED_REFCOUNTS];
}

static bool is_much(const struct sharing *sharing)
{
    int64_t copied = copied_in_vain(sharing);

    return copied >= COPIED_LEAST &&
           copied * COPIED_SHARE >=
               sharing->shared_bytes + sharing_unshared(sharing).value;
}

static void say_measured(const struct sharing *sharing, struct finding *finding)
{
    struct verdict *verdict = &finding->verdict;
    int64_t heads_bytes = sharing->unshared_bytes[UNSHARED_GC_HEADS];
    int64_t refcounts_bytes = sharing->unshared_bytes[UNSHARED_REFCOUNTS];
    struct reading inherited =
        reading_exact(sharing->shared_bytes + sharing_unshared(sharing).value);
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], d[UNITS_MAX];

    snprintf(verdict->words, sizeof(verdict->words),
             "copy on write: %s of %s inherited were copied by writes to no data: %s by "
             "collections (GC heads), %s by reference counts",
             say_bytes(a, copied_in_vain(sharing)), say_bytes(b, inherited.value),
             say_bytes(c, heads_bytes), say_bytes(d, refcounts_bytes));
    if (heads_bytes < refcounts_bytes)
        verdict->remedy = remedy_refcounts;
    else
        verdict->gain_bytes = sharing_freeze(sharing);
    verdict->bytes = reading_exact(copied_in_vain(sharing));
    verdict_count(verdict, "inherited", HISTORY_BYTES, inherited);
    verdict_count(verdict, "still shared", HISTORY_BYTES, sharing_shared(sharing));
    for (int cause = UNSHARED_GC_HEADS; cause < UNSHARED_UNKNOWN; cause++) {
        static const char *const names[] = {"copied by GC heads", "copied by refcounts",
                                            "copied by new data"};

        verdict_count(verdict, names[cause], HISTORY_BYTES,
                      sharing_unshared_by(sharing, (enum unshared_by)cause));
    }
}

/* A comparison from before the growth knows nothing of it. */
static bool covers(const struct sharing *sharing, const struct unsharing *found)
{
    return sharing_unshared(sharing).value * 5 >= found->uss.value * 4;
}

/* What was measured says more than USS, and says it without a growth as well. */
enum judgement judge_unsharing(const struct evidence *evidence, struct finding *finding)
{
    const struct sharing *sharing = history_sharing(evidence->history);
    struct unsharing found;
    enum judgement by_uss = look_at_uss(evidence, &found);

    if (!sharing->wall_ns || (by_uss == JUDGED_YES && !covers(sharing, &found))) {
        if (by_uss == JUDGED_YES)
            say_by_uss(evidence, &found, finding);
        return by_uss;
    }
    if (!is_much(sharing))
        return JUDGED_NO;
    say_measured(sharing, finding);
    finding->is_now = by_uss == JUDGED_YES;
    return JUDGED_YES;
}
