/*
 * objects_stretches.h - what was found in malloc's heaps, kept for the next walk.
 *
 * The chunks of a heap are walked window by window; what one window gave is a stretch. A
 * refresh looks at the headers of some chunks of each stretch, and at the types of the
 * objects in them, other ones each time, and walks anew the stretches in which one
 * changed, and of the others some in turn. Nothing else tells that a chunk is free by
 * now, or holds something else, so what a refresh says of a heap is at most KEPT_TURNS
 * refreshes old, as of arenas (objects_kept.h).
 *
 * While heaps are kept, chunks are walked before the collector's lists are followed: the
 * objects in them are counted with their stretch, and the lists pass them over.
 *
 * Everything read is hostile. Called by the first worker only.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_STRETCHES_H
#define HEAPTOP_SOURCE_OBJECTS_STRETCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRETCH_PHASES     4          /* a chunk is looked at in every fourth refresh */
#define STRETCH_LOOK_EVERY (64 << 10) /* bytes of a window, one chunk is looked at */
#define STRETCH_TURN_MOST  16         /* of a stretch, in one refresh */
#define STRETCH_UNIT_SHIFT 4          /* offsets are in units of 16 bytes */

struct walk;
struct found;

enum stretch_state {
    STRETCH_UNSEEN = 0,
    STRETCH_SAME, /* as it was */
    STRETCH_USED, /* and taken */
    STRETCH_GONE,
};

/* A chunk that is nobody's yet: offset and length in units. */
struct stretch_note {
    uint32_t at, units;
};

struct kept_stretch {
    uint64_t start, end, last; /* the last chunk begins there */
    uint64_t flag;             /* of the chain */
    enum stretch_state state;
    uint32_t age; /* refreshes since it was walked */
    int64_t read_mono_ns;
    struct found *found; /* NULL: not to be kept */
    uint32_t *heads;     /* GC heads: offsets in units, rising */
    uint64_t *links;     /* GC heads elsewhere, to which they lead */
    struct stretch_note *notes;
    uint32_t *looks; /* chunks to look at: offsets in units */
    uint32_t n_heads, n_links, n_notes, n_looks;
    uint32_t hint; /* the head that was asked for last */
    uint64_t hashes[STRETCH_PHASES];
};

static inline uint32_t stretch_unit(const struct kept_stretch *stretch, uint64_t address)
{
    return (uint32_t)((address - stretch->start) >> STRETCH_UNIT_SHIFT);
}

/* The one under way. */
struct stretch_pad {
    bool is_open, is_broken;
    uint64_t start;
    size_t n_looks;
    uint32_t looks[STRETCH_TURN_MOST * STRETCH_PHASES]; /* offsets of chunks in units */
    uint32_t looks_skip, looks_wait; /* one of so many is noted; so many until the next */
    uint64_t *heads, *links;         /* of the objects that the collector tracks */
    size_t n_heads, heads_capacity, n_links, links_capacity;
    size_t first_note; /* of walk->chunk_notes */
};

struct kept_stretches {
    bool is_on;                 /* in the walk that runs */
    bool is_first;              /* nothing was kept before it */
    bool is_sorted;             /* fresh ones */
    uint64_t chain_bytes;       /* of all chains, of the walk that runs, or ran last */
    uint64_t kept_bytes;        /* of stretches that were not walked anew */
    struct kept_stretch *known; /* of the walks before, by address */
    struct kept_stretch *fresh; /* of this one */
    size_t n_known, n_fresh, fresh_capacity;
    size_t hint; /* the known one that was asked for last */
    struct stretch_pad pad;
};

/* Before a walk: are heaps kept in it, and is what was found before of use? */
void walk_stretches_begin(struct walk *walk, bool is_on, bool is_known);
void walk_stretches_release(struct walk *walk);

/* When the first of what is told now was read; 0 = nothing was. */
int64_t walk_stretches_oldest(const struct walk *walk);

/* Takes what is kept of the stretch that begins where the chain stands, and moves the
 * chain behind it. False: it is to be walked, up to chunks.until, where the next one that
 * is as it was begins. */
bool walk_stretch_use(struct walk *walk);

/* Around one window of a chain. The stretch is not kept when it was broken, or when it
 * reaches to the end of the chain, where the top chunk is. */
void walk_stretch_open(struct walk *walk);
void walk_stretch_close(struct walk *walk);

/* A large chunk of it. objects_looks.c */
void walk_stretch_look(struct walk *walk, uint64_t chunk);
void walk_stretch_broke(struct walk *walk);

/* An object with this GC head is in it, and counted there. */
void walk_stretch_head(struct walk *walk, uint64_t gc_head, const uint8_t *head);

/* Was the object with this head counted with a stretch? After the chains. */
bool walk_stretches_have(struct walk *walk, uint64_t gc_head);

/* ---- what is looked at (objects_looks.c) ---- */

/* Keeps the chunks that were noted; false when there are none, or not all of their bytes
 * are in the window. */
bool stretch_looks_keep(struct walk *walk, struct kept_stretch *stretch);

/* Reads those again whose turn it is. What is not in memory, or cannot be read, is not
 * the same. */
bool stretch_looks_are_same(struct walk *walk, const struct kept_stretch *stretch);

#endif
