#include "model/evidence.h"

#include <string.h>
#include <strings.h>

#include "model/verdict.h"

#define GROWTH_LEAST_BYTES (INT64_C(5) << 20)
#define REST_LEAST_NS      INT64_C(40000000000) /* of a window that begins later */
#define STEEPER            2.5                  /* at first than since: a warm-up */
#define LONGER             6 /* each window than the one before, from ten minutes on */
#define SLOWER             4 /* at last than on the whole: it has ended */
#define WARM_UP_MARK       "warm-up"

static const struct growth *series_of(const struct evidence *evidence)
{
    return history_series_growth(evidence->history);
}

bool evidence_fit(const struct evidence *evidence, enum history_series series,
                  struct fit *fit)
{
    return growth_fit(series_of(evidence), 1 + (uint64_t)series, evidence->then->mono_ns,
                      fit);
}

int64_t evidence_parts_since_ns(const struct evidence *evidence)
{
    const struct account_section *account = evidence->then->account;

    return account ? account->ended_mono_ns : evidence->then->mono_ns;
}

int64_t evidence_kinds_since_ns(const struct evidence *evidence)
{
    const struct objects_section *objects = evidence->then->objects;

    return objects ? objects->walk.ended_mono_ns : evidence->then->mono_ns;
}

int64_t evidence_lowest_part(const struct evidence *evidence, enum account_part part)
{
    const struct account_section *account = evidence->now->account;
    int64_t now = account ? (int64_t)account->parts[part].resident : 0, lowest;

    if (!growth_lowest(history_parts_growth(evidence->history), 1 + (uint64_t)part,
                       evidence_parts_since_ns(evidence), &lowest))
        return now;
    return lowest < now ? lowest : now;
}

/* ---- where the window begins ---- */

static int64_t mark_ns(const struct history *history)
{
    const struct mark *marks;
    size_t count = history_marks(history, &marks);

    for (size_t i = count; i > 0; i--)
        if (!strcasecmp(marks[i - 1].name, WARM_UP_MARK))
            return marks[i - 1].snapshot->mono_ns;
    return 0;
}

/* Sets the older end: the first whole sample that is not earlier. */
static void begin_at(struct evidence *evidence, int64_t mono_ns)
{
    const struct history *history = evidence->history;
    size_t first = history_at_time(history, mono_ns);

    evidence->then = history_at(history, first);
    /* The first samples lack what takes longer to read. */
    while ((!evidence->then->is_complete || evidence->then->mono_ns < mono_ns) &&
           history_at(history, first + 1))
        evidence->then = history_at(history, ++first);
    evidence->elapsed_ns = evidence->now->mono_ns - evidence->then->mono_ns;
}

/* A growth that was far steeper in the first quarter than since began with a warm-up. */
static bool skip_steep_quarter(struct evidence *evidence)
{
    int64_t quarter_ns = evidence->elapsed_ns / 4, begin_ns = evidence->then->mono_ns;
    struct fit whole, rest;
    double first;

    if (evidence->elapsed_ns - quarter_ns < REST_LEAST_NS ||
        !evidence_fit(evidence, SERIES_RES, &whole) ||
        !growth_fit(series_of(evidence), 1 + SERIES_RES, begin_ns + quarter_ns, &rest) ||
        whole.kept < whole.points || rest.kept < rest.points ||
        rest.points < GROWTH_LEAST)
        return false;
    first =
        (double)(whole.grown - rest.grown) / ((double)(whole.last_ns - whole.first_ns) -
                                              (double)(rest.last_ns - rest.first_ns) + 1);
    if (whole.grown - rest.grown < GROWTH_LEAST_BYTES ||
        first <
            STEEPER * (double)rest.grown / ((double)(rest.last_ns - rest.first_ns) + 1))
        return false;
    begin_at(evidence, begin_ns + quarter_ns);
    return true;
}

static void find_window(struct evidence *evidence, int64_t window_ns)
{
    const struct history *history = evidence->history;
    int64_t begin_ns = growth_window_begin_ns(series_of(evidence), window_ns);
    int64_t imports_ns = evidence_imports_end_ns(history), marked_ns = mark_ns(history);
    bool is_old;

    begin_at(evidence, begin_ns);
    is_old = evidence->elapsed_ns >= VERDICT_LEAST_NS;
    if (imports_ns > begin_ns || marked_ns > begin_ns)
        begin_at(evidence, imports_ns > marked_ns ? imports_ns : marked_ns);
    evidence->is_warming_up = evidence->elapsed_ns < REST_LEAST_NS && is_old;
    evidence->is_long = is_old && evidence->elapsed_ns >= REST_LEAST_NS;
    while (evidence->is_long && skip_steep_quarter(evidence))
        ;
}

