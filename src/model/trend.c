/* Theil-Sen and Mann-Kendall. */
#include <stdlib.h>

#include "model/growth.h"

#define POINTS_MAX 64
#define PAIRS_MAX  (POINTS_MAX * (POINTS_MAX - 1) / 2)
#define NS_PER_MIN 60e9

/* The square of the quantile of the normal distribution for 0.01, two-sided. */
#define Z_SQUARED 6.6349

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return (a > b) - (a < b);
}

static int compare_values(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

/* More points than that add nothing but time. */
static size_t bounded(size_t n)
{
    return n > POINTS_MAX ? POINTS_MAX : n;
}

double theil_sen(const int64_t *times_ns, const int64_t *values, size_t n)
{
    double slopes[PAIRS_MAX];
    size_t count = 0;

    n = bounded(n);
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (times_ns[j] > times_ns[i])
                slopes[count++] = ((double)values[j] - (double)values[i]) * NS_PER_MIN /
                                  (double)(times_ns[j] - times_ns[i]);
    if (!count)
        return 0;
    qsort(slopes, count, sizeof(*slopes), compare_doubles);
    if (count % 2)
        return slopes[count / 2];
    return (slopes[count / 2 - 1] + slopes[count / 2]) / 2;
}

/* What equal values take from the variance: the sum of t(t-1)(2t+5) over the ties. */
static double ties(const int64_t *values, size_t n)
{
    int64_t sorted[POINTS_MAX];
    double sum = 0;
    size_t first = 0;

    for (size_t i = 0; i < n; i++)
        sorted[i] = values[i];
    qsort(sorted, n, sizeof(*sorted), compare_values);
    for (size_t i = 1; i <= n; i++) {
        double t = (double)(i - first);

        if (i < n && sorted[i] == sorted[first])
            continue;
        sum += t * (t - 1) * (2 * t + 5);
        first = i;
    }
    return sum;
}

int mann_kendall(const int64_t *values, size_t n)
{
    double variance, excess;
    long s = 0;

    n = bounded(n);
    if (n < 3)
        return 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            s += (values[j] > values[i]) - (values[j] < values[i]);
    variance = ((double)n * (double)(n - 1) * (double)(2 * n + 5) - ties(values, n)) / 18;
    excess = (double)labs(s) - 1;
    if (excess <= 0 || excess * excess <= Z_SQUARED * variance)
        return 0;
    return s > 0 ? 1 : -1;
}
