/*
 * objects_walk.h - one walk over all pools of all arenas, in slices; without pymalloc,
 * over all chunks of glibc's malloc or all pages of Python's own mimalloc, or else along
 * the garbage collector's lists.
 *
 * Arena by arena through windows that are used again, with several threads where there
 * are many; free blocks are left out by following each pool's free list; what remains is
 * classified by the type that stands in it. Objects too large for pymalloc are found
 * along the garbage collector's lists and among glibc's chunks. What an object has
 * elsewhere is noted as an edge (objects_edges.h) and charged to it at the end, when all
 * blocks are known (objects_owners.c).
 *
 * The walk borrows the reader and the layout while it is stepped. Everything read is
 * hostile. Called by one thread; its own threads live inside a walk_step().
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_WALK_H
#define HEAPTOP_SOURCE_OBJECTS_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "layout/free_list_layout.h"
#include "layout/layout.h"
#include "layout/malloc_layout.h"
#include "layout/pymalloc_layout.h"
#include "source/arenas.h"
#include "source/objects_ahead.h"
#include "source/objects_edges.h"
#include "source/objects_found.h"
#include "source/objects_kept.h"
#include "source/objects_follow.h"
#include "source/objects_map.h"
#include "source/objects_notes.h"
#include "source/objects_rest.h"
#include "source/objects_stretches.h"
#include "source/mimalloc_map.h"
#include "source/objects_types.h"
#include "target/pagemap.h"
#include "target/reader.h"
#include "util/address_set.h"

struct source_context;
struct target;

/* ---- pools (objects_pool.c) ---- */

enum pool_state {
    POOL_USED,
    POOL_EMPTY,
    POOL_TORN,    /* the counts do not agree: it was changing */
    POOL_FOREIGN, /* belongs to another arena by now */
};

struct pool {
    uint32_t block_bytes, n_carved, n_free;
    uint64_t free[POOL_BITMAP_WORDS]; /* valid when n_free > 0 */
};

/* Checks a pool's header and follows its free list. */
enum pool_state pool_read(struct pool *pool, const uint8_t *bytes, uint32_t pool_bytes,
                          uint64_t address, uint32_t arena_index);

/* ---- sizes to be completed (objects_later.c) ---- */

#define LATER_MAX    1024
#define LATER_MEMORY 1024

struct later_item {
    struct type_entry *entry;
    bool is_dict_of; /* belongs to the dicts of the type's instances */
    struct size_more more;
};

struct later_memory {
    uint64_t address, bytes;
    enum size_more_what what;
};

struct later {
    struct later_item items[LATER_MAX];
    size_t count;
    struct piece pieces[LATER_MAX];
    uint8_t bytes[LATER_MAX][SIZE_MORE_BYTES];
    struct later_memory memory[LATER_MEMORY]; /* answers that many objects share */
};

/* ---- addresses outside the arenas (objects_large.c) ---- */

struct large {
    uint64_t *slots; /* a set of GC heads, 0 = empty */
    uint64_t *queue; /* the same, in the order found */
    size_t n_slots, count, done;
    bool is_full;
};

/* ---- malloc's chunks (objects_chunks.c) ---- */

/* Memory in which glibc may have chunks. */
struct walk_region {
    uint64_t start, end;
    bool is_main_heap; /* "[heap]"; else anonymous */
};

enum chunks_state {
    CHUNKS_NEW_REGION = 0,
    CHUNKS_CHAIN,   /* one chunk behind the other */
    CHUNKS_MMAPPED, /* chunks of whole pages */
};

struct walk_chunks {
    struct walk_region *regions;
    size_t count, next;
    enum chunks_state state;
    uint64_t at, end;  /* of the region or chain under way */
    uint64_t until;    /* of the chain: what begins there is known, and as it was */
    uint64_t read_end; /* of the chain: nothing behind is read */
    uint64_t flag;     /* that chunks in use of this chain have */
    uint64_t boundary; /* an earlier chunk of this chain, to start from after a break */
    uint64_t counted;  /* chunks that begin before are counted */
    int restarts;      /* since the chain last went on */
    int strange_pages; /* that held no chunk, one behind the other */
    bool has_chain;    /* the main heap is glibc's */
    bool has_window;   /* the chain has just begun in the window that was read for that */
};

