#include "tui/series.h"

#include <stdio.h>

#include "util/clock.h"

static int64_t point_value(const struct history_point *point, enum history_series series)
{
    struct reading value = point->values[series];

    return reading_is_known(value) ? value.value : SERIES_UNKNOWN;
}

static size_t first_within(const struct history_point *points, size_t count,
                           int64_t span_ns)
{
    size_t first = count;

    while (first > 0 && points[count - 1].mono_ns - points[first - 1].mono_ns <= span_ns)
        first--;
    return first;
}

static void slice(const struct history_point *points, size_t count,
                  enum history_series series, int64_t span_ns, int cells, int64_t *values)
{
    int64_t start = points[count - 1].mono_ns - span_ns;

    for (int i = 0; i < cells; i++)
        values[i] = SERIES_UNKNOWN;
    for (size_t i = first_within(points, count, span_ns); i < count; i++) {
        double share = (double)(points[i].mono_ns - start) / (double)(span_ns + 1);
        int cell = (int)(share * cells);
        int64_t value = point_value(&points[i], series);

        if (cell < 0 || cell >= cells)
            continue;
        if (value > values[cell])
            values[cell] = value;
    }
}

int series_cells(const struct history *history, enum history_series series,
                 int64_t span_ns, int cells, int64_t *values, int64_t *covered_ns)
{
    const struct history_point *points;
    size_t count = history_points(history, &points);
    size_t first = first_within(points, count, span_ns);

    *covered_ns = 0;
    if (first >= count || cells <= 0)
        return 0;
    *covered_ns = points[count - 1].mono_ns - points[first].mono_ns;
    if (count - first <= (size_t)cells) {
        for (size_t i = first; i < count; i++)
            values[i - first] = point_value(&points[i], series);
        return (int)(count - first);
    }
    slice(points, count, series, *covered_ns, cells, values);
    return cells;
}

void series_slices(const struct history *history, enum history_series series,
                   int64_t span_ns, int cells, int64_t *values)
{
    const struct history_point *points;
    size_t count = history_points(history, &points);

    for (int i = 0; i < cells; i++)
        values[i] = SERIES_UNKNOWN;
    if (count && cells > 0)
        slice(points, count, series, span_ns, cells, values);
    /* Between two samples the last one holds. */
    for (int i = 1; i < cells; i++)
        if (values[i] == SERIES_UNKNOWN)
            values[i] = values[i - 1];
}

int64_t series_age_ns(const struct history *history)
{
    const struct history_point *points;
    size_t count = history_points(history, &points);

    return count ? points[count - 1].mono_ns - points[0].mono_ns : 0;
}

char *series_span(char buffer[UNITS_MAX], int64_t span_ns)
{
    int64_t seconds = (span_ns + NS_PER_S / 2) / NS_PER_S;

    if (seconds < 100)
        snprintf(buffer, UNITS_MAX, "%lld s", (long long)seconds);
    else if (seconds < 7200)
        snprintf(buffer, UNITS_MAX, "%lld min", (long long)((seconds + 30) / 60));
    else
        snprintf(buffer, UNITS_MAX, "%lld h", (long long)((seconds + 1800) / 3600));
    return buffer;
}
