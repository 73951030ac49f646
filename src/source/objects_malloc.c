#include "source/objects_walk.h"

#include <string.h>

#include "layout/malloc_layout.h"

/*
 * Without pymalloc each object is a block of its own of some malloc. Whether that is
 * glibc's or the mimalloc that Python has in itself, and whether debug hooks stand before
 * the blocks, is asked of some objects that the garbage collector tracks: the address of
 * its head is the only thing known of an object without knowing its allocator.
 */
#define PROBE_PER_LIST 64
#define PROBE_MIN      8
#define CHUNK_MAX      (UINT64_C(1) << 30)

struct probe {
    uint32_t n_heads, n_plain, n_hooked, n_hooked_chunks, n_mimalloc;
};

const char *walk_method_name(enum walk_method method, bool follows)
{
    static const char *const names[] = {"outside", "outside, malloc chunks",
                                        "outside, gc lists", "outside, mimalloc pages"};
    static const char *const followed[] = {
        "outside, references", "outside, malloc chunks",
        "outside, gc lists and references", "outside, mimalloc pages"};

    return follows ? followed[method] : names[method];
}

/* malloc.c: a chunk in use is followed by one that says so. */
static bool probe_is_chunk(struct walk *walk, uint64_t block)
{
    uint64_t word, next, bytes;

    if (!reader_u64(walk->reader, raddr_of(block - 8), &word))
        return false;
    bytes = word & ~CHUNK_FLAGS;
    if (bytes < CHUNK_MIN || bytes > CHUNK_MAX || bytes & 8)
        return false;
    if (word & CHUNK_MMAPPED)
        return !((block - CHUNK_HEADER) & 4095);
    return reader_u64(walk->reader, raddr_of(block - 8 + bytes), &next) &&
           (next & CHUNK_PREV_IN_USE);
}

/* obmalloc.c _PyMem_DebugRawAlloc: size, 'o', seven forbidden bytes, then the block. */
static bool probe_is_hooked(struct walk *walk, uint64_t block)
{
    uint8_t id[OBJECT_DEBUG_PREFIX_BYTES - OBJECT_DEBUG_ID];

    return !reader_read(walk->reader, raddr_of(block - sizeof(id)), id, sizeof(id)) &&
           object_debug_id(id) == 'o';
}

/* An object of a type with a pre-header (3.11+) begins 16 bytes before its GC head. */
static void probe_head(struct walk *walk, struct probe *probe, uint64_t head)
{
    uint64_t deepest = walk->layout.object.pre_header_flags ? 16 : 0;
    bool is_plain = false, is_hooked = false, is_hooked_chunk = false;

    for (uint64_t before = 0; before <= deepest; before += 16) {
        uint64_t block = head - before;

        is_plain |= probe_is_chunk(walk, block);
        if (!probe_is_hooked(walk, block))
            continue;
        is_hooked = true;
        is_hooked_chunk |= probe_is_chunk(walk, block - OBJECT_DEBUG_PREFIX_BYTES);
    }
    probe->n_heads++;
    probe->n_mimalloc += mimalloc_map_find(&walk->mimalloc.map, head) != NULL;
    probe->n_plain += is_plain;
    probe->n_hooked += is_hooked;
    probe->n_hooked_chunks += is_hooked_chunk;
}

static void probe_list(struct walk *walk, struct probe *probe, uint64_t list)
{
    uint64_t link = list;

    for (int i = 0; i < PROBE_PER_LIST; i++) {
        if (!reader_u64(walk->reader, raddr_of(link), &link))
            return;
        link &= GC_LINK_MASK;
        if (link == list || !raddr_may_hold_word(link))
            return;
        probe_head(walk, probe, link);
    }
}

/* A heap below 4 GiB, as non-PIE interpreters have it: no refcount lies there. */
static void widen_image(struct walk *walk)
{
    for (size_t i = 0; i < walk->chunks.count; i++) {
        const struct walk_region *region = &walk->chunks.regions[i];
        uint64_t start = walk->image_bytes ? walk->image_start : region->start;

        if (region->is_main_heap && region->end <= UINT32_MAX && start < region->end) {
            walk->image_start = start;
            walk->image_bytes = region->end - start;
        }
    }
}

/* What was found of types under another prefix does not hold. */
static void set_prefix(struct walk *walk, uint32_t prefix_bytes)
{
    if (walk->layout.pymalloc.debug_prefix_bytes == prefix_bytes)
        return;
    types_forget(&walk->types);
    walk->layout.pymalloc.debug_prefix_bytes = prefix_bytes;
    walk->types.debug_prefix_bytes = prefix_bytes;
}

int walk_choose_method(struct walk *walk, struct err *err)
{
    const struct layout_gc *gc = &walk->layout.gc;
    struct probe probe = {0, 0, 0, 0, 0};
    uint32_t most;

    walk->method = WALK_BY_ARENAS;
    if (walk->layout.has_pymalloc)
        return 0;
    walk_mimalloc_find(walk);
    for (size_t i = 0; walk->layout.has_gc && i < 3; i++)
        probe_list(walk, &probe, raddr_add(gc->state, gc->generations[i]).value);
    if (probe.n_heads < PROBE_MIN)
        return err_set(err, ERR_UNSUPPORTED,
                       "the objects cannot be counted from outside: they are not in "
                       "pymalloc, and the collector's lists are not known");
    most = probe.n_heads - probe.n_heads / 4;
    set_prefix(walk, probe.n_hooked >= most ? OBJECT_DEBUG_PREFIX_BYTES : 0);
    walk->method = WALK_BY_LISTS;
    if (walk->chunks.count &&
        (probe.n_hooked >= most ? probe.n_hooked_chunks : probe.n_plain) >= most) {
        walk->method = WALK_BY_CHUNKS;
        widen_image(walk);
    } else if (probe.n_mimalloc >= most) {
        walk->method = WALK_BY_MIMALLOC;
    }
    return 0;
}
