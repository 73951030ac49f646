#include "source/account_mimalloc.h"

#include "source/malloc_heaps.h"

void account_mimalloc_release(struct account_mimalloc *mimalloc)
{
    mimalloc_map_release(&mimalloc->map);
    mimalloc->next = mimalloc->next_page = 0;
}

void account_mimalloc_find(struct account_mimalloc *mimalloc, struct reader *reader,
                           int pagemap_fd, const struct maps *maps)
{
    uint64_t start, end;
    size_t next = 0;

    account_mimalloc_release(mimalloc);
    pagemap_init(&mimalloc->pagemap, pagemap_fd);
    while (malloc_region_next(maps, &next, &start, &end)) {
        if (mimalloc_map_add(&mimalloc->map, reader, &mimalloc->pagemap, start, end))
            continue;
        account_mimalloc_release(mimalloc);
        return;
    }
}

static void add(struct account_bytes *to, struct residency_bytes bytes)
{
    to->resident += bytes.resident;
    to->swapped += bytes.swapped;
}

/* The blocks in use of those that were handed out; which ones lie on which page of the
 * kernel's is not looked at. */
static void add_carved(struct account_bytes parts[ACCOUNT_PARTS],
                       const struct mimalloc_page *page, struct residency_bytes bytes)
{
    struct residency_bytes used = {bytes.resident * page->used / page->capacity,
                                   bytes.swapped * page->used / page->capacity, 0};

    add(&parts[PART_OBJECTS], used);
    bytes.resident -= used.resident;
    bytes.swapped -= used.swapped;
    add(&parts[PART_FREE_BLOCKS], bytes);
}

static void add_page(const struct mimalloc_page *page, struct residency *residency,
                     struct account_bytes parts[ACCOUNT_PARTS])
{
    uint64_t end = page->span + page->span_bytes;
    uint64_t carved_end = page->start + page->capacity * page->block_bytes;
    uint64_t blocks_end = end - (end - page->start) % page->block_bytes;

    if (!page->used) {
        add(&parts[PART_FREE_POOLS], residency_of(residency, page->span, end));
        return;
    }
    add(&parts[PART_POOL_HEADERS], residency_of(residency, page->span, page->start));
    add_carved(parts, page, residency_of(residency, page->start, carved_end));
    add(&parts[PART_FREE_BLOCKS], residency_of(residency, carved_end, blocks_end));
    add(&parts[PART_POOL_HEADERS], residency_of(residency, blocks_end, end));
}

/* What is no page's is free, but for the slices at the segment's beginning. */
bool account_mimalloc_step(struct account_mimalloc *mimalloc, struct residency *residency,
                           struct account_bytes parts[ACCOUNT_PARTS])
{
    const struct mimalloc_map *map = &mimalloc->map;
    const struct mimalloc_segment *segment;
    uint64_t at, end;

    if (mimalloc->next >= map->n_segments)
        return false;
    segment = &map->segments[mimalloc->next++];
    at = segment->address + segment->info_bytes;
    end = segment->address + segment->bytes;
    add(&parts[PART_POOL_HEADERS], residency_of(residency, segment->address, at));
    for (size_t i = 0; i < segment->n_pages; i++) {
        const struct mimalloc_page *page = &map->pages[mimalloc->next_page++];

        add(&parts[PART_FREE_POOLS], residency_of(residency, at, page->span));
        add_page(page, residency, parts);
        at = page->span + page->span_bytes;
    }
    add(&parts[PART_FREE_POOLS], residency_of(residency, at, end));
    return true;
}
