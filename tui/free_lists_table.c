#include "tui/free_lists_table.h"

#include <string.h>

static const struct column columns[] = {
    {.name = "free-list",
     .heading = "FREE LIST",
     .help = "the type whose objects wait on it for their next use",
     .type = VALUE_TEXT,
     .width = 26,
     .ascending_first = true,
     .is_name = true,
     .sort_key = 'A'},
    {.name = "length",
     .heading = "LENGTH",
     .help = "of the tuples on it",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 3,
     .ascending_first = true},
    {.name = "entries",
     .heading = "ENTRIES",
     .help = "how many it holds: they are not objects",
     .type = VALUE_COUNT,
     .width = 8,
     .sort_key = 'O'},
    {.name = "entry-bytes",
     .heading = "BYTES",
     .help = "of their blocks, the collector's head included",
     .type = VALUE_BYTES,
     .width = 8,
     .sort_key = 'B'},
    {.name = "kept-arenas",
     .heading = "ARENAS",
     .help = "arenas in which nothing else is in use",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 2},
};

struct table *free_lists_table_new(void)
{
    struct table *table = table_new(columns, sizeof(columns) / sizeof(columns[0]), 3);

    table_show_rest(table, true);
    return table;
}

static struct value number(uint64_t value)
{
    return (struct value){.number = reading_exact((int64_t)value)};
}

void free_lists_table_update(struct table *table,
                             const struct free_lists_section *section)
{
    table_begin_rows(table, section ? section->n_rows : 0);
    for (size_t i = 0; section && i < section->n_rows; i++) {
        const struct free_list_row *list = &section->rows[i];
        struct table_row row;

        memset(&row, 0, sizeof(row));
        row.identity =
            (uint64_t)(uintptr_t)list->type * 64 + (uint64_t)(list->length + 1);
        row.values[0].text = list->type;
        if (list->length >= 0)
            row.values[1] = number((uint64_t)list->length);
        row.values[2] = number(list->count);
        row.values[3] = number(list->bytes);
        row.values[4] = number(list->arenas);
        table_add_row(table, &row);
    }
    table_end_rows(table);
}
