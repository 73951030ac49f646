/* The mimalloc that Python has in itself: segments and pages of all layouts are known by
 * what must hold of them, and lists of free blocks that do not agree are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "layout/mimalloc_layout.h"

#define SEGMENT  (UINT64_C(0x7f0000) << 25)
#define COOKIE   UINT64_C(0x1234567890abcdef)
#define CAPACITY 40
#define BLOCK    64

struct fixture {
    const struct mimalloc_layout *layout;
    uint8_t header[MIMALLOC_HEADER_BYTES];
    uint8_t blocks[CAPACITY * BLOCK];
    struct mimalloc_segment segment;
    struct mimalloc_page pages[MIMALLOC_SLICES];
};

static void number(uint8_t *at, uint64_t value, size_t length)
{
    memcpy(at, &value, length);
}

static uint8_t *entry(struct fixture *f, uint32_t slice)
{
    return f->header + f->layout->slices + (size_t)slice * f->layout->page_bytes;
}

static uint64_t start_of(const struct fixture *f)
{
    uint64_t span = SEGMENT + MIMALLOC_SLICE_BYTES;

    return f->layout->page_start ? span : span + 3 * BLOCK; /* as small blocks begin */
}

/* internal.h mi_ptr_encode */
static uint64_t encoded(const struct fixture *f, uint64_t link)
{
    const uint8_t *page = f->header + f->layout->slices + f->layout->page_bytes;
    uint64_t keys[2], turns;

    if (!f->layout->keys)
        return link;
    memcpy(keys, page + f->layout->keys, sizeof(keys));
    link = (link ? link : SEGMENT + (uint64_t)(page - f->header)) ^ keys[1];
    turns = keys[0] & 63;
    return (link << turns | link >> (-turns & 63)) + keys[0];
}

/* Blocks 5, 6 and 7 are on the first list, 20 on the second, 30 on the third. */
static void fill_lists(struct fixture *f, uint8_t *page)
{
    static const uint32_t heads[MIMALLOC_LISTS] = {5, 20, 30};

    for (size_t i = 0; i < MIMALLOC_LISTS; i++) {
        number(page + f->layout->lists[i],
               start_of(f) + (uint64_t)heads[i] * BLOCK + (i == 2), 8);
        number(f->blocks + heads[i] * BLOCK, encoded(f, 0), 8);
    }
    number(f->blocks + 5 * BLOCK, encoded(f, start_of(f) + 6 * BLOCK), 8);
    number(f->blocks + 6 * BLOCK, encoded(f, start_of(f) + 7 * BLOCK), 8);
    number(f->blocks + 7 * BLOCK, encoded(f, 0), 8);
}

static void fill(struct fixture *f, const struct mimalloc_layout *layout)
{
    uint8_t *page;

    memset(f, 0, sizeof(*f));
    f->layout = layout;
    number(f->header + layout->segment_size, MIMALLOC_SEGMENT_BYTES, 8);
    number(f->header + layout->segment_used, 1, 8);
    number(f->header + layout->segment_cookie, COOKIE ^ SEGMENT, 8);
    number(f->header + layout->segment_slices, MIMALLOC_SLICES, 8);
    number(f->header + layout->segment_slices + 8, 1, 8);
    number(f->header + layout->segment_entries, MIMALLOC_SLICES, 8);
    number(entry(f, 0), 1, 4);
    page = entry(f, 1);
    number(page, 1, 4);
    number(page + 10, CAPACITY, 2);
    number(page + 12, CAPACITY + 3, 2);
    number(page + layout->used, CAPACITY - 4, layout->used_bytes);
    number(page + layout->block_size, BLOCK, layout->block_size_bytes);
    if (layout->page_start)
        number(page + layout->page_start, start_of(f), 8);
    if (layout->keys) {
        number(page + layout->keys, UINT64_C(0xfeedfacecafe1237), 8);
        number(page + layout->keys + 8, UINT64_C(0x5555aaaa12345678), 8);
    }
    number(entry(f, 2), MIMALLOC_SLICES - 2, 4); /* the rest is free */
    fill_lists(f, page);
}

