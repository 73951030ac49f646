#include "layout/find.h"

#include <inttypes.h>
#include <stdlib.h>

#include "layout/pymalloc_layout.h"

#define PROVE_SLOTS     4096           /* of the table, that are looked at */
#define PROVE_ATTEMPTS  32             /* for lists that change while they are read */
#define GC_POINTER_MASK (~UINT64_C(3)) /* _gc_prev and, in 3.14.0 - .4, _gc_next */

static bool arena_says(const char **why, const char *words)
{
    if (why)
        *why = words;
    return false;
}

bool arena_object_is_plausible(const struct arena_object *arena,
                               const struct layout_pymalloc *pymalloc, const char **why)
{
    uint64_t first_pool = pymalloc_first_pool(pymalloc, arena->address);
    uint64_t pools;

    if (!arena->address)
        return true;
    if (arena->address % PYMALLOC_ARENA_ALIGN ||
        arena->address >= RADDR_END - pymalloc->arena_bytes)
        return arena_says(why, "the address of an arena is not that of a page");
    pools =
        (pymalloc->arena_bytes - (first_pool - arena->address)) / pymalloc->pool_bytes;
    if (arena->ntotalpools != pools)
        return arena_says(why, "an arena does not have the number of pools that fit it");
    if (arena->nfreepools > arena->ntotalpools)
        return arena_says(why, "an arena has more free pools than pools");
    if (arena->pool_address < first_pool ||
        arena->pool_address - first_pool > pools * pymalloc->pool_bytes ||
        arena->pool_address % pymalloc->pool_bytes)
        return arena_says(why, "the next pool of an arena lies outside it");
    return true;
}

bool pool_header_is_consistent(const struct pool_header *pool,
                               const struct layout_pymalloc *pymalloc,
                               uint32_t arena_index)
{
    uint32_t block_bytes, carved;

    if (pool->arenaindex != arena_index)
        return false;
    if (!pool->count)
        return true;
    if (pool->szidx >= PYMALLOC_SIZE_CLASSES)
        return false;
    block_bytes = pymalloc_block_bytes(pool->szidx);
    if (pool->maxnextoffset != pymalloc->pool_bytes - block_bytes)
        return false;
    if (pool->nextoffset < sizeof(*pool) || pool->nextoffset > pymalloc->pool_bytes)
        return false;
    carved = pool->nextoffset - (uint32_t)sizeof(*pool);
    return carved % block_bytes == 0 && pool->count <= carved / block_bytes;
}

bool pymalloc_is_slot_count(uint64_t slots)
{
    return slots >= PYMALLOC_SLOTS_FIRST && slots <= PYMALLOC_SLOTS_MAX &&
           !(slots & (slots - 1));
}

/* Looks at the first pool of each used slot: it must carry the slot's number. */
static int prove_first_pools(const struct layout_pymalloc *pymalloc,
                             struct reader *reader, const struct arena_object *slots,
                             size_t count, struct err *err)
{
    size_t n_used = 0, n_right = 0;

    for (size_t i = 0; i < count; i++) {
        struct pool_header pool;
        uint64_t first = pymalloc_first_pool(pymalloc, slots[i].address);

        if (!slots[i].address || slots[i].pool_address == first)
            continue;
        n_used++;
        if (!reader_read(reader, raddr_of(first), &pool, sizeof(pool)))
            n_right += pool.arenaindex == i;
    }
    /* A busy target may give back a few of them while we look. */
    if (n_used && n_right >= n_used - n_used / 4)
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "pymalloc: %zu of %zu arenas have a first pool that carries their "
                   "index",
                   n_right, n_used);
}

int prove_arenas(const struct layout_pymalloc *pymalloc, struct reader *reader,
                 struct err *err)
{
    struct arena_object *slots;
    uint64_t arenas, count;
    int status = -1;

    if (!reader_u64(reader, pymalloc->arenas_word, &arenas))
        return err_set(err, ERR_FAILED, "pymalloc: the variable arenas cannot be read");
    count = pymalloc_slots(pymalloc, reader, arenas);
    if (!count)
        count = PYMALLOC_SLOTS_FIRST;
    if (count > PROVE_SLOTS)
        count = PROVE_SLOTS;
    slots = calloc(count, sizeof(*slots));
    if (!slots)
        return err_set(err, ERR_FAILED, "out of memory");
    if (reader_read(reader, raddr_of(arenas), slots, count * sizeof(*slots)))
        err_set(err, ERR_FAILED, "pymalloc: the table of arenas cannot be read");
    else
        status = prove_first_pools(pymalloc, reader, slots, count, err);
    free(slots);
    return status;
}

/* One list: next->prev and prev->next lead back to the head. */
static bool gc_list_is_closed(struct reader *reader, uint64_t head)
{
    for (int attempt = 0; attempt < PROVE_ATTEMPTS; attempt++) {
        uint64_t links[2], back, forth;

        if (reader_read(reader, raddr_of(head), links, sizeof(links)))
            return false;
        if (reader_u64(reader, raddr_of((links[0] & GC_POINTER_MASK) + 8), &back) &&
            reader_u64(reader, raddr_of(links[1] & GC_POINTER_MASK), &forth) &&
            (back & GC_POINTER_MASK) == head && (forth & GC_POINTER_MASK) == head)
            return true;
    }
    return false;
}

/* In a collection _gc_prev holds counts; the lists close again after it. */
static bool gc_is_collecting(const struct layout_gc *gc, struct reader *reader)
{
    uint32_t collecting;

    return reader_u32(reader, raddr_add(gc->state, gc->collecting), &collecting) &&
           collecting == 1;
}

/* The permanent generation is at rest, the others may change all the time: `needed`
 * of them must be seen closed. */
static int prove_gc_lists(const struct layout_gc *gc, int needed, struct reader *reader,
                          struct err *err)
{
    int closed = 0;

    if (!gc_list_is_closed(reader, raddr_add(gc->state, gc->permanent).value) &&
        !gc_is_collecting(gc, reader))
        return err_set(err, ERR_UNSUPPORTED,
                       "gc: the list of the permanent generation is not a circle");
    for (int i = 2; i >= 0 && closed < needed; i--)
        closed +=
            gc_list_is_closed(reader, raddr_add(gc->state, gc->generations[i]).value);
    if (closed >= needed || gc_is_collecting(gc, reader))
        return 0;
    return err_set(err, ERR_UNSUPPORTED,
                   "gc: %d of 3 lists of generations are circles of objects", closed);
}

int prove_gc(const struct layout_gc *gc, const struct layout_gc_table *table,
             struct reader *reader, struct err *err)
{
    uint64_t pointer;
    uint32_t enabled, collecting;

    if (table->generation0) {
        uint64_t first = raddr_add(gc->state, gc->generations[0]).value;

        if (!reader_u64(reader, raddr_add(gc->state, table->generation0), &pointer) ||
            pointer != first)
            return err_set(err, ERR_UNSUPPORTED,
                           "gc: generation0 does not point to the first generation");
    }
    if (!reader_u32(reader, raddr_add(gc->state, gc->enabled), &enabled) ||
        !reader_u32(reader, raddr_add(gc->state, gc->collecting), &collecting))
        return err_set(err, ERR_FAILED, "gc: the collector's state cannot be read");
    if (enabled > 1 || collecting > 1)
        return err_set(err, ERR_UNSUPPORTED,
                       "gc: enabled or collecting is neither 0 nor 1");
    return prove_gc_lists(gc, table->generation0 ? 1 : 3, reader, err);
}
