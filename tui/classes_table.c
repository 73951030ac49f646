#include "tui/classes_table.h"

#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/kinds_table.h"
#include "util/strbuf.h"

enum {
    COLUMN_CLASS,
    COLUMN_POOLS,
    COLUMN_BLOCKS,
    COLUMN_USED,
    COLUMN_USED_DELTA,
    COLUMN_GROWTH,
    COLUMN_FREE,
    COLUMN_MEMORY,
    COLUMN_FREE_BYTES,
    COLUMN_USE,
    COLUMN_BAR,
};

static const struct column columns[] = {
    {.name = "class",
     .heading = "SIZE CLASS",
     .help = "bytes of one block",
     .type = VALUE_LABEL,
     .width = 10,
     .ascending_first = true,
     .sort_key = 'A'},
    {.name = "pools",
     .heading = "POOLS",
     .help = "pools that this class uses",
     .type = VALUE_COUNT,
     .width = 8,
     .weight = 6,
     .is_summed = true},
    {.name = "blocks",
     .heading = "BLOCKS",
     .help = "blocks in those pools",
     .type = VALUE_COUNT,
     .width = 10,
     .weight = 3,
     .is_summed = true},
    {.name = "used",
     .heading = "IN USE",
     .help = "blocks that hold something",
     .type = VALUE_COUNT,
     .width = 10,
     .sort_key = 'O',
     .is_summed = true},
    {.name = "used-delta",
     .heading = "D USE",
     .help = "change of the blocks in use",
     .type = VALUE_COUNT_DELTA,
     .width = 8,
     .weight = 4,
     .sort_key = 'D',
     .is_delta = true,
     .is_summed = true},
    {.name = "growth",
     .heading = "PER MIN",
     .help = "growth of the bytes in use a minute, when it is sure that there is one",
     .type = VALUE_BYTES_DELTA,
     .width = 8,
     .weight = 2},
    {.name = "free",
     .heading = "FREE",
     .help = "free blocks in those pools",
     .type = VALUE_COUNT,
     .width = 8,
     .weight = 7,
     .is_summed = true},
    {.name = "memory",
     .heading = "BYTES",
     .help = "all the pools of the class",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 2,
     .sort_key = 'B',
     .is_summed = true},
    {.name = "free-bytes",
     .heading = "FREE B",
     .help = "bytes of the free blocks",
     .type = VALUE_BYTES,
     .width = 8,
     .weight = 1,
     .is_summed = true},
    {.name = "use",
     .heading = "USE%",
     .help = "share of the blocks in use",
     .type = VALUE_USE,
     .width = 5,
     .weight = 8,
     .sort_key = 'U',
     .share_of = COLUMN_USED + 1,
     .share_in = COLUMN_BLOCKS + 1},
    {.name = "bar",
     .heading = "",
     .help = "the same as a bar",
     .type = VALUE_BAR,
     .width = 6,
     .grow = 1,
     .weight = 5,
     .share_of = COLUMN_USED + 1,
     .share_in = COLUMN_BLOCKS + 1},
};

void classes_table_init(struct classes_table *classes, bool is_short)
{
    size_t count = sizeof(columns) / sizeof(columns[0]);

    memset(classes, 0, sizeof(*classes));
    classes->has_totals = !is_short;
    classes->table = table_new(columns, count, is_short ? COLUMN_POOLS : COLUMN_CLASS);
    table_show_rest(classes->table, !is_short);
    if (!is_short)
        return;
    table_show_column(classes->table, COLUMN_USED_DELTA, false);
    table_show_column(classes->table, COLUMN_GROWTH, false);
    table_show_column(classes->table, COLUMN_MEMORY, false);
    table_show_column(classes->table, COLUMN_FREE_BYTES, false);
}

void classes_table_release(struct classes_table *classes)
{
    table_free(classes->table);
}

const struct size_class_row *classes_find(const struct pymalloc_section *pymalloc,
                                          uint64_t block_bytes)
{
    for (size_t i = 0; pymalloc && i < pymalloc->n_size_classes && i < SIZE_CLASSES_MAX;
         i++)
        if (pymalloc->size_classes[i].block_bytes == block_bytes)
            return &pymalloc->size_classes[i];
    return NULL;
}

static struct value number(uint64_t value)
{
    return (struct value){.number = reading_exact((int64_t)value)};
}

static void add_share(struct table_row *row, uint64_t used, uint64_t blocks)
{
    if (!blocks)
        return;
    double share = (double)used / (double)blocks;
    row->values[COLUMN_USE].number = reading_exact((int64_t)(share * 100000 + 0.5));
    row->values[COLUMN_BAR].number = reading_exact((int64_t)(share * 1000 + 0.5));
}

