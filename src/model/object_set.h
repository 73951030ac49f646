/*
 * object_set.h - which objects there were at a moment: compact, to ask later.
 *
 * For each object its place, its kind, and a few bits of evidence by which another object
 * of the same kind at the same place is told from it. About four bytes an object: a
 * bitmap for each pool, and for each object in it the kind by the pool's own short list.
 * Bounded: what is beyond OBJECT_SET_MAX_BYTES is left out, and is_full says so.
 *
 * Objects are added pool by pool, in each by rising block. Pure; one thread.
 */
#ifndef HEAPTOP_MODEL_OBJECT_SET_H
#define HEAPTOP_MODEL_OBJECT_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBJECT_SET_MAX_BYTES ((size_t)256 << 20)
#define OBJECT_SET_WORDS     16  /* of a pool's bitmap */
#define OBJECT_SET_KINDS     120 /* of one pool; objects of further ones are left out */

/* Where an object is. */
struct object_place {
    uint64_t address;
    uint64_t pool;  /* 0: by itself, in malloc */
    uint32_t block; /* its index in the pool */
};

/* What is remembered of it. */
struct object_trace {
    uint32_t kind;   /* its id */
    uint8_t content; /* a hash of what does not change, or seldom does */
    uint8_t next,
        previous; /* hashes of its neighbours on the collector's list; 0: none */
    bool is_old;  /* in the oldest generation */
};

struct set_pool;
struct set_far;

struct object_set {
    struct set_pool *pools;
    size_t n_pools, pools_capacity;
    struct set_far *far; /* sorted by object_set_end() */
    size_t n_far, far_capacity;
    uint8_t *traces; /* four bytes each */
    size_t n_traces, traces_capacity;
    uint32_t *kinds; /* the pools' lists */
    size_t n_kinds, kinds_capacity;
    size_t bytes; /* the price */
    uint64_t count;
    bool is_full;
};

void object_set_add(struct object_set *set, const struct object_place *place,
                    const struct object_trace *trace);
/* After the last one. */
void object_set_end(struct object_set *set);
/* False: no object was there. */
bool object_set_find(const struct object_set *set, const struct object_place *place,
                     struct object_trace *trace);
/* How many of each kind: counts[id], for ids below `n`. */
void object_set_count(const struct object_set *set, uint32_t *counts, size_t n);
void object_set_release(struct object_set *set);

#endif