/* ---- what is in one (objects_chunk.c) ---- */

#define CHUNK_LOOK 352 /* bytes of user data that is looked at */

enum chunk_sort {
    CHUNK_OF_CHAIN,
    CHUNK_SMALL,         /* of a chain: an object in it was larger once */
    CHUNK_MMAPPED_ALONE, /* of whole pages */
    CHUNK_OF_MIMALLOC,   /* a block */
};

/* A chunk that is in use. */
struct walk_chunk {
    uint64_t user; /* where its user data begins */
    const uint8_t *bytes;
    size_t length; /* of bytes */
    uint64_t chunk_bytes, usable_bytes;
    enum chunk_sort sort;
};

/* ---- Python's own mimalloc (objects_mimalloc.c) ---- */

struct walk_mimalloc {
    struct mimalloc_map map;
    size_t next; /* page */
    uint64_t free_blocks[MIMALLOC_BLOCKS_MOST / 64];
};

/* ---- owners (objects_owners.c) and learning (objects_learn.c) ---- */

#define OWNERS_PARTS  2 /* phases: parts of anything but dicts, and */
#define OWNERS_LINKED 5 /* what learned parts lead to in turn */

/* Where the charging of parts stands. */
struct owners {
    int phase;
    size_t next;              /* atomic: whoever is ready takes the next piece */
    struct address_set links; /* blocks of chains that were met */
};

#define LEARN_SAMPLES 48 /* addresses kept of a type's instances */

struct type_samples {
    uint32_t count, at_most;
    uint64_t most; /* the greatest rank among them, that of number at_most */
    uint64_t addresses[LEARN_SAMPLES];
};

/* ---- the walk ---- */

/* What gives the objects. */
enum walk_method {
    WALK_BY_ARENAS = 0, /* and, for large ones, the two others */
    WALK_BY_CHUNKS,     /* PYTHONMALLOC=malloc: every object is a chunk of glibc's */
    WALK_BY_LISTS,      /* another allocator: what the garbage collector tracks */
    WALK_BY_MIMALLOC,   /* PYTHONMALLOC=mimalloc: every object is a block of a page */
};

enum walk_stage {
    WALK_IDLE = 0,
    WALK_ARENAS,  /* and what is known already of what lies outside them */
    WALK_OUTSIDE, /* on the collector's lists, in malloc's chunks, in mimalloc's pages */
    WALK_FOLLOW,
    WALK_OWNERS,
    WALK_LEARN,
    WALK_REST,
    WALK_OVER,
};

/* What one worker counted of the instances of a type. */
struct tally {
    uint64_t count, tracked, immortal, interned, size_bytes, memory_bytes;
    uint64_t parts_bytes;  /* of memory_bytes: parts */
    uint64_t malloc_bytes; /* of memory_bytes: in chunks of malloc */
    /* The dicts of the instances: objects of the kind "dict of ...". */
    uint64_t dict_count, dict_tracked, dict_size_bytes, dict_memory_bytes;
    uint64_t dict_malloc_bytes, dict_parts_bytes;
};

struct walk_counts {
    uint64_t absent_bytes;  /* of heaps and arenas: not in memory, so not read */
    uint64_t absent_pools;  /* with pages swapped out: their objects are left out */
    uint64_t absent_chunks; /* places where a header is not in memory or not readable */
    uint64_t used_pools, torn_pools, healed_pools;
    uint64_t used_blocks, used_bytes; /* in use, and looked at */
    uint64_t freelist_objects, freelist_bytes;
    uint64_t arenas_gone; /* could not be read at all: unmapped meanwhile */
    bool is_cut;          /* a bound was hit or a slot made no sense */
};

#define WALK_WORKERS_MAX 4
#define WALK_CACHE_LINES 128 /* two: the processor fetches them in pairs */

