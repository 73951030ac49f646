#include "source/objects_walk.h"

#include "layout/malloc_layout.h"
#include "source/objects_quick.h"
#include "util/bytes.h"

/*
 * What is in a chunk of glibc's, or in a block of mimalloc's, that is in use: an object,
 * to be counted, or else perhaps somebody's part, to be remembered.
 */
#define PAGE              4096u
#define STATIC_TYPE_LEAST 304 /* bytes of a type in which its size and parts stand */

/* How much larger than needed one may be. Chunks of pages of their own are rounded to
 * those; mimalloc has eight sizes from one power of two to the next (page-queue.c
 * mi_bin), and rounds what has a page of its own to slices. */
static uint64_t chunk_slack(const struct walk_chunk *chunk, uint64_t need)
{
    switch (chunk->sort) {
    case CHUNK_OF_CHAIN:
    case CHUNK_SMALL:
        return 32;
    case CHUNK_MMAPPED_ALONE:
        return PAGE + 32;
    case CHUNK_OF_MIMALLOC:
        return need > MIMALLOC_SLICE_BYTES ? need / 8 + MIMALLOC_SLICE_BYTES
                                           : need / 8 + 32;
    }
    return 0;
}

/* Would an object of this type be there? realloc leaves a quarter of a chunk, or half of
 * one of mimalloc's (alloc.c _mi_heap_realloc_zero). */
static bool chunk_fits(const struct type_entry *entry, const struct walk_chunk *chunk,
                       uint64_t need)
{
    uint64_t slack = chunk_slack(chunk, need) + entry->shape.overhead;

    /* _datetimemodule.c: _PyDateTime_BaseTime has no tzinfo. */
    if (entry->shape.rule == OBJECT_DATETIME)
        need -= 8;
    if (need > chunk->usable_bytes)
        return false;
    if (chunk->sort == CHUNK_SMALL)
        return !entry->fits_is_constant && chunk->usable_bytes - need <= slack;
    if (!entry->fits_is_constant)
        slack += (chunk->sort == CHUNK_OF_MIMALLOC ? need : need / 2) + 300;
    if (object_is_loose(&entry->shape) || entry->shape.rule == OBJECT_TYPE)
        slack = UINT64_MAX;
    return chunk->usable_bytes - need <= slack;
}

/*
 * A chunk that was freed a moment ago looks as if it were in use. malloc.c: tcache puts
 * a link and a random key (from 2.34 on) over its first 16 bytes, a fastbin the link
 * only. A dead object has no references, so this matters where realloc moved one; and
 * where the link passes for a refcount, which takes a heap below 4 GiB. In mimalloc one
 * block of a page may be on a list of its thread's: it, too, begins with a link.
 */
static bool chunk_was_freed(const struct walk *walk, const struct walk_chunk *chunk,
                            bool has_gc_head, size_t at)
{
    const struct walk_chunks *chunks = &walk->chunks;
    uint64_t word = u64_at(chunk->bytes, 0), start, link;

    if (has_gc_head)
        return u64_at(chunk->bytes, at - GC_HEAD_BYTES) >> 47 ||
               u64_at(chunk->bytes, at - GC_HEAD_BYTES + 8) >> 47;
    if (at || chunk->chunk_bytes > FASTBIN_MAX || chunk->sort == CHUNK_OF_MIMALLOC)
        return false;
    start = chunks->regions[chunks->next].start;
    link = word ^ (chunk->user - CHUNK_HEADER) >> 12;
    if (!link)
        return true;
    return (link - start < chunks->end - start && !(link & 15)) ||
           (word - start < chunks->end - start && !(word & 15));
}

static uint64_t chunk_need(const struct object_layout *layout,
                           const struct type_entry *entry, const struct object_view *view)
{
    uint64_t quick = quick_object(layout, entry, view);

    return quick ? entry->shape.overhead + quick
                 : object_block_need(layout, &entry->shape, view);
}

/* The object in a chunk, when it is one that the collector's lists did not give. */
static bool chunk_count(struct walk *walk, struct type_entry *entry,
                        const struct walk_chunk *chunk)
{
    const struct object_layout *layout = &walk->layout.object;
    size_t at = walk->layout.pymalloc.debug_prefix_bytes + entry->shape.prefix;
    struct object_view view = {chunk->bytes + at, chunk->length - at, chunk->user + at};
    uint64_t need = chunk_need(layout, entry, &view);
    bool is_all = walk_has_no_arenas(walk);

    if (entry->shape.rule == OBJECT_TYPE)
        need += layout->heap_type_bytes - entry->shape.basicsize;
    if (!is_all &&
        (entry->shape.rule == OBJECT_TYPE || entry->shape.rule == OBJECT_GENERATOR))
        return false;
    if (!chunk_fits(entry, chunk, need) ||
        ((is_all || chunk->sort == CHUNK_SMALL) &&
         chunk_was_freed(walk, chunk, entry->shape.has_gc_head, at)))
        return false;
    if (entry->shape.has_gc_head && !is_all &&
        !walk_stretch_head(walk, view.address - GC_HEAD_BYTES,
                           view.bytes - GC_HEAD_BYTES) &&
        !walk_large_claim(walk, view.address - GC_HEAD_BYTES, view.bytes - GC_HEAD_BYTES))
        return true;
    walk_count_far(walk, entry, &view,
                   entry->shape.has_gc_head && u64_at(view.bytes - GC_HEAD_BYTES, 0) != 0,
                   chunk->chunk_bytes);
    return true;
}

