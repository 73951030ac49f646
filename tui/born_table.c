/* What was born since a mark, by kind. */
#include <string.h>

#include "heaptop/units.h"
#include "model/born.h"
#include "tui/history_tables.h"

enum {
    COLUMN_KIND,
    COLUMN_BORN,
    COLUMN_INFERRED,
    COLUMN_BYTES,
    COLUMN_GONE,
    COLUMN_KEPT,
};

static const struct column columns[] = {
    {.name = "born-kind",
     .heading = "KIND",
     .help = "of objects that are there, and were not at the mark",
     .type = VALUE_TEXT,
     .width = 24,
     .grow = 1,
     .ascending_first = true,
     .cuts_middle = true,
     .is_name = true},
    {.name = "born",
     .heading = "BORN",
     .help = "objects that were not there at the mark",
     .type = VALUE_COUNT,
     .width = 10},
    {.name = "inferred",
     .heading = "INFERRED",
     .help = "of these: an object of the kind was in the place, and seems to be another",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 2},
    {.name = "born-bytes",
     .heading = "BYTES",
     .help = "of their blocks",
     .type = VALUE_BYTES,
     .width = 8},
    {.name = "gone",
     .heading = "GONE",
     .help = "objects that were there at the mark, and are not any more",
     .type = VALUE_COUNT,
     .width = 10,
     .weight = 3},
    {.name = "kept",
     .heading = "KEPT",
     .help = "objects that were there, and still are",
     .type = VALUE_COUNT,
     .width = 10,
     .weight = 1},
};

struct table *born_table_new(void)
{
    return table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_BORN);
}

static struct value number(uint64_t value)
{
    return (struct value){.number = reading_exact((int64_t)value)};
}

void born_table_update(struct table *table, const struct answer *answer)
{
    const struct born *born = NULL;

    if (answer && !strcmp(answer->inquiry.topic, INQUIRY_BORN))
        born = (const struct born *)answer;
    table_begin_rows(table, born ? born->n_rows : 0);
    for (size_t i = 0; born && i < born->n_rows; i++) {
        const struct born_row *kind = &born->rows[i];
        struct table_row row;

        if (!kind->born && !kind->gone)
            continue;
        memset(&row, 0, sizeof(row));
        row.identity = (uint64_t)kind->kind->id + 1;
        row.values[COLUMN_KIND].text = kind->kind->name;
        row.values[COLUMN_BORN] = number(kind->born);
        row.values[COLUMN_INFERRED] = number(kind->born_inferred);
        row.values[COLUMN_BYTES] = number(kind->born_bytes);
        row.values[COLUMN_GONE] = number(kind->gone);
        row.values[COLUMN_KEPT] = number(kind->kept);
        table_add_row(table, &row);
    }
    table_end_rows(table);
}
