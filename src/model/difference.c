#include "model/difference.h"

#include <stdlib.h>
#include <string.h>

#include "model/account.h"
#include "model/partition.h"
#include "util/xalloc.h"

#define START_IS_SAME_NS INT64_C(2000000000)

static void add_growth(struct difference_value *value, const struct difference_side *side,
                       struct growth *(*growth_of)(const struct history *), uint64_t key)
{
    struct trend trend;

    if (!side->history ||
        !growth_trend(growth_of(side->history), key, side->window_ns, &trend) ||
        !trend.is_claimed)
        return;
    value->bytes_per_minute = reading_exact((int64_t)trend.bytes_per_minute);
    value->count_per_minute = reading_exact((int64_t)trend.count_per_minute);
}

static struct difference_row *make_table(struct difference *difference,
                                         enum difference_table_id id, size_t n_rows)
{
    struct difference_row *rows = xcalloc(n_rows + 1, sizeof(*rows));

    difference->tables[id].n_rows = n_rows;
    difference->tables[id].rows = rows;
    return rows;
}

/* ---- the headline numbers ---- */

static void add_series(struct difference_value *value, const struct difference_side *side,
                       enum history_series series)
{
    struct history_point point;
    bool is_number = history_series_unit(series) == HISTORY_NUMBER;

    history_numbers(side->snapshot, &point);
    *(is_number ? &value->count : &value->bytes) = point.values[series];
    add_growth(value, side, history_series_growth, (uint64_t)series + 1);
    value->count_per_minute = reading_unknown();
    if (!is_number)
        return;
    value->count_per_minute = value->bytes_per_minute; /* see history_series_growth() */
    value->bytes_per_minute = reading_unknown();
}

/* Durations are since a process began: two of them say nothing together. */
static void make_series(struct difference *difference,
                        const struct difference_side *before,
                        const struct difference_side *after)
{
    struct difference_row *row = make_table(difference, DIFFERENCE_SERIES, SERIES_COUNT);

    for (int i = 0; i < SERIES_COUNT; i++) {
        enum history_series series = (enum history_series)i;

        if (history_series_unit(series) == HISTORY_DURATION)
            continue;
        row->name = row->title = history_series_name(series);
        add_series(&row->before, before, series);
        add_series(&row->after, after, series);
        row++;
    }
    difference->tables[DIFFERENCE_SERIES].n_rows =
        (size_t)(row - difference->tables[DIFFERENCE_SERIES].rows);
}

/* ---- the parts of RES ---- */

static void add_part(struct difference_value *value, const struct difference_side *side,
                     int part)
{
    value->bytes = reading_exact((int64_t)side->snapshot->account->parts[part].resident);
    add_growth(value, side, history_parts_growth, (uint64_t)part + 1);
    value->count_per_minute = reading_unknown();
}

static void make_parts(struct difference *difference,
                       const struct difference_side *before,
                       const struct difference_side *after)
{
    struct difference_row *rows;

    if (!before->snapshot->account || !after->snapshot->account)
        return;
    rows = make_table(difference, DIFFERENCE_PARTS, ACCOUNT_PARTS + 1);
    for (int i = 0; i < ACCOUNT_PARTS; i++) {
        rows[i].name = account_part_name((enum account_part)i);
        rows[i].title = account_part_title((enum account_part)i);
        add_part(&rows[i].before, before, i);
        add_part(&rows[i].after, after, i);
    }
    rows[ACCOUNT_PARTS].name = rows[ACCOUNT_PARTS].title = "unexplained";
    rows[ACCOUNT_PARTS].before.bytes =
        reading_exact(before->snapshot->account->unexplained_bytes);
    rows[ACCOUNT_PARTS].after.bytes =
        reading_exact(after->snapshot->account->unexplained_bytes);
}

/* ---- the size classes ---- */

static void add_class(struct difference_value *value, const struct difference_side *side,
                      uint32_t block_bytes)
{
    const struct pymalloc_section *pymalloc = side->snapshot->pymalloc;

    value->count = value->bytes = reading_exact(0);
    for (size_t i = 0; i < pymalloc->n_size_classes; i++) {
        const struct size_class_row *row = &pymalloc->size_classes[i];

        if (row->block_bytes != block_bytes)
            continue;
        value->count = reading_exact((int64_t)row->blocks_used);
        value->bytes = reading_exact((int64_t)(row->blocks_used * block_bytes));
    }
    add_growth(value, side, history_classes_growth, block_bytes);
}

static bool has_class(const struct pymalloc_section *pymalloc, uint32_t block_bytes)
{
    for (size_t i = 0; i < pymalloc->n_size_classes; i++)
        if (pymalloc->size_classes[i].block_bytes == block_bytes)
            return true;
    return false;
}

static int smaller_first(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return a < b ? -1 : a > b;
}

