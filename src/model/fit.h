/*
 * fit.h - a line through values over time, and whether they really rise.
 *
 * Scratch memory comes and goes, so the line lies along the troughs of a saw-tooth:
 * points that stand high above it are left out, and what is left is fitted again. Values
 * rise when the Mann-Kendall test says so (p < 0.01), when they do it in at least three
 * of six slices of the time (one step is no growth), and when they still do it in the
 * last third (what has ended was a warm-up, and what stands still for longer than it ever
 * did before has ended). Of a saw-tooth the troughs must rise, too. Where the points are
 * too few for that, but RES itself rises, what is higher at last than at first is a
 * candidate for the cause.
 *
 * Pure.
 */
#ifndef HEAPTOP_MODEL_FIT_H
#define HEAPTOP_MODEL_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIT_POINTS_MOST 64
#define FIT_TROUGH_SHARE \
    24 /* of a growth: so much at least the troughs rose by themselves */

struct fit {
    size_t points; /* that were looked at */
    size_t kept;   /* of them, along the troughs */
    int64_t first_ns, last_ns;
    bool is_rising;
    bool is_higher;    /* less sure: fewer points, but the lows rose as well */
    double per_minute; /* 0 unless there is a trend */
    int64_t grown;     /* from the first to the last, along the line */
    int64_t low_at_first, low_at_last; /* the lowest of the first, of the last third */
    /* The last two of six slices above the second and the third: the first may be a
     * start. */
    int64_t troughs_rose;
};

/* n <= FIT_POINTS_MOST; what is more is not looked at. */
struct fit fit_line(const int64_t *times_ns, const int64_t *values, size_t n);

#endif
