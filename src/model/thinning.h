/*
 * thinning.h - which points of a full axis of time stay, so that it never grows and still
 * spans everything: the older, the sparser, so that each window has its share, whether it
 * is one of the last minutes or of all days. Pure.
 */
#ifndef HEAPTOP_MODEL_THINNING_H
#define HEAPTOP_MODEL_THINNING_H

#include <stddef.h>
#include <stdint.h>

/* Of `count` points, the oldest first, the indices of at most `most` that stay, rising;
 * returns how many. The oldest and the newest always stay. `kept` has room for `most`,
 * which is at least 2. */
size_t thinning_choose(const int64_t *times_ns, size_t count, size_t most, size_t *kept);

#endif
