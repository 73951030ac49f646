/*
 * sharing.h - what a forked process still shares with its parent, and why the rest is
 * shared no more.
 *
 * What the parent had at the fork is *inherited*: both have the same pages, until one of
 * them writes to a page, which is then *unshared*: the kernel gives the writer a copy. A
 * page is unshared by GC heads when collections alone wrote to it: those pages would have
 * stayed shared, had the parent called gc.freeze() before it forked. Pure; any thread.
 */
#ifndef HEAPTOP_MODEL_SHARING_H
#define HEAPTOP_MODEL_SHARING_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/reading.h"
#include "heaptop/snapshot.h"

/* Of several causes that one page has the last one counts: it would have done alone. */
enum unshared_by {
    UNSHARED_GC_HEADS = 0, /* the collector's links and counts */
    UNSHARED_REFCOUNTS,    /* objects that were only looked at */
    UNSHARED_NEW_DATA,     /* whatever else differs from the parent's page */
    UNSHARED_UNKNOWN,      /* the page could not be read, or is swapped out */
    UNSHARED_CAUSES,
};

/* Has the collector written to all heads of the process since the fork? */
enum has_collected {
    HAS_COLLECTED_UNKNOWN = 0,
    HAS_COLLECTED,
    HAS_NOT_COLLECTED,
};

/* By the number of full collections, which a fork inherits. */
enum has_collected sharing_has_collected(const struct gc_section *worker,
                                         const struct gc_section *parent);

/* Bytes of whole pages. Without wall_ns nothing is known. */
struct sharing {
    int64_t wall_ns; /* when the pages were compared */
    pid_t parent;
    int64_t shared_bytes; /* inherited, and still shared */
    int64_t unshared_bytes[UNSHARED_CAUSES];
    int64_t own_bytes; /* private, in places where the parent has nothing */
    int64_t cpu_ns;    /* the price */
    uint64_t read_bytes;
};

/* Unknown when nothing was compared. */
struct reading sharing_shared(const struct sharing *sharing);
struct reading sharing_unshared(const struct sharing *sharing);
struct reading sharing_own(const struct sharing *sharing);
/* An estimate where some pages could not be read. */
struct reading sharing_unshared_by(const struct sharing *sharing, enum unshared_by cause);
/* What gc.freeze() before the fork would have kept shared, at most: of a page to which
 * collections wrote it cannot be seen that an object on it was looked at as well. */
struct reading sharing_freeze(const struct sharing *sharing);

/* Adds bytes to bytes; the sum is as old as the oldest. */
void sharing_add(struct sharing *sum, const struct sharing *sharing);

/* "4243 copied 70.0M of 132.0M inherited: 68.0M by GC heads, ..."; "" = nothing is known.
 * `who` is who did. */
void sharing_words(const struct sharing *sharing, const char *who, char *text,
                   size_t size);

const char *unshared_by_name(enum unshared_by cause); /* "gc_heads" "refcounts" ... */

#endif
