/*
 * A reader over another one that keeps a few pages, for many small reads of neighbours: a
 * system call for each would be most of the time that they take. Of a read no page is
 * touched that it does not touch itself.
 */
#include "target/reader.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define PAGE_BYTES   UINT64_C(4096)
#define PAGES        64
#define STRAIGHT_MIN (2 * PAGE_BYTES) /* longer reads are no small ones */

struct recent_page {
    uint64_t address; /* odd: nothing is kept */
    uint64_t mark;    /* the last one when it was read */
    uint8_t *bytes;   /* NULL until the slot is used */
};

struct reader_pages {
    struct reader reader;
    struct reader *under;
    uint64_t mark;
    bool was_older;
    struct recent_page pages[PAGES]; /* each in its slot */
};

void reader_pages_forget(struct reader *reader)
{
    struct reader_pages *kept = (struct reader_pages *)reader;

    for (size_t i = 0; i < PAGES; i++)
        kept->pages[i].address = 1;
}

void reader_pages_mark(struct reader *reader)
{
    struct reader_pages *kept = (struct reader_pages *)reader;

    kept->mark++;
    kept->was_older = false;
}

bool reader_pages_was_older(const struct reader *reader)
{
    return ((const struct reader_pages *)reader)->was_older;
}

/* The page's bytes, or NULL when it cannot be read as a whole. */
static const uint8_t *page_at(void *state, uint64_t address)
{
    struct reader_pages *kept = state;
    struct recent_page *page = &kept->pages[address / PAGE_BYTES % PAGES];

    if (page->address == address) {
        kept->was_older |= page->mark != kept->mark;
        return page->bytes;
    }
    page->address = 1;
    if (!page->bytes)
        page->bytes = malloc(PAGE_BYTES);
    if (!page->bytes ||
        reader_read(kept->under, raddr_of(address), page->bytes, PAGE_BYTES))
        return NULL;
    page->address = address;
    page->mark = kept->mark;
    return page->bytes;
}

static int pages_read(struct reader *reader, struct raddr address, void *buffer,
                      size_t length)
{
    struct reader_pages *kept = (struct reader_pages *)reader;

    if (length >= STRAIGHT_MIN || length > UINT64_MAX - address.value)
        return reader_read(kept->under, address, buffer, length);
    return reader_by_pages(kept->under, page_at, kept, address, buffer, length);
}

static size_t pages_readv(struct reader *reader, struct piece *pieces, size_t count)
{
    return reader_readv(((struct reader_pages *)reader)->under, pieces, count);
}

static void pages_close(struct reader *reader)
{
    struct reader_pages *kept = (struct reader_pages *)reader;

    for (size_t i = 0; i < PAGES; i++)
        free(kept->pages[i].bytes);
    free(kept);
}

static const struct reader_ops pages_ops = {
    .name = "pages",
    .read = pages_read,
    .readv = pages_readv,
    .close = pages_close,
};

struct reader *reader_pages_new(struct reader *under)
{
    struct reader_pages *kept = xcalloc(1, sizeof(*kept));

    kept->reader.ops = &pages_ops;
    kept->under = under;
    reader_pages_forget(&kept->reader);
    return &kept->reader;
}
