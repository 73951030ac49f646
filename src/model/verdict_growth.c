/* What grows outside Python's objects: swap, files, native memory. */
#include <stdio.h>
#include <string.h>

#include "model/verdict_private.h"

#define CORRELATED      0.8
#define ROUNDS_COMPARED 4 /* of the dry run: so few say little about a correlation */

/* Pages that went to swap are no longer RES: at least 5 MiB, while RES does not grow. */
enum judgement judge_swap(const struct evidence *evidence, struct finding *finding)
{
    const struct process_section *now = evidence->now->process;
    const struct process_section *then = evidence->then->process;
    struct verdict *verdict = &finding->verdict;
    struct reading swap;
    struct fit fit;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!now || !then || !evidence_fit(evidence, SERIES_SWAP, &fit))
        return JUDGED_UNKNOWN;
    swap = reading_difference(now->swap_bytes, then->swap_bytes);
    if (!reading_is_known(swap))
        return JUDGED_UNKNOWN;
    if (swap.value < 5 * MB || evidence->res_growth_bytes > swap.value / 10)
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "swap: %s went to swap in %s, so RES does not show what the process holds",
             say_bytes(a, swap.value), say_elapsed(b, evidence));
    verdict_take_fit(verdict, evidence, &fit, swap.value);
    verdict_count(verdict, "growth of RES", HISTORY_BYTES,
                  reading_exact(evidence->res_growth_bytes));
    verdict_count(verdict, "in swap now", HISTORY_BYTES, now->swap_bytes);
    finding->is_now = true;
    return JUDGED_YES;
}

/* Of the file mappings, the one that has most in memory. */
static const char *largest_file(const struct evidence *evidence)
{
    const struct account_section *account = evidence->now->account;

    for (size_t i = 0; account && i < account->n_mappings; i++)
        if (account->mappings[i].name[0] == '/')
            return account->mappings[i].name;
    return NULL;
}

enum judgement judge_files(const struct evidence *evidence, struct finding *finding)
{
    struct verdict *verdict = &finding->verdict;
    const struct fit *larger;
    struct fit file, shared;
    const char *name = NULL;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!evidence_fit(evidence, SERIES_FILES, &file) ||
        !evidence_fit(evidence, SERIES_SHARED, &shared))
        return JUDGED_UNKNOWN;
    larger = file.grown >= shared.grown ? &file : &shared;
    if (!has_risen(evidence, larger) || !explains(evidence, larger, larger->grown))
        return JUDGED_NO;
    if (larger == &file)
        name = largest_file(evidence);
    else
        verdict->remedy = "unmap it; it is memory, though of no file that the kernel "
                          "could drop";
    snprintf(verdict->words, sizeof(verdict->words), "%s: %s more in memory in %s%s%.80s",
             larger == &file ? "mapped files" : "shared memory",
             say_bytes(a, larger->grown), say_elapsed(b, evidence),
             name ? ", most of " : "", name ? name : "");
    verdict_take_fit(verdict, evidence, larger, larger->grown);
    verdict_count(verdict, "growth of mapped files", HISTORY_BYTES,
                  reading_exact(file.grown));
    verdict_count(verdict, "growth of shared memory", HISTORY_BYTES,
                  reading_exact(shared.grown));
    finding->is_now = true;
    return JUDGED_YES;
}

/* malloc's chunks that are not Python's, and other private mappings. */
static int64_t native_growth(const struct evidence *evidence)
{
    return fit_risen(evidence, &evidence->parts[PART_NATIVE]) +
           fit_risen(evidence, &evidence->parts[PART_PRIVATE]);
}

static void count_native(struct verdict *verdict, const struct evidence *evidence)
{
    verdict_count(verdict, "growth of malloc in use, not Python's", HISTORY_BYTES,
                  reading_exact(evidence->parts[PART_NATIVE].grown));
    verdict_count(verdict, "growth of private mappings", HISTORY_BYTES,
                  reading_exact(evidence->parts[PART_PRIVATE].grown));
    verdict_count(verdict, "growth of objects", HISTORY_BYTES,
                  reading_exact(evidence->kinds.bytes));
    verdict_count(verdict, "growth of RES", HISTORY_BYTES,
                  reading_exact(evidence->res_growth_bytes));
}

/* What malloc has in use besides Python's own explains the growth. */
enum judgement judge_native(const struct evidence *evidence, struct finding *finding)
{
    const struct fit *fit = &evidence->parts[PART_NATIVE];
    struct verdict *verdict = &finding->verdict;
    int64_t grown;
    char a[UNITS_MAX], b[UNITS_MAX];