/* The block sizes of both, in their order; how many. */
static size_t all_classes(const struct pymalloc_section *before,
                          const struct pymalloc_section *after,
                          uint32_t sizes[2 * SIZE_CLASSES_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < before->n_size_classes; i++)
        sizes[count++] = before->size_classes[i].block_bytes;
    for (size_t i = 0; i < after->n_size_classes; i++)
        if (!has_class(before, after->size_classes[i].block_bytes))
            sizes[count++] = after->size_classes[i].block_bytes;
    if (count)
        qsort(sizes, count, sizeof(*sizes), smaller_first);
    return count;
}

static void make_classes(struct difference *difference,
                         const struct difference_side *before,
                         const struct difference_side *after)
{
    uint32_t sizes[2 * SIZE_CLASSES_MAX];
    struct difference_row *rows;
    size_t count;

    if (!before->snapshot->pymalloc || !after->snapshot->pymalloc)
        return;
    count = all_classes(before->snapshot->pymalloc, after->snapshot->pymalloc, sizes);
    rows = make_table(difference, DIFFERENCE_CLASSES, count);
    for (size_t i = 0; i < count; i++) {
        rows[i].block_bytes = sizes[i];
        add_class(&rows[i].before, before, sizes[i]);
        add_class(&rows[i].after, after, sizes[i]);
    }
}

/* ---- the kinds ---- */

/* What a walk that was not complete did not meet may be there. */
static void add_kind(struct difference_value *value, const struct difference_side *side,
                     const struct kind *kind, int64_t count, int64_t bytes)
{
    if (count || side->snapshot->objects->walk.complete) {
        value->count = reading_exact(count);
        value->bytes = reading_exact(bytes);
    }
    add_growth(value, side, history_kinds_growth, history_kind_key(kind));
}

static int64_t magnitude(const struct difference_row *row)
{
    struct reading change = difference_bytes(row);

    return !reading_is_known(change) ? -1
           : change.value < 0        ? -change.value
                                     : change.value;
}

static int larger_change_first(const void *left, const void *right)
{
    const struct difference_row *one = left, *other = right;
    int64_t a = magnitude(one), b = magnitude(other);

    if (a != b)
        return a < b ? 1 : -1;
    return strcmp(one->name, other->name);
}

static const char *why_no_kinds(const struct objects_section *before,
                                const struct objects_section *after)
{
    if (!before || !after)
        return "a walk of the heap is missing: the kinds cannot be compared";
    if (before->walk.tracked_only != after->walk.tracked_only)
        return "one of the walks saw only what the collector tracks: the kinds cannot be "
               "compared";
    return "";
}

static void make_kinds(struct difference *difference,
                       const struct difference_side *before,
                       const struct difference_side *after, const char *filter)
{
    struct partition_options options = {.filter = filter};
    struct difference_row *rows;
    struct partition kinds;

    difference->why_no_kinds =
        why_no_kinds(before->snapshot->objects, after->snapshot->objects);
    if (*difference->why_no_kinds || partition_make(&kinds, after->snapshot->objects,
                                                    before->snapshot->objects, &options))
        return;
    rows = make_table(difference, DIFFERENCE_KINDS, kinds.count);
    for (size_t i = 0; i < kinds.count; i++) {
        const struct partition_row *row = &kinds.rows[i];
        int64_t count = (int64_t)row->now.count, bytes = (int64_t)row->now.memory_bytes;

        rows[i].name = rows[i].title = row->now.kind->name;
        add_kind(&rows[i].before, before, row->now.kind, count - row->count_delta,
                 bytes - row->memory_delta_bytes);
        add_kind(&rows[i].after, after, row->now.kind, count, bytes);
    }
    if (kinds.count)
        qsort(rows, kinds.count, sizeof(*rows), larger_change_first);
    partition_release(&kinds);
}

void difference_make(struct difference *difference, const struct difference_side *before,
                     const struct difference_side *after, const char *filter)
{
    memset(difference, 0, sizeof(*difference));
    make_series(difference, before, after);
    make_parts(difference, before, after);
    make_classes(difference, before, after);
    make_kinds(difference, before, after, filter);
}

void difference_release(struct difference *difference)
{
    for (size_t i = 0; i < DIFFERENCE_TABLES; i++)
        free(difference->tables[i].rows);
    memset(difference, 0, sizeof(*difference));
}

bool difference_is_within_one(const struct snapshot *one, const struct snapshot *other)
{
    int64_t apart_ns = one->target.start_wall_ns - other->target.start_wall_ns;

    return one->target.pid == other->target.pid && apart_ns < START_IS_SAME_NS &&
           apart_ns > -START_IS_SAME_NS;
}

struct reading difference_bytes(const struct difference_row *row)
{
    return reading_difference(row->after.bytes, row->before.bytes);
}

struct reading difference_count(const struct difference_row *row)
{
    return reading_difference(row->after.count, row->before.count);
}
