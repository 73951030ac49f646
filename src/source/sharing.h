/*
 * sharing.h - compares the pages of a forked process with its parent's: what is still
 * shared, and by what the rest was unshared (model/sharing.h).
 *
 * pagemap says of each page whether one process alone maps it, to whoever may read the
 * file; so no page frames are needed, which only root sees. Of an inherited page that is
 * private now both copies are read and compared. Often they are alike: a collection
 * leaves the links as it found them, and who looks at an object takes its reference back.
 * Then the page was unshared by GC heads if the collector has heads on it and has run
 * since the fork; where that is not known, if nearly all pages with heads are private.
 * Else it was unshared by refcounts.
 *
 * Any thread that owns both targets; sleeps between pieces. Everything read is hostile.
 */
#ifndef HEAPTOP_SOURCE_SHARING_H
#define HEAPTOP_SOURCE_SHARING_H

#include <stdbool.h>

#include "heaptop/err.h"
#include "model/sharing.h"
#include "target/target.h"

/* -1: it is not known, and why; also when `is_unwanted` became true meanwhile, which
 * another thread may set. */
int sharing_compare(struct target *worker, struct target *parent,
                    enum has_collected has_collected, const bool *is_unwanted,
                    struct sharing *sharing, struct err *err);

#endif