    if (!evidence->has_parts || !evidence->kinds.is_known)
        return JUDGED_UNKNOWN;
    grown = native_growth(evidence);
    if (!explains(evidence, fit, grown))
        return JUDGED_NO;
    snprintf(verdict->words, sizeof(verdict->words),
             "native memory grows: +%s in %s in %s, and no Python object has it",
             say_bytes(a, grown), say_elapsed(b, evidence),
             fit_risen(evidence, fit) * 2 > grown ? "malloc" : "mappings of its own");
    verdict_take_fit(verdict, evidence, fit, grown);
    count_native(verdict, evidence);
    finding->is_now = true;
    return JUDGED_YES;
}

/* ---- native memory that garbage keeps ---- */

/* Modules whose objects have memory of a C library. */
static bool has_native_payload(const char *kind)
{
    static const char *const modules[] = {
        "ssl.",      "_ssl.",    "OpenSSL.", "sqlite3.",      "_sqlite3.",
        "_hashlib.", "hashlib.", "zlib.",    "bz2.",          "_bz2.",
        "lzma.",     "_lzma.",   "pyexpat.", "numpy.",        "pandas.",
        "torch.",    "lxml.",    "PIL.",     "cv2.",          "pyarrow.",
        "psycopg",   "MySQLdb.", "_mysql.",  "grpc.",         "_cffi_",
        "ctypes.",   "_ctypes.", "_curses.", "_elementtree.", "xml.etree.ElementTree.",
        "uvloop.",   "pycurl.",
    };

    for (size_t i = 0; i < sizeof(modules) / sizeof(modules[0]); i++)
        if (!strncmp(kind, modules[i], strlen(modules[i])))
            return true;
    return false;
}

/* The kind with a native payload that grows most in number. */
static const struct kind_row *payload_kind(const struct evidence *evidence, int64_t *more)
{
    const struct objects_section *now = evidence->now->objects;
    const struct objects_section *then = evidence->then->objects;
    const struct kind_row *found = NULL;

    *more = 0;
    for (size_t i = 0; now && then && i < now->n_kinds; i++) {
        int64_t before = 0;

        if (!has_native_payload(now->kinds[i].kind->name))
            continue;
        for (size_t k = 0; k < then->n_kinds; k++)
            if (then->kinds[k].kind == now->kinds[i].kind)
                before = (int64_t)then->kinds[k].count;
        if ((int64_t)now->kinds[i].count - before <= *more)
            continue;
        *more = (int64_t)now->kinds[i].count - before;
        found = &now->kinds[i];
    }
    return found;
}

/* Blocks that these objects lead to are theirs in the partition, and native all the same.
 */
static int64_t payload_parts(const struct kind_row *kind, int64_t more)
{
    return kind->count ? (int64_t)((double)kind->malloc_bytes / (double)kind->count *
                                   (double)more)
                       : 0;
}