static bool parse(struct fixture *f, const struct mimalloc_layout *layout)
{
    return mimalloc_segment_parse(layout, f->header, SEGMENT, &f->segment, f->pages);
}

static void test_layouts(void **state)
{
    struct fixture *f = malloc(sizeof(*f));
    uint64_t found[MIMALLOC_BLOCKS_MOST / 64];

    (void)state;
    assert_non_null(f);
    for (size_t i = 0; i < MIMALLOC_LAYOUTS; i++) {
        fill(f, &mimalloc_layouts[i]);
        assert_true(parse(f, f->layout));
        assert_int_equal(f->segment.n_pages, 1);
        assert_true(f->segment.cookie == COOKIE);
        assert_true(f->pages[0].start == start_of(f));
        assert_int_equal(f->pages[0].capacity, CAPACITY);
        assert_true(f->pages[0].span >= SEGMENT + f->segment.info_bytes);
        assert_true(f->pages[0].start - f->pages[0].span < f->pages[0].span_bytes);
        assert_true(mimalloc_page_free(f->layout, &f->pages[0], f->blocks, found));
        assert_true(found[0] ==
                    (UINT64_C(7) << 5 | UINT64_C(1) << 20 | UINT64_C(1) << 30));
        for (size_t other = 0; other < MIMALLOC_LAYOUTS; other++)
            assert_int_equal(parse(f, &mimalloc_layouts[other]), other == i);
    }
    free(f);
}

/* What was changing while it was read does not agree with itself. */
static void test_torn(void **state)
{
    struct fixture *f = malloc(sizeof(*f));
    uint64_t found[MIMALLOC_BLOCKS_MOST / 64], start;

    (void)state;
    assert_non_null(f);
    fill(f, &mimalloc_layouts[2]);
    start = start_of(f);
    assert_true(parse(f, f->layout));
    f->pages[0].used++;
    assert_false(mimalloc_page_free(f->layout, &f->pages[0], f->blocks, found));
    f->pages[0].used--;
    number(f->blocks + 7 * BLOCK, start + 5 * BLOCK, 8); /* a ring */
    assert_false(mimalloc_page_free(f->layout, &f->pages[0], f->blocks, found));
    number(f->blocks + 7 * BLOCK, start + 8 * BLOCK + 8, 8); /* no block's start */
    assert_false(mimalloc_page_free(f->layout, &f->pages[0], f->blocks, found));
    number(f->blocks + 7 * BLOCK, start - BLOCK, 8); /* in front of the page */
    assert_false(mimalloc_page_free(f->layout, &f->pages[0], f->blocks, found));
    number(f->header + f->layout->segment_used, 2, 8); /* a page more than there is */
    assert_false(parse(f, f->layout));
    free(f);
}

/* Of any bytes: no page reaches out of its segment, no list out of its page. */
static void test_hostile(void **state)
{
    struct fixture *f = malloc(sizeof(*f));
    uint64_t found[MIMALLOC_BLOCKS_MOST / 64], seed = 7;

    (void)state;
    assert_non_null(f);
    for (int round = 0; round < 20000; round++) {
        fill(f, &mimalloc_layouts[round % MIMALLOC_LAYOUTS]);
        for (int i = 0; i < 4; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            f->header[(seed >> 40) % (f->layout->slices + 4u * f->layout->page_bytes)] =
                (uint8_t)(seed >> 33);
            f->blocks[(seed >> 20) % sizeof(f->blocks)] ^= (uint8_t)(seed >> 12);
        }
        if (!parse(f, f->layout))
            continue;
        for (uint32_t i = 0; i < f->segment.n_pages; i++) {
            const struct mimalloc_page *page = &f->pages[i];

            assert_true(page->start >= SEGMENT &&
                        page->start + page->capacity * page->block_bytes <=
                            SEGMENT + f->segment.bytes);
            if (page->capacity * page->block_bytes <= sizeof(f->blocks))
                mimalloc_page_free(f->layout, page, f->blocks, found);
        }
    }
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layouts),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
