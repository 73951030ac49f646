/* plugin_answer_read() on any bytes: what it keeps is bounded, whole and clean. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "plugin/answer.h"

static void demand(bool condition)
{
    if (!condition)
        abort();
}

static void demand_clean(const char *text)
{
    demand(text != NULL);
    for (; *text; text++)
        demand((unsigned char)*text >= ' ' && *text != 127);
}

static void demand_cells(const struct plugin_table *table)
{
    for (size_t i = 0; i < table->n_rows * table->n_columns; i++) {
        const struct plugin_cell *cell = &table->cells[i];
        bool is_text = table->columns[i % table->n_columns].unit == HEAPTOP_TEXT;

        demand(!(is_text && reading_is_known(cell->number)));
        demand(is_text || !cell->text);
        if (cell->text)
            demand_clean(cell->text);
    }
}

static void demand_whole(const struct plugin_table *table)
{
    struct plugin_call call;

    demand(table->n_columns <= PLUGIN_COLUMNS_MAX && table->n_rows <= PLUGIN_ROWS_MAX);
    demand(table->n_lines <= PLUGIN_LINES_MAX && table->n_offers <= PLUGIN_ACTIONS_MAX);
    demand(table->n_columns || !table->n_rows);
    demand_clean(table->title);
    for (size_t i = 0; i < table->n_rows; i++)
        demand(table->depths[i] <= PLUGIN_DEPTH_MAX);
    for (size_t i = 0; i < table->n_lines; i++)
        demand_clean(table->lines[i]);
    for (size_t i = 0; i < table->n_offers; i++)
        demand(plugin_call_read(table->offers[i].call, &call));
    if (table->n_columns)
        demand_cells(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct plugin_answer answer;
    struct err err = ERR_INIT;
    int result = plugin_answer_read(&answer, data, size, &err);

    demand(result == 0 || (!answer.table && err.text[0]));
    if (answer.table)
        demand_whole(answer.table);
    plugin_table_unref(answer.table);
    return 0;
}

/* One of everything. */
size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    static const char items[] = "\0\0\0\0"
                                "Htitle\0Lone line\0Sa sentence\0"
                                "C0name\0what it is called\0C2bytes\0\0"
                                "RD1Ta text\0N\1\2\3\4\0\0\0\0RTmore\0U"
                                "Astart\0module.start(1, 2)\0it costs\0";

    if (size < sizeof(items) - 1)
        return 0;
    memcpy(buffer, items, sizeof(items) - 1);
    return sizeof(items) - 1;
}
