/*
 * objects_stretches.h - what was found in malloc's heaps, kept for the next walk.
 *
 * The chunks of a heap are walked window by window; what one window gave is a stretch: in
 * 2 bytes each the heads of the objects in it that the collector tracks, in 4 the chunks
 * that may be somebody's part. Most of these belong to an object of the same stretch, and
 * are charged at its end (objects_stretch_local.c). Where heaps are kept, all that was
 * found is. A page of Python's own mimalloc is a stretch, too.
 *
 * A refresh looks at the headers of some chunks of each stretch, and at the types of the
 * objects in them, other ones each time, and walks anew the stretches in which one
 * changed, and of the others some in turn. Nothing else tells that a chunk is free by
 * now, or holds something else, so what a refresh says of a heap is at most KEPT_TURNS
 * refreshes old, as of arenas (objects_kept.h). A page of mimalloc is walked anew when
 * what its segment says of it changed, and in its turn.
 *
 * Chunks are walked before the collector's lists are followed: the objects in them are
 * counted with their stretch, and the lists pass them over.
 *
 * Everything read is hostile. Called by the first worker only.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_STRETCHES_H
#define HEAPTOP_SOURCE_OBJECTS_STRETCHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRETCH_PHASES     4          /* a chunk is looked at in every fourth refresh */
#define STRETCH_LOOK_EVERY (96 << 10) /* bytes of a window, one chunk is looked at */
#define STRETCH_LOOK_SMALL (16 << 10) /* the same where all objects are chunks */
#define STRETCH_TURN_MOST  64         /* of a stretch, in one refresh */
#define STRETCH_UNIT_SHIFT 4          /* offsets in a chain are in units of 16 bytes */
#define STRETCH_WORDS      1024       /* with a bit for each unit */
#define STRETCH_IS_PAGE    (UINT64_C(1) << 63)

struct walk;
struct walk_worker;
struct found;
struct noted_chunk;
struct mimalloc_page;

enum stretch_state {
    STRETCH_UNSEEN = 0,
    STRETCH_SAME, /* as it was */
    STRETCH_USED, /* and taken */
    STRETCH_GONE,
};

/* A chunk that is nobody's yet: offset and length in units; length 0: it is the last one,
 * and long. */
struct stretch_note {
    uint16_t at, units;
};

/* A plain dict that is a chunk: offset and length in units. Its record (objects_edges.h)
 * has the same index. */
struct stretch_dict {
    uint16_t at, units;
};

struct kept_stretch {
    uint64_t start, end, last; /* the last chunk begins there */
    uint64_t flag;             /* of the chain; STRETCH_IS_PAGE: none */
    enum stretch_state state;
    uint32_t age; /* refreshes since it was walked */
    int64_t read_mono_ns;
    unsigned unit_shift;        /* log2 of the bytes of a unit */
    struct found *found;        /* NULL: not to be kept */
    uint16_t *heads;            /* GC heads: offsets in units, rising */
    uint64_t *links;            /* GC heads elsewhere, to which they lead */
    struct stretch_note *notes; /* rising */
    uint64_t *claims;    /* a bit for each note, and, where it is kept, once more */
    uint64_t long_bytes; /* of the last note's chunk, where its units are 0 */
    struct stretch_dict *dicts; /* rising */
    uint64_t *records;          /* of the dicts */
    uint64_t *owned; /* a bit for each dict: its owner is in the stretch, too */
    uint16_t *looks; /* chunks to look at: offsets in units */
    uint32_t n_heads, n_links, n_notes, n_dicts, n_looks;
    uint64_t hashes[STRETCH_PHASES]; /* of looks; of a page the first, of its header */
};

/* The number of the dict that begins at the unit, tried from *hint on; count: none does.
 * objects_stretch_find.c */
uint32_t stretch_dict_number(const struct stretch_dict *dicts, uint32_t count,
                             uint64_t unit, uint32_t *hint);

/* Words for a bit of each of so many items. */
static inline size_t stretch_bit_words(size_t count)
{
    return (count + 63) / 64;
}

/* The one under way. */
struct stretch_pad {
    bool is_open, is_broken; /* something of it was noted elsewhere, or is not known */
    unsigned unit_shift;
    uint64_t start;
    size_t n_looks;
    uint16_t looks[STRETCH_TURN_MOST * STRETCH_PHASES]; /* offsets of chunks in units */
    uint32_t looks_skip, looks_wait; /* one of so many is noted; so many until the next */
    uint16_t *heads;                 /* of the objects that the collector tracks */
    uint64_t *links;
    struct stretch_note *notes;
    uint64_t long_bytes;
    size_t n_heads, heads_capacity, n_links, links_capacity, n_notes, notes_capacity;
    size_t first_far, first_link;   /* of the worker's edges */
    uint64_t claims[STRETCH_WORDS]; /* a bit for each note */
    struct stretch_dict *dicts;
    uint64_t *records;
    size_t n_dicts, dicts_capacity, records_capacity;
    uint64_t owned[STRETCH_WORDS]; /* a bit for each dict */
    /* Once all chunks are noted: where notes begin, and how many do before each word. */
    uint64_t begins[STRETCH_WORDS];
    uint16_t before[STRETCH_WORDS];
    size_t n_words;
};

