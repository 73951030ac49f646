/* The headline series: now, growth, highest. */
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/glyphs.h"
#include "tui/history_graph.h"
#include "tui/history_tables.h"
#include "util/xalloc.h"

#define SPARK_CELLS 32

enum {
    COLUMN_NAME,
    COLUMN_NOW,
    COLUMN_PER_MINUTE,
    COLUMN_HIGHEST,
    COLUMN_SPARK,
};

static const struct column columns[] = {
    {.name = "series",
     .heading = "SERIES",
     .help = "what is drawn above",
     .type = VALUE_LABEL,
     .width = 18,
     .ascending_first = true},
    {.name = "now",
     .heading = "VALUE",
     .help = "in the sample that is shown",
     .type = VALUE_LABEL,
     .width = 9},
    {.name = "growth",
     .heading = "PER MIN",
     .help = "its growth a minute, when it is sure that there is one",
     .type = VALUE_LABEL,
     .width = 10,
     .weight = 3},
    {.name = "highest",
     .heading = "HIGHEST",
     .help = "the highest value seen",
     .type = VALUE_LABEL,
     .width = 9,
     .weight = 2},
    {.name = "spark",
     .heading = "",
     .help = "the values over time",
     .type = VALUE_SPARK,
     .width = SPARK_CELLS,
     .weight = 1},
};

/* The texts of one row. */
struct series_texts {
    char now[UNITS_MAX], growth[UNITS_MAX], highest[UNITS_MAX], spark[SPARK_CELLS + 1];
};

struct table *series_table_new(void)
{
    return table_new(columns, sizeof(columns) / sizeof(columns[0]), 0);
}

char *history_texts_room(struct history_texts *texts, size_t bytes)
{
    if (bytes > texts->capacity) {
        texts->bytes = xreallocarray(texts->bytes, bytes, 1);
        texts->capacity = bytes;
    }
    return texts->bytes;
}

void history_spark(const struct growth *growth, uint64_t key, char *text, size_t cells)
{
    int64_t bytes[GROWTH_POINTS], counts[GROWTH_POINTS], times[GROWTH_POINTS];
    size_t count = growth_values(growth, key, bytes, counts, times, cells);
    int64_t low = INT64_MAX, high = INT64_MIN;

    for (size_t i = 0; i < count; i++) {
        low = bytes[i] < low ? bytes[i] : low;
        high = bytes[i] > high ? bytes[i] : high;
    }
    for (size_t i = 0; i < count; i++) {
        double share = high > low ? (double)(bytes[i] - low) / (double)(high - low) : 0;

        text[i] = (char)('0' + (int)(share * (GLYPHS_SPARK_LEVELS - 1) + 0.5));
    }
    text[count] = '\0';
}

struct growth *history_growth_of(const struct history *history, uint64_t identity)
{
    switch (history_what_of(identity)) {
    case WHAT_KIND:
        return history_kinds_growth(history);
    case WHAT_CLASS:
        return history_classes_growth(history);
    case WHAT_PART:
        return history_parts_growth(history);
    default:
        return history_series_growth(history);
    }
}

/* As it was in the sample that is shown. */
static struct reading value_at(const struct history *history, int64_t mono_ns,
                               enum history_series series)
{
    const struct history_point *points;
    size_t count = history_points(history, &points);

    while (count > 1 && points[count - 1].mono_ns > mono_ns)
        count--;
    return count ? points[count - 1].values[series] : reading_unknown();
}

static void growth_text(char text[UNITS_MAX], enum history_unit unit, double per_minute)
{
    struct reading change =
        reading_exact((int64_t)(per_minute + (per_minute < 0 ? -0.5 : 0.5)));

    if (unit == HISTORY_BYTES)
        units_bytes_delta(text, change);
    else if (unit == HISTORY_NUMBER)
        units_count_delta(text, change);
    else
        text[0] = '\0';
}

static void add_row(struct table *table, const struct view_input *input,
                    enum history_series series, struct series_texts *texts)
{
    struct growth *growth = history_series_growth(input->history);
    enum history_unit unit = history_series_unit(series);
    struct reading now = value_at(input->history, input->snapshot->mono_ns, series);
    uint64_t key = (uint64_t)series + 1;
    struct table_row row;
    struct trend trend;

    if (!growth_trend(growth, key, GROWTH_WINDOW_NS, &trend))
        return;
    memset(&row, 0, sizeof(row));
    row.identity = history_identity(WHAT_SERIES, key);
    row.values[COLUMN_NAME].number = reading_exact((int64_t)series);
    row.values[COLUMN_NAME].text = history_series_name(series);
    row.values[COLUMN_NOW].number = now;
    row.values[COLUMN_NOW].text = history_value(texts->now, unit, now);
    if (trend.is_claimed && unit != HISTORY_DURATION) {
        growth_text(texts->growth, unit, trend.bytes_per_minute);
        row.values[COLUMN_PER_MINUTE].number =
            reading_exact((int64_t)trend.bytes_per_minute);
        row.values[COLUMN_PER_MINUTE].text = texts->growth;
    }
    row.values[COLUMN_HIGHEST].number = reading_exact(trend.peak_bytes);
    row.values[COLUMN_HIGHEST].text =
        history_value(texts->highest, unit, reading_exact(trend.peak_bytes));
    history_spark(growth, key, texts->spark, SPARK_CELLS);
    row.values[COLUMN_SPARK].text = texts->spark;
    table_add_row(table, &row);
}

void series_table_update(struct table *table, struct history_texts *texts,
                         const struct view_input *input)
{
    struct series_texts *rows = (struct series_texts *)history_texts_room(
        texts, SERIES_COUNT * sizeof(struct series_texts));

    table_begin_rows(table, SERIES_COUNT);
    for (size_t i = 0; input->snapshot && i < SERIES_COUNT; i++)
        add_row(table, input, (enum history_series)i, &rows[i]);
    table_end_rows(table);
}
