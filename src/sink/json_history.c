#include "sink/json_history.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/account.h"
#include "model/verdict.h"
#include "sink/json_value.h"

static json_t *json_counters(const struct verdict *verdict)
{
    json_t *array = json_array();

    for (size_t i = 0; i < verdict->n_counters; i++) {
        const struct verdict_counter *counter = &verdict->counters[i];
        json_t *object = json_object();

        json_add_text(object, "counter", counter->name);
        json_add_text(object, "unit", counter->unit == HISTORY_BYTES ? "bytes" : NULL);
        json_add_reading(object, "value", counter->value);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_advice(const struct verdict *verdict)
{
    json_t *array = json_array();

    for (size_t i = 0; i < verdict->n_advice; i++)
        json_array_append_new(array, json_string(verdict->advice[i]));
    return array;
}

static json_t *json_verdict(const struct verdict *verdict)
{
    json_t *object = json_object();

    json_add_text(object, "rule", verdict->rule);
    json_add_text(object, "words", verdict->words);
    json_add_reading(object, "bytes", verdict->bytes);
    json_add_time(object, "since", verdict->since_wall_ns);
    json_add_time(object, "until", verdict->until_wall_ns);
    json_add_text(object, "remedy", verdict->remedy);
    json_add_reading(object, "gain_bytes", verdict->gain_bytes);
    json_add(object, "advice", json_advice(verdict));
    json_add(object, "counters", json_counters(verdict));
    return object;
}

json_t *json_verdicts(const struct history *history)
{
    struct verdicts verdicts;
    json_t *array;

    if (!history || !verdict_judge(history, &verdicts))
        return json_null();
    array = json_array();
    for (size_t i = 0; i < verdicts.count; i++)
        json_array_append_new(array, json_verdict(&verdicts.items[i]));
    return array;
}

/* ---- growth ---- */

static void add_claim(json_t *object, const struct trend *trend, double total)
{
    bool is_claimed = trend->is_claimed;

    json_add(object, "per_minute_bytes",
             is_claimed ? json_real(trend->bytes_per_minute) : json_null());
    json_add(object, "per_minute_count",
             is_claimed ? json_real(trend->count_per_minute) : json_null());
    json_add(object, "share",
             is_claimed && total > 0 && trend->bytes_per_minute > 0
                 ? json_real(trend->bytes_per_minute / total)
                 : json_null());
}

/* One series, NULL when it is not followed. */
static json_t *json_series(struct growth *growth, uint64_t key, double total)
{
    json_t *object;
    struct trend trend;

    if (!growth_trend(growth, key, GROWTH_WINDOW_NS, &trend))
        return NULL;
    object = json_object();
    add_claim(object, &trend, total);
    json_add_reading(object, "over_previous_count",
                     reading_exact(trend.count_over_previous));
    json_add_reading(object, "over_previous_bytes",
                     reading_exact(trend.bytes_over_previous));
    json_add_reading(object, "over_peak_count", reading_exact(trend.count_over_peak));
    json_add_reading(object, "over_peak_bytes", reading_exact(trend.bytes_over_peak));
    json_add_reading(object, "peak_count", reading_exact(trend.peak_count));
    json_add_reading(object, "peak_bytes", reading_exact(trend.peak_bytes));
    json_add_time(object, "first_seen", trend.first_seen_wall_ns);
    return object;
}

static void append_series(json_t *array, struct growth *growth, uint64_t key,
                          double total, const char *what, const char *name)
{
    json_t *object = json_series(growth, key, total);

    if (!object)
        return;
    json_add_text(object, what, name);
    json_array_append_new(array, object);
}

static json_t *json_parts_growth(const struct history *history)
{
    struct growth *growth = history_parts_growth(history);
    double total = growth_total(growth, GROWTH_WINDOW_NS);
    json_t *array = json_array();

    for (int i = 0; i < ACCOUNT_PARTS; i++)
        append_series(array, growth, (uint64_t)i + 1, total, "part",
                      account_part_name((enum account_part)i));
    return array;
}

static json_t *json_headline_growth(const struct history *history)
{
    json_t *array = json_array();

    for (int i = 0; i < SERIES_COUNT; i++)
        append_series(array, history_series_growth(history), (uint64_t)i + 1, 0, "series",
                      history_series_name((enum history_series)i));
    return array;
}

/* A kind with the slope that it is sorted by. */
struct slope {
    double per_minute;
    const struct kind *kind;
};

static int steeper_first(const void *left, const void *right)
{
    double a = ((const struct slope *)left)->per_minute;
    double b = ((const struct slope *)right)->per_minute;

    return (a < b) - (a > b);
}

static json_t *json_kinds_growth(const struct history *history, size_t rows)
{
    const struct objects_section *objects = history_latest(history)->objects;
    struct growth *growth = history_kinds_growth(history);
    double total = growth_total(growth, GROWTH_WINDOW_NS);
    json_t *array = json_array();
    struct slope *slopes = objects ? calloc(objects->n_kinds + 1, sizeof(*slopes)) : NULL;
    size_t count = 0;

    for (size_t i = 0; slopes && i < objects->n_kinds; i++) {
        const struct kind *kind = objects->kinds[i].kind;
        struct trend trend;

        if (growth_trend(growth, history_kind_key(kind), GROWTH_WINDOW_NS, &trend) &&
            trend.is_claimed)
            slopes[count++] = (struct slope){trend.bytes_per_minute, kind};
    }
    if (slopes)
        qsort(slopes, count, sizeof(*slopes), steeper_first);
    for (size_t i = 0; i < count && i < rows; i++)
        append_series(array, growth, history_kind_key(slopes[i].kind), total, "kind",
                      slopes[i].kind->name);
    free(slopes);
    return array;
}

static json_t *json_classes_growth(const struct history *history, size_t rows)
{
    const struct pymalloc_section *pymalloc = history_latest(history)->pymalloc;
    struct growth *growth = history_classes_growth(history);
    double total = growth_total(growth, GROWTH_WINDOW_NS);
    json_t *array = json_array();

    for (size_t i = 0; pymalloc && i < pymalloc->n_size_classes; i++) {
        uint32_t bytes = pymalloc->size_classes[i].block_bytes;
        struct trend trend;
        char name[16];

        if (json_array_size(array) >= rows ||
            !growth_trend(growth, bytes, GROWTH_WINDOW_NS, &trend) || !trend.is_claimed)
            continue;
        snprintf(name, sizeof(name), "%u", (unsigned)bytes);
        append_series(array, growth, bytes, total, "block_size", name);
    }
    return array;
}

json_t *json_growth(const struct history *history, size_t rows)
{
    json_t *object;

    if (!history || !history_latest(history))
        return json_null();
    object = json_object();
    json_add(object, "parts", json_parts_growth(history));
    json_add(object, "series", json_headline_growth(history));
    json_add(object, "kinds", json_kinds_growth(history, rows));
    json_add(object, "size_classes", json_classes_growth(history, rows));
    return object;
}

/* ---- marks ---- */

static json_t *json_difference(const struct snapshot *older, const struct snapshot *newer)
{
    struct mark_difference change = mark_difference(older, newer);
    json_t *object;

    if (!older)
        return json_null();
    object = json_object();
    json_add_seconds(object, "elapsed_s", reading_exact(change.elapsed_ns));
    json_add_reading(object, "blocks", change.blocks);
    json_add_reading(object, "block_bytes", change.block_bytes);
    json_add_reading(object, "objects", change.objects);
    json_add_reading(object, "size_bytes", change.size_bytes);
    json_add_reading(object, "memory_bytes", change.memory_bytes);
    json_add_reading(object, "res_bytes", change.res_bytes);
    json_add_reading(object, "arenas", change.arenas);
    return object;
}

json_t *json_marks(const struct history *history)
{
    const struct mark *marks;
    size_t count = history ? history_marks(history, &marks) : 0;
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();

        json_add_count(object, "number", marks[i].number);
        json_add_text(object, "name", marks[i].name);
        json_add_time(object, "time", marks[i].snapshot->wall_ns);
        json_add(object, "since_the_one_before",
                 json_difference(i ? marks[i - 1].snapshot : NULL, marks[i].snapshot));
        json_add(object, "until_now",
                 json_difference(marks[i].snapshot, history_latest(history)));
        json_array_append_new(array, object);
    }
    return array;
}
