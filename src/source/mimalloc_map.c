#include "source/mimalloc_map.h"

#include <stdlib.h>
#include <string.h>

#include "util/bytes.h"

#define READS_MAX 4

struct found {
    struct mimalloc_segment segment;
    struct mimalloc_page pages[MIMALLOC_SLICES];
    uint8_t bytes[MIMALLOC_HEADER_BYTES];
};

void mimalloc_map_release(struct mimalloc_map *map)
{
    free(map->segments);
    free(map->pages);
    memset(map, 0, sizeof(*map));
}

/* The first segment says which layout it is. */
static bool found_parse(struct mimalloc_map *map, struct found *found, uint64_t address)
{
    for (size_t i = 0; i < MIMALLOC_LAYOUTS; i++) {
        const struct mimalloc_layout *layout = &mimalloc_layouts[i];

        if ((map->layout && map->layout != layout) ||
            !mimalloc_segment_parse(layout, found->bytes, address, &found->segment,
                                    found->pages) ||
            (map->layout && found->segment.cookie != map->cookie) ||
            !found->segment.n_pages)
            continue;
        map->layout = layout;
        map->cookie = found->segment.cookie;
        return true;
    }
    return false;
}

/* A segment of this process, though its spans do not close? One that was given back has
 * no page in use. */
static bool is_broken(const struct mimalloc_map *map, const struct found *found,
                      uint64_t address)
{
    return map->layout &&
           (u64_at(found->bytes, map->layout->segment_cookie) ^ address) == map->cookie &&
           u64_at(found->bytes, map->layout->segment_used);
}

static bool found_read(struct mimalloc_map *map, struct found *found,
                       struct reader *reader, struct pagemap *pagemap, uint64_t address)
{
    uint64_t absent = 0;

    for (int i = 0; i < READS_MAX; i++) {
        pagemap_forget(pagemap);
        if (!pagemap_is_present(pagemap, address) ||
            pagemap_read(pagemap, reader, address, found->bytes, sizeof(found->bytes),
                         &absent))
            return false;
        if (found_parse(map, found, address))
            return true;
        if (!is_broken(map, found, address))
            return false;
    }
    map->n_broken++;
    return false;
}

static bool room_for(void **items, size_t *capacity, size_t wanted, size_t size)
{
    size_t larger = *capacity ? *capacity : 64;
    void *grown;

    while (larger < wanted)
        larger *= 2;
    if (larger == *capacity)
        return true;
    grown = reallocarray(*items, larger, size);
    if (!grown)
        return false;
    *items = grown;
    *capacity = larger;
    return true;
}

static bool map_keep(struct mimalloc_map *map, const struct found *found)
{
    size_t n_pages = found->segment.n_pages;

    if (!room_for((void **)&map->segments, &map->segments_capacity, map->n_segments + 1,
                  sizeof(*map->segments)) ||
        !room_for((void **)&map->pages, &map->pages_capacity, map->n_pages + n_pages,
                  sizeof(*map->pages)))
        return false;
    map->segments[map->n_segments++] = found->segment;
    memcpy(map->pages + map->n_pages, found->pages, n_pages * sizeof(*map->pages));
    map->n_pages += n_pages;
    return true;
}

bool mimalloc_map_add(struct mimalloc_map *map, struct reader *reader,
                      struct pagemap *pagemap, uint64_t start, uint64_t end)
{
    struct found *found = malloc(sizeof(*found));
    uint64_t step = MIMALLOC_SEGMENT_BYTES, at = (start + step - 1) & ~(step - 1);
    bool is_good = found != NULL;

    while (is_good && at < end && end - at >= MIMALLOC_HEADER_BYTES) {
        if (found_read(map, found, reader, pagemap, at)) {
            is_good = map_keep(map, found);
            at += (found->segment.bytes + step - 1) & ~(step - 1);
        } else {
            at += step;
            if (!pagemap->has_no_scan)
                at = pagemap_next_present(pagemap, at, end);
            at = (at + step - 1) & ~(step - 1);
        }
    }
    free(found);
    return is_good;
}

const struct mimalloc_segment *mimalloc_map_segment(const struct mimalloc_map *map,
                                                    uint64_t address)
{
    for (size_t i = 0; i < map->n_segments; i++) {
        if (map->segments[i].address + map->segments[i].bytes > address)
            return &map->segments[i];
    }
    return NULL;
}

const struct mimalloc_page *mimalloc_map_find(const struct mimalloc_map *map,
                                              uint64_t address)
{
    size_t low = 0, high = map->n_pages;
    const struct mimalloc_page *page;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (map->pages[middle].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    page = &map->pages[low - 1];
    return (address - page->start) / page->block_bytes < page->capacity ? page : NULL;
}
