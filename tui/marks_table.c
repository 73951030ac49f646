/* The marks, and what lies between them: as a notebook's "measure memory" says it. */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/mark.h"
#include "tui/history_tables.h"

enum {
    COLUMN_MARK,
    COLUMN_AT,
    COLUMN_ELAPSED,
    COLUMN_BLOCKS,
    COLUMN_BLOCK_BYTES,
    COLUMN_OBJECTS,
    COLUMN_SIZE,
    COLUMN_RES,
};

static const struct column columns[] = {
    {.name = "mark",
     .heading = "MARK",
     .help = "number and name; the changes are from the mark before, or from the chosen",
     .type = VALUE_TEXT,
     .width = 18,
     .grow = 1,
     .is_name = true},
    {.name = "at",
     .heading = "AT",
     .help = "when its sample was taken",
     .type = VALUE_LABEL,
     .width = 8,
     .weight = 4,
     .ascending_first = true},
    {.name = "elapsed",
     .heading = "ELAPSED",
     .help = "time between the two",
     .type = VALUE_DURATION,
     .width = 7,
     .weight = 6},
    {.name = "blocks",
     .heading = "D BLOCKS",
     .help = "sys.getallocatedblocks()",
     .type = VALUE_COUNT_DELTA,
     .width = 8},
    {.name = "block-bytes",
     .heading = "D BYTES",
     .help = "of pymalloc's blocks in use",
     .type = VALUE_BYTES_DELTA,
     .width = 8},
    {.name = "objects",
     .heading = "D OBJECTS",
     .help = "objects of all kinds, between the walks",
     .type = VALUE_COUNT_DELTA,
     .width = 9},
    {.name = "size",
     .heading = "D SIZE",
     .help = "what sys.getsizeof would say of all objects",
     .type = VALUE_BYTES_DELTA,
     .width = 8,
     .weight = 3},
    {.name = "res",
     .heading = "D RES",
     .help = "resident memory",
     .type = VALUE_BYTES_DELTA,
     .width = 8,
     .weight = 5},
};

/* The texts of one row. */
struct mark_texts {
    char name[80], at[UNITS_MAX];
};

struct table *marks_table_new(void)
{
    return table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_AT);
}

static void add_row(struct table *table, uint64_t identity, struct mark_texts *texts,
                    const struct snapshot *older, const struct snapshot *snapshot)
{
    struct mark_difference change = mark_difference(older, snapshot);
    struct table_row row;

    memset(&row, 0, sizeof(row));
    row.identity = identity;
    row.values[COLUMN_MARK].text = texts->name;
    row.values[COLUMN_AT].number = reading_exact(snapshot->wall_ns);
    row.values[COLUMN_AT].text = units_clock(texts->at, snapshot->wall_ns);
    if (older) {
        row.values[COLUMN_ELAPSED].number = reading_exact(change.elapsed_ns);
        row.values[COLUMN_BLOCKS].number = change.blocks;
        row.values[COLUMN_BLOCK_BYTES].number = change.block_bytes;
        row.values[COLUMN_OBJECTS].number = change.objects;
        row.values[COLUMN_SIZE].number = change.size_bytes;
        row.values[COLUMN_RES].number = change.res_bytes;
    }
    table_add_row(table, &row);
}

void marks_table_update(struct table *table, struct history_texts *texts,
                        const struct view_input *input, uint32_t base)
{
    const struct mark *chosen = history_find_mark(input->history, base), *marks;
    const struct snapshot *older = chosen ? chosen->snapshot : NULL;
    size_t count = history_marks(input->history, &marks);
    struct mark_texts *rows = (struct mark_texts *)history_texts_room(
        texts, (count + 1) * sizeof(struct mark_texts));

    table_begin_rows(table, count + 1);
    for (size_t i = 0; i < count; i++) {
        bool is_base = chosen && marks[i].number == base;

        snprintf(rows[i].name, sizeof(rows[i].name), "#%u%s%s", (unsigned)marks[i].number,
                 is_base ? "* " : " ", marks[i].name);
        add_row(table, marks[i].number, &rows[i], is_base ? NULL : older,
                marks[i].snapshot);
        if (!chosen)
            older = marks[i].snapshot;
    }
    if (input->snapshot) {
        snprintf(rows[count].name, sizeof(rows[count].name), "(the sample shown)");
        add_row(table, 0, &rows[count], older, input->snapshot);
    }
    table_end_rows(table);
}
