#include "source/objects_walk.h"

#include <string.h>

#include "util/bytes.h"

/*
 * The hot loop: about ten nanoseconds a block. Blocks of one pool are mostly of
 * a few types, so the types met last in this pool are tried first; only what
 * fits none of them is classified.
 */
#define RECENT_TYPES 4

/* What is known while one pool is scanned. */
struct pool_scan {
    struct walk *walk;
    uint32_t block_bytes;
    uint32_t debug_prefix;
    struct type_entry *recent[RECENT_TYPES]; /* never NULL up to n_recent */
    uint32_t n_recent, next_recent;
};

enum block_is {
    BLOCK_OTHER,
    BLOCK_OBJECT,
    BLOCK_FREE_LISTED,
};

static inline struct object_view block_view(const struct pool_scan *scan,
                                            const struct type_entry *entry,
                                            const uint8_t *block, uint64_t address)
{
    uint32_t at = scan->debug_prefix + entry->shape.prefix;

    return (struct object_view){block + at, scan->block_bytes - at, address + at};
}

/* A link of a GC list; one that leaves the arenas leads to a large object. */
static inline void scan_link(struct walk *walk, uint64_t link)
{
    link &= GC_LINK_MASK;
    if (link - walk->window_address < walk->window_bytes ||
        arena_map_has(&walk->map, link) || link == walk->large.last)
        return;
    walk_large_add(walk, link);
}

static inline void scan_gc_head(struct walk *walk, struct type_entry *entry,
                                const uint8_t *object)
{
    uint64_t next = u64_at(object - GC_HEAD_BYTES, 0);
    uint64_t previous = u64_at(object - GC_HEAD_BYTES, 8);

    if (!next)
        return;
    entry->tracked++;
    scan_link(walk, next);
    if (!(previous & GC_PREV_COLLECTING))
        scan_link(walk, previous);
}

static inline void scan_count(struct pool_scan *scan, struct type_entry *entry,
                              const uint8_t *block, uint64_t address)
{
    struct object_view view = block_view(scan, entry, block, address);
    struct size_more more;

    entry->count++;
    entry->memory_bytes += scan->block_bytes;
    if (entry->shape.has_gc_head)
        scan_gc_head(scan->walk, entry, view.bytes);
    if (entry->size_is_constant) {
        entry->size_bytes += entry->constant_size;
        return;
    }
    entry->size_bytes +=
        object_size(&scan->walk->layout.object, &entry->shape, &view, &more);
    if (more.what != MORE_NOTHING)
        walk_later(scan->walk, entry, &more);
}

/*
 * What precedes an object begins with a link or 0, never with what passes for a
 * refcount: else the type may be an item of another object, as in the tuple
 * (Class, object), whose length then passes for the refcount.
 */
static inline bool may_begin_earlier(const struct pool_scan *scan,
                                     const struct type_entry *entry, const uint8_t *block)
{
    uint32_t prefix = entry->shape.prefix;

    return prefix &&
           walk_is_alive(scan->walk, u64_at(block, scan->debug_prefix + prefix - 16));
}

/* The type among the recent ones that the block is an object of, or NULL. */
static inline struct type_entry *scan_recent(const struct pool_scan *scan,
                                             const uint8_t *block, uint64_t address)
{
    for (uint32_t i = 0; i < scan->n_recent; i++) {
        struct type_entry *entry = scan->recent[i];
        struct object_view view;

        if (u64_at(block, entry->type_at) != entry->address ||
            !walk_is_alive(scan->walk, u64_at(block, entry->type_at - 8)) ||
            may_begin_earlier(scan, entry, block))
            continue;
        if (entry->fits_is_constant)
            return entry;
        view = block_view(scan, entry, block, address);
        if (object_fits(&scan->walk->layout.object, &entry->shape, &view,
                        scan->block_bytes))
            return entry;
    }
    return NULL;
}

static void scan_remember(struct pool_scan *scan, struct type_entry *entry)
{
    for (uint32_t i = 0; i < scan->n_recent; i++) {
        if (scan->recent[i] == entry)
            return;
    }
    scan->recent[scan->next_recent] = entry;
    scan->next_recent = (scan->next_recent + 1) % RECENT_TYPES;
    if (scan->n_recent < RECENT_TYPES)
        scan->n_recent++;
}

