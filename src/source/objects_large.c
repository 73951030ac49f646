#include "source/objects_walk.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"

/*
 * Objects of more than 512 bytes come from malloc and lie in no arena. Those that
 * the garbage collector tracks are on its lists, between objects that do: every
 * link out of the arenas is noted here, and followed until it leads back.
 */
#define LARGE_FIRST    4096
#define LARGE_MAX      ((size_t)1 << 22)
#define LARGE_PER_READ 256
#define LARGE_BEFORE   16  /* what stands in front of the GC head of some */
#define LARGE_OBJECT   304 /* of an object: enough for its size, and to find its parts */
#define LARGE_BYTES    (LARGE_BEFORE + GC_HEAD_BYTES + LARGE_OBJECT)
#define LARGE_CTYPE    2048 /* of a class of ctypes: what it knows stands last */
/* In the queue: it was met in a chunk, and counted there. */
#define LARGE_IS_COUNTED UINT64_C(1)
/* Beyond what is known to be needed: in an arena that is new, no chunk's header stands
 * in front of an object, but the end of another one. */
#define LOOSE_MOST (UINT64_C(16) << 20)

/* True when the address was not there yet. The table has room. */
static bool large_put(struct large *large, uint64_t gc_head)
{
    size_t mask = large->n_slots - 1, at = type_hash(gc_head) & mask;

    while (large->slots[at] && large->slots[at] != gc_head)
        at = (at + 1) & mask;
    if (large->slots[at])
        return false;
    large->slots[at] = gc_head;
    return true;
}

bool walk_large_has(const struct walk *walk, uint64_t gc_head)
{
    const struct large *large = &walk->large;
    size_t mask = large->n_slots - 1, at = type_hash(gc_head) & mask;

    while (large->slots && large->slots[at]) {
        if (large->slots[at] == gc_head)
            return true;
        at = (at + 1) & mask;
    }
    return false;
}

static bool large_grow(struct large *large)
{
    size_t n_slots = large->n_slots ? large->n_slots * 2 : LARGE_FIRST;
    uint64_t *queue, *slots;

    if (n_slots > LARGE_MAX * 2)
        return false;
    queue = realloc(large->queue, n_slots / 2 * sizeof(*queue));
    if (queue)
        large->queue = queue;
    slots = calloc(n_slots, sizeof(*slots));
    if (!queue || !slots) {
        free(slots);
        return false;
    }
    free(large->slots);
    large->slots = slots;
    large->n_slots = n_slots;
    for (size_t i = 0; i < large->count; i++)
        large_put(large, large->queue[i] & ~LARGE_IS_COUNTED);
    return true;
}

/* True when the address is new. */
static bool large_add(struct large *large, uint64_t gc_head, uint64_t flag)
{
    if (large->count * 2 >= large->n_slots && !large_grow(large)) {
        large->is_full = true;
        return false;
    }
    if (!large_put(large, gc_head))
        return false;
    large->queue[large->count++] = gc_head | flag;
    return true;
}

void walk_large_add(struct walk *walk, uint64_t gc_head)
{
    if (raddr_may_hold_word(gc_head))
        large_add(&walk->large, gc_head, 0);
}

uint64_t walk_large_head(const struct walk *walk, size_t index)
{
    return walk->large.queue[index] & ~LARGE_IS_COUNTED;
}

void walk_large_begin(struct walk *walk)
{
    struct large *large = &walk->large;

    large->count = large->done = 0;
    large->is_full = false;
    if (large->slots)
        memset(large->slots, 0, large->n_slots * sizeof(*large->slots));
}

void walk_large_release(struct walk *walk)
{
    free(walk->large.slots);
    free(walk->large.queue);
    memset(&walk->large, 0, sizeof(walk->large));
}

/* A link of a GC list, unless it leads into an arena: then 0. */
static uint64_t far_link(const struct walk *walk, uint64_t link)
{
    link &= GC_LINK_MASK;
    return link && !arena_map_has(&walk->map, link) ? link : 0;
}

static void large_link(struct walk *walk, uint64_t link)
{
    link = far_link(walk, link);
    if (link)
        walk_large_add(walk, link);
}

/* What is being collected is on no list. */
void walk_large_links(const struct walk *walk, const uint8_t *head, uint64_t links[2])
{
    links[0] = far_link(walk, u64_at(head, 0));
    links[1] = u64_at(head, 0) && !(u64_at(head, 8) & GC_PREV_COLLECTING)
                   ? far_link(walk, u64_at(head, 8))
                   : 0;
}

/* The next ones on the lists. */
static void large_links(struct walk *walk, const uint8_t *head)
{
    uint64_t links[2];

    walk_large_links(walk, head, links);
    for (int i = 0; i < 2; i++)
        if (links[i])
            walk_large_add(walk, links[i]);
}

bool walk_large_claim(struct walk *walk, uint64_t gc_head, const uint8_t *head)
{
    if (walk_large_has(walk, gc_head))
        return false;
    large_add(&walk->large, gc_head, LARGE_IS_COUNTED);
    large_links(walk, head);
    return true;
}

