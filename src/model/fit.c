#include "model/fit.h"

#include <string.h>

#include "model/growth.h"

#define SLICES       6
#define SLICES_RISE  3
#define KEPT_LEAST   8       /* points: fewer are not thinned out further */
#define HIGHER_LEAST 4       /* points for a candidate */
#define STILL_SHARE  10      /* the last third has at least a tenth of the growth */
#define STEP_SHARE   40      /* less than a fortieth of it is no rise of a slice */
#define NOISE_LEAST  1048576 /* bytes above the line that need no explanation */
#define PAUSE_SHARE  8 /* so long a standstill, an eighth of the time, may be an end */
#define PAUSE_TIMES  3 /* a table that doubles stands twice as long as it did before */
#define NS_PER_MIN   60e9

/* The points that are still looked at. */
struct cloud {
    int64_t times[FIT_POINTS_MOST], values[FIT_POINTS_MOST];
    size_t n;
};

static double median(double *numbers, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && numbers[j] < numbers[j - 1]; j--) {
            double other = numbers[j];

            numbers[j] = numbers[j - 1];
            numbers[j - 1] = other;
        }
    return n % 2 ? numbers[n / 2] : (numbers[n / 2 - 1] + numbers[n / 2]) / 2;
}

/* How far each point stands above the line of this slope; half of them are at most 0. */
static void find_heights(const struct cloud *cloud, double per_minute, double *heights)
{
    double sorted[FIT_POINTS_MOST], middle;

    for (size_t i = 0; i < cloud->n; i++)
        sorted[i] = heights[i] =
            (double)cloud->values[i] -
            per_minute * (double)(cloud->times[i] - cloud->times[0]) / NS_PER_MIN;
    middle = median(sorted, cloud->n);
    for (size_t i = 0; i < cloud->n; i++)
        heights[i] -= middle;
}

/* Leaves out what stands above the line; false when nothing does so by much. */
static bool drop_peaks(struct cloud *cloud, double per_minute)
{
    double span = (double)(cloud->times[cloud->n - 1] - cloud->times[0]) / NS_PER_MIN;
    double noise = per_minute > 0 ? per_minute * span / 10 : 0, highest = 0;
    double heights[FIT_POINTS_MOST];
    size_t n = 0;

    if (noise < NOISE_LEAST)
        noise = NOISE_LEAST;
    find_heights(cloud, per_minute, heights);
    for (size_t i = 0; i < cloud->n; i++)
        highest = heights[i] > highest ? heights[i] : highest;
    if (highest <= noise)
        return false;
    for (size_t i = 0; i < cloud->n; i++) {
        if (heights[i] > 0)
            continue;
        cloud->times[n] = cloud->times[i];
        cloud->values[n++] = cloud->values[i];
    }
    cloud->n = n;
    return true;
}

/* Times may go back, in a recording that was put together from others. */
static int slice_of(const struct fit *fit, int64_t time_ns)
{
    double span = (double)(fit->last_ns - fit->first_ns) + 1;

    if (time_ns >= fit->last_ns)
        return SLICES - 1;
    if (time_ns <= fit->first_ns)
        return 0;
    return (int)((double)(time_ns - fit->first_ns) / span * SLICES);
}

/* The lowest value of each slice of the time; a slice without points has the one before.
 */
