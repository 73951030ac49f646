/*
 * growth.h - what grows, and whether it really does.
 *
 * A set of series over one axis of time: one for each kind, size class or part of the
 * account, named by a key. Memory stays bounded over days: the axis has GROWTH_POINTS
 * points, the older the sparser (thinning.h), and a series that never changed
 * is one number.
 *
 * A slope is Theil-Sen's (the median of the slopes between all pairs of points), which
 * single outliers do not move. It is claimed only when the Mann-Kendall test says that
 * the values rise or fall at all (p < 0.01) over at least GROWTH_LEAST points.
 *
 * Pure; belongs to the history and its thread.
 */
#ifndef HEAPTOP_MODEL_GROWTH_H
#define HEAPTOP_MODEL_GROWTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/fit.h"

#define GROWTH_POINTS     128
#define GROWTH_LEAST      12
#define GROWTH_SERIES_MAX 8192 /* that change; what more there are is not followed */
#define GROWTH_WINDOW_NS  INT64_C(600000000000)

struct growth;

struct trend {
    int64_t first_seen_wall_ns; /* 0: it was there when heaptop began */
    size_t points;              /* that the test looked at */
    int64_t span_ns;            /* from the first to the last of them */
    bool is_claimed;            /* the slopes mean something */
    double count_per_minute, bytes_per_minute;
    /* objgraph's two: over the walk before, and over the most that ever was before. */
    int64_t count_over_previous, bytes_over_previous;
    int64_t count_over_peak, bytes_over_peak; /* 0 while it is not above its peak */
    int64_t peak_count, peak_bytes;
};

struct growth *growth_new(void);
/* Of values that are there all the time, but not always known: one that is not put stays
 * what it was, and was before what it is at first. Else it was and is 0. */
struct growth *growth_new_of_readings(void);
void growth_free(struct growth *growth);

/* A new one that ends with the last point that is not later. */
struct growth *growth_as_of(const struct growth *growth, int64_t mono_ns);

/* One point: begin, put every series, end. What is not put has become 0. */
void growth_begin(struct growth *growth, int64_t mono_ns, int64_t wall_ns);
void growth_put(struct growth *growth, uint64_t key, int64_t count, int64_t bytes);
void growth_end(struct growth *growth);

/* Over the last `window_ns` (or the last GROWTH_LEAST points, if that is more). False
 * when the key is not known. Answers are remembered until the next point. */
bool growth_trend(struct growth *growth, uint64_t key, int64_t window_ns,
                  struct trend *trend);

/* The line through its bytes from `since_mono_ns` on. False when the key is not known, or
 * there is no point since. */
bool growth_fit(const struct growth *growth, uint64_t key, int64_t since_mono_ns,
                struct fit *fit);
/* By how much the bytes of a series went up and down since: the highest without the
 * lowest. 0 for a series that did not change. */
int64_t growth_range(const struct growth *growth, uint64_t key, int64_t since_mono_ns);
/* The lowest since; unknown without a point. */
bool growth_lowest(const struct growth *growth, uint64_t key, int64_t since_mono_ns,
                   int64_t *bytes);

/* When a window over the last `window_ns` begins: earlier, where fewer than GROWTH_LEAST
 * points are in it. */
int64_t growth_window_begin_ns(const struct growth *growth, int64_t window_ns);

/* The bytes a minute of all series that are claimed to grow, for shares. */
double growth_total(struct growth *growth, int64_t window_ns);

/* The values of a series as they are kept, the oldest first; how many there are. */
size_t growth_values(const struct growth *growth, uint64_t key, int64_t *bytes,
                     int64_t *counts, int64_t *mono_ns, size_t most);

/* ---- the statistics by themselves ---- */

/* The median slope per minute. `times_ns` rises. n >= 2. */
double theil_sen(const int64_t *times_ns, const int64_t *values, size_t n);
/* Does it rise (1), fall (-1), or can that not be said (0)? At p < 0.01, two-sided,
 * with ties. */
int mann_kendall(const int64_t *values, size_t n);

#endif
