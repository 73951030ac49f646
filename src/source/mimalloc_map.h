/*
 * mimalloc_map.h - the segments and pages of the target's own mimalloc, and what lies at
 * an address of theirs.
 *
 * Found at the multiples of 32 MiB in writable anonymous memory; each is proven
 * (layout/mimalloc_layout.h), and the process's secret must be the same in all. Pages
 * that are not in memory are not touched. One thread; the map owns its tables.
 */
#ifndef HEAPTOP_SOURCE_MIMALLOC_MAP_H
#define HEAPTOP_SOURCE_MIMALLOC_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/mimalloc_layout.h"
#include "target/pagemap.h"
#include "target/reader.h"

struct mimalloc_map {
    const struct mimalloc_layout *layout; /* NULL: no segment was found */
    uint64_t cookie;
    struct mimalloc_segment *segments; /* by address */
    size_t n_segments, segments_capacity;
    struct mimalloc_page *pages; /* ditto */
    size_t n_pages, pages_capacity;
    size_t n_broken; /* segments that do not hold: they were changing, or swapped out */
};

/* Looks at the multiples of 32 MiB in [start, end), behind those known. False when out of
 * memory. Regions come by address. */
bool mimalloc_map_add(struct mimalloc_map *map, struct reader *reader,
                      struct pagemap *pagemap, uint64_t start, uint64_t end);
void mimalloc_map_release(struct mimalloc_map *map);

/* The first segment that ends behind the address, or NULL. */
const struct mimalloc_segment *mimalloc_map_segment(const struct mimalloc_map *map,
                                                    uint64_t address);

/* The page whose blocks the address lies among, or NULL. */
const struct mimalloc_page *mimalloc_map_find(const struct mimalloc_map *map,
                                              uint64_t address);

#endif
