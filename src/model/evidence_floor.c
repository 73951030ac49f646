/*
 * The floor of RES: its lowest value in each slice of the window, from every sample and
 * not only from those that the series still have. Scratch memory that comes and goes may
 * stand so high above a leak that no line is seen; its troughs show it.
 */
#include "model/evidence.h"

/* Ten lows in a chance order have as few as four pairs that do not rise once in 5,000
 * times; made anew with each sample of ten minutes of scratch memory of random sizes,
 * they have it once in a hundred. */
#define SLICES      10
#define FALLS_MOST  4
#define LEAST       2  /* samples of a slice */
#define STILL_SHARE 10 /* the last third has at least a tenth of the growth */
#define LAST_THIRD  (SLICES - SLICES / 3 - 1)

struct lows {
    int64_t values[SLICES], times[SLICES];
    size_t samples[SLICES];
};

static void find_lows(const struct evidence *evidence, struct lows *lows)
{
    int64_t begin_ns = evidence->then->mono_ns, end_ns = evidence->now->mono_ns;
    double span = (double)(end_ns - begin_ns) + 1;
    const struct history_point *points;
    size_t count = history_points(evidence->history, &points);

    *lows = (struct lows){0};
    for (; count > 0 && points[count - 1].mono_ns >= begin_ns; count--) {
        const struct history_point *point = &points[count - 1];
        struct reading res = point->values[SERIES_RES];
        int at;

        if (point->mono_ns > end_ns || !reading_is_known(res))
            continue;
        at = (int)((double)(point->mono_ns - begin_ns) / span * SLICES);
        if (!lows->samples[at]++ || res.value < lows->values[at]) {
            lows->values[at] = res.value;
            lows->times[at] = point->mono_ns;
        }
    }
}

static bool does_rise(const struct lows *lows)
{
    int64_t first = lows->values[0], last = lows->values[SLICES - 1];
    int falls = 0;

    for (int i = 0; i < SLICES; i++) {
        if (lows->samples[i] < LEAST || lows->values[i] < first || lows->values[i] > last)
            return false;
        for (int k = i + 1; k < SLICES; k++)
            falls += lows->values[k] <= lows->values[i];
    }
    return falls <= FALLS_MOST &&
           last - lows->values[LAST_THIRD] > (last - first) / STILL_SHARE;
}

bool evidence_floor(const struct evidence *evidence, struct fit *fit)
{
    struct lows lows;

    find_lows(evidence, &lows);
    if (!does_rise(&lows))
        return false;
    *fit = (struct fit){
        .points = SLICES,
        .kept = SLICES,
        .first_ns = lows.times[0],
        .last_ns = lows.times[SLICES - 1],
        .is_rising = true,
        .is_higher = true,
        .per_minute = theil_sen(lows.times, lows.values, SLICES),
        .low_at_first = lows.values[0],
        .low_at_last = lows.values[SLICES - 1],
        .troughs_rose = lows.values[SLICES - 1] - lows.values[2],
    };
    fit->grown =
        (int64_t)(fit->per_minute * (double)(fit->last_ns - fit->first_ns) / 60e9);
    return true;
}