/* The instances that one worker met. */
struct walk_samples {
    struct type_samples **types; /* by number; NULL: none */
    size_t n_types;
};

struct walk_learning {
    bool is_due;         /* the walk that begins next is no refresh: it may learn */
    bool is_sampling;    /* in the walk that runs */
    bool has_learned;    /* the same */
    bool has_repeated;   /* this walk began again already */
    uint64_t walks;      /* without a lesson */
    uint64_t left_bytes; /* without an owner behind the last look without a lesson */
    struct walk_samples samples[WALK_WORKERS_MAX];
};

/* What one thread has for itself. */
struct walk_worker {
    struct walk *walk;
    uint32_t index;
    uint8_t *window; /* of a helper while it scans arenas; NULL: none */
    uint64_t window_address, window_bytes; /* what the window holds now */
    struct pagemap pagemap;
    bool is_in_arena;
    bool has_absent; /* the arena in the window has pages that are not in memory */
    struct later *later;
    struct tally *tallies; /* by the number of the type */
    size_t n_tallies;
    struct edges edges;
    struct note_pad *pad;
    struct stretch_finder finder;
    struct walk_counts counts;
    struct capture capture;              /* of the stretch under way (objects_found.h) */
    struct walk_counts counts_before;    /* it */
    uint64_t last_link;                  /* neighbours repeat */
    const struct type_entry *plain_dict; /* when one was met */
    uint8_t apart[WALK_CACHE_LINES];     /* from what the next worker reads and writes */
};

/* An object that a pass shows (objects_pass.h). */
struct met_object {
    struct type_entry *entry;
    struct object_view view; /* of a far one only the beginning */
    uint64_t block_bytes;    /* of its block, or of its chunk */
    bool is_tracked, is_in_malloc;
};

typedef void walk_visitor(void *with, const struct met_object *met);

struct walk {
    struct reader *reader; /* used by all workers at once */
    struct layout layout;
    struct types types;
    struct arena_table table;
    struct arena_map map;
    struct arena_notes notes;
    struct chunk_notes chunk_notes;
    enum walk_method method;
    enum walk_stage stage;
    size_t window_capacity;
    size_t n_workers;
    uint64_t image_start, image_bytes; /* of a non-PIE python: no refcount lies there */
    uint64_t statics_start, statics_bytes;         /* of any python: no part lies there */
    uint16_t keys_of_class[PYMALLOC_SIZE_CLASSES]; /* size of a table of keys there */
    struct large large;
    struct walk_chunks chunks;
    struct walk_ahead *ahead; /* NULL: one worker */
    struct walk_mimalloc mimalloc;
    struct kept_arenas kept;
    struct kept_stretches stretches;
    struct walk_follow follow;
    struct owners owners;
    struct walk_learning learning;
    struct walk_rest rest;
    uint64_t free_list_heads[FREE_LIST_PLACES_MOST]; /* of free_list_entries() */
    walk_visitor *visit; /* objects are shown to it, and not counted; NULL: counted */
    void *visit_with;
    bool is_seeded;       /* what the arenas led to is among the large ones */
    bool is_more_outside; /* than was looked at so far */
    uint64_t open_links;  /* of the collector's lists, that lead to no object */
    struct walk_facts facts;
    int64_t helpers_cpu_ns; /* of facts.cpu_ns */
    int64_t
        shared_cpu_ns; /* of facts.cpu_ns: by all workers, where they share the work */
    uint64_t read_bytes_before;
    uint64_t unowned_blocks, unowned_bytes;
    uint8_t apart[WALK_CACHE_LINES];
    size_t next_arena; /* atomic: whoever is ready takes the next */
    uint8_t apart_too[WALK_CACHE_LINES];
    struct walk_worker workers[WALK_WORKERS_MAX]; /* the first is the caller's own */
};

/* `layout` is copied; type_type = &PyType_Type. Call walk_release() in any case. */
void walk_init(struct walk *walk, struct reader *reader, const struct layout *layout,
               uint64_t type_type);
void walk_release(struct walk *walk);

