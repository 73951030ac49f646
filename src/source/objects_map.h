/*
 * objects_map.h - is this address inside an arena?
 *
 * Asked several times per object, so it is a table: one entry per stretch of
 * arena size, as in obmalloc.c's own radix tree. An arena is only page aligned
 * and lies in up to two stretches; a stretch holds the end of one arena and the
 * beginning of another. When the arenas are spread too wide for a table, the
 * sorted rows are searched.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_MAP_H
#define HEAPTOP_SOURCE_OBJECTS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/arenas.h"

struct arena_stretch {
    uint32_t end_of_lower;   /* [0, end_of_lower) of the stretch is in an arena */
    uint32_t start_of_upper; /* and so is [start_of_upper, end) */
    uint32_t lower, upper;   /* their rows in the table */
};

struct arena_map {
    const struct arena_table *table; /* borrowed */
    uint64_t arena_bytes;
    uint32_t shift;
    uint64_t first; /* address >> shift of the first stretch */
    uint64_t count;
    struct arena_stretch *stretches; /* NULL: search the rows */
};

/* Always succeeds; without memory the rows are searched. */
void arena_map_init(struct arena_map *map, const struct arena_table *table,
                    uint32_t arena_bytes);
void arena_map_release(struct arena_map *map);

static inline bool arena_map_has(const struct arena_map *map, uint64_t address)
{
    uint64_t at = (address >> map->shift) - map->first;
    uint64_t offset = address & ((UINT64_C(1) << map->shift) - 1);

    if (!map->stretches)
        return arenas_find(map->table, address, map->arena_bytes) != NULL;
    return at < map->count && (offset < map->stretches[at].end_of_lower ||
                               offset >= map->stretches[at].start_of_upper);
}

/* The row of the arena that has the address, or -1. */
static inline int64_t arena_map_row(const struct arena_map *map, uint64_t address)
{
    uint64_t at = (address >> map->shift) - map->first;
    uint64_t offset = address & ((UINT64_C(1) << map->shift) - 1);

    if (!map->stretches) {
        const struct arena_row *row = arenas_find(map->table, address, map->arena_bytes);

        return row ? row - map->table->rows : -1;
    }
    if (at >= map->count)
        return -1;
    if (offset >= map->stretches[at].start_of_upper)
        return map->stretches[at].upper;
    return offset < map->stretches[at].end_of_lower ? (int64_t)map->stretches[at].lower
                                                    : -1;
}

#endif