static void large_seed_generation(struct walk *walk, uint16_t offset)
{
    struct raddr list = raddr_add(walk->layout.gc.state, offset);
    uint8_t head[GC_HEAD_BYTES];
    uint64_t last;

    if (reader_read(walk->reader, list, head, sizeof(head))) {
        walk->open_links++;
        return;
    }
    /* The list closes: its last object leads back to the head. */
    if (!reader_u64(walk->reader, raddr_of(u64_at(head, 8) & GC_LINK_MASK), &last) ||
        (last & GC_LINK_MASK) != list.value)
        walk->open_links++;
    large_link(walk, u64_at(head, 0));
    large_link(walk, u64_at(head, 8));
}

static void large_seed(struct walk *walk, uint64_t gc_head)
{
    if (!walk_stretches_have(walk, gc_head))
        walk_large_add(walk, gc_head);
}

void walk_large_seed(struct walk *walk)
{
    const struct layout_gc *gc = &walk->layout.gc;

    for (size_t i = 0; i < walk->n_workers; i++) {
        const struct edges *edges = &walk->workers[i].edges;

        for (size_t n = 0; n < edges->n_links; n++)
            large_seed(walk, edges->links[n]);
        for (size_t n = 0; n < edges->n_runs; n++) {
            struct pack_reader reader = pack_read_links(&edges->runs[n].pack);

            while (pack_next_link(&reader))
                large_seed(walk, reader.edge.address);
        }
    }
    if (walk->layout.has_gc) {
        for (size_t i = 0; i < 3; i++)
            large_seed_generation(walk, gc->generations[i]);
        if (gc->has_permanent)
            large_seed_generation(walk, gc->permanent);
    }
    for (size_t i = 0; i < walk->types.n_entries; i++) {
        const struct type_entry *entry = walk->types.entries[i];

        if (entry->is_heap && !entry->is_dead)
            large_link(walk, entry->address - GC_HEAD_BYTES);
    }
}

/* `word`: what stands in front of the block, where it was read; else 0. */
static uint64_t chunk_bytes(struct walk *walk, uint64_t block, uint64_t need,
                            bool is_exact, uint64_t word)
{
    const struct mimalloc_page *page = mimalloc_map_find(&walk->mimalloc.map, block);
    uint64_t chunk;

    if (page)
        return page->block_bytes;
    if (walk->method == WALK_BY_LISTS)
        return (need + 15) & ~UINT64_C(15);
    /* Debug hooks of the raw allocator stand in front of those of objects. */
    if (walk->layout.pymalloc.debug_prefix_bytes && walk->method == WALK_BY_ARENAS) {
        block -= OBJECT_DEBUG_PREFIX_BYTES;
        need += OBJECT_DEBUG_BYTES;
    }
    if (word || reader_u64(walk->reader, raddr_of(block - CHUNK_OVERHEAD), &word)) {
        chunk = malloc_word_bytes(word);
        if (chunk >= need + CHUNK_OVERHEAD && !(chunk & 15) &&
            chunk <= (is_exact ? need + need / 2 + 8192 : need + LOOSE_MOST))
            return chunk;
    }
    return (need + CHUNK_OVERHEAD + 15) & ~UINT64_C(15);
}

uint64_t walk_chunk_bytes(struct walk *walk, uint64_t block, uint64_t need, bool is_exact)
{
    return chunk_bytes(walk, block, need, is_exact, 0);
}

/* tupleobject.c _PyTuple_Resize: what shrank stays in a chunk, which is cut to its size.
 */
static bool large_has_shrunk(struct walk *walk, const struct type_entry *entry,
                             uint64_t block, uint64_t need)
{
    uint64_t word, chunk;

    if (entry->fits_is_constant || walk->layout.pymalloc.debug_prefix_bytes ||
        !reader_u64(walk->reader, raddr_of(block - CHUNK_OVERHEAD), &word))
        return false;
    chunk = word & ~CHUNK_FLAGS;
    return !(chunk & 15) && chunk >= need + CHUNK_OVERHEAD &&
           chunk - need - CHUNK_OVERHEAD < 32;
}

/* Of an object with nothing but a GC head in front of it, without debug hooks, the
 * chunk's header was read, too; 0: it was not. */
static uint64_t large_word(const struct walk *walk, const struct type_entry *entry,
                           const struct object_view *view)
{
    return entry->shape.prefix == GC_HEAD_BYTES &&
                   !walk->layout.pymalloc.debug_prefix_bytes
               ? u64_at(view->bytes - GC_HEAD_BYTES - CHUNK_OVERHEAD, 0)
               : 0;
}

static void large_count(struct walk *walk, struct type_entry *entry,
                        const struct object_view *view)
{
    const struct object_layout *layout = &walk->layout.object;
    uint64_t need = object_block_need(layout, &entry->shape, view);
    bool is_loose = object_is_loose(&entry->shape);
    uint64_t block =
        view->address - entry->shape.prefix - walk->layout.pymalloc.debug_prefix_bytes;

    if (entry->shape.rule == OBJECT_TYPE)
        need = entry->shape.prefix + entry->shape.overhead + layout->heap_type_bytes;
    /* It would be in an arena. typeobject.c PyType_GenericAlloc makes room for one item
     * more, as the end of the items. */
    if (walk->method == WALK_BY_ARENAS && !is_loose &&
        need + entry->shape.itemsize <= PYMALLOC_BLOCK_MAX &&
        !large_has_shrunk(walk, entry, block, need))
        return;
    walk_count_far(
        walk, entry, view, true,
        chunk_bytes(walk, block, need, !is_loose, large_word(walk, entry, view)));
}