static void row_fill(struct table_row *row, const struct size_class_row *from,
                     uint64_t pool_bytes)
{
    row->values[COLUMN_POOLS] = number(from->pools);
    row->values[COLUMN_BLOCKS] = number(from->blocks_used + from->blocks_free);
    row->values[COLUMN_USED] = number(from->blocks_used);
    row->values[COLUMN_FREE] = number(from->blocks_free);
    row->values[COLUMN_MEMORY] = number(from->pools * pool_bytes);
    row->values[COLUMN_FREE_BYTES] = number(from->blocks_free * from->block_bytes);
    add_share(row, from->blocks_used, from->blocks_used + from->blocks_free);
}

static void row_add_delta(struct table_row *row, const struct view_input *input,
                          int64_t used, const struct size_class_row *older)
{
    if (!delta_is_shown(input) || !older)
        return;
    row->values[COLUMN_USED_DELTA].number =
        delta_value(input, used - (int64_t)older->blocks_used,
                    input->snapshot->mono_ns - input->older_sample->mono_ns);
}

/* Size classes are counted at each sample, walk or not. */
static const struct pymalloc_section *classes_before(const struct view_input *input)
{
    return input->older_sample ? input->older_sample->pymalloc : NULL;
}

static uint64_t all_used(const struct pymalloc_section *pymalloc)
{
    uint64_t used = 0;

    for (size_t i = 0; i < pymalloc->n_size_classes && i < SIZE_CLASSES_MAX; i++)
        used += pymalloc->size_classes[i].blocks_used;
    return used;
}

static void add_totals(struct table *table, const struct view_input *input)
{
    const struct pymalloc_section *now = input->snapshot->pymalloc;
    const struct pymalloc_section *older = classes_before(input);
    struct size_class_row sum = {0}, before = {0};
    struct table_row row;
    uint64_t free_bytes = 0;

    for (size_t i = 0; i < now->n_size_classes && i < SIZE_CLASSES_MAX; i++) {
        sum.pools += now->size_classes[i].pools;
        sum.blocks_used += now->size_classes[i].blocks_used;
        sum.blocks_free += now->size_classes[i].blocks_free;
        free_bytes += now->size_classes[i].blocks_free * now->size_classes[i].block_bytes;
    }
    memset(&row, 0, sizeof(row));
    row_fill(&row, &sum, now->pool_bytes_each);
    if (older)
        before.blocks_used = all_used(older);
    row_add_delta(&row, input, (int64_t)sum.blocks_used, older ? &before : NULL);
    row.values[COLUMN_CLASS].text = "all";
    row.values[COLUMN_FREE_BYTES] = number(free_bytes);
    row.is_fixed = true;
    row.role = ROLE_VALUE;
    table_add_row(table, &row);
}

void classes_table_update(struct classes_table *classes, const struct view_input *input)
{
    const struct pymalloc_section *now =
        input->snapshot ? input->snapshot->pymalloc : NULL;
    const struct pymalloc_section *older = classes_before(input);
    struct table *table = classes->table;
    struct table_row row;

    delta_show(table, input);
    table_set_filter(table, classes->has_totals ? input->filter : "");
    table_begin_rows(table, SIZE_CLASSES_MAX + 1);
    for (size_t i = 0; now && i < now->n_size_classes && i < SIZE_CLASSES_MAX; i++) {
        const struct size_class_row *from = &now->size_classes[i];

        memset(&row, 0, sizeof(row));
        snprintf(classes->names[i], sizeof(classes->names[i]), "%u B",
                 (unsigned)from->block_bytes);
        row.identity = from->block_bytes;
        row.values[COLUMN_CLASS] = number(from->block_bytes);
        row.values[COLUMN_CLASS].text = classes->names[i];
        row_fill(&row, from, now->pool_bytes_each);
        row.values[COLUMN_GROWTH].number =
            growth_per_minute(history_classes_growth(input->history), from->block_bytes);
        row_add_delta(&row, input, (int64_t)from->blocks_used,
                      classes_find(older, from->block_bytes));
        if (from->pools || classes->has_totals)
            table_add_row(table, &row);
    }
    if (now && now->n_size_classes && classes->has_totals)
        add_totals(table, input);
    table_end_rows(table);
}

void classes_describe(const struct table_row *row, struct strbuf *out)
{
    char pools[UNITS_MAX], used[UNITS_MAX], free_blocks[UNITS_MAX];

    strbuf_addf(out, "%s: %s pools, %s blocks in use, %s free",
                row->values[COLUMN_CLASS].text,
                units_count(pools, row->values[COLUMN_POOLS].number),
                units_count(used, row->values[COLUMN_USED].number),
                units_count(free_blocks, row->values[COLUMN_FREE].number));
}
