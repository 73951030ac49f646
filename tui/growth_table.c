/* What grows: kinds, size classes and parts of RES, the one that explains most first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/account.h"
#include "tui/history_tables.h"

#define SPARK_CELLS 16

enum {
    COLUMN_WHAT,
    COLUMN_NOW,
    COLUMN_PER_MINUTE,
    COLUMN_SHARE,
    COLUMN_COUNT_PER_MINUTE,
    COLUMN_OVER_PREVIOUS,
    COLUMN_OVER_PEAK,
    COLUMN_FIRST,
    COLUMN_SPARK,
};

static const struct column columns[] = {
    {.name = "what",
     .heading = "WHAT GROWS",
     .help = "a kind, the blocks in use of a size class, or a part of RES",
     .type = VALUE_TEXT,
     .width = 22,
     .grow = 1,
     .cuts_middle = true,
     .ascending_first = true,
     .sort_key = 'A'},
    {.name = "bytes",
     .heading = "BYTES",
     .help = "memory of the kind; blocks in use of the class; the part in memory",
     .type = VALUE_BYTES,
     .width = 7,
     .weight = 6,
     .sort_key = 'B'},
    {.name = "growth",
     .heading = "PER MIN",
     .help = "bytes a minute (Theil-Sen), when it is sure that it grows (Mann-Kendall)",
     .type = VALUE_BYTES_DELTA,
     .width = 8,
     .sort_key = 'D'},
    {.name = "share",
     .heading = "SHARE",
     .help = "per cent of the growth of all kinds, of all classes, or of all parts",
     .type = VALUE_PERCENT,
     .width = 5,
     .weight = 8},
    {.name = "count-growth",
     .heading = "N/MIN",
     .help = "objects or blocks a minute",
     .type = VALUE_COUNT_DELTA,
     .width = 7,
     .weight = 5,
     .sort_key = 'O'},
    {.name = "over-previous",
     .heading = "OVER PREV",
     .help = "objects more than in the walk before (objgraph's growth)",
     .type = VALUE_COUNT_DELTA,
     .width = 8,
     .weight = 4},
    {.name = "over-peak",
     .heading = "OVER PEAK",
     .help = "objects more than ever before (objgraph's growth over the peak)",
     .type = VALUE_COUNT_DELTA,
     .width = 8,
     .weight = 7},
    {.name = "first-seen",
     .heading = "SINCE",
     .help = "when it was first seen; -: it was there when heaptop began",
     .type = VALUE_LABEL,
     .width = 8,
     .weight = 3},
    {.name = "spark",
     .heading = "",
     .help = "the bytes over time",
     .type = VALUE_SPARK,
     .width = SPARK_CELLS,
     .weight = 2},
};

/* The texts of one row. */
struct growth_texts {
    char first[UNITS_MAX], name[64], spark[SPARK_CELLS + 1];
};

struct table *growth_table_new(void)
{
    struct table *table =
        table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_PER_MINUTE);

    table_show_rest(table, true);
    return table;
}

/* A row as it is made. */
struct growing {
    struct table *table;
    const struct view_input *input;
    struct growth *growth;
    double total; /* bytes a minute of all that are in the set */
    struct growth_texts *texts;
    size_t n_texts;
};

static struct reading rounded(double value)
{
    return reading_exact((int64_t)(value + (value < 0 ? -0.5 : 0.5)));
}

static void add_claim(struct table_row *row, const struct trend *trend, double total)
{
    if (!trend->is_claimed)
        return;
    row->values[COLUMN_PER_MINUTE].number = rounded(trend->bytes_per_minute);
    row->values[COLUMN_COUNT_PER_MINUTE].number = rounded(trend->count_per_minute);
    if (trend->bytes_per_minute > 0 && total > 0)
        row->values[COLUMN_SHARE].number =
            rounded(trend->bytes_per_minute * 100000 / total);
}

static void add_row(struct growing *growing, enum history_what what, uint64_t key,
                    const char *name, uint64_t bytes)
{
    struct growth_texts *texts = &growing->texts[growing->n_texts];
    struct table_row row;
    struct trend trend;

    if (!growth_trend(growing->growth, key, GROWTH_WINDOW_NS, &trend) || !trend.points)
        return;
    growing->n_texts++;
    memset(&row, 0, sizeof(row));
    row.identity = history_identity(what, key);
    if (what == WHAT_PART)
        snprintf(texts->name, sizeof(texts->name), "%s", name);
    else if (!name)
        snprintf(texts->name, sizeof(texts->name), "blocks of %llu B",
                 (unsigned long long)key);
    if (what != WHAT_KIND)
        name = texts->name;
    row.values[COLUMN_WHAT].text = name;
    row.values[COLUMN_NOW].number = reading_exact((int64_t)bytes);
    add_claim(&row, &trend, growing->total);
    row.values[COLUMN_OVER_PREVIOUS].number = reading_exact(trend.count_over_previous);
    row.values[COLUMN_OVER_PEAK].number = reading_exact(trend.count_over_peak);
    if (trend.first_seen_wall_ns) {
        row.values[COLUMN_FIRST].number = reading_exact(trend.first_seen_wall_ns);
        row.values[COLUMN_FIRST].text =
            units_clock(texts->first, trend.first_seen_wall_ns);
    }
    history_spark(growing->growth, key, texts->spark, SPARK_CELLS);
    row.values[COLUMN_SPARK].text = texts->spark;
    table_add_row(growing->table, &row);
}

static void choose_growth(struct growing *growing, struct growth *growth)
{
    growing->growth = growth;
    growing->total = growth_total(growth, GROWTH_WINDOW_NS);
}

static void add_rows(struct growing *growing, const struct objects_section *objects,
                     const struct pymalloc_section *pymalloc)
{
    choose_growth(growing, history_kinds_growth(growing->input->history));
    for (size_t i = 0; objects && i < objects->n_kinds; i++)
        add_row(growing, WHAT_KIND, history_kind_key(objects->kinds[i].kind),
                objects->kinds[i].kind->name, objects->kinds[i].memory_bytes);
    choose_growth(growing, history_classes_growth(growing->input->history));
    for (size_t i = 0; pymalloc && i < pymalloc->n_size_classes; i++) {
        const struct size_class_row *row = &pymalloc->size_classes[i];

        add_row(growing, WHAT_CLASS, row->block_bytes, NULL,
                row->blocks_used * row->block_bytes);
    }
}

static void add_parts(struct growing *growing, const struct account_section *account)
{
    char name[64];

    choose_growth(growing, history_parts_growth(growing->input->history));
    for (int i = 0; account && i < ACCOUNT_PARTS; i++) {
        snprintf(name, sizeof(name), "RES: %s", account_part_title((enum account_part)i));
        add_row(growing, WHAT_PART, (uint64_t)i + 1, name, account->parts[i].resident);
    }
}

void growth_table_update(struct table *table, struct history_texts *texts,
                         const struct view_input *input)
{
    const struct snapshot *snapshot = input->snapshot;
    const struct objects_section *objects = snapshot ? snapshot->objects : NULL;
    size_t most = (objects ? objects->n_kinds : 0) + SIZE_CLASSES_MAX + ACCOUNT_PARTS;
    struct growing growing = {.table = table, .input = input};

    growing.texts = (struct growth_texts *)history_texts_room(
        texts, most * sizeof(struct growth_texts));
    table_set_filter(table, input->filter);
    table_begin_rows(table, most);
    add_rows(&growing, objects, snapshot ? snapshot->pymalloc : NULL);
    add_parts(&growing, snapshot ? snapshot->account : NULL);
    table_end_rows(table);
}