/* Non-PIE interpreters map their statics low, where addresses pass for refcounts. */
void walk_set_image(struct walk *walk, uint64_t start, uint64_t end);
/* The same from the target's mappings. objects.c */
void walk_set_target_image(struct walk *walk, const struct target *target);

/* Can the objects be walked from outside? -1: err says why not. objects.c */
int walk_is_possible(const struct source_context *context, struct err *err);

/* How many threads may share the arenas, 1 .. WALK_WORKERS_MAX; the reader must bear it.
 * Before a walk begins. */
void walk_set_workers(struct walk *walk, size_t count);

/* Heaps of at least so many bytes of arenas are kept, and, where that is wanted, read
 * again only in part (objects_kept.h); 0, as at first: never. Before a walk begins. */
void walk_set_refresh(struct walk *walk, uint64_t least_bytes, bool is_wanted);

/* Which pages may be read without mapping them; -1, as at first: all. Borrowed. */
void walk_set_pagemap(struct walk *walk, int fd);

/* Where to look for chunks in the walk that begins next; copied. Without regions large
 * objects are found along the collector's lists only. */
void walk_set_regions(struct walk *walk, const struct walk_region *regions, size_t count);
/* The same from the target's mappings as they are now. objects.c */
void walk_set_target_regions(struct walk *walk, struct target *target);

/* Starts over; the types found before are kept. -1 when the arenas cannot be read. */
int walk_begin(struct walk *walk, struct err *err);

/* Goes on until done (true) or the deadline has passed (false); 0 = no deadline.
 * Each call gets something done. */
bool walk_step(struct walk *walk, int64_t deadline_mono_ns);

/* The result of a walk that is over; NULL when out of memory. One reference. */
const struct objects_section *walk_finish(struct walk *walk);

/* ---- between the files of the walk ---- */

/* Sets the method, and for other allocators than pymalloc the debug hooks' prefix, from
 * some of the objects that the collector tracks. objects_malloc.c */
int walk_choose_method(struct walk *walk, struct err *err);
const char *walk_method_name(enum walk_method method, bool follows);

/* The workers: their memory, and running one thing with all of them. objects_work.c */
int walk_workers_begin(struct walk *walk, struct err *err);
void walk_workers_release(struct walk *walk);
/* No window is needed any longer: until the next walk they are for others. */
void walk_windows_give(struct walk *walk);
/* Sums what the helpers counted into the first worker. */
void walk_workers_merge(struct walk *walk);
void walk_parallel(struct walk *walk,
                   void (*work)(struct walk_worker *worker, void *with), void *with);

/* All memory, shared by the workers until none is left (false) or the time is up.
 * objects_share.c */
bool walk_share(struct walk *walk, int64_t deadline_mono_ns);
/* Do several workers share it, so that some of it comes before its turn? */
bool walk_is_shared(const struct walk *walk);

/* The same, with helpers only where there are items enough. */
void walk_parallel_over(struct walk *walk, size_t items,
                        void (*work)(struct walk_worker *worker, void *with), void *with);

/* Reads and scans the next arena until none is left or the time is up; at least one.
 * objects_arena.c */
void walk_worker_arenas(struct walk_worker *worker, int64_t deadline_mono_ns);

/* Classifies and counts the blocks of a pool. objects_scan.c */
void walk_scan_pool(struct walk_worker *worker, const struct pool *pool,
                    const uint8_t *bytes, uint64_t address, uint32_t index);

void walk_tallies_grow(struct walk_worker *worker, uint32_t id);
/* The type is counted in the stretch under way. objects_found.c */
void walk_tally_touch(struct walk_worker *worker, uint32_t id);
void walk_tally_add(struct tally *to, const struct tally *from);
void walk_counts_add(struct walk_counts *to, const struct walk_counts *from);

/* The worker's counters of a type, by its number. Valid until the next call. */
static inline struct tally *tally_at(struct walk_worker *worker, uint32_t id)
{
    if (id >= worker->n_tallies)
        walk_tallies_grow(worker, id);
    if (worker->capture.is_on && !worker->capture.seen[id])
        walk_tally_touch(worker, id);
    return &worker->tallies[id];
}

