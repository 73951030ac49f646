#include "source/objects_walk.h"

#include <string.h>

#include "source/objects_quick.h"
#include "util/bytes.h"

/*
 * The hot loop: a few nanoseconds a block. Blocks of one pool are mostly of a few
 * types, so the types met last in this pool are tried first, and what is counted of
 * them stays here until the pool is done; only what fits none of them is classified.
 * The commonest types are sized right here, to the same result as object_size().
 */
#define RECENT_TYPES 4

/* Types whose objects take a few instructions: no GC head, no parts. */
enum quick {
    QUICK_NOT = 0,
    QUICK_CONSTANT, /* all of one size */
    QUICK_INT,
    QUICK_STR,
};

struct recent_type {
    struct type_entry *entry;
    uint64_t address; /* of the type */
    uint32_t type_at, prefix;
    enum quick quick;
    uint64_t count, tracked, immortal, interned, size_bytes;
};

/* What is known while one pool is scanned. */
struct pool_scan {
    struct walk_worker *worker;
    const struct walk *walk;
    const struct object_layout *layout;
    uint64_t refcnt_never, refcnt_immortal, image_start, image_bytes;
    uint32_t block_bytes, n_blocks;
    uint32_t debug_prefix, overhead;
    uint32_t pool;           /* its index in the arena */
    uint32_t block;          /* the index of the one that is looked at */
    uint64_t *parts, *dicts; /* bits; NULL until needed */
    bool is_sampling;
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

/* As walk_is_alive(), with what it needs at hand. */
static inline bool scan_is_alive(const struct pool_scan *scan, uint64_t word)
{
    return !(word & scan->refcnt_never) && (uint32_t)word &&
           word - scan->image_start >= scan->image_bytes;
}

/* The bits of this pool; false when there is no room for them. */
static bool scan_bits(struct pool_scan *scan)
{
    struct walk_worker *worker = scan->worker;

    if (scan->parts)
        return true;
    scan->parts = note_pad_pool(worker->pad, scan->pool, scan->block_bytes,
                                scan->n_blocks, (uint32_t)worker->edges.dicts.count);
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
static void scan_dict(struct pool_scan *scan, const struct type_entry *entry,
                      const struct object_view *view)
{
    struct walk_worker *worker = scan->worker;
    bool is_tracked = u64_at(view->bytes - GC_HEAD_BYTES, 0) != 0;
    uint64_t record = walk_dict_record(scan->walk, view, is_tracked);

    worker->plain_dict = entry;
    if (!scan_bits(scan))
        return;
    if (!word_list_add(&worker->edges.dicts, record))
        worker->edges.is_full = true;
    else
        scan->dicts[scan->block / 64] |= UINT64_C(1) << scan->block % 64;
}

static void scan_size(struct pool_scan *scan, struct recent_type *recent,
                      const struct object_view *view)
{
    struct type_entry *entry = recent->entry;
    struct size_more more[SIZE_MORE_MAX];

    recent->size_bytes += object_size(scan->layout, &entry->shape, view, more);
    if (!entry->is_plain_dict)
        walk_more(scan->worker, entry, more);
}

/* What an object of a type that is sized quickly has, its prefix included, when that is
 * all and fills the block; else 0. */
static inline uint64_t quick_size(const struct pool_scan *scan,
                                  const struct type_entry *entry, const uint8_t *object)
{
    const struct object_layout *layout = scan->layout;
    uint64_t bytes = 0, items;

    if (entry->shape.rule == OBJECT_STR) {
        bytes = quick_str(layout, object);
    } else if (entry->shape.rule == OBJECT_INT) {
        bytes = quick_int(layout, object);
    } else if (entry->shape.rule == OBJECT_VAR) {
        items = u64_at(object, layout->ob_size);
        bytes = items <= QUICK_ITEMS
                    ? entry->shape.basicsize + items * entry->shape.itemsize
                    : 0;
    }
    if (!bytes)
        return 0;
    bytes += entry->shape.prefix;
    return ((bytes + entry->shape.overhead + 15) & ~UINT64_C(15)) == scan->block_bytes
               ? bytes
               : 0;
}

/* The block of a part, mostly in the same arena. */
static inline void scan_edge(struct pool_scan *scan, const struct type_entry *entry,
                             uint64_t address, uint64_t bytes)
{
    struct walk_worker *worker = scan->worker;

    if (address - worker->window_address < worker->window_bytes)
        EDGES_ADD_WORD(&worker->edges, local, edge_pack(address, entry->id, EDGE_PART));
    else if (address)
        walk_part(worker, entry, address, bytes, EDGE_PART);
}

/* Lists, and instances with nothing but a managed dict or values: the commonest. */
static inline void scan_parts(struct pool_scan *scan, const struct type_entry *entry,
                              const struct object_view *view)
{
    uint64_t values, dict;

    if (entry->is_just_list) {
        values = u64_at(view->bytes, scan->layout->list_items);
        dict = u64_at(view->bytes, scan->layout->list_allocated);
        if (dict)
            scan_edge(scan, entry, values, dict * 8);
        return;
    }
    if (!entry->is_just_managed) {
        walk_parts(scan->worker, entry, view);
        return;
    }
    object_managed(scan->layout, view->bytes, &values, &dict);
    if (values)
        scan_edge(scan, entry, values, 0);
    if (dict)
        walk_part(scan->worker, entry, dict, 0, EDGE_DICT);
}

/* `size`: where it is known already, else 0. */
static inline void scan_count(struct pool_scan *scan, struct recent_type *recent,
                              const uint8_t *block, uint64_t address, uint64_t size)
{
    struct type_entry *entry = recent->entry;
    struct object_view view = block_view(scan, entry, block, address);

    recent->count++;
    recent->immortal += (u64_at(view.bytes, 0) & scan->refcnt_immortal) != 0;
    if (entry->shape.rule == OBJECT_STR)
        recent->interned += object_str_is_interned(scan->layout, &view);
    if (entry->shape.has_gc_head)
        scan_gc_head(scan->worker, recent, view.bytes);
    if (size)
        recent->size_bytes += size;
    else if (!entry->size_is_constant)
        scan_size(scan, recent, &view);
    if (entry->is_plain_dict)
        scan_dict(scan, entry, &view);
    else if (entry->shape.has_parts && !(size && entry->shape.rule == OBJECT_STR))
        scan_parts(scan, entry, &view);
    if (scan->is_sampling && entry->may_learn)
        walk_learn_sample(scan->worker, entry, view.address);
}

/*
 * What precedes an object begins with a link or 0, never with what passes for a
 * refcount: else the type may be an item of another object, as in the tuple
 * (Class, object), whose length then passes for the refcount.
 */
static inline bool may_begin_earlier(const struct pool_scan *scan, uint32_t prefix,
                                     const uint8_t *block)
{
    return prefix && scan_is_alive(scan, u64_at(block, scan->debug_prefix + prefix - 16));
}

/*
 * Links of the collector and, from 3.11 on, of a managed dict and weak references precede
 * an object (pycore_object.h): addresses, counts or 0. A text that was written where an
 * object had been may end before its type does, and looks like one without this.
 */
static inline bool head_is_plausible(const uint8_t *object, uint32_t prefix)
{
    uint64_t words = 0;

    for (uint32_t before = 8; before <= prefix; before += 8)
        words |= u64_at(object - before, 0);
    return words < RADDR_END;
}

/* Counts an object of a quick type; false when it is to be looked at closely. */
static inline bool scan_quickly(struct pool_scan *scan, struct recent_type *recent,
                                const uint8_t *block)
{
    const uint8_t *object = block + scan->debug_prefix;
    uint64_t size = 0;

    if (recent->quick == QUICK_STR) {
        size = quick_str(scan->layout, object);
        recent->interned += object[scan->layout->str_state] & 3 && size;
    } else if (recent->quick == QUICK_INT) {
        size = quick_int(scan->layout, object);
    }
    if (recent->quick != QUICK_CONSTANT &&
        (!size || ((size + scan->overhead + 15) & ~UINT64_C(15)) != scan->block_bytes))
        return false;
    recent->count++;
    recent->size_bytes += size;
    recent->immortal += (u64_at(object, 0) & scan->refcnt_immortal) != 0;
    return true;
}

/* Is the block an object of that type? *size as quick_size() says. */
static inline bool scan_holds(const struct pool_scan *scan,
                              const struct recent_type *recent, const uint8_t *block,
                              uint64_t address, uint64_t *size)
{
    const struct type_entry *entry = recent->entry;
    struct object_view view;

    *size = 0;
    if (may_begin_earlier(scan, recent->prefix, block) ||
        !head_is_plausible(block + recent->type_at - 8, recent->prefix))
        return false;
    if (entry->fits_is_constant)
        return true;
    view = block_view(scan, entry, block, address);
    *size = quick_size(scan, entry, view.bytes);
    return *size || object_fits(scan->layout, &entry->shape, &view, scan->block_bytes);
}

/* Counts the block when it is an object of one of the recent types. */
static inline bool scan_recent(struct pool_scan *scan, const uint8_t *block,
                               uint64_t address)
{
    const struct recent_type *end = scan->recent + scan->n_recent;
    uint64_t size;

    for (struct recent_type *recent = scan->recent; recent < end; recent++) {
        if (u64_at(block, recent->type_at) != recent->address ||
            !scan_is_alive(scan, u64_at(block, recent->type_at - 8)))
            continue;
        if (recent->quick && scan_quickly(scan, recent, block))
            return true;
        if (!scan_holds(scan, recent, block, address, &size))
            continue;
        scan_count(scan, recent, block, address, size);
        return true;
    }
    return false;
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

static enum quick quick_of(const struct pool_scan *scan, const struct type_entry *entry)
{
    if (entry->shape.prefix || (scan->is_sampling && entry->may_learn))
        return QUICK_NOT;
    if (entry->shape.rule == OBJECT_STR && !entry->shape.dict_offset)
        return QUICK_STR;
    if (entry->shape.has_parts)
        return QUICK_NOT;
    if (entry->shape.rule == OBJECT_INT)
        return QUICK_INT;
    return entry->size_is_constant && entry->fits_is_constant ? QUICK_CONSTANT
                                                              : QUICK_NOT;
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
    *recent = (struct recent_type){.entry = entry,
                                   .address = entry->address,
                                   .type_at = entry->type_at,
                                   .prefix = entry->shape.prefix,
                                   .quick = quick_of(scan, entry)};
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
        if (!entry || entry->shape.prefix != prefix ||
            !head_is_plausible(block + at, prefix))
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
        scan_count(scan, scan_remember(scan, entry), block, address, 0);
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
    scan.refcnt_never = scan.layout->refcnt_never;
    scan.refcnt_immortal = scan.layout->refcnt_immortal;
    scan.image_start = walk->image_start;
    scan.image_bytes = walk->image_bytes;
    scan.is_sampling = walk->learning.is_sampling;
    scan.block_bytes = pool->block_bytes;
    scan.n_blocks = pool->n_carved;
    scan.debug_prefix = walk->layout.pymalloc.debug_prefix_bytes;
    scan.overhead = scan.debug_prefix ? OBJECT_DEBUG_BYTES : 0;
    scan.pool = index;
    scan.parts = scan.dicts = NULL;
    scan.n_recent = scan.next_recent = 0;
    address += POOL_HEADER_BYTES;
    for (uint32_t i = 0; i < pool->n_carved;
         i++, block += pool->block_bytes, address += pool->block_bytes) {
        if (pool->n_free && pool->free[i / 64] >> i % 64 & 1)
            continue;
        scan.block = i;
        if (!scan_recent(&scan, block, address))
            scan_block_slowly(&scan, block, address);
    }
    for (uint32_t i = 0; i < scan.n_recent; i++)
        recent_flush(&scan, &scan.recent[i]);
    worker->counts.used_pools++;
    worker->counts.used_blocks += pool->n_carved - pool->n_free;
    worker->counts.used_bytes +=
        (uint64_t)(pool->n_carved - pool->n_free) * pool->block_bytes;
}

static struct pool_scan scan_of_block(struct walk_worker *worker, uint32_t block_bytes)
{
    const struct walk *walk = worker->walk;

    return (struct pool_scan){.worker = worker,
                              .walk = walk,
                              .layout = &walk->layout.object,
                              .block_bytes = block_bytes,
                              .debug_prefix = walk->layout.pymalloc.debug_prefix_bytes};
}

struct type_entry *walk_block_type(struct walk *walk, uint32_t block_bytes,
                                   const uint8_t *block, uint64_t address,
                                   bool *is_free_listed)
{
    struct pool_scan scan = scan_of_block(&walk->workers[0], block_bytes);
    struct type_entry *entry = NULL;
    enum block_is what = is_object_memory(&scan, block)
                             ? scan_classify(&scan, block, address, &entry)
                             : BLOCK_OTHER;

    *is_free_listed = what == BLOCK_FREE_LISTED;
    return what == BLOCK_OBJECT ? entry : NULL;
}

/* Links out of the arenas are noted: they lead to large objects. */
static void visit_block(struct pool_scan *scan, struct type_entry *entry,
                        const uint8_t *block, uint64_t address)
{
    struct recent_type counted = {.entry = entry};
    struct met_object met = {.entry = entry,
                             .view = block_view(scan, entry, block, address),
                             .block_bytes = scan->block_bytes};

    if (entry->shape.has_gc_head)
        scan_gc_head(scan->worker, &counted, met.view.bytes);
    met.is_tracked = counted.tracked;
    scan->walk->visit(scan->walk->visit_with, &met);
}

void walk_visit_pool(struct walk_worker *worker, const struct pool *pool,
                     const uint8_t *bytes, uint64_t address)
{
    struct pool_scan scan = scan_of_block(worker, pool->block_bytes);
    const uint8_t *block = bytes + POOL_HEADER_BYTES;

    address += POOL_HEADER_BYTES;
    for (uint32_t i = 0; i < pool->n_carved;
         i++, block += pool->block_bytes, address += pool->block_bytes) {
        struct type_entry *entry = NULL;

        if ((pool->n_free && pool->free[i / 64] >> i % 64 & 1) ||
            !is_object_memory(&scan, block) ||
            scan_classify(&scan, block, address, &entry) != BLOCK_OBJECT)
            continue;
        visit_block(&scan, entry, block, address);
    }
    worker->counts.used_bytes +=
        (uint64_t)(pool->n_carved - pool->n_free) * pool->block_bytes;
}