/* Under debug hooks a block says who asked for it: 'o' is PyObject_Malloc. */
static bool is_object_memory(const struct pool_scan *scan, const uint8_t *block)
{
    return !scan->debug_prefix || (scan->block_bytes > 16 && block[8] == 'o');
}

/* Dead objects that are kept for reuse: refcount 0, or from 3.14 on the link to the
 * next one in its place. */
static bool is_dead_refcount(const struct walk *walk, uint64_t word)
{
    return !word || (walk->layout.object.minor >= 14 && !(word & 15) &&
                     arena_map_has(&walk->map, word));
}

/* An object lies 0, 16 or 32 bytes deep in its block (object_prefix_bytes()), and its
 * type says which: the strongest check there is. */
static enum block_is scan_classify(struct pool_scan *scan, const uint8_t *block,
                                   uint64_t address, struct type_entry **found)
{
    struct walk *walk = scan->walk;

    for (uint32_t prefix = 0; prefix <= OBJECT_PREFIX_MAX; prefix += 16) {
        uint32_t at = scan->debug_prefix + prefix;
        struct type_entry *entry;
        struct object_view view;
        uint64_t word, type;
        bool is_alive;

        if (at + 16 > scan->block_bytes)
            break;
        word = u64_at(block, at);
        is_alive = walk_is_alive(walk, word);
        if (!is_alive && !is_dead_refcount(walk, word))
            continue;
        type = u64_at(block, at + 8);
        if (type < 4096 || type & 7)
            continue;
        entry = types_get(&walk->types, type);
        if (!entry || entry->shape.prefix != prefix)
            continue;
        view = block_view(scan, entry, block, address);
        if (!object_fits(&walk->layout.object, &entry->shape, &view, scan->block_bytes))
            continue;
        *found = entry;
        return is_alive ? BLOCK_OBJECT : BLOCK_FREE_LISTED;
    }
    return BLOCK_OTHER;
}

static void scan_block_slowly(struct pool_scan *scan, const uint8_t *block,
                              uint64_t address)
{
    struct type_entry *entry = NULL;
    enum block_is what = is_object_memory(scan, block)
                             ? scan_classify(scan, block, address, &entry)
                             : BLOCK_OTHER;

    if (what == BLOCK_OBJECT) {
        scan_remember(scan, entry);
        scan_count(scan, entry, block, address);
        return;
    }
    if (what == BLOCK_FREE_LISTED) {
        scan->walk->freelist_objects++;
        return;
    }
    scan->walk->other_blocks++;
    scan->walk->other_bytes += scan->block_bytes;
}

void walk_scan_pool(struct walk *walk, const struct pool *pool, const uint8_t *bytes,
                    uint64_t address)
{
    struct pool_scan scan = {.walk = walk,
                             .block_bytes = pool->block_bytes,
                             .debug_prefix = walk->layout.pymalloc.debug_prefix_bytes};
    const uint8_t *block = bytes + POOL_HEADER_BYTES;

    address += POOL_HEADER_BYTES;
    for (uint32_t i = 0; i < pool->n_carved;
         i++, block += pool->block_bytes, address += pool->block_bytes) {
        struct type_entry *entry;

        if (pool->n_free && pool->free[i / 64] >> i % 64 & 1)
            continue;
        entry = scan_recent(&scan, block, address);
        if (entry)
            scan_count(&scan, entry, block, address);
        else
            scan_block_slowly(&scan, block, address);
    }
}

const struct kind *walk_block_kind(struct walk *walk, uint32_t block_bytes,
                                   const uint8_t *block, uint64_t address,
                                   bool *is_free_listed)
{
    struct pool_scan scan = {.walk = walk,
                             .block_bytes = block_bytes,
                             .debug_prefix = walk->layout.pymalloc.debug_prefix_bytes};
    struct type_entry *entry = NULL;
    enum block_is what = is_object_memory(&scan, block)
                             ? scan_classify(&scan, block, address, &entry)
                             : BLOCK_OTHER;

    *is_free_listed = what == BLOCK_FREE_LISTED;
    return what == BLOCK_OBJECT ? entry->kind : NULL;
}