static inline struct tally *tally_of(struct walk_worker *worker,
                                     const struct type_entry *entry)
{
    return tally_at(worker, entry->id);
}

/* Is this the refcount word of a living object? */
static inline bool walk_is_alive(const struct walk *walk, uint64_t word)
{
    return !(word & walk->layout.object.refcnt_never) && (uint32_t)word &&
           word - walk->image_start >= walk->image_bytes;
}

/* The type of the object in a block, or NULL: it is a part, or (is_free_listed) a dead
 * object that is kept for reuse. Nothing is counted. objects_scan.c */
struct type_entry *walk_block_type(struct walk *walk, uint32_t block_bytes,
                                   const uint8_t *block, uint64_t address,
                                   bool *is_free_listed);

/* Shows the objects of a pool to the visitor. objects_scan.c */
void walk_visit_pool(struct walk_worker *worker, const struct pool *pool,
                     const uint8_t *bytes, uint64_t address);

/* The size of an object has a part elsewhere: from the window, else later. */
void walk_later(struct walk_worker *worker, struct type_entry *entry, bool is_dict_of,
                const struct size_more *more);
/* The same of all that object_size() left to be added; a table of keys is sized when its
 * block is known. */
void walk_more(struct walk_worker *worker, struct type_entry *entry,
               const struct size_more more[SIZE_MORE_MAX]);
void walk_later_flush(struct walk_worker *worker);

/* Notes what an object has elsewhere. objects_parts.c */
void walk_parts(struct walk_worker *worker, const struct type_entry *entry,
                const struct object_view *view);
/* The part that begins there leads to more, at this place or (LINK_EVERY) at any. */
void walk_part_leads_on(struct walk_worker *worker, const struct type_entry *entry,
                        uint64_t address, uint32_t link_at);
/* The same of one part. */
void walk_part(struct walk_worker *worker, const struct type_entry *entry,
               uint64_t address, uint64_t bytes, enum edge_what what);
/* A plain dict that lies in a chunk. */
void walk_far_dict(struct walk_worker *worker, const struct object_view *view,
                   uint64_t chunk_bytes, bool is_tracked);
/* The record of a plain dict (objects_edges.h). */
uint64_t walk_dict_record(const struct walk *walk, const struct object_view *view,
                          bool is_tracked);

/* Counts an object that lies in a chunk or by itself, and what it has elsewhere. */
void walk_count_far(struct walk *walk, struct type_entry *entry,
                    const struct object_view *view, bool is_tracked, uint64_t bytes);

/* Charges what an arena that was just scanned has in itself. objects_local.c */
void walk_owners_local(struct walk_worker *worker, uint64_t first_pool,
                       size_t first_dict);

/* A dict that was counted as nobody's becomes one of the owner's instances'. */
void walk_dict_take(struct walk_worker *worker, const struct type_entry *dict,
                    uint32_t owner, uint64_t record, uint64_t block_bytes,
                    bool is_malloc);

/* Charges parts to their owners. objects_owners.c */
void walk_owners_init(struct walk *walk); /* before the arenas */
void walk_owners_begin(struct walk *walk);
bool walk_owners_step(struct walk *walk); /* false when all are charged */
void walk_owners_release(struct walk *walk);

/* Blocks of free lists that the scan cannot tell: the link of a free float stands where
 * its type was (3.8 - 3.13), and tables of keys are no objects. objects_free_lists.c */
typedef void walk_block_fn(void *context, uint64_t block);
void walk_disguised_blocks(struct walk *walk, walk_block_fn *visit, void *context);

/* Those that are nobody's part. */
void walk_claim_free_lists(struct walk *walk);

/* Before the arenas: may it learn? A refresh meets too few instances. objects_learn.c */
void walk_learn_begin(struct walk *walk, bool is_refresh);
/* Learns from samples which fields lead to parts. */
void walk_learn(struct walk *walk);
/* What is left is known: should the walk begin again with what it learned? */
bool walk_learn_end(struct walk *walk);
void walk_learn_sample(struct walk_worker *worker, const struct type_entry *entry,
                       uint64_t address);
