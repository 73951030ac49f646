/*
 * gc_lists.h - the lengths of the collector's lists, within a budget. Part of the gc
 * source. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_GC_LISTS_H
#define HEAPTOP_SOURCE_GC_LISTS_H

#include "source/gc.h"

/* What was kept of the target's pages is thrown away: call before each sample. */
void gc_lists_forget(struct gc_lists *lists);

/* Unknown when the list changes underfoot, is too long for the deadline (of this thread's
 * processor time: to be preempted takes nothing of it), or was so lately. `list` is 0 ..
 * GC_LISTS-1. */
struct reading gc_list_length(struct gc_lists *lists, struct reader *reader, int list,
                              uint64_t head, int64_t deadline_ns);

#endif
