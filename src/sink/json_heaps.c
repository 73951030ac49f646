#include "sink/json_heaps.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sink/json_value.h"

static void add_address(json_t *object, const char *name, uint64_t address)
{
    char text[24];

    snprintf(text, sizeof(text), "%#" PRIx64, address);
    json_add_text(object, name, text);
}

json_t *json_heap_tops(const struct malloc_section *section)
{
    json_t *array = json_array();

    for (size_t i = 0; i < section->n_tops; i++) {
        const struct heap_top_row *top = &section->tops[i];
        json_t *object = json_object();

        add_address(object, "heap", top->heap);
        add_address(object, "address", top->address);
        json_add_count(object, "bytes", top->bytes);
        json_add_text(object, "kind", top->kind ? top->kind->name : NULL);
        json_add_count(object, "return_bytes", top->return_bytes);
        json_array_append_new(array, object);
    }
    return array;
}

/* A character for each cell: "1" hardly in use ... "4" full. */
static void add_cells(json_t *object, const uint8_t *cells, size_t count)
{
    static const char letters[] = {
        [HEAP_CELL_FREE] = '.', [HEAP_CELL_LOW] = '1',  [HEAP_CELL_HALF] = '2',
        [HEAP_CELL_MOST] = '3', [HEAP_CELL_FULL] = '4', [HEAP_CELL_TOP] = '_'};
    char *text = calloc(count + 1, 1);

    for (size_t i = 0; text && i < count; i++)
        text[i] = cells[i] < sizeof(letters) ? letters[cells[i]] : '?';
    json_add_text(object, "cells", text);
    free(text);
}

json_t *json_heaps(const struct malloc_section *section, int rows)
{
    json_t *array = json_array();

    for (size_t i = 0; i < section->n_heap_rows && (rows <= 0 || i < (size_t)rows); i++) {
        const struct heap_row *heap = &section->heap_rows[i];
        json_t *object = json_object();

        add_address(object, "address", heap->address);
        json_add(object, "main", json_boolean(!heap->arena));
        json_add_count(object, "bytes", heap->bytes);
        json_add_count(object, "used_bytes", heap->used_bytes);
        json_add_count(object, "free_bytes", heap->free_bytes);
        json_add_count(object, "top_bytes", heap->top_bytes);
        json_add_count(object, "used_runs", heap->used_runs);
        json_add_count(object, "free_runs", heap->free_runs);
        json_add_count(object, "largest_free_bytes", heap->largest_free_bytes);
        json_add_count(object, "cell_bytes", heap->cell_bytes);
        add_cells(object, section->heap_cells + heap->first_cell, heap->n_cells);
        json_array_append_new(array, object);
    }
    return array;
}
