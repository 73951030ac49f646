#include "layout/mimalloc_layout.h"

#include <string.h>

#include "util/bytes.h"

#define PAGE_SLICE_COUNT  0
#define PAGE_SLICE_OFFSET 4
#define PAGE_CAPACITY     10
#define PAGE_RESERVED     12
/* MI_HUGE_BLOCK_SIZE: as large as the page */
#define HUGE_BLOCK         (UINT64_C(2) << 30)
#define SEGMENT_BYTES_MOST (UINT64_C(1) << 46)

const struct mimalloc_layout mimalloc_layouts[MIMALLOC_LAYOUTS] = {
    /* 2.1: 3.13, 3.14.0 - 3.14.4 */
    {32, 208, 216, 224, 248, 264, 80, 24, 4, 28, 4, 0, {16, 32, 40}, 0, 0},
    /* Its debug builds (MI_ENCODE_FREELIST, MI_PADDING) */
    {32, 208, 216, 224, 248, 264, 96, 24, 4, 28, 4, 0, {16, 32, 56}, 40, 8},
    /* 2.2 and later: later 3.14, 3.15 */
    {32, 216, 224, 248, 272, 288, 96, 32, 2, 40, 8, 48, {16, 24, 56}, 0, 0},
    {32, 216, 224, 248, 272, 288, 112, 32, 2, 40, 8, 48, {16, 24, 72}, 56, 8},
    /* 2.1 in free-threaded builds (Py_GIL_DISABLED: qsbr_node, qsbr_goal) */
    {32, 208, 216, 224, 248, 264, 104, 24, 4, 28, 4, 0, {16, 32, 40}, 0, 0},
};

static uint64_t number_at(const uint8_t *bytes, size_t offset, size_t length)
{
    uint64_t value = 0;

    memcpy(&value, bytes + offset, length);
    return value;
}

/* segment.c _mi_segment_page_start_from_slice (2.1): small blocks begin a little later,
 * so that pages do not all use the same cache lines. */
static uint64_t start_of_blocks(uint64_t block_bytes)
{
    if (block_bytes < 8 || block_bytes > 512)
        return 0;
    return block_bytes <= 64 ? 3 * block_bytes : block_bytes;
}

static bool page_holds(const struct mimalloc_page *page, uint64_t span, uint64_t bytes,
                       uint64_t reserved)
{
    return page->start >= span && page->start - span < bytes && page->block_bytes >= 8 &&
           !(page->block_bytes & 7) && page->capacity <= reserved &&
           page->capacity <= MIMALLOC_BLOCKS_MOST && page->used <= page->capacity &&
           reserved <= (bytes - (page->start - span)) / page->block_bytes;
}

bool mimalloc_page_parse(const struct mimalloc_layout *layout, const uint8_t *bytes,
                         uint64_t segment, uint32_t slice, struct mimalloc_page *page)
{
    uint64_t span = segment + slice * MIMALLOC_SLICE_BYTES;
    uint64_t span_bytes = u32_at(bytes, PAGE_SLICE_COUNT) * MIMALLOC_SLICE_BYTES;

    page->header = segment + layout->slices + (uint64_t)slice * layout->page_bytes;
    page->block_bytes = number_at(bytes, layout->block_size, layout->block_size_bytes);
    if (page->block_bytes == HUGE_BLOCK && layout->block_size_bytes == 4)
        page->block_bytes = span_bytes;
    page->span = span;
    page->span_bytes = span_bytes;
    page->start = layout->page_start ? u64_at(bytes, layout->page_start)
                                     : span + start_of_blocks(page->block_bytes);
    page->capacity = (uint32_t)number_at(bytes, PAGE_CAPACITY, 2);
    page->used = (uint32_t)number_at(bytes, layout->used, layout->used_bytes);
    for (size_t i = 0; i < MIMALLOC_LISTS; i++)
        page->lists[i] = u64_at(bytes, layout->lists[i]) & ~MIMALLOC_LINK_FLAGS;
    for (size_t i = 0; layout->keys && i < 2; i++)
        page->keys[i] = u64_at(bytes, layout->keys + i * 8);
    return page_holds(page, span, span_bytes, number_at(bytes, PAGE_RESERVED, 2));
}

/* ---- segments ---- */

