/*
 * objects_found.h - what a worker finds in a stretch of memory, apart from all the rest,
 * so that it can be kept, and be the worker's again in another walk.
 *
 * Between walk_found_open() and walk_found_close() all that the worker counts and notes
 * is of that stretch. The numbers of types are those of the walk: what was found is of
 * use as long as their generation is the same.
 *
 * A stretch belongs to the worker that opened it; what was found may be used by another
 * one.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_FOUND_H
#define HEAPTOP_SOURCE_OBJECTS_FOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct walk_worker;
struct tally;
struct found; /* objects_found.c */

/* What a worker counts of a stretch; the totals wait here meanwhile. */
struct capture {
    bool is_on;
    struct tally *tallies; /* the other ones */
    size_t n_tallies;
    uint8_t *seen; /* by number of a type: it is among the touched ones */
    size_t n_seen;
    uint32_t *touched;
    size_t n_touched, touched_capacity;
    /* That were there before. */
    size_t n_near, n_dicts, n_far, n_far_dicts, n_chains, n_linked, n_links;
};

/* Sizes that are to be completed must be none. */
void walk_found_open(struct walk_worker *worker);

/* Completes sizes, and adds what was found to the totals. A copy of it, or NULL when it
 * is not wanted, or there is no room; ends with walk_found_release(). */
struct found *walk_found_close(struct walk_worker *worker, bool is_wanted);

/* It is kept, and outlives the walk: what the worker noted of it is borrowed. */
void walk_found_settle(struct walk_worker *worker, const struct found *found);

/* Counts and notes it once more; it outlives the walk. */
void walk_found_use(struct walk_worker *worker, const struct found *found);
void walk_found_release(struct found *found);

void walk_found_release_worker(struct walk_worker *worker);

#endif
