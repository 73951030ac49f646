#include "model/partition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool pattern_matches(const char *pattern, const char *text)
{
    bool has_capital = false;

    if (!pattern || !*pattern)
        return true;
    for (const char *c = pattern; *c; c++)
        has_capital = has_capital || isupper((unsigned char)*c);
    return has_capital ? strstr(text, pattern) != NULL
                       : strcasestr(text, pattern) != NULL;
}

static int by_kind(const void *left, const void *right)
{
    const struct kind_row *a = left, *b = right;

    return a->kind->id < b->kind->id ? -1 : a->kind->id > b->kind->id;
}

/* A copy of the rows in the order of kind ids; NULL when there are none. */
static struct kind_row *rows_by_kind(const struct objects_section *section)
{
    struct kind_row *rows = calloc(section->n_kinds + 1, sizeof(*rows));

    if (!rows)
        return NULL;
    if (section->n_kinds)
        memcpy(rows, section->kinds, section->n_kinds * sizeof(*rows));
    qsort(rows, section->n_kinds, sizeof(*rows), by_kind);
    return rows;
}

static void partition_add(struct partition *partition, const struct kind_row *now,
                          const struct kind_row *older, const char *filter)
{
    const struct kind_row *any = now ? now : older;
    struct partition_row *row = &partition->rows[partition->count];

    if (!pattern_matches(filter, any->kind->name))
        return;
    memset(row, 0, sizeof(*row));
    row->now.kind = any->kind;
    if (now)
        row->now = *now;
    if (partition->has_deltas) {
        row->count_delta = (int64_t)row->now.count - (older ? (int64_t)older->count : 0);
        row->size_delta_bytes =
            (int64_t)row->now.size_bytes - (older ? (int64_t)older->size_bytes : 0);
        row->memory_delta_bytes =
            (int64_t)row->now.memory_bytes - (older ? (int64_t)older->memory_bytes : 0);
    }
    partition->count++;
}

/* Both sides are in the order of kind ids: one pass finds what stayed, came, went. */
static void partition_merge(struct partition *partition, const struct kind_row *now,
                            size_t n_now, const struct kind_row *older, size_t n_older,
                            const char *filter)
{
    size_t i = 0, j = 0;

    while (i < n_now || j < n_older) {
        bool take_now =
            i < n_now && (j >= n_older || now[i].kind->id <= older[j].kind->id);
        bool take_older =
            j < n_older && (i >= n_now || older[j].kind->id <= now[i].kind->id);

        partition_add(partition, take_now ? &now[i] : NULL, take_older ? &older[j] : NULL,
                      filter);
        i += take_now;
        j += take_older;
    }
}

static int compare_signed(int64_t a, int64_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_rows(const struct partition_row *a, const struct partition_row *b,
                        enum partition_sort sort)
{
    switch (sort) {
    case PARTITION_BY_SIZE:
        return compare_signed((int64_t)a->now.size_bytes, (int64_t)b->now.size_bytes);
    case PARTITION_BY_COUNT:
        return compare_signed((int64_t)a->now.count, (int64_t)b->now.count);
    case PARTITION_BY_COUNT_DELTA:
        return compare_signed(a->count_delta, b->count_delta);
    case PARTITION_BY_MEMORY_DELTA:
        return compare_signed(a->memory_delta_bytes, b->memory_delta_bytes);
    case PARTITION_BY_KIND:
        return strcmp(a->now.kind->name, b->now.kind->name);
    case PARTITION_BY_MEMORY:
        break;
    }
    return compare_signed((int64_t)a->now.memory_bytes, (int64_t)b->now.memory_bytes);
}

static int partition_compare(const void *left, const void *right, void *context)
{
    const struct partition_options *options = context;
    const struct partition_row *a = left, *b = right;
    int order = compare_rows(a, b, options->sort);

    if (order)
        return options->ascending ? order : -order;
    return strcmp(a->now.kind->name, b->now.kind->name);
}

static int64_t milli_percent(uint64_t part, uint64_t whole)
{
    return whole ? (int64_t)((double)part * 100000.0 / (double)whole + 0.5) : 0;
}

static void partition_cumulate(struct partition *partition)
{
    uint64_t cumulated = 0;

    for (size_t i = 0; i < partition->count; i++) {
        struct partition_row *row = &partition->rows[i];

        cumulated += row->now.memory_bytes;
        row->share_milli_percent =
            milli_percent(row->now.memory_bytes, partition->total_memory_bytes);
        row->cumulated_milli_percent =
            milli_percent(cumulated, partition->total_memory_bytes);
    }
}

int partition_make(struct partition *partition, const struct objects_section *now,
                   const struct objects_section *older,
                   const struct partition_options *options)
{
    size_t n_older = older ? older->n_kinds : 0;
    struct kind_row *now_rows = rows_by_kind(now);
    struct kind_row *older_rows = older ? rows_by_kind(older) : NULL;
    int result = -1;

    memset(partition, 0, sizeof(*partition));
    partition->rows = calloc(now->n_kinds + n_older + 1, sizeof(*partition->rows));
    if (!now_rows || (older && !older_rows) || !partition->rows)
        goto out;
    partition->has_deltas = older != NULL;
    partition->total_memory_bytes = now->memory_bytes;
    partition_merge(partition, now_rows, now->n_kinds, older_rows, n_older,
                    options->filter);
    qsort_r(partition->rows, partition->count, sizeof(*partition->rows),
            partition_compare, (void *)(uintptr_t)options);
    partition_cumulate(partition);
    result = 0;
out:
    free(now_rows);
    free(older_rows);
    if (result)
        partition_release(partition);
    return result;
}

int partition_changes(struct partition *partition, const struct objects_section *now,
                      const struct objects_section *older, const char *filter)
{
    struct partition_options options = {
        .sort = PARTITION_BY_MEMORY_DELTA, .ascending = true, .filter = filter};
    size_t n_kept = 0;

    if (partition_make(partition, now, older, &options))
        return -1;
    for (size_t i = 0; i < partition->count; i++)
        if (partition->rows[i].count_delta || partition->rows[i].memory_delta_bytes)
            partition->rows[n_kept++] = partition->rows[i];
    partition->count = n_kept;
    return 0;
}

void partition_release(struct partition *partition)
{
    free(partition->rows);
    memset(partition, 0, sizeof(*partition));
}
