/*
 * How many objects are on the collector's lists. A list costs one dependent read an
 * object, so pages are kept for the length of one walk, and a list that did not fit
 * the budget is left alone for some samples.
 */
#include "source/gc_lists.h"

#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

#define PAGE_BYTES 4096
#define PAGES      64
#define WALK_LIMIT 200000 /* objects; more would not fit any budget */
#define SKIP_MOST  64     /* samples */

struct gc_lists {
    uint64_t addresses[PAGES]; /* page + 1; 0 = nothing kept */
    unsigned char pages[PAGES][PAGE_BYTES];
    uint32_t skip[GC_LISTS], patience[GC_LISTS];
};

struct gc_lists *gc_lists_new(void)
{
    return calloc(1, sizeof(struct gc_lists));
}

/* Both links of a node; false when it cannot be read or would cross a page. */
static bool node_read(struct gc_lists *lists, struct reader *reader, uint64_t node,
                      uint64_t links[2])
{
    uint64_t page = node / PAGE_BYTES, offset = node % PAGE_BYTES;
    size_t slot = (size_t)(page % PAGES);

    if (offset > PAGE_BYTES - 2 * sizeof(*links))
        return !reader_read(reader, raddr_of(node), links, 2 * sizeof(*links));
    if (lists->addresses[slot] != page + 1) {
        lists->addresses[slot] = 0;
        if (reader_read(reader, raddr_of(page * PAGE_BYTES), lists->pages[slot],
                        PAGE_BYTES))
            return false;
        lists->addresses[slot] = page + 1;
    }
    memcpy(links, lists->pages[slot] + offset, 2 * sizeof(*links));
    return true;
}

/* -1: not closed, changed underfoot; -2: over budget. */
static int64_t list_walk(struct gc_lists *lists, struct reader *reader, uint64_t head,
                         int64_t deadline_ns)
{
    uint64_t links[2], previous = head, node;
    int64_t length = 0;

    if (reader_read(reader, raddr_of(head), links, sizeof(links)))
        return -1;
    node = links[0] & GC_LINK_MASK;
    while (node != head) {
        if (!node_read(lists, reader, node, links) ||
            (links[1] & GC_LINK_MASK) != previous)
            return -1;
        if (++length == WALK_LIMIT ||
            (length % 64 == 0 && clock_thread_cpu_ns() > deadline_ns))
            return -2;
        previous = node;
        node = links[0] & GC_LINK_MASK;
    }
    return length;
}

struct reading gc_list_length(struct gc_lists *lists, struct reader *reader, int list,
                              uint64_t head, int64_t deadline_ns)
{
    int64_t length;

    if (lists->skip[list]) {
        lists->skip[list]--;
        return reading_unknown();
    }
    length = list_walk(lists, reader, head, deadline_ns);
    if (length >= 0) {
        lists->patience[list] = 0;
        return reading_exact(length);
    }
    if (length == -2) {
        uint32_t longer = lists->patience[list] ? lists->patience[list] * 2 : 1;

        lists->patience[list] = longer < SKIP_MOST ? longer : SKIP_MOST;
        lists->skip[list] = lists->patience[list];
    }
    return reading_unknown();
}

void gc_lists_forget(struct gc_lists *lists)
{
    memset(lists->addresses, 0, sizeof(lists->addresses));
}
