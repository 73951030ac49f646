/*
 * objects_walk.h - one walk over all pools of all arenas, in slices; without pymalloc,
 * over all chunks of glibc's malloc, or else along the garbage collector's lists.
 *
 * Arena by arena through one window that is used again; free blocks are left
 * out by following each pool's free list; what remains is classified by the
 * type that stands in it. What an object has elsewhere (keys tables) is read in
 * batches; objects too large for pymalloc are found along the garbage
 * collector's lists and among glibc's chunks.
 *
 * The walk borrows the reader and the layout while it is stepped. Everything
 * read is hostile. One thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_WALK_H
#define HEAPTOP_SOURCE_OBJECTS_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "layout/pymalloc_layout.h"
#include "source/arenas.h"
#include "source/objects_map.h"
#include "source/objects_types.h"
#include "target/pagemap.h"
#include "target/reader.h"

struct target;

/* ---- pools (objects_pool.c) ---- */

#define POOL_BLOCKS_MAX   1024
#define POOL_BITMAP_WORDS (POOL_BLOCKS_MAX / 64)

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
    uint64_t last; /* the one added last: neighbours repeat */
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
    uint64_t flag;     /* that chunks in use of this chain have */
    uint64_t boundary; /* an earlier chunk of this chain, to start from after a break */
    uint64_t counted;  /* chunks that begin before are counted */
    int restarts;      /* since the chain last went on */
};

/* ---- the walk ---- */

/* What gives the objects. */
enum walk_method {
    WALK_BY_ARENAS = 0, /* and, for large ones, the two others */
    WALK_BY_CHUNKS,     /* PYTHONMALLOC=malloc: every object is a chunk of glibc's */
    WALK_BY_LISTS,      /* another allocator: what the garbage collector tracks */
};

enum walk_stage {
    WALK_IDLE = 0,
    WALK_ARENAS,
    WALK_LARGE,
    WALK_CHUNKS,
    WALK_OVER,
};

struct walk {
    struct reader *reader;
    struct layout layout;
    struct types types;
    struct arena_table table;
    struct arena_map map;
    enum walk_method method;
    enum walk_stage stage;
    size_t next_arena;
    uint8_t *window;
    size_t window_capacity;
    uint64_t window_address, window_bytes; /* what the window holds now */
    uint64_t image_start, image_bytes; /* of a non-PIE python: no refcount lies there */
    struct later *later;
    struct large large;
    struct walk_chunks chunks;
    struct pagemap pagemap;
    bool has_absent;        /* the arena in the window has pages that are not in memory */
    uint64_t absent_bytes;  /* of heaps and arenas: not in memory, so not read */
    uint64_t absent_pools;  /* with pages swapped out: their objects are left out */
    uint64_t absent_chunks; /* places where a header is not in memory or not readable */
    uint64_t open_links;    /* of the collector's lists, that lead to no object */
    struct walk_facts facts;
    uint64_t read_bytes_before;
    uint64_t other_blocks, other_bytes, freelist_objects;
    uint64_t large_bytes; /* of the objects' memory, in malloc's chunks */
    uint64_t arenas_gone; /* could not be read at all: unmapped meanwhile */
    bool is_cut;          /* a bound was hit or a slot made no sense */
};

/* `layout` is copied; type_type = &PyType_Type. Call walk_release() in any case. */
void walk_init(struct walk *walk, struct reader *reader, const struct layout *layout,
               uint64_t type_type);
void walk_release(struct walk *walk);

/* Non-PIE interpreters map their statics low, where addresses pass for refcounts. */
void walk_set_image(struct walk *walk, uint64_t start, uint64_t end);
/* The same from the target's mappings. objects.c */
void walk_set_target_image(struct walk *walk, const struct target *target);

/* Which pages may be read without mapping them; -1, as at first: all. Borrowed. */
void walk_set_pagemap(struct walk *walk, int fd);

/* Where to look for chunks in the walk that begins next; copied. Without regions large
 * objects are found along the collector's lists only. */
void walk_set_regions(struct walk *walk, const struct walk_region *regions, size_t count);

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
const char *walk_method_name(enum walk_method method);

/* Classifies and counts the blocks of a pool. objects_scan.c */
void walk_scan_pool(struct walk *walk, const struct pool *pool, const uint8_t *bytes,
                    uint64_t address);

/* Is this the refcount word of a living object? */
static inline bool walk_is_alive(const struct walk *walk, uint64_t word)
{
    return !(word & walk->layout.object.refcnt_never) && (uint32_t)word &&
           word - walk->image_start >= walk->image_bytes;
}

/* The kind of the object in a block, or NULL: it is a part, or (is_free_listed) a dead
 * object that is kept for reuse. Nothing is counted. objects_scan.c */
const struct kind *walk_block_kind(struct walk *walk, uint32_t block_bytes,
                                   const uint8_t *block, uint64_t address,
                                   bool *is_free_listed);

/* The size of an object has a part elsewhere: from the window, else later. */
void walk_later(struct walk *walk, struct type_entry *entry,
                const struct size_more *more);
void walk_later_flush(struct walk *walk);

/* The cached keys of a class that was counted belong to its size. */
void walk_count_class(struct walk *walk, struct type_entry *entry, uint64_t address);

/* A GC head outside the arenas was met. */
void walk_large_add(struct walk *walk, uint64_t gc_head);
void walk_large_begin(struct walk *walk);
/* Seeds with the generations' heads and the classes; before the first step. */
void walk_large_seed(struct walk *walk);
/* Handles a batch; false when none is left. */
bool walk_large_step(struct walk *walk);
bool walk_large_has(const struct walk *walk, uint64_t gc_head);
void walk_large_release(struct walk *walk);

/* Looks at some chunks; false when none is left. */
bool walk_chunks_step(struct walk *walk);
void walk_chunks_release(struct walk *walk);

#endif
