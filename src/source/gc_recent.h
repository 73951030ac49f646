/*
 * gc_recent.h - which tracked objects are young, and which became old since a moment.
 *
 * The collector appends survivors at the end of the oldest generation's list, and never
 * moves an object back. So, as long as no full collection ran, what stands behind the
 * object that was the last one then came since. Lists are followed node by node: they
 * are bounded, and one that moves underfoot gives no answer.
 *
 * Sampler's thread; everything read is hostile.
 */
#ifndef HEAPTOP_SOURCE_GC_RECENT_H
#define HEAPTOP_SOURCE_GC_RECENT_H

#include "layout/layout.h"
#include "source/malloc_caches.h"
#include "target/reader.h"

#define GC_RECENT_MAX ((size_t)1 << 20)

/* Adds the GC heads of the generations 0 and 1; the set is sorted. False: not known. */
bool gc_young_read(struct chunk_set *young, struct reader *reader,
                   const struct layout *layout);

/* Adds those of the oldest generation behind `last`; sorts. False: not known. */
bool gc_promoted_read(struct chunk_set *recent, struct reader *reader,
                      const struct layout *layout, uint64_t last);

/* The last GC head of the oldest generation, 0 = not known. */
uint64_t gc_last_old(struct reader *reader, const struct layout *layout);

/* Collections of the oldest generation so far; -1: not known. */
int64_t gc_full_collections(struct reader *reader, const struct layout *layout);

#endif
