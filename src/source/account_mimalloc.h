/*
 * account_mimalloc.h - the part of RES that lies in Python's own mimalloc (PYTHONMALLOC=
 * mimalloc, free-threaded builds): each resident byte of each segment once.
 *
 * Reads what describes the pages, segment by segment. A page of mimalloc's counts as a
 * pool: where some of it is not in memory, its bytes are shared out as its blocks are.
 * What changes while it is read shows up as unexplained.
 *
 * Borrows everything but its map. One thread.
 */
#ifndef HEAPTOP_SOURCE_ACCOUNT_MIMALLOC_H
#define HEAPTOP_SOURCE_ACCOUNT_MIMALLOC_H

#include "heaptop/snapshot.h"
#include "source/mimalloc_map.h"
#include "target/maps.h"
#include "target/residency.h"

struct account_mimalloc {
    struct mimalloc_map map;
    struct pagemap pagemap;
    size_t next, next_page; /* the segment that is counted next, and its first page */
};

/* Finds the segments; without memory, or where there is none, the map is empty. */
void account_mimalloc_find(struct account_mimalloc *mimalloc, struct reader *reader,
                           int pagemap_fd, const struct maps *maps);

/* Adds the next segment to the parts; false when there is none. */
bool account_mimalloc_step(struct account_mimalloc *mimalloc, struct residency *residency,
                           struct account_bytes parts[ACCOUNT_PARTS]);

void account_mimalloc_release(struct account_mimalloc *mimalloc);

#endif
