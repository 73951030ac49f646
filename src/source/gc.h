/*
 * gc.h - reads the collector's state from outside; the gc source's work without the
 * sampler around it, for tests and --selfcheck. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_GC_H
#define HEAPTOP_SOURCE_GC_H

#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "target/reader.h"

#define GC_LISTS 4 /* generations 0 - 2, then the permanent one */

/* Buffers for walking lists, and how long to leave the long ones alone. */
struct gc_lists;
struct gc_lists *gc_lists_new(void);

/* Fills enabled and generations of a zeroed section; frozen and the lengths of the
 * lists too, when they can be walked within `budget_ns`. `lists` may be NULL. */
int gc_read_section(struct gc_section *section, struct gc_lists *lists,
                    struct reader *reader, const struct layout *layout, int64_t budget_ns,
                    struct err *err);

#endif
