#include "tui/gc_table.h"

#include <string.h>

static const struct column columns[] = {
    {.name = "generation",
     .heading = "GENERATION",
     .help = "0 is the youngest",
     .type = VALUE_COUNT,
     .width = 10,
     .ascending_first = true},
    {.name = "count",
     .heading = "COUNT",
     .help = "allocations, or runs of the younger generation, since the last run",
     .type = VALUE_COUNT,
     .width = 8},
    {.name = "threshold",
     .heading = "THRESHOLD",
     .help = "the count at which it runs",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 5},
    {.name = "objects",
     .heading = "OBJECTS",
     .help = "objects on the generation's list",
     .type = VALUE_COUNT,
     .width = 9,
     .weight = 4,
     .sort_key = 'O'},
    {.name = "collections",
     .heading = "RUNS",
     .help = "collections of this generation so far",
     .type = VALUE_COUNT,
     .width = 8,
     .weight = 6},
    {.name = "collected",
     .heading = "COLLECTED",
     .help = "objects that these freed",
     .type = VALUE_COUNT,
     .width = 11,
     .weight = 3},
    {.name = "uncollectable",
     .heading = "UNCOLLECTABLE",
     .help = "objects that could not be freed",
     .type = VALUE_COUNT,
     .width = 13,
     .weight = 2},
};

struct table *gc_table_new(void)
{
    return table_new(columns, sizeof(columns) / sizeof(columns[0]), 0);
}

void gc_table_update(struct table *table, const struct gc_section *gc)
{
    table_begin_rows(table, GENERATIONS_MAX);
    for (size_t i = 0; gc && i < gc->n_generations && i < GENERATIONS_MAX; i++) {
        const struct generation_row *generation = &gc->generations[i];
        struct table_row row;

        memset(&row, 0, sizeof(row));
        row.identity = i;
        row.values[0].number = reading_exact((int64_t)i);
        row.values[1].number = generation->count;
        row.values[2].number = generation->threshold;
        row.values[3].number = generation->objects;
        row.values[4].number = generation->collections;
        row.values[5].number = generation->collected;
        row.values[6].number = generation->uncollectable;
        table_add_row(table, &row);
    }
    table_end_rows(table);
}