static const uint8_t *slice_at(const struct mimalloc_layout *layout, const uint8_t *bytes,
                               uint32_t slice)
{
    return bytes + layout->slices + (size_t)slice * layout->page_bytes;
}

/* A span: its first entry says how long it is. Only a huge page may be longer than the
 * entries that there are. */
static uint32_t span_slices(const uint8_t *entry, uint64_t left, uint64_t entries_left)
{
    uint32_t count = u32_at(entry, PAGE_SLICE_COUNT);

    if (!count || u32_at(entry, PAGE_SLICE_OFFSET) || count > left)
        return 0;
    return (uint32_t)(count < entries_left ? count : entries_left);
}

bool mimalloc_segment_parse(const struct mimalloc_layout *layout, const uint8_t *bytes,
                            uint64_t address, struct mimalloc_segment *segment,
                            struct mimalloc_page *pages)
{
    uint64_t slices = u64_at(bytes, layout->segment_slices), used = 0;
    uint64_t info = u64_at(bytes, layout->segment_slices + 8u);
    uint64_t entries = u64_at(bytes, layout->segment_entries);

    *segment = (struct mimalloc_segment){
        .address = address,
        .bytes = u64_at(bytes, layout->segment_size),
        .info_bytes = info * MIMALLOC_SLICE_BYTES,
        .cookie = u64_at(bytes, layout->segment_cookie) ^ address,
    };
    if (segment->bytes > SEGMENT_BYTES_MOST || !slices ||
        segment->bytes != slices * MIMALLOC_SLICE_BYTES || !info || info >= entries ||
        entries > MIMALLOC_SLICES || entries > slices)
        return false;
    for (uint32_t at = 0; at < entries;) {
        const uint8_t *entry = slice_at(layout, bytes, at);
        uint32_t count = span_slices(entry, slices - at, entries - at);

        if (!count || (!at && count != info))
            return false;
        if (at && number_at(entry, layout->block_size, layout->block_size_bytes)) {
            used++;
            segment->n_pages +=
                mimalloc_page_parse(layout, entry, address, at, &pages[segment->n_pages]);
        }
        at += count;
    }
    return used == u64_at(bytes, layout->segment_used) && used == segment->n_pages;
}

/* ---- free blocks ---- */

/* internal.h mi_ptr_decode */
static uint64_t link_of(const struct mimalloc_layout *layout,
                        const struct mimalloc_page *page, uint64_t word)
{
    uint64_t turns = page->keys[0] & 63, moved = word - page->keys[0];

    if (!layout->keys)
        return word;
    word = (moved >> turns | moved << (-turns & 63)) ^ page->keys[1];
    return word == page->header ? 0 : word;
}

/* Marks the blocks of one list; how many, or -1 when it leaves the page, misses a block's
 * start, or meets one twice. */
static int64_t list_mark(const struct mimalloc_layout *layout,
                         const struct mimalloc_page *page, const uint8_t *bytes,
                         uint64_t block, uint64_t *free_blocks)
{
    int64_t count = 0;

    while (block) {
        uint64_t offset = block - page->start, index = offset / page->block_bytes;

        if (index >= page->capacity || index * page->block_bytes != offset ||
            free_blocks[index / 64] >> index % 64 & 1)
            return -1;
        free_blocks[index / 64] |= UINT64_C(1) << index % 64;
        count++;
        block = link_of(layout, page, u64_at(bytes, offset));
    }
    return count;
}

bool mimalloc_page_free(const struct mimalloc_layout *layout,
                        const struct mimalloc_page *page, const uint8_t *bytes,
                        uint64_t free_blocks[MIMALLOC_BLOCKS_MOST / 64])
{
    int64_t counts[MIMALLOC_LISTS];

    memset(free_blocks, 0, (page->capacity + 63) / 64 * sizeof(*free_blocks));
    for (size_t i = 0; i < MIMALLOC_LISTS; i++) {
        counts[i] = list_mark(layout, page, bytes, page->lists[i], free_blocks);
        if (counts[i] < 0)
            return false;
    }
    /* types.h: `used` counts what other threads have freed. */
    return page->used + (uint64_t)counts[0] + (uint64_t)counts[1] == page->capacity &&
           (uint64_t)counts[2] <= page->used;
}
