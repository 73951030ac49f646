/*
 * sharing_page.h - what differs between two copies of one page: GC heads, refcounts, or
 * anything else. Part of the comparison of sharing.h.
 *
 * Nothing is known of blocks here: an object is recognized by the address of a type in
 * its second word, the same in both copies, and a refcount that can be one. Objects are
 * aligned to 16 bytes, in arenas and in malloc's chunks. Both copies are hostile.
 */
#ifndef HEAPTOP_SOURCE_SHARING_PAGE_H
#define HEAPTOP_SOURCE_SHARING_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/objects_types.h"
#include "target/pagemap.h"

/* What stands behind a page, if it is known: the object of a head at the page's end. */
#define PAGE_PAIR_MORE GC_HEAD_BYTES

struct page_pair {
    const uint8_t *worker, *parent;
    size_t length; /* a page, and PAGE_PAIR_MORE where what follows was read as well */
};

enum page_difference {
    PAGE_SAME,
    PAGE_HEADS,     /* GC heads, and nothing else */
    PAGE_REFCOUNTS, /* refcounts, perhaps heads too */
    PAGE_DATA,
};

enum page_difference page_compare(struct types *types, const struct page_pair *pair);

/* Does the parent's copy have the head of an object that the collector tracks? A full
 * collection writes to each of them, unless they are frozen. */
bool page_has_heads(struct types *types, const struct page_pair *pair);

#endif