/* ---- what grew ---- */

static void gather_parts(struct evidence *evidence)
{
    const struct growth *parts = history_parts_growth(evidence->history);

    for (int i = 0; i < ACCOUNT_PARTS; i++)
        evidence->has_parts =
            growth_fit(parts, (uint64_t)i + 1, evidence_parts_since_ns(evidence),
                       &evidence->parts[i]);
}

/* What the parts grew for sure, where RES itself goes up and down too much. */
static int64_t parts_growth(const struct evidence *evidence)
{
    int64_t sum = 0;

    for (int i = 0; evidence->has_parts && i < ACCOUNT_PARTS; i++)
        sum += fit_risen(evidence, &evidence->parts[i]);
    return sum;
}

int64_t evidence_growth_least(const struct evidence *evidence)
{
    int64_t least = evidence->res_bytes / 50;

    return least < GROWTH_LEAST_BYTES ? GROWTH_LEAST_BYTES : least;
}

/* Scratch memory hides the trend: what RES falls back to rises for sure. */
static void find_floor(struct evidence *evidence)
{
    struct fit floor;

    if (evidence->is_growing || !evidence->is_long || !evidence_floor(evidence, &floor) ||
        floor.grown < evidence_growth_least(evidence))
        return;
    evidence->is_growing = evidence->is_of_floor = true;
    evidence->res = floor;
    evidence->res_growth_bytes = floor.grown;
    evidence->first_ns = floor.first_ns;
    evidence->last_ns = floor.last_ns;
}

/* Enough bytes, and a trend that is sure. */
static void find_growth(struct evidence *evidence)
{
    int64_t least = evidence_growth_least(evidence), parts = parts_growth(evidence);
    const struct fit *res = &evidence->res;

    evidence->res_growth_bytes = res->grown;
    if (res->kept < res->points && parts)
        evidence->res_growth_bytes = parts;
    evidence->first_ns = res->first_ns;
    evidence->last_ns = res->last_ns;
    evidence->is_growing =
        evidence->is_long && evidence->res_growth_bytes >= least &&
        (res->is_rising ||
         (parts >= least && res->low_at_last - res->low_at_first > parts / 3 &&
          res->troughs_rose > parts / FIT_TROUGH_SHARE));
}

static void gather_window(struct evidence *evidence, const struct history *history,
                          int64_t window_ns)
{
    memset(evidence, 0, sizeof(*evidence));
    evidence->history = history;
    evidence->now = history_latest(history);
    find_window(evidence, window_ns);
    if (evidence->now->process)
        evidence->res_bytes = evidence->now->process->res_bytes.value;
    evidence_fit(evidence, SERIES_RES, &evidence->res);
    gather_parts(evidence);
    find_growth(evidence);
    find_floor(evidence);
    evidence_gather_kinds(evidence);
}

/* The last quarter of the window has its share: it did not end long ago. */
static bool goes_on(const struct evidence *evidence)
{
    struct fit last;

    return growth_fit(series_of(evidence), 1 + SERIES_RES,
                      evidence->now->mono_ns - evidence->elapsed_ns / 4, &last) &&
           last.low_at_last - last.low_at_first >
               evidence->res_growth_bytes / (4 * SLOWER);
}

/* What is too slow for the usual window: the shortest longer one that it shows in. */
static void look_longer(struct evidence *evidence, const struct history *history)
{
    const struct snapshot *oldest = history_at(history, 0);
    int64_t age_ns = evidence->now->mono_ns - oldest->mono_ns;
    int64_t window_ns = GROWTH_WINDOW_NS;
    struct evidence longer;

    while (evidence->is_long && !evidence->is_growing && window_ns < age_ns) {
        window_ns *= LONGER;
        gather_window(&longer, history, window_ns);
        if (longer.is_growing && goes_on(&longer))
            *evidence = longer;
    }
}

bool evidence_gather(struct evidence *evidence, const struct history *history)
{
    if (!history_latest(history))
        return false;
    gather_window(evidence, history, GROWTH_WINDOW_NS);
    look_longer(evidence, history);
    return true;
}
