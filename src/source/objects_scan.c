#include "source/objects_walk.h"

#include <string.h>

#include "util/bytes.h"

/*
 * The hot loop: a few nanoseconds a block. Blocks of one pool are mostly of a few
 * types, so the types met last in this pool are tried first, and what is counted of
 * them stays here until the pool is done; only what fits none of them is classified.
 */
#define RECENT_TYPES 4

struct recent_type {
    struct type_entry *entry;
    uint64_t count, tracked, immortal, interned, size_bytes;
};

/* What is known while one pool is scanned. */
struct pool_scan {
    struct walk_worker *worker;
    const struct walk *walk;
    const struct object_layout *layout;
    uint32_t block_bytes, n_blocks;
    uint32_t debug_prefix;
    uint32_t pool;           /* its index in the arena */
    uint32_t block;          /* the index of the one that is looked at */
    uint64_t *parts, *dicts; /* bits; NULL until needed */
    struct recent_type recent[RECENT_TYPES];
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

/* The bits of this pool; false when there is no room for them. */
static bool scan_bits(struct pool_scan *scan)
{
    struct walk_worker *worker = scan->worker;

    if (scan->parts)
        return true;
    scan->parts = note_pad_pool(worker->pad, scan->pool, scan->block_bytes,
                                scan->n_blocks, (uint32_t)worker->edges.n_dicts);
    if (!scan->parts)
        return false;
    scan->dicts = scan->parts + (scan->n_blocks + 63) / 64;
    return true;
}

/* A link of a GC list; one that leaves the arenas leads to a large object. */
static inline void scan_link(struct walk_worker *worker, uint64_t link)
{
    link &= GC_LINK_MASK;
    if (link - worker->window_address < worker->window_bytes ||
        arena_map_has(&worker->walk->map, link) || link == worker->last_link)
        return;
    worker->last_link = link;
    EDGES_ADD(&worker->edges, links, link);
}

static inline void scan_gc_head(struct walk_worker *worker, struct recent_type *recent,
                                const uint8_t *object)
{
    uint64_t next = u64_at(object - GC_HEAD_BYTES, 0);
    uint64_t previous = u64_at(object - GC_HEAD_BYTES, 8);

    if (!next)
        return;
    recent->tracked++;
    scan_link(worker, next);
    if (!(previous & GC_PREV_COLLECTING))
        scan_link(worker, previous);
}

/* A dict's record stands at the place that its bit counts. */
static void scan_dict(struct pool_scan *scan, const struct object_view *view)
{
    struct walk_worker *worker = scan->worker;
    bool is_tracked = u64_at(view->bytes - GC_HEAD_BYTES, 0) != 0;
    size_t n_dicts = worker->edges.n_dicts;

    if (!scan_bits(scan))
        return;
    EDGES_ADD(&worker->edges, dicts, walk_dict_record(scan->walk, view, is_tracked));
    if (worker->edges.n_dicts > n_dicts)
        scan->dicts[scan->block / 64] |= UINT64_C(1) << scan->block % 64;
}

static inline void scan_size(struct pool_scan *scan, struct recent_type *recent,
                             const struct object_view *view)
{
    struct type_entry *entry = recent->entry;
    struct size_more more;

    recent->size_bytes += object_size(scan->layout, &entry->shape, view, &more);
    /* A table of keys is sized when its block is known. */
    if (more.what != MORE_NOTHING && more.what != MORE_KEYS && !entry->is_plain_dict)
        walk_later(scan->worker, entry, false, &more);
}

static inline void scan_count(struct pool_scan *scan, struct recent_type *recent,
                              const uint8_t *block, uint64_t address)
{
    struct type_entry *entry = recent->entry;
    struct object_view view = block_view(scan, entry, block, address);

    recent->count++;
    recent->immortal += (u64_at(view.bytes, 0) & scan->layout->refcnt_immortal) != 0;
    if (entry->shape.rule == OBJECT_STR)
        recent->interned += object_str_is_interned(scan->layout, &view);
    if (entry->shape.has_gc_head)
        scan_gc_head(scan->worker, recent, view.bytes);
    if (!entry->size_is_constant)
        scan_size(scan, recent, &view);
    if (entry->is_plain_dict)
        scan_dict(scan, &view);
    else if (entry->shape.has_parts)
        walk_parts(scan->worker, entry, &view);
    if (entry->may_learn)
        walk_learn_sample(scan->worker, entry, view.address);
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
static inline struct recent_type *scan_recent(struct pool_scan *scan,
                                              const uint8_t *block, uint64_t address)
{
    for (uint32_t i = 0; i < scan->n_recent; i++) {
        struct type_entry *entry = scan->recent[i].entry;
        struct object_view view;

        if (u64_at(block, entry->type_at) != entry->address ||
            !walk_is_alive(scan->walk, u64_at(block, entry->type_at - 8)) ||
            may_begin_earlier(scan, entry, block))
            continue;
        if (entry->fits_is_constant)
            return &scan->recent[i];
        view = block_view(scan, entry, block, address);
        if (object_fits(scan->layout, &entry->shape, &view, scan->block_bytes))
            return &scan->recent[i];
    }
    return NULL;
}

static void recent_flush(struct pool_scan *scan, struct recent_type *recent)
{
    const struct type_entry *entry = recent->entry;
    struct tally *tally = tally_of(scan->worker, entry);

    tally->count += recent->count;
    tally->tracked += recent->tracked;
    tally->immortal += recent->immortal;
    tally->interned += recent->interned;
    tally->memory_bytes += recent->count * scan->block_bytes;
    tally->size_bytes += entry->size_is_constant ? recent->count * entry->constant_size
                                                 : recent->size_bytes;
}

static struct recent_type *scan_remember(struct pool_scan *scan, struct type_entry *entry)
{
    struct recent_type *recent;

    for (uint32_t i = 0; i < scan->n_recent; i++) {
        if (scan->recent[i].entry == entry)
            return &scan->recent[i];
    }
    recent = &scan->recent[scan->next_recent];
    scan->next_recent = (scan->next_recent + 1) % RECENT_TYPES;
    if (scan->n_recent < RECENT_TYPES)
        scan->n_recent++;
    else
        recent_flush(scan, recent);
    *recent = (struct recent_type){entry, 0, 0, 0, 0, 0};
    return recent;
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
    struct walk *walk = scan->worker->walk;

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
        if (!object_fits(scan->layout, &entry->shape, &view, scan->block_bytes))
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
        scan_count(scan, scan_remember(scan, entry), block, address);
    } else if (what == BLOCK_FREE_LISTED) {
        scan->worker->counts.freelist_objects++;
        scan->worker->counts.freelist_bytes += scan->block_bytes;
    } else if (scan_bits(scan)) {
        scan->parts[scan->block / 64] |= UINT64_C(1) << scan->block % 64;
    }
}

void walk_scan_pool(struct walk_worker *worker, const struct pool *pool,
                    const uint8_t *bytes, uint64_t address, uint32_t index)
{
    const struct walk *walk = worker->walk;
    struct pool_scan scan;
    const uint8_t *block = bytes + POOL_HEADER_BYTES;

    scan.worker = worker;
    scan.walk = walk;
    scan.layout = &walk->layout.object;
    scan.block_bytes = pool->block_bytes;
    scan.n_blocks = pool->n_carved;
    scan.debug_prefix = walk->layout.pymalloc.debug_prefix_bytes;
    scan.pool = index;
    scan.parts = scan.dicts = NULL;
    scan.n_recent = scan.next_recent = 0;
    address += POOL_HEADER_BYTES;
    for (uint32_t i = 0; i < pool->n_carved;
         i++, block += pool->block_bytes, address += pool->block_bytes) {
        struct recent_type *recent;

        if (pool->n_free && pool->free[i / 64] >> i % 64 & 1)
            continue;
        scan.block = i;
        recent = scan_recent(&scan, block, address);
        if (recent)
            scan_count(&scan, recent, block, address);
        else
            scan_block_slowly(&scan, block, address);
    }
    for (uint32_t i = 0; i < scan.n_recent; i++)
        recent_flush(&scan, &scan.recent[i]);
    worker->counts.used_bytes +=
        (uint64_t)(pool->n_carved - pool->n_free) * pool->block_bytes;
}

const struct kind *walk_block_kind(struct walk *walk, uint32_t block_bytes,
                                   const uint8_t *block, uint64_t address,
                                   bool *is_free_listed)
{
    struct pool_scan scan = {.worker = &walk->workers[0],
                             .walk = walk,
                             .layout = &walk->layout.object,
                             .block_bytes = block_bytes,
                             .debug_prefix = walk->layout.pymalloc.debug_prefix_bytes};
    struct type_entry *entry = NULL;
    enum block_is what = is_object_memory(&scan, block)
                             ? scan_classify(&scan, block, address, &entry)
                             : BLOCK_OTHER;

    *is_free_listed = what == BLOCK_FREE_LISTED;
    return what == BLOCK_OBJECT ? entry->kind : NULL;
}
