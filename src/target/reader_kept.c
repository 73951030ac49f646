/*
 * A reader over another one that keeps the pages it has read: for what does not change
 * while it is looked at, the code and the tables of images. Looking a name up is half
 * a dozen reads of a few bytes, and a system call for each would be most of an attach.
 *
 * Neighbours are read together, and all pages lie side by side in memory that the kernel
 * may give as one large page: a page that is touched for the first time costs more than
 * what is copied into it.
 */
#include "target/reader.h"

#include <string.h>
#include <sys/mman.h>

#include "target/maps.h"
#include "util/xalloc.h"

#define PAGE_BYTES   UINT64_C(4096)
#define GROUP_BYTES  (4 * PAGE_BYTES) /* neighbours */
#define PAGES_MAX    1024
#define SLOTS        2048 /* of the table that finds them */
#define ROOM_BYTES   (PAGES_MAX * PAGE_BYTES)
#define STRAIGHT_MIN (16 * PAGE_BYTES) /* longer reads are no small ones */

struct kept_page {
    uint64_t address;
    const uint8_t *bytes; /* NULL: nothing is kept here */
};

struct reader_kept {
    struct reader reader;
    struct reader *under;
    const struct maps *maps;
    struct kept_page pages[SLOTS];
    size_t room_used_bytes;
    uint8_t room[ROOM_BYTES] __attribute__((aligned(4096)));
};

/* Where the page stands in the table, or would. */
static struct kept_page *slot_of(struct reader_kept *kept, uint64_t address)
{
    size_t at = address / PAGE_BYTES % SLOTS;

    while (kept->pages[at].bytes && kept->pages[at].address != address)
        at = (at + 1) % SLOTS;
    return &kept->pages[at];
}

/* When there is no room left, all is given up. */
static bool read_pages(struct reader_kept *kept, uint64_t start, uint64_t end)
{
    uint8_t *bytes;

    if (end - start > ROOM_BYTES - kept->room_used_bytes) {
        memset(kept->pages, 0, sizeof(kept->pages));
        kept->room_used_bytes = 0;
    }
    bytes = kept->room + kept->room_used_bytes;
    if (reader_read(kept->under, raddr_of(start), bytes, end - start) != 0)
        return false;
    for (uint64_t page = start; page < end; page += PAGE_BYTES)
        *slot_of(kept, page) = (struct kept_page){page, bytes + (page - start)};
    kept->room_used_bytes += end - start;
    return true;
}

/* With its neighbours of the same mapping, for what else lies there may be something
 * that must not be touched; or alone. */
static bool read_around(struct reader_kept *kept, uint64_t address)
{
    const struct mapping *mapping =
        kept->maps ? maps_find(kept->maps, raddr_of(address)) : NULL;
    uint64_t start = address - address % GROUP_BYTES, end = start + GROUP_BYTES;

    if (mapping && (mapping->start | mapping->end) % PAGE_BYTES == 0) {
        start = start > mapping->start ? start : mapping->start;
        end = end < mapping->end ? end : mapping->end;
        if (read_pages(kept, start, end))
            return true;
    }
    return read_pages(kept, address, address + PAGE_BYTES);
}

/* The page's bytes, or NULL when it cannot be read as a whole. */
static const uint8_t *page_at(void *state, uint64_t address)
{
    struct reader_kept *kept = state;
    const struct kept_page *page = slot_of(kept, address);

    if (page->bytes)
        return page->bytes;
    if (!read_around(kept, address))
        return NULL;
    return slot_of(kept, address)->bytes;
}

static int kept_read(struct reader *reader, struct raddr address, void *buffer,
                     size_t length)
{
    struct reader_kept *kept = (struct reader_kept *)reader;

    if (length >= STRAIGHT_MIN || length > UINT64_MAX - address.value)
        return reader_read(kept->under, address, buffer, length);
    return reader_by_pages(kept->under, page_at, kept, address, buffer, length);
}

static void kept_close(struct reader *reader)
{
    munmap(reader, sizeof(struct reader_kept));
}

static const struct reader_ops kept_ops = {
    .name = "kept",
    .read = kept_read,
    .close = kept_close,
};

struct reader *reader_kept_new(struct reader *under, const struct maps *maps)
{
    struct reader_kept *kept = xmap_large(sizeof(*kept));

    kept->reader.ops = &kept_ops;
    kept->under = under;
    kept->maps = maps;
    return &kept->reader;
}
