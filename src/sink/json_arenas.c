#include "sink/json_arenas.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sink/json_value.h"

#define CLASSES_MAX 64

/* A character for each pool: "1" hardly used ... "7" full. */
static void add_pools(json_t *object, const struct arena_picture *arena,
                      const uint8_t *cells)
{
    static const char others[] = {
        [POOL_CELL_FREE] = '.', [POOL_CELL_UNTOUCHED] = '_', [POOL_CELL_TORN] = '?'};
    char text[UINT8_MAX + 1];
    size_t at;

    for (at = 0; at < arena->pools; at++)
        text[at] = pool_cell_is_used(cells[at]) ? (char)('1' + pool_cell_fill(cells[at]))
                                                : others[cells[at]];
    text[at] = '\0';
    json_add_text(object, "pools", text);
}

static void add_classes(json_t *object, const struct arenas_section *section,
                        const struct arena_picture *arena, const uint8_t *cells)
{
    uint64_t pools[CLASSES_MAX] = {0};
    json_t *array = json_array();

    for (size_t i = 0; i < arena->pools; i++)
        if (pool_cell_is_used(cells[i]))
            pools[pool_cell_class(cells[i])]++;
    for (uint32_t i = 0; i < CLASSES_MAX; i++) {
        json_t *row;

        if (!pools[i])
            continue;
        row = json_object();
        json_add_count(row, "block_size", (i + 1) * section->class_bytes);
        json_add_count(row, "pools", pools[i]);
        json_array_append_new(array, row);
    }
    json_add(object, "size_classes", array);
}

static json_t *arena_object(const struct arenas_section *section, size_t at)
{
    const struct arena_picture *arena = &section->arenas[at];
    json_t *object = json_object();
    char address[24];

    snprintf(address, sizeof(address), "%#" PRIx64, arena->address);
    json_add_text(object, "address", address);
    json_add(object, "order", arena->order ? json_integer(arena->order) : json_null());
    json_add_count(object, "pools_used", arena->pools_used);
    json_add_count(object, "pools_free", arena->pools_free);
    json_add_count(object, "pools_untouched", arena->pools_untouched);
    json_add_count(object, "blocks_used", arena->blocks_used);
    json_add_count(object, "used_bytes", arena->used_bytes);
    add_pools(object, arena, arena_cells(section, at));
    add_classes(object, section, arena, arena_cells(section, at));
    return object;
}

/* Indices into section->arenas, as pymalloc uses them; then those without a free pool. */
static int order_compare(const void *left, const void *right, void *context)
{
    const struct arenas_section *section = context;
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    uint32_t order_a = section->arenas[a].order - 1;
    uint32_t order_b = section->arenas[b].order - 1;

    if (order_a != order_b)
        return order_a < order_b ? -1 : 1;
    return a < b ? -1 : a > b;
}

json_t *json_arenas(const struct arenas_section *section, int64_t now_mono_ns, int rows)
{
    json_t *object, *array;
    size_t *order = section ? calloc(section->n_arenas + 1, sizeof(*order)) : NULL;

    if (!order)
        return json_null();
    for (size_t i = 0; i < section->n_arenas; i++)
        order[i] = i;
    qsort_r(order, section->n_arenas, sizeof(*order), order_compare,
            (void *)(uintptr_t)section);
    object = json_object();
    array = json_array();
    json_add_seconds(object, "age_s",
                     reading_exact(now_mono_ns > section->taken_mono_ns
                                       ? now_mono_ns - section->taken_mono_ns
                                       : 0));
    json_add(object, "order_exact", json_boolean(section->is_order_exact));
    for (size_t i = 0; i < section->n_arenas && (rows <= 0 || i < (size_t)rows); i++)
        json_array_append_new(array, arena_object(section, order[i]));
    json_add(object, "arenas", array);
    free(order);
    return object;
}
