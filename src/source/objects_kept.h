/*
 * objects_kept.h - what was found in each arena of a large heap, kept for the next walk.
 *
 * A refresh is a walk that reads again only arenas in which the header of a pool changed,
 * of which a quarter are looked at each time, and of the others some in turn; for the
 * rest it takes what was found before. A pool that is full before and after has the same
 * header whatever went on between, so what a refresh says is at most KEPT_TURNS refreshes
 * old; the walk's facts tell how old in seconds. Who owns what in other arenas is found
 * anew from all of it each time.
 *
 * The rows belong to the workers while arenas are scanned, each to one.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_KEPT_H
#define HEAPTOP_SOURCE_OBJECTS_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEPT_TURNS  32 /* each arena is read again at the latest then */
#define KEPT_PHASES 4  /* a header is looked at in every fourth refresh */

struct walk;
struct walk_worker;
struct arena_row;
struct kept_arena; /* objects_kept.c */

struct kept_arenas {
    bool is_wanted;            /* walk_set_refresh() */
    bool is_first;             /* nothing was kept before the walk that runs */
    uint64_t least_bytes;      /* of arenas: smaller heaps are walked whole */
    struct kept_arena *arenas; /* one for each row of the table; NULL: none */
    size_t count;
    uint64_t types_generation; /* whose numbers the tallies carry */
    uint64_t n_kept;           /* atomic: arenas not read in this walk */
    int64_t oldest_mono_ns;    /* when the oldest of these was read; after the walk */
};

/* When the table was read, before the workers: takes over what is still there. */
void walk_kept_begin(struct walk *walk);
void walk_kept_forget(struct walk *walk);
/* After the arenas: how old the oldest is. */
void walk_kept_end(struct walk *walk);

/* What was found before in the arena becomes the worker's; false when it must be read. */
bool walk_kept_use(struct walk_worker *worker, size_t row);

/* Around the scan of an arena: what is counted in between is kept. */
void walk_kept_open(struct walk_worker *worker);
bool walk_kept_close(struct walk_worker *worker, size_t row); /* false: nothing is */

#endif
