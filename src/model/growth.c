#include "model/growth.h"

#include <stdlib.h>
#include <string.h>

#include "model/thinning.h"
#include "util/xalloc.h"

#define THINNED_TO    (GROWTH_POINTS / 8 * 7)
#define TESTED_POINTS 60 /* the test looks at as many, evenly spread over the window */

struct series {
    uint64_t key; /* + 1: 0 is an empty slot */
    int64_t count, bytes;
    int64_t previous_count, previous_bytes;
    int64_t peak_count, peak_bytes;               /* with the last point */
    int64_t peak_before_count, peak_before_bytes; /* without it */
    int64_t first_seen_wall_ns;
    int64_t *counts, *values; /* GROWTH_POINTS each, one block; NULL: never changed */
    uint64_t round;           /* of the last put */
    struct trend trend;
    uint64_t trend_round;
    int64_t trend_window_ns;
};

struct growth {
    int64_t times_ns[GROWTH_POINTS];
    size_t n_points;
    int64_t wall_ns; /* of the last point */
    uint64_t round;
    struct series *slots;
    size_t n_slots, n_used, n_changing;
    size_t n_put; /* in this round */
    bool is_of_readings;
};

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct growth *growth_new(void)
{
    return xcalloc(1, sizeof(struct growth));
}

struct growth *growth_new_of_readings(void)
{
    struct growth *growth = growth_new();

    growth->is_of_readings = true;
    return growth;
}

void growth_free(struct growth *growth)
{
    if (!growth)
        return;
    for (size_t i = 0; i < growth->n_slots; i++)
        free(growth->slots[i].counts);
    free(growth->slots);
    free(growth);
}

/* What it was at its last point; the points before are in `from`. */
static void cut(struct series *series, const struct series *from, size_t n_points)
{
    series->counts = xcalloc(2 * GROWTH_POINTS, sizeof(*series->counts));
    series->values = series->counts + GROWTH_POINTS;
    series->peak_count = series->peak_bytes = series->count = series->bytes = 0;
    for (size_t i = 0; i < n_points; i++) {
        series->previous_count = i ? series->count : from->counts[0];
        series->previous_bytes = i ? series->bytes : from->values[0];
        series->peak_before_count = series->peak_count;
        series->peak_before_bytes = series->peak_bytes;
        series->count = series->counts[i] = from->counts[i];
        series->bytes = series->values[i] = from->values[i];
        series->peak_count = larger(series->peak_count, series->count);
        series->peak_bytes = larger(series->peak_bytes, series->bytes);
    }
}

struct growth *growth_as_of(const struct growth *growth, int64_t mono_ns)
{
    struct growth *past = xcalloc(1, sizeof(*past));

    *past = *growth;
    past->slots = growth->n_slots ? xcalloc(growth->n_slots, sizeof(*past->slots)) : NULL;
    while (past->n_points && past->times_ns[past->n_points - 1] > mono_ns)
        past->n_points--;
    for (size_t i = 0; i < growth->n_slots; i++) {
        past->slots[i] = growth->slots[i];
        past->slots[i].trend_round = 0;
        if (growth->slots[i].counts)
            cut(&past->slots[i], &growth->slots[i], past->n_points);
    }
    return past;
}