static double correlation(const int64_t *a, const int64_t *b, size_t n)
{
    double mean_a = 0, mean_b = 0, both = 0, square_a = 0, square_b = 0;

    for (size_t i = 0; i < n; i++) {
        mean_a += (double)a[i] / (double)n;
        mean_b += (double)b[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) {
        both += ((double)a[i] - mean_a) * ((double)b[i] - mean_b);
        square_a += ((double)a[i] - mean_a) * ((double)a[i] - mean_a);
        square_b += ((double)b[i] - mean_b) * ((double)b[i] - mean_b);
    }
    /* both / sqrt(a b) > r, without the root */
    return square_a > 0 && square_b > 0 && both > 0 ? both * both / square_a / square_b
                                                    : 0;
}

/* What the dry runs of the window found, and native memory at their moments. */
struct rounds {
    int64_t native[HISTORY_RECENT + HISTORY_KEPT], garbage[HISTORY_RECENT + HISTORY_KEPT];
    int64_t first_ns, last_ns;
    size_t count;
};

static void gather_rounds(const struct evidence *evidence, struct rounds *rounds)
{
    rounds->count = 0;
    rounds->last_ns = 0;
    for (size_t i = 0; i < history_count(evidence->history); i++) {
        const struct snapshot *snapshot = history_at(evidence->history, i);
        const struct account_section *account = snapshot->account;

        if (snapshot->mono_ns < evidence->then->mono_ns || !account ||
            !reading_is_known(account->garbage_objects) ||
            account->garbage_mono_ns == rounds->last_ns)
            continue;
        rounds->last_ns = account->garbage_mono_ns;
        if (!rounds->count)
            rounds->first_ns = rounds->last_ns;
        rounds->native[rounds->count] = (int64_t)(account->parts[PART_NATIVE].resident +
                                                  account->parts[PART_PRIVATE].resident);
        rounds->garbage[rounds->count++] = account->garbage_objects.value;
    }
}

/* As many objects became garbage as objects with native memory came; and where dry runs
 * are enough, the one moves with the other. */
static bool moves_with_garbage(const struct evidence *evidence, int64_t more)
{
    struct rounds rounds;
    double became, came;

    gather_rounds(evidence, &rounds);
    if (rounds.count < 2 || rounds.last_ns <= rounds.first_ns)
        return false;
    became = (double)(rounds.garbage[rounds.count - 1] - rounds.garbage[0]) /
             (double)(rounds.last_ns - rounds.first_ns);
    came = (double)more / (double)evidence->elapsed_ns;
    return became >= came * CORRELATED &&
           (rounds.count < ROUNDS_COMPARED ||
            correlation(rounds.native, rounds.garbage, rounds.count) >
                CORRELATED * CORRELATED);
}

/* Native memory explains the growth, and moves with garbage of kinds that have some. */
enum judgement judge_native_of_garbage(const struct evidence *evidence,
                                       struct finding *finding)
{
    const struct account_section *account = evidence->now->account;
    const struct fit *fit = &evidence->parts[PART_NATIVE];
    struct verdict *verdict = &finding->verdict;
    const struct kind_row *kind;
    int64_t grown, more;
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], d[UNITS_MAX];

    if (!evidence->has_parts || !account || !reading_is_known(account->garbage_objects))
        return JUDGED_UNKNOWN;
    grown = native_growth(evidence);
    kind = payload_kind(evidence, &more);
    if (!explains(evidence, fit, grown) || !kind || more < 10 ||
        !moves_with_garbage(evidence, more))
        return JUDGED_NO;
    grown += payload_parts(kind, more);
    snprintf(verdict->words, sizeof(verdict->words),
             "garbage keeps native memory: +%s in %s, together with %s unreachable "
             "objects, among them %.60s (%s more)",
             say_bytes(a, grown), say_elapsed(b, evidence),
             units_count(c, account->garbage_objects), kind->kind->name,
             units_count(d, reading_exact(more)));
    verdict_take_fit(verdict, evidence, fit, grown);
    verdict->gain_bytes = (struct reading){grown, READING_ESTIMATE};
    count_native(verdict, evidence);
    verdict_count(verdict, "garbage", HISTORY_BYTES, account->garbage_bytes);
    finding->is_now = true;
    return JUDGED_YES;
}

/* ---- scratch memory ---- */

/* How often the values went up and down by `least`. */
static int count_swings(const int64_t *values, size_t count, int64_t least)
{
    int64_t low = values[0], high = values[0];
    int swings = 0, direction = 0;

    for (size_t i = 1; i < count; i++) {
        bool is_up;

        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
        is_up = direction <= 0 && values[i] - low >= least;
        if (!is_up && (direction < 0 || high - values[i] < least))
            continue;
        direction = is_up ? 1 : -1;
        swings++;
        high = low = values[i];
    }
    return swings;
}

/* Up and down by 32 MiB and 15 per cent of RES, three times, without a trend. */
enum judgement judge_saw_tooth(const struct evidence *evidence, struct finding *finding)
{
    int64_t values[GROWTH_POINTS], counts[GROWTH_POINTS], times[GROWTH_POINTS];
    struct growth *growth = history_series_growth(evidence->history);
    struct verdict *verdict = &finding->verdict;
    int64_t least = evidence->res_bytes * 15 / 100;
    size_t count =
        growth_values(growth, 1 + SERIES_RES, values, counts, times, GROWTH_POINTS);
    int swings;
    bool is_unsure;
    char a[UNITS_MAX];

    if (!evidence->is_long || evidence->is_growing || !count)
        return JUDGED_NO;
    if (least < 32 * MB)
        least = 32 * MB;
    swings = count_swings(values, count, least);
    if (swings < 3)
        return JUDGED_NO;
    is_unsure = evidence->res.troughs_rose > evidence_growth_least(evidence);
    if (is_unsure)
        verdict->remedy = "watch on: a growth is named once its lowest rises for sure";
    snprintf(verdict->words, sizeof(verdict->words),
             "saw-tooth: RES goes up and down by %s and more, seen %d times; %s",
             say_bytes(a, least), swings,
             is_unsure ? "its lowest rises, by chance or as a growth" : "not a leak");
    verdict->bytes = reading_exact(least);
    verdict_count(verdict, "lowest of RES at first", HISTORY_BYTES,
                  reading_exact(evidence->res.low_at_first));
    verdict_count(verdict, "lowest of RES at last", HISTORY_BYTES,
                  reading_exact(evidence->res.low_at_last));
    return JUDGED_YES;
}
