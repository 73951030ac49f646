/*
 * thinning.h - which points of a full axis of time stay, so that it never grows and still
 * spans everything: the newest half as dense as they came, the older ones evenly spaced,
 * at twice the distance each time that they have no room. Pure.
 */
#ifndef HEAPTOP_MODEL_THINNING_H
#define HEAPTOP_MODEL_THINNING_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed at first. */
struct thinning {
    size_t n_old;    /* points that have been thinned: they stand first */
    uint64_t every;  /* of so many points one stays; 0 = 1 */
    uint64_t number; /* points that were looked at so far */
};

/* Of the `count` points (all of the axis) the indices of those that stay, rising; returns
 * how many. `kept` has room for `count`. */
size_t thinning_choose(struct thinning *thinning, size_t count, size_t *kept);

#endif