/* A class is charged its cached keys (typeobject.c type___sizeof___impl), which its
 * instances share. */
void walk_count_class(struct walk *walk, struct type_entry *entry, uint64_t address)
{
    const struct type_entry *class = types_get(&walk->types, address);
    struct size_more more = {MORE_TYPE_KEYS, class ? class->cached_keys : 0, 0};
    struct far_edge edge = far_edge_of(more.address, entry->id, EDGE_PART);

    if (!more.address)
        return;
    if (!entry->shape.is_ctype) /* whose own __sizeof__ leaves them out */
        walk_later(&walk->workers[0], entry, false, &more);
    EDGES_ADD(&walk->workers[0].edges, far, edge);
}

static bool is_list(const struct walk *walk, uint64_t address)
{
    const struct layout_gc *gc = &walk->layout.gc;

    for (size_t i = 0; i < 3; i++) {
        if (address == raddr_add(gc->state, gc->generations[i]).value)
            return true;
    }
    return gc->has_permanent && address == raddr_add(gc->state, gc->permanent).value;
}

/* One of which the beginning is not enough. */
static void large_count_ctype(struct walk *walk, struct type_entry *entry,
                              struct object_view *view)
{
    uint8_t bytes[LARGE_BYTES - LARGE_OBJECT + LARGE_CTYPE] = {0};
    uint8_t *object = bytes + LARGE_BYTES - LARGE_OBJECT;
    struct object_view whole = {object, entry->shape.basicsize, view->address};

    memcpy(bytes, view->bytes - (object - bytes), LARGE_BYTES);
    if (whole.length <= LARGE_CTYPE && whole.length > view->length &&
        !reader_read(walk->reader, raddr_of(view->address + view->length),
                     object + view->length, whole.length - view->length))
        view = &whole;
    large_count(walk, entry, view);
}

/* `bytes`: the GC head and the beginning of what may be an object; in front of them is
 * LARGE_BEFORE. False when it is none. */
static bool large_look_at(struct walk *walk, uint64_t gc_head, const uint8_t *bytes)
{
    const struct object_layout *layout = &walk->layout.object;
    const uint8_t *object = bytes + GC_HEAD_BYTES;
    struct object_view view = {object, LARGE_OBJECT, gc_head + GC_HEAD_BYTES};
    struct type_entry *entry;

    if (!u64_at(bytes, 0) || !walk_is_alive(walk, u64_at(object, layout->ob_refcnt)))
        return false;
    entry = types_get(&walk->types, u64_at(object, layout->ob_type));
    if (!entry || !entry->shape.has_gc_head)
        return false;
    if (entry->shape.is_ctype)
        large_count_ctype(walk, entry, &view);
    else
        large_count(walk, entry, &view);
    large_links(walk, bytes);
    return true;
}

/* What stands in front or behind may not be readable: then less is read. */
static bool large_read_less(struct walk *walk, uint64_t gc_head, uint8_t *bytes)
{
    uint8_t *head = bytes + LARGE_BEFORE;

    memset(bytes, 0, LARGE_BYTES);
    return !reader_read(walk->reader, raddr_of(gc_head), head,
                        GC_HEAD_BYTES + LARGE_OBJECT) ||
           !reader_read(walk->reader, raddr_of(gc_head), head, GC_HEAD_BYTES + 144) ||
           !reader_read(walk->reader, raddr_of(gc_head), head, GC_HEAD_BYTES + 24);
}

bool walk_large_step(struct walk *walk)
{
    struct large *large = &walk->large;
    struct piece pieces[LARGE_PER_READ];
    uint8_t bytes[LARGE_PER_READ][LARGE_BYTES];
    size_t count = 0;

    for (; large->done < large->count && count < LARGE_PER_READ; large->done++) {
        uint64_t gc_head = large->queue[large->done];

        if (gc_head & LARGE_IS_COUNTED || walk_stretches_have(walk, gc_head))
            continue;
        pieces[count] = (struct piece){raddr_of(gc_head - LARGE_BEFORE), bytes[count],
                                       LARGE_BYTES, false};
        count++;
    }
    if (!count)
        return false;
    reader_readv(walk->reader, pieces, count);
    for (size_t i = 0; i < count; i++) {
        /* Copied: the queue may move while new addresses are added. */
        uint64_t gc_head = pieces[i].address.value + LARGE_BEFORE;

        if (!is_list(walk, gc_head) &&
            ((!pieces[i].done && !large_read_less(walk, gc_head, bytes[i])) ||
             !large_look_at(walk, gc_head, bytes[i] + LARGE_BEFORE)))
            walk->open_links++;
    }
    return true;
}
