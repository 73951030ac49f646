#include "source/objects_walk.h"

/*
 * Where Python's objects are in its own mimalloc: page by page, the blocks in use. A page
 * is read with its entry in the segment, and its lists of free blocks must agree with its
 * counts; one that was changing is read again.
 */
#define PAGE_READS_MAX 8

bool walk_mimalloc_find(struct walk *walk)
{
    struct walk_mimalloc *mimalloc = &walk->mimalloc;

    walk_mimalloc_release(walk);
    for (size_t i = 0; i < walk->chunks.count; i++) {
        const struct walk_region *region = &walk->chunks.regions[i];

        if (!region->is_main_heap &&
            !mimalloc_map_add(&mimalloc->map, walk->reader, &walk->workers[0].pagemap,
                              region->start, region->end))
            return false;
    }
    return mimalloc->map.n_pages > 0;
}

void walk_mimalloc_begin(struct walk *walk)
{
    walk->mimalloc.next = 0;
    walk->workers[0].counts.is_cut |= walk->mimalloc.map.n_broken > 0;
}

void walk_mimalloc_release(struct walk *walk)
{
    mimalloc_map_release(&walk->mimalloc.map);
    walk->mimalloc.next = 0;
}

/* ---- pages ---- */

/* The beginning of a block, or all blocks where they fit. */
static bool page_read(struct walk *walk, const struct mimalloc_page *page)
{
    struct walk_worker *worker = &walk->workers[0];
    uint64_t length = page->capacity * page->block_bytes;

    if (length > walk->window_capacity)
        length = CHUNK_LOOK;
    worker->window_address = page->start;
    worker->window_bytes = 0;
    pagemap_forget(&worker->pagemap);
    if (pagemap_read(&worker->pagemap, walk->reader, page->start, worker->window, length,
                     &worker->counts.absent_bytes))
        return false;
    worker->window_bytes = length;
    return true;
}

static void page_look(struct walk *walk, const struct mimalloc_page *page)
{
    const struct mimalloc_layout *layout = walk->mimalloc.map.layout;
    const struct walk_worker *worker = &walk->workers[0];
    const uint64_t *free_blocks = walk->mimalloc.free_blocks;

    for (uint32_t i = 0; i < page->capacity; i++) {
        uint64_t offset = i * page->block_bytes;
        uint64_t length = page->block_bytes < CHUNK_LOOK ? page->block_bytes : CHUNK_LOOK;

        if (free_blocks[i / 64] >> i % 64 & 1 || offset + length > worker->window_bytes)
            continue;
        walk_chunk_look(walk, &(struct walk_chunk){.user = page->start + offset,
                                                   .bytes = worker->window + offset,
                                                   .length = (size_t)length,
                                                   .chunk_bytes = page->block_bytes,
                                                   .usable_bytes = page->block_bytes -
                                                                   layout->padding_bytes,
                                                   .sort = CHUNK_OF_MIMALLOC});
    }
}

/* A page of one large block has no list that matters: it is in use, or it is not. */
static bool page_is_whole(struct walk *walk, const struct mimalloc_page *page)
{
    const struct walk_worker *worker = &walk->workers[0];

    if (worker->window_bytes == page->capacity * page->block_bytes)
        return mimalloc_page_free(walk->mimalloc.map.layout, page, worker->window,
                                  walk->mimalloc.free_blocks);
    walk->mimalloc.free_blocks[0] = 0;
    return page->capacity == 1 && page->used == 1 && !page->lists[0] && !page->lists[1] &&
           !page->lists[2];
}

/* As the page is now; false when it is none any more. */
static bool page_again(struct walk *walk, struct mimalloc_page *page)
{
    const struct mimalloc_layout *layout = walk->mimalloc.map.layout;
    uint64_t segment = page->header & ~(MIMALLOC_SEGMENT_BYTES - 1);
    uint64_t slice = (page->header - segment - layout->slices) / layout->page_bytes;
    uint8_t bytes[128];

    return layout->page_bytes <= sizeof(bytes) &&
           !reader_read(walk->reader, raddr_of(page->header), bytes,
                        layout->page_bytes) &&
           mimalloc_page_parse(layout, bytes, segment, (uint32_t)slice, page);
}

static bool page_is_swapped(struct walk *walk, const struct mimalloc_page *page)
{
    uint64_t end = page->start + walk->workers[0].window_bytes;

    for (uint64_t at = page->start; at < end; at += PAGEMAP_PAGE_BYTES)
        if (pagemap_is_swapped(&walk->workers[0].pagemap, at))
            return true;
    return false;
}

static void page_walk(struct walk *walk, struct mimalloc_page *page)
{
    struct walk_counts *counts = &walk->workers[0].counts;
    uint64_t absent_bytes = counts->absent_bytes;
    bool is_good;

    for (int i = 0; i < PAGE_READS_MAX; i++) {
        if (!page_again(walk, page) || !page->used)
            return;
        if (!page_read(walk, page) || !page_is_whole(walk, page))
            continue;
        is_good = !i && counts->absent_bytes == absent_bytes;
        walk_stretch_open_page(walk, page);
        counts->healed_pools += i > 0;
        counts->used_pools++;
        page_look(walk, page);
        walk_stretch_close_page(walk, page, is_good);
        return;
    }
    if (page_is_swapped(walk, page))
        counts->absent_pools++;
    else
        counts->torn_pools++;
}

bool walk_mimalloc_step(struct walk *walk)
{
    struct walk_mimalloc *mimalloc = &walk->mimalloc;
    struct mimalloc_page *page;

    if (mimalloc->next >= mimalloc->map.n_pages)
        return false;
    page = &mimalloc->map.pages[mimalloc->next++];
    if (!walk_stretch_use_page(walk, page))
        page_walk(walk, page);
    return true;
}