/* The offset in units; false when it is too far from the beginning. */
static inline bool stretch_pad_unit(const struct stretch_pad *pad, uint64_t address,
                                    uint16_t *unit)
{
    uint64_t offset = address - pad->start, units = offset >> pad->unit_shift;

    *unit = (uint16_t)units;
    return units <= UINT16_MAX && offset == units << pad->unit_shift;
}

struct kept_stretches {
    bool is_on;                 /* in the walk that runs */
    bool is_kept;               /* and for the next one */
    bool is_first;              /* nothing was kept before it */
    bool is_sorted;             /* fresh ones */
    uint64_t chain_bytes;       /* of all chains, of the walk that runs, or ran last */
    uint64_t kept_bytes;        /* of stretches that were not walked anew */
    struct kept_stretch *known; /* of the walks before, by address */
    struct kept_stretch *fresh; /* of this one */
    size_t n_known, n_fresh, fresh_capacity;
    struct stretch_pad pad;
};

/* Where a worker found what it asked for last; zeros at first. */
struct stretch_finder {
    size_t known, fresh;
    uint32_t head, note, dict;
    size_t chunk; /* of walk->chunk_notes */
};

/* Before a walk: are stretches kept in it, and is what was found before of use? */
void walk_stretches_begin(struct walk *walk, bool is_kept, bool is_known);
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

/* The same of a page of mimalloc, of which this is the header: takes what is kept; false:
 * it is to be walked. Around that, is_good: it was read at once, whole. */
bool walk_stretch_use_page(struct walk *walk, const struct mimalloc_page *page);
void walk_stretch_open_page(struct walk *walk, const struct mimalloc_page *page);
void walk_stretch_close_page(struct walk *walk, const struct mimalloc_page *page,
                             bool is_good);

/* A large chunk of it. objects_looks.c */
void walk_stretch_look(struct walk *walk, uint64_t chunk);
void walk_stretch_broke(struct walk *walk);

/* An object with this GC head is in it, and is to be counted there. False: no stretch is
 * under way, or the head is too far from its beginning. */
bool walk_stretch_head(struct walk *walk, uint64_t gc_head, const uint8_t *head);
/* A chunk in it may be somebody's part; false as above. */
bool walk_stretch_note(struct walk *walk, uint64_t user, uint64_t bytes);
/* A plain dict is in it; false as above. */
bool walk_stretch_dict(struct walk *walk, uint64_t address, uint64_t bytes,
                       uint64_t record);
/* Charges the parts that lie in the same stretch as their owners; the edges that lead to
 * them go. objects_stretch_local.c */
void walk_stretch_local(struct walk *walk);

/* Behind its last block, and what its header says. objects_stretches.c */
uint64_t stretch_page_end(const struct mimalloc_page *page);
uint64_t stretch_page_hash(const struct mimalloc_page *page);

/* ---- after the chains (objects_stretch_find.c) ---- */

/* By address, as qsort() takes it. objects_stretches.c */
int stretch_compare(const void *left, const void *right);

/* The first that begins at `at` or behind it. objects_stretches.c */
size_t stretches_from(const struct kept_stretch *stretches, size_t count, uint64_t at);

/* Before several workers ask. */
void walk_stretches_sort(struct walk *walk);

/* Was the object with this head counted with a stretch? The first worker asks. */
bool walk_stretches_have(struct walk *walk, uint64_t gc_head);

/* The noted chunk of a stretch that the address lies in. */
bool walk_stretches_find(struct walk_worker *worker, uint64_t address,
                         struct noted_chunk *chunk);

/* The record of the plain dict at the address, and the bytes of its chunk; NULL: no
 * stretch has one there. The first worker asks. */
uint64_t *walk_stretches_dict(struct walk *walk, uint64_t address, uint64_t *bytes);
/* All records, stretch by stretch: those of number `index`; false behind the last. */
bool walk_stretches_records(const struct walk *walk, size_t index,
                            const uint64_t **records, size_t *count);
/* How many there are. */
size_t walk_stretches_count_dicts(const struct walk *walk);

/* ---- what is looked at (objects_looks.c) ---- */

/* Keeps the chunks that were noted; false when there are none, or not all of their bytes
 * are in the window. */
bool stretch_looks_keep(struct walk *walk, struct kept_stretch *stretch);

/* Reads those again whose turn it is. What is not in memory, or cannot be read, is not
 * the same. */
bool stretch_looks_are_same(struct walk *walk, const struct kept_stretch *stretch);

#endif
