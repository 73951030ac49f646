/*
 * A reader over another one that keeps the pages it has read: for what does not change
 * while it is looked at, the code and the tables of images. Looking a name up is half
 * a dozen reads of a few bytes, and a system call for each would be most of an attach.
 */
#include "target/reader.h"

#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

#define PAGE_BYTES   UINT64_C(4096)
#define PAGES_MAX    1024
#define STRAIGHT_MIN (16 * PAGE_BYTES) /* longer reads are no small ones */

struct kept_page {
    uint64_t address;
    uint8_t *bytes; /* NULL: nothing is kept here */
};

struct reader_kept {
    struct reader reader;
    struct reader *under;
    struct kept_page pages[PAGES_MAX];
};

/* The page's bytes, or NULL when it cannot be read as a whole. */
static const uint8_t *kept_page(struct reader_kept *kept, uint64_t address)
{
    struct kept_page *page = &kept->pages[address / PAGE_BYTES % PAGES_MAX];

    if (page->bytes && page->address == address)
        return page->bytes;
    if (!page->bytes)
        page->bytes = xcalloc(1, PAGE_BYTES);
    page->address = address;
    if (!reader_read(kept->under, raddr_of(address), page->bytes, PAGE_BYTES))
        return page->bytes;
    free(page->bytes);
    page->bytes = NULL;
    return NULL;
}

static int kept_read(struct reader *reader, struct raddr address, void *buffer,
                     size_t length)
{
    struct reader_kept *kept = (struct reader_kept *)reader;

    if (length >= STRAIGHT_MIN || length > UINT64_MAX - address.value)
        return reader_read(kept->under, address, buffer, length);
    while (length) {
        uint64_t inside = address.value % PAGE_BYTES;
        size_t step = length < PAGE_BYTES - inside ? length : PAGE_BYTES - inside;
        const uint8_t *page = kept_page(kept, address.value - inside);

        if (page)
            memcpy(buffer, page + inside, step);
        else if (reader_read(kept->under, address, buffer, step))
            return -1;
        buffer = (char *)buffer + step;
        address.value += step;
        length -= step;
    }
    return 0;
}

static void kept_close(struct reader *reader)
{
    struct reader_kept *kept = (struct reader_kept *)reader;

    for (size_t i = 0; i < PAGES_MAX; i++)
        free(kept->pages[i].bytes);
    free(kept);
}

static const struct reader_ops kept_ops = {
    .name = "kept",
    .read = kept_read,
    .close = kept_close,
};

struct reader *reader_kept_new(struct reader *under)
{
    struct reader_kept *kept = xcalloc(1, sizeof(*kept));

    kept->reader.ops = &kept_ops;
    kept->under = under;
    return &kept->reader;
}