/*
 * A type that code in C made ready in malloc's memory, as numpy does for each dtype: it
 * has no head of the collector in front, though its metatype says so, and is on no list.
 */
static bool chunk_is_type(struct walk *walk, const struct walk_chunk *chunk)
{
    const struct object_layout *layout = &walk->layout.object;
    size_t at = walk->layout.pymalloc.debug_prefix_bytes;
    struct object_view view = {chunk->bytes + at, chunk->length - at, chunk->user + at};
    const struct type_entry *entry;
    struct type_entry *metatype;

    if (chunk->length < at + STATIC_TYPE_LEAST ||
        u64_at(view.bytes, layout->tp_flags) & TYPE_FLAG_HEAP ||
        !(u64_at(view.bytes, layout->tp_flags) & TYPE_FLAG_READY) ||
        !walk_is_alive(walk, u64_at(view.bytes, layout->ob_refcnt)))
        return false;
    metatype = types_get(&walk->types, u64_at(view.bytes, layout->ob_type));
    if (!metatype || metatype->shape.rule != OBJECT_TYPE ||
        chunk->usable_bytes < at + metatype->shape.basicsize)
        return false;
    entry = types_get(&walk->types, view.address);
    if (!entry || entry->is_heap)
        return false;
    walk_count_far(walk, metatype, &view, false, chunk->chunk_bytes);
    if (!walk->visit)
        walk_part_leads_on(&walk->workers[0], metatype, view.address, LINK_EVERY);
    return true;
}

/* Counts the object in the chunk; false when none is there. */
static bool chunk_has_object(struct walk *walk, const struct walk_chunk *chunk)
{
    uint32_t debug_prefix = walk->layout.pymalloc.debug_prefix_bytes;

    if (chunk->length < debug_prefix)
        return false;
    if (debug_prefix && chunk->bytes[OBJECT_DEBUG_ID] != 'o')
        return chunk_is_type(walk, chunk);
    for (uint32_t prefix = 0; prefix <= OBJECT_PREFIX_MAX; prefix += 16) {
        uint32_t at = debug_prefix + prefix;
        struct type_entry *entry;
        uint64_t type;

        if (chunk->length < at + 16)
            return false;
        type = u64_at(chunk->bytes, at + 8);
        if (!walk_is_alive(walk, u64_at(chunk->bytes, at)) || type < PAGE || type & 7)
            continue;
        if (chunk->sort == CHUNK_SMALL &&
            type - walk->statics_start >= walk->statics_bytes)
            continue; /* bytes, str and tuple shrink: types of the interpreter's image */
        entry = types_get(&walk->types, type);
        if (entry && entry->shape.prefix == prefix && chunk_count(walk, entry, chunk))
            return true;
    }
    return chunk_is_type(walk, chunk);
}

/* obmalloc.c: what is too large for pymalloc under debug hooks is asked of the raw
 * allocator, which has hooks of its own. */
static bool chunk_has_two_hooks(const struct walk *walk, const struct walk_chunk *chunk)
{
    return walk->layout.pymalloc.debug_prefix_bytes && walk->method == WALK_BY_ARENAS &&
           chunk->length >= 2 * OBJECT_DEBUG_PREFIX_BYTES &&
           object_debug_id(chunk->bytes + OBJECT_DEBUG_ID) == 'r' &&
           object_debug_id(chunk->bytes + OBJECT_DEBUG_PREFIX_BYTES + OBJECT_DEBUG_ID);
}

bool walk_chunk_look(struct walk *walk, struct walk_chunk *chunk)
{
    if (chunk->length > chunk->usable_bytes)
        chunk->length = (size_t)chunk->usable_bytes;
    if (chunk_has_two_hooks(walk, chunk)) {
        chunk->user += OBJECT_DEBUG_PREFIX_BYTES;
        chunk->bytes += OBJECT_DEBUG_PREFIX_BYTES;
        chunk->length -= OBJECT_DEBUG_PREFIX_BYTES;
    }
    /* Where objects are in mimalloc, glibc's chunks hold parts only. */
    if ((walk->method != WALK_BY_MIMALLOC || chunk->sort == CHUNK_OF_MIMALLOC) &&
        chunk_has_object(walk, chunk))
        return true;
    if (chunk->sort != CHUNK_SMALL &&
        !walk_stretch_note(walk, chunk->user, chunk->chunk_bytes)) {
        walk_stretch_broke(walk);
        chunk_notes_add(&walk->chunk_notes, chunk->user, chunk->chunk_bytes);
    }
    return false;
}

bool walk_chunk_find(struct walk_worker *worker, uint64_t address,
                     struct noted_chunk *chunk)
{
    return walk_stretches_find(worker, address, chunk) ||
           chunk_notes_find(&worker->walk->chunk_notes, address, &worker->finder.chunk,
                            chunk);
}
