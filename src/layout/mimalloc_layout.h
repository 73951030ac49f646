/*
 * mimalloc_layout.h - the mimalloc that CPython 3.13+ has in itself, as far as heaptop
 * reads it.
 *
 * Memory comes in segments of 32 MiB, or larger for one huge block, which begin at a
 * multiple of 32 MiB. A segment is cut in slices of 64 KiB; neighbours make a span; a
 * span in use is a page, which has blocks of one size. What describes the spans stands at
 * the segment's beginning, one entry a slice. Nothing is looked up by symbol: a segment
 * is proven by its spans, which must follow each other to its end, and by its count of
 * pages.
 *
 * Sources: Include/internal/mimalloc/mimalloc/types.h (mi_segment_t, mi_page_t),
 * Objects/mimalloc/segment.c, page.c, alloc.c; offsets from the debug information of
 * 3.13.0, 3.13.18, 3.14.10, 3.15.2 and the debug builds of the last three; of the
 * free-threaded 3.13, whose mi_page_t ends with what QSBR needs, from types.h. Pure.
 */
#ifndef HEAPTOP_LAYOUT_MIMALLOC_LAYOUT_H
#define HEAPTOP_LAYOUT_MIMALLOC_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MIMALLOC_SEGMENT_BYTES (UINT64_C(32) << 20)
#define MIMALLOC_SLICE_BYTES   (UINT64_C(64) << 10)
#define MIMALLOC_SLICES        512
#define MIMALLOC_HEADER_BYTES  MIMALLOC_SLICE_BYTES /* of a segment: its first slice */
#define MIMALLOC_BLOCKS_MOST   8192                 /* of a page: 64 KiB of 8 bytes */
#define MIMALLOC_LISTS         3
#define MIMALLOC_LINK_FLAGS    UINT64_C(3) /* mi_thread_free_t: mi_delayed_t */

/* Offsets in mi_segment_t, then in mi_page_t. */
struct mimalloc_layout {
    uint16_t segment_size, segment_used, segment_cookie, segment_slices, segment_entries;
    uint16_t slices; /* the first mi_page_t */
    uint16_t page_bytes;
    uint16_t used, used_bytes;
    uint16_t block_size, block_size_bytes;
    uint16_t page_start;            /* 0: it follows from the size of the blocks */
    uint16_t lists[MIMALLOC_LISTS]; /* free, local_free, xthread_free */
    uint16_t keys;          /* of debug builds: links are encoded; 0 = they are not */
    uint16_t padding_bytes; /* at the end of each block, then */
};

#define MIMALLOC_LAYOUTS 5
extern const struct mimalloc_layout mimalloc_layouts[MIMALLOC_LAYOUTS];

struct mimalloc_page {
    uint64_t header;           /* where its mi_page_t stands */
    uint64_t span, span_bytes; /* the slices that it has */
    uint64_t start;            /* of its first block */
    uint64_t block_bytes;
    uint32_t capacity; /* blocks that were ever handed out or are on a list */
    uint32_t used;     /* in use, or freed by another thread */
    uint64_t lists[MIMALLOC_LISTS];
    uint64_t keys[2];
};

struct mimalloc_segment {
    uint64_t address, bytes;
    uint64_t info_bytes; /* in front of its first span */
    uint64_t cookie;     /* the same in all segments of a process */
    uint32_t n_pages;
};

/* The segment at the address, whose first MIMALLOC_HEADER_BYTES these are, and its pages
 * with blocks, at most MIMALLOC_SLICES. False when the layout does not hold. */
bool mimalloc_segment_parse(const struct mimalloc_layout *layout, const uint8_t *bytes,
                            uint64_t address, struct mimalloc_segment *segment,
                            struct mimalloc_page *pages);

/* The page whose mi_page_t these bytes are, that of slice number `slice`; false when it
 * is none or does not hold. */
bool mimalloc_page_parse(const struct mimalloc_layout *layout, const uint8_t *bytes,
                         uint64_t segment, uint32_t slice, struct mimalloc_page *page);

/* Which of the page's blocks are free, as bits; `bytes` holds its carved blocks. False
 * when the lists do not agree with the counts: it was changing. */
bool mimalloc_page_free(const struct mimalloc_layout *layout,
                        const struct mimalloc_page *page, const uint8_t *bytes,
                        uint64_t free_blocks[MIMALLOC_BLOCKS_MOST / 64]);

#endif
