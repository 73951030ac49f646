#include "source/objects_map.h"

#include <stdlib.h>
#include <string.h>

#define STRETCHES_MAX (UINT64_C(1) << 20)

static void arena_map_add(struct arena_map *map, size_t row)
{
    uint64_t address = map->table->rows[row].address;
    uint64_t bytes = UINT64_C(1) << map->shift;
    uint64_t at = (address >> map->shift) - map->first;
    uint32_t offset = (uint32_t)(address & (bytes - 1));

    map->stretches[at].start_of_upper = offset;
    map->stretches[at].upper = (uint32_t)row;
    if (offset && at + 1 < map->count) {
        map->stretches[at + 1].end_of_lower = offset;
        map->stretches[at + 1].lower = (uint32_t)row;
    }
}

void arena_map_init(struct arena_map *map, const struct arena_table *table,
                    uint32_t arena_bytes)
{
    memset(map, 0, sizeof(*map));
    map->table = table;
    map->arena_bytes = arena_bytes;
    while (map->shift < 31 && (UINT64_C(1) << map->shift) < arena_bytes)
        map->shift++;
    if (!table->count || (UINT64_C(1) << map->shift) != arena_bytes)
        return;
    map->first = table->rows[0].address >> map->shift;
    map->count = (table->rows[table->count - 1].address >> map->shift) - map->first + 2;
    if (map->count > STRETCHES_MAX)
        return;
    map->stretches = calloc(map->count, sizeof(*map->stretches));
    if (!map->stretches)
        return;
    for (uint64_t i = 0; i < map->count; i++)
        map->stretches[i].start_of_upper = UINT32_MAX;
    for (size_t i = 0; i < table->count; i++)
        arena_map_add(map, i);
}

void arena_map_release(struct arena_map *map)
{
    free(map->stretches);
    memset(map, 0, sizeof(*map));
}