static size_t slot_of(const struct growth *growth, uint64_t key)
{
    size_t mask = growth->n_slots - 1;
    size_t at = (size_t)((key + 1) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & mask;

    while (growth->slots[at].key && growth->slots[at].key != key + 1)
        at = (at + 1) & mask;
    return at;
}

static const struct series *find(const struct growth *growth, uint64_t key)
{
    const struct series *series;

    if (!growth->n_slots)
        return NULL;
    series = &growth->slots[slot_of(growth, key)];
    return series->key ? series : NULL;
}

static void grow_slots(struct growth *growth)
{
    struct series *old = growth->slots;
    size_t n_old = growth->n_slots;

    growth->n_slots = n_old ? n_old * 2 : 256;
    growth->slots = xcalloc(growth->n_slots, sizeof(*growth->slots));
    for (size_t i = 0; i < n_old; i++)
        if (old[i].key)
            growth->slots[slot_of(growth, old[i].key - 1)] = old[i];
    free(old);
}

static void keep_values(int64_t *values, const size_t *kept, size_t n_kept)
{
    for (size_t i = 0; i < n_kept; i++)
        values[i] = values[kept[i]];
}

/* All series are thinned alike. */
static void thin(struct growth *growth)
{
    size_t kept[THINNED_TO];
    size_t n_kept = thinning_choose(growth->times_ns, growth->n_points, THINNED_TO, kept);

    keep_values(growth->times_ns, kept, n_kept);
    for (size_t i = 0; i < growth->n_slots; i++)
        if (growth->slots[i].counts) {
            keep_values(growth->slots[i].counts, kept, n_kept);
            keep_values(growth->slots[i].values, kept, n_kept);
        }
    growth->n_points = n_kept;
}

/* A clock that goes back, in recordings that were put together, takes what came later
 * along: times never fall. */
void growth_begin(struct growth *growth, int64_t mono_ns, int64_t wall_ns)
{
    while (growth->n_points && growth->times_ns[growth->n_points - 1] > mono_ns)
        growth->n_points--;
    if (growth->n_points == GROWTH_POINTS)
        thin(growth);
    growth->times_ns[growth->n_points++] = mono_ns;
    growth->wall_ns = wall_ns;
    growth->round++;
    growth->n_put = 0;
}

/* From now on it has a value for each point; until here it had the same in all. */
static void remember(struct growth *growth, struct series *series)
{
    if (series->counts || growth->n_changing >= GROWTH_SERIES_MAX)
        return;
    growth->n_changing++;
    series->counts = xcalloc(2 * GROWTH_POINTS, sizeof(*series->counts));
    series->values = series->counts + GROWTH_POINTS;
    for (size_t i = 0; i + 1 < growth->n_points; i++) {
        series->counts[i] = series->count;
        series->values[i] = series->bytes;
    }
}

static void set(struct growth *growth, struct series *series, int64_t count,
                int64_t bytes)
{
    if (count != series->count || bytes != series->bytes)
        remember(growth, series);
    series->previous_count = series->count;
    series->previous_bytes = series->bytes;
    series->peak_before_count = series->peak_count;
    series->peak_before_bytes = series->peak_bytes;
    series->count = count;
    series->bytes = bytes;
    series->peak_count = larger(series->peak_count, count);
    series->peak_bytes = larger(series->peak_bytes, bytes);
    if (series->counts) {
        series->counts[growth->n_points - 1] = count;
        series->values[growth->n_points - 1] = bytes;
    }
    growth->n_put += series->round != growth->round;
    series->round = growth->round;
}

void growth_put(struct growth *growth, uint64_t key, int64_t count, int64_t bytes)
{
    struct series *series;

    if (growth->n_used * 2 >= growth->n_slots)
        grow_slots(growth);
    series = &growth->slots[slot_of(growth, key)];
    if (!series->key) {
        growth->n_used++;
        series->key = key + 1;
        if (growth->round > 1 && !growth->is_of_readings) {
            series->first_seen_wall_ns = growth->wall_ns;
        } else { /* it was there before anything could be compared */
            series->count = series->peak_count = count;
            series->bytes = series->peak_bytes = bytes;
        }
    }
    set(growth, series, count, bytes);
}

void growth_end(struct growth *growth)
{
    for (size_t i = 0; i < growth->n_slots && growth->n_put < growth->n_used; i++) {
        struct series *series = &growth->slots[i];

        if (!series->key || series->round == growth->round)
            continue;
        if (growth->is_of_readings)
            set(growth, series, series->count, series->bytes);
        else
            set(growth, series, 0, 0);
    }
}

/* Where the window begins: in time, but never fewer points than the test needs. */
static size_t first_of_window(const struct growth *growth, int64_t window_ns)
{
    size_t first = growth->n_points;

    while (first > 0 &&
           (growth->times_ns[growth->n_points - 1] - growth->times_ns[first - 1] <=
                window_ns ||
            growth->n_points - first < GROWTH_LEAST))
        first--;
    return first;
}

int64_t growth_window_begin_ns(const struct growth *growth, int64_t window_ns)
{
    size_t first = first_of_window(growth, window_ns);

    return first < growth->n_points ? growth->times_ns[first] : 0;
}

/* The last point of each of TESTED_POINTS slices of the window: newer points stand
 * denser, and must not count for more. */
static size_t spread(const struct growth *growth, size_t first, size_t *chosen)
{
    size_t last = growth->n_points - 1, count = 0;
    int64_t start = growth->times_ns[first];
    double span = (double)(growth->times_ns[last] - start) + 1;
    int before = -1;

    for (size_t i = first; i <= last; i++) {
        int slice = (int)((double)(growth->times_ns[i] - start) / span * TESTED_POINTS);

        if (slice == before)
            count--;
        chosen[count++] = i;
        before = slice;
    }
    return count;
}

static void test(const struct growth *growth, const struct series *series,
                 int64_t window_ns, struct trend *trend)
{
    int64_t times[TESTED_POINTS] = {0}, counts[TESTED_POINTS], bytes[TESTED_POINTS];
    size_t chosen[TESTED_POINTS];
    size_t count = spread(growth, first_of_window(growth, window_ns), chosen);

    trend->points = count;
    for (size_t i = 0; i < count; i++) {
        times[i] = growth->times_ns[chosen[i]];
        counts[i] = series->counts[chosen[i]];
        bytes[i] = series->values[chosen[i]];
    }
    trend->span_ns = times[count - 1] - times[0];
    if (count < GROWTH_LEAST)
        return;
    trend->is_claimed = mann_kendall(bytes, count) || mann_kendall(counts, count);
    if (!trend->is_claimed)
        return;
    trend->count_per_minute = theil_sen(times, counts, count);
    trend->bytes_per_minute = theil_sen(times, bytes, count);
}

static int64_t above(int64_t value, int64_t peak)
{
    return value > peak ? value - peak : 0;
}

static void find_trend(const struct growth *growth, struct series *series,
                       int64_t window_ns)
{
    struct trend *trend = &series->trend;

    if (series->trend_round == growth->round && series->trend_window_ns == window_ns)
        return;
    *trend = (struct trend){
        .first_seen_wall_ns = series->first_seen_wall_ns,
        .count_over_previous = series->count - series->previous_count,
        .bytes_over_previous = series->bytes - series->previous_bytes,
        .count_over_peak = above(series->count, series->peak_before_count),
        .bytes_over_peak = above(series->bytes, series->peak_before_bytes),
        .peak_count = series->peak_count,
        .peak_bytes = series->peak_bytes,
    };
    if (series->counts)
        test(growth, series, window_ns, trend);
    series->trend_round = growth->round;
    series->trend_window_ns = window_ns;
}

bool growth_trend(struct growth *growth, uint64_t key, int64_t window_ns,
                  struct trend *trend)
{
    if (!find(growth, key))
        return false;
    struct series *series = &growth->slots[slot_of(growth, key)];
    find_trend(growth, series, window_ns);
    *trend = series->trend;
    return true;
}

double growth_total(struct growth *growth, int64_t window_ns)
{
    double total = 0;

    for (size_t i = 0; i < growth->n_slots; i++) {
        struct series *series = &growth->slots[i];

        if (!series->key || !series->counts)
            continue;
        find_trend(growth, series, window_ns);
        if (series->trend.bytes_per_minute > 0)
            total += series->trend.bytes_per_minute;
    }
    return total;
}

/* The first point that is not earlier. */
static size_t first_since(const struct growth *growth, int64_t since_mono_ns)
{
    size_t first = growth->n_points;

    while (first > 0 && growth->times_ns[first - 1] >= since_mono_ns)
        first--;
    return first;
}

bool growth_fit(const struct growth *growth, uint64_t key, int64_t since_mono_ns,
                struct fit *fit)
{
    int64_t times[TESTED_POINTS] = {0}, bytes[TESTED_POINTS];
    const struct series *series = find(growth, key);
    size_t first = first_since(growth, since_mono_ns), chosen[GROWTH_POINTS], count;

    if (!series || first == growth->n_points)
        return false;
    count = spread(growth, first, chosen);
    for (size_t i = 0; i < count; i++) {
        times[i] = growth->times_ns[chosen[i]];
        bytes[i] = series->counts ? series->values[chosen[i]] : series->bytes;
    }
    *fit = fit_line(times, bytes, count);
    return true;
}

int64_t growth_range(const struct growth *growth, uint64_t key, int64_t since_mono_ns)
{
    const struct series *series = find(growth, key);
    int64_t low = 0, high = 0;

    if (!series || !series->counts)
        return 0;
    for (size_t first = first_since(growth, since_mono_ns), i = first;
         i < growth->n_points; i++) {
        low = i == first || series->values[i] < low ? series->values[i] : low;
        high = i == first || series->values[i] > high ? series->values[i] : high;
    }
    return high - low;
}

bool growth_lowest(const struct growth *growth, uint64_t key, int64_t since_mono_ns,
                   int64_t *bytes)
{
    const struct series *series = find(growth, key);
    size_t first = first_since(growth, since_mono_ns);

    if (!series || first == growth->n_points)
        return false;
    *bytes = series->bytes;
    for (size_t i = first; series->counts && i < growth->n_points; i++)
        if (series->values[i] < *bytes)
            *bytes = series->values[i];
    return true;
}

size_t growth_values(const struct growth *growth, uint64_t key, int64_t *bytes,
                     int64_t *counts, int64_t *mono_ns, size_t most)
{
    const struct series *series = find(growth, key);
    size_t count = growth->n_points, first;

    if (!series)
        return 0;
    if (count > most)
        count = most;
    first = growth->n_points - count;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = series->counts ? series->values[first + i] : series->bytes;
        counts[i] = series->counts ? series->counts[first + i] : series->count;
        mono_ns[i] = growth->times_ns[first + i];
    }
    return count;
}