/* What a block that was noted, and begins at the address, has room for; 0: there is none.
 * objects_learn.c */
uint64_t walk_part_room(struct walk *walk, uint64_t address);
void walk_learn_release(struct walk *walk);

/* The cached keys of a class that was counted belong to its size. */
void walk_count_class(struct walk *walk, struct type_entry *entry, uint64_t address);

/* A GC head outside the arenas was met. */
void walk_large_add(struct walk *walk, uint64_t gc_head);
void walk_large_begin(struct walk *walk);
/* Seeds with the generations' heads, the classes, and what the workers met. */
void walk_large_seed(struct walk *walk);
/* Handles a batch; false when none is left. */
bool walk_large_step(struct walk *walk);
bool walk_large_has(const struct walk *walk, uint64_t gc_head);
/* An object with this head was met elsewhere: true when it is to be counted there. */
bool walk_large_claim(struct walk *walk, uint64_t gc_head, const uint8_t *head);
/* Its neighbours on the lists; 0: in an arena, or none. */
void walk_large_links(const struct walk *walk, const uint8_t *head, uint64_t links[2]);
/* The GC head that was found as number `index` < large.count. */
uint64_t walk_large_head(const struct walk *walk, size_t index);
void walk_large_release(struct walk *walk);

/* The size of the malloc chunk whose user part starts at `block`, or an estimate when no
 * glibc header stands before it. is_exact: it is hardly larger than what is needed. */
uint64_t walk_chunk_bytes(struct walk *walk, uint64_t block, uint64_t need,
                          bool is_exact);

/* Counts the object in the chunk: true; or notes the chunk as a part, unless it is a
 * small one. The chunk is changed, not copied: that takes long, just written as it is.
 * objects_chunk.c */
bool walk_chunk_look(struct walk *walk, struct walk_chunk *chunk);
/* The chunk that was noted at the address. objects_chunk.c */
bool walk_chunk_find(struct walk_worker *worker, uint64_t address,
                     struct noted_chunk *chunk);

/* Every object has a chunk or block of its own. */
static inline bool walk_has_no_arenas(const struct walk *walk)
{
    return walk->method == WALK_BY_CHUNKS || walk->method == WALK_BY_MIMALLOC;
}

/* Of an object's chunk what its user data does not have. */
static inline uint32_t walk_chunk_overhead(const struct walk *walk)
{
    return walk->method == WALK_BY_MIMALLOC ? walk->mimalloc.map.layout->padding_bytes
                                            : CHUNK_OVERHEAD;
}

/* Tables with entries of 32 bytes: what a block with so much room has place for. */
static inline uint64_t walk_sized_room(const struct walk *walk, uint64_t room_bytes)
{
    uint32_t overhead = walk->layout.pymalloc.debug_prefix_bytes ? OBJECT_DEBUG_BYTES : 0;

    return (room_bytes - overhead) & ~UINT64_C(31);
}

/* The segments of mimalloc, when Python's objects are in them; false when none is there.
 * Before a walk begins; then it is begun, and stepped page by page. objects_mimalloc.c */
bool walk_mimalloc_find(struct walk *walk);
void walk_mimalloc_begin(struct walk *walk);
bool walk_mimalloc_step(struct walk *walk);
void walk_mimalloc_release(struct walk *walk);

/* Looks at some chunks; false when none is left. */
bool walk_chunks_step(struct walk *walk);
/* The chain is walked up to there, then more of it is known. */
void walk_chain_until(struct walk *walk, uint64_t until);
/* Bytes of the chain under way, or of the one that comes next, still to be looked at. */
uint64_t walk_chunks_left(const struct walk *walk);
void walk_chunks_release(struct walk *walk);

/* Time, price and what was left out, of a walk that is over. objects_rows.c */
void walk_end_facts(struct walk *walk);
/* The kind of the dicts of a type's instances. objects_rows.c */
const struct kind *walk_dict_kind(struct type_entry *entry);

/* One row a kind. objects_rows.c */
const struct objects_section *walk_section(struct walk *walk);

#endif