static void find_lows(const struct cloud *cloud, const struct fit *fit, int64_t *lows)
{
    bool has_any[SLICES] = {false};

    for (size_t i = 0; i < cloud->n; i++) {
        int at = slice_of(fit, cloud->times[i]);

        if (!has_any[at] || cloud->values[i] < lows[at])
            lows[at] = cloud->values[i];
        has_any[at] = true;
    }
    for (int i = 0; i < SLICES; i++)
        if (!has_any[i])
            lows[i] = i ? lows[i - 1] : cloud->values[0];
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* It stands still for much longer than it ever did before: what filled up is full. */
static bool has_stopped(const struct cloud *cloud, const struct fit *fit)
{
    int64_t high = cloud->values[0], since = cloud->times[0], longest = 0, pause;

    for (size_t i = 1; i < cloud->n; i++) {
        if (cloud->values[i] <= high + fit->grown / STEP_SHARE)
            continue;
        longest = most(longest, cloud->times[i] - since);
        high = cloud->values[i];
        since = cloud->times[i];
    }
    pause = cloud->times[cloud->n - 1] - since;
    return pause > PAUSE_TIMES * longest &&
           pause > (fit->last_ns - fit->first_ns) / PAUSE_SHARE;
}

/* Goes down by more than noise: a saw-tooth, and no table that grows in steps. */
static bool does_fall(const struct cloud *cloud, const struct fit *fit)
{
    int64_t high = cloud->values[0], noise = most(fit->grown / 10, NOISE_LEAST);

    for (size_t i = 1; i < cloud->n; i++) {
        high = most(high, cloud->values[i]);
        if (high - cloud->values[i] > noise)
            return true;
    }
    return false;
}

/* In several slices, and still in the last ones; `whole` has the peaks, too. */
static bool is_lasting(const struct cloud *cloud, const struct cloud *whole,
                       const struct fit *fit)
{
    int64_t lows[SLICES], last = cloud->values[cloud->n - 1];
    int rises = 0;

    if (fit->kept < fit->points && does_fall(whole, fit)
            ? fit->troughs_rose < fit->grown / FIT_TROUGH_SHARE
            : has_stopped(whole, fit))
        return false;
    find_lows(cloud, fit, lows);
    for (int i = 1; i < SLICES; i++)
        rises += lows[i] - lows[i - 1] > fit->grown / STEP_SHARE;
    return rises >= SLICES_RISE && last - lows[SLICES - 3] > fit->grown / STILL_SHARE &&
           last - lows[SLICES - 2] > fit->grown / STEP_SHARE;
}

static void find_thirds(const struct cloud *cloud, struct fit *fit)
{
    int64_t lows[SLICES];

    find_lows(cloud, fit, lows);
    fit->low_at_first = least(lows[0], lows[1]);
    fit->low_at_last = least(lows[SLICES - 2], lows[SLICES - 1]);
    fit->troughs_rose = fit->low_at_last - most(lows[1], lows[2]);
    fit->is_higher = fit->points >= HIGHER_LEAST && fit->grown > 0 &&
                     fit->low_at_last - fit->low_at_first > fit->grown / 3;
}

struct fit fit_line(const int64_t *times_ns, const int64_t *values, size_t n)
{
    struct cloud cloud, whole;
    struct fit fit = {.points = n < FIT_POINTS_MOST ? n : FIT_POINTS_MOST};
    double span;

    if (!fit.points)
        return fit;
    cloud.n = fit.kept = fit.points;
    memcpy(cloud.times, times_ns, cloud.n * sizeof(*times_ns));
    memcpy(cloud.values, values, cloud.n * sizeof(*values));
    fit.first_ns = cloud.times[0];
    fit.last_ns = cloud.times[cloud.n - 1];
    fit.grown = cloud.values[cloud.n - 1] - cloud.values[0];
    find_thirds(&cloud, &fit);
    if (fit.points < GROWTH_LEAST)
        return fit;
    whole = cloud;
    fit.per_minute = theil_sen(cloud.times, cloud.values, cloud.n);
    while (cloud.n >= 2 * KEPT_LEAST && drop_peaks(&cloud, fit.per_minute))
        fit.per_minute = theil_sen(cloud.times, cloud.values, cloud.n);
    fit.kept = cloud.n;
    span = (double)(fit.last_ns - fit.first_ns) / NS_PER_MIN;
    if (fit.kept < fit.points) {
        fit.grown = (int64_t)(fit.per_minute * span);
        find_thirds(&cloud, &fit);
    }
    fit.is_rising = fit.grown > 0 && mann_kendall(cloud.values, cloud.n) > 0 &&
                    is_lasting(&cloud, &whole, &fit);
    return fit;
}
