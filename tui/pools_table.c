/* The pools of one arena: their class, their blocks, who lives in them. */
#include "tui/arenas_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#define KINDS_SHOWN 3
#define KINDS_BYTES 200
#define CLASS_BYTES 16
#define ROW_BYTES   (CLASS_BYTES + KINDS_BYTES)

enum {
    COLUMN_POOL,
    COLUMN_CLASS,
    COLUMN_USED,
    COLUMN_FREE,
    COLUMN_UNTOUCHED,
    COLUMN_USE,
    COLUMN_KINDS,
};

static const struct column columns[] = {
    {.name = "pool",
     .heading = "POOL",
     .help = "by address, from 1",
     .type = VALUE_COUNT,
     .width = 4,
     .ascending_first = true},
    {.name = "class",
     .heading = "CLASS",
     .help = "bytes of its blocks",
     .type = VALUE_LABEL,
     .width = 7,
     .ascending_first = true},
    {.name = "used",
     .heading = "USED",
     .help = "blocks in use",
     .type = VALUE_COUNT,
     .width = 5,
     .sort_key = 'O'},
    {.name = "free",
     .heading = "FREE",
     .help = "blocks that were used and are free",
     .type = VALUE_COUNT,
     .width = 5,
     .weight = 3},
    {.name = "untouched",
     .heading = "NEVER",
     .help = "blocks that were never used",
     .type = VALUE_COUNT,
     .width = 5,
     .weight = 2},
    {.name = "use",
     .heading = "USE%",
     .help = "share of its blocks that are in use",
     .type = VALUE_USE,
     .width = 4,
     .weight = 4,
     .sort_key = 'U'},
    {.name = "kinds",
     .heading = "KINDS THAT LIVE HERE",
     .help = "objects by kind, most first",
     .type = VALUE_TEXT,
     .width = 20,
     .grow = 1,
     .weight = 5,
     .is_name = true},
};

void pools_table_init(struct arenas_table *pools)
{
    memset(pools, 0, sizeof(*pools));
    pools->table = table_new(columns, sizeof(columns) / sizeof(columns[0]), COLUMN_POOL);
    pools->capacity = INSPECTION_POOLS * ROW_BYTES;
    pools->texts = xcalloc(pools->capacity, 1);
}

static struct value count_value(uint64_t count)
{
    return (struct value){.number = reading_exact((int64_t)count)};
}

static void kinds_text(const struct inspection *inspection, size_t pool, char *text)
{
    uint16_t kinds[KINDS_SHOWN + 1];
    uint32_t blocks[KINDS_SHOWN + 1];
    size_t count =
        inspection_pool_kinds(inspection, pool, kinds, blocks, KINDS_SHOWN + 1);
    struct strbuf line = STRBUF_INIT;

    for (size_t i = 0; i < count && i < KINDS_SHOWN; i++) {
        strbuf_addf(&line, "%s%u ", i ? ", " : "", (unsigned)blocks[i]);
        utf8_cut_middle(&line, inspection->kinds[kinds[i]].kind->name, 40);
    }
    if (count > KINDS_SHOWN)
        strbuf_add_text(&line, ", ...");
    if (!count)
        strbuf_add_text(&line, "no objects: parts of objects");
    snprintf(text, KINDS_BYTES, "%s", strbuf_text(&line));
    strbuf_release(&line);
}

static void fill_class(struct table_row *row, uint32_t block_bytes, char *text)
{
    snprintf(text, CLASS_BYTES, "%u B", (unsigned)block_bytes);
    row->values[COLUMN_CLASS] = count_value(block_bytes);
    row->values[COLUMN_CLASS].text = text;
}

static void fill_inspected(struct table_row *row, const struct inspection *inspection,
                           size_t at, char *text)
{
    const struct inspected_pool *pool = &inspection->pools[at];
    static const char *const states[] = {
        [INSPECTED_FREE] = "(free: any size class may take it)",
        [INSPECTED_UNTOUCHED] = "(never carved)",
        [INSPECTED_TORN] = "(changed while it was read, or not in memory)",
    };

    if (pool->state != INSPECTED_USED) {
        row->values[COLUMN_KINDS].text = states[pool->state];
        row->role = ROLE_DIM;
        return;
    }
    fill_class(row, pool->block_bytes, text);
    kinds_text(inspection, at, text + CLASS_BYTES);
    row->values[COLUMN_USED] = count_value(pool->used);
    row->values[COLUMN_FREE] = count_value(pool->free);
    row->values[COLUMN_UNTOUCHED] = count_value(pool->untouched);
    row->values[COLUMN_USE] = count_value((uint64_t)pool->used * 100000 /
                                          (pool->n_blocks ? pool->n_blocks : 1));
    row->values[COLUMN_KINDS].text = text + CLASS_BYTES;
}

/* A cell knows the class and, in sevenths, the fill. */
static void fill_cell(struct table_row *row, uint8_t cell, uint32_t class_bytes,
                      char *text)
{
    static const char *const states[] = {"(free)", "(never carved)", "(torn)"};

    if (!pool_cell_is_used(cell)) {
        row->values[COLUMN_KINDS].text = states[cell];
        row->role = ROLE_DIM;
        return;
    }
    fill_class(row, (pool_cell_class(cell) + 1) * class_bytes, text);
    row->values[COLUMN_USE].number = (struct reading){
        pool_cell_fill(cell) * INT64_C(100000) / POOL_FILL_FULL, READING_ESTIMATE};
    row->values[COLUMN_KINDS].text = "";
}

void pools_table_update(struct arenas_table *pools, const struct arenas_section *section,
                        size_t arena, const struct inspection *inspection)
{
    const uint8_t *cells = NULL;
    size_t count = inspection ? inspection->n_pools : 0;

    if (!inspection && section && arena < section->n_arenas) {
        cells = arena_cells(section, arena);
        count = section->arenas[arena].pools;
    }
    if (count > INSPECTION_POOLS)
        count = INSPECTION_POOLS;
    table_begin_rows(pools->table, INSPECTION_POOLS);
    for (size_t i = 0; i < count; i++) {
        char *text = pools->texts + i * ROW_BYTES;
        struct table_row row;

        memset(&row, 0, sizeof(row));
        row.identity = i + 1;
        row.values[COLUMN_POOL] = count_value(i + 1);
        if (inspection)
            fill_inspected(&row, inspection, i, text);
        else
            fill_cell(&row, cells[i], section->class_bytes, text);
        table_add_row(pools->table, &row);
    }
    table_end_rows(pools->table);
}
