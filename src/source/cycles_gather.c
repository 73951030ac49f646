#include "source/cycles_gather.h"

#include <string.h>

#include "source/objects_walk.h"
#include "util/bytes.h"
#include "util/window.h"

#define REFCOUNT_MASK UINT64_C(0xffffffff)
#define NODES_MAX     (UINT32_C(1) << 26) /* of a list */
/* Half a pointer is mostly more. */
#define REFERENCES_USUAL (UINT32_C(1) << 16)

bool cycles_gather_init(struct cycles_gather *gather)
{
    gather->window = window_take(gather->layout->pymalloc.arena_bytes);
    return gather->window != NULL;
}

void cycles_gather_release(struct cycles_gather *gather)
{
    if (gather->window)
        window_give(gather->window, gather->layout->pymalloc.arena_bytes);
    gather->window = NULL;
}

static struct cycles_mark mark_of(uint64_t references)
{
    references &= REFCOUNT_MASK;
    if (references > CYCLES_REFERENCES_MOST)
        references = CYCLES_REFERENCES_MOST;
    return (struct cycles_mark){.references =
                                    (int32_t)references & CYCLES_REFERENCES_MOST};
}

/* ---- outside the arenas ---- */

static bool is_head(const struct cycles_gather *gather, uint64_t address)
{
    const struct layout_gc *gc = &gather->layout->gc;

    for (size_t i = 0; i < 3; i++)
        if (address == raddr_add(gc->state, gc->generations[i]).value)
            return true;
    return gc->has_permanent && address == raddr_add(gc->state, gc->permanent).value;
}

/* From object to object until the links lead back into an arena, or to where others led
 * already; each one's link leads back. False: no room. */
static bool follow(struct cycles_gather *gather, uint64_t from, uint64_t node)
{
    uint8_t head[GC_HEAD_BYTES + 16];

    for (uint32_t n = 0;
         n < NODES_MAX && raddr_may_hold_word(node) && !is_head(gather, node) &&
         !arena_map_has(&gather->set->map, node);
         n++) {
        uint64_t object = node + GC_HEAD_BYTES;
        const struct cycles_type *type;

        if (object & 15 || cycles_set_find(gather->set, object) ||
            !cycles_memory_read(gather->memory, node, head, sizeof(head)) ||
            (u64_at(head, 8) & GC_LINK_MASK) != from)
            break;
        type = cycles_type_of(gather->types, u64_at(head, GC_HEAD_BYTES + 8));
        if (!type || !(type->flags & TYPE_FLAG_HAVE_GC))
            break;
        if (!cycles_set_add_far(gather->set, object,
                                mark_of(u64_at(head, GC_HEAD_BYTES))))
            return false;
        from = node;
        node = u64_at(head, 0) & GC_LINK_MASK;
    }
    return true;
}

/* ---- in the arenas ---- */

/* A block that may hold an object. */
struct candidate {
    const uint8_t *bytes;
    uint64_t address;
    uint32_t block_bytes;
};

/* Next on its list is one whose link leads back. */
static bool is_linked(struct cycles_gather *gather, uint64_t next, uint64_t node)
{
    uint64_t back;

    return cycles_memory_u64(gather->memory, next + 8, &back) &&
           (back & GC_LINK_MASK) == node;
}

/* The type of the tracked object at the offset; NULL when none is there. The state of a
 * module has words in a row that lead to types: what they make of it would be too large
 * for its block, or has half a pointer for its count of references. */
static const struct cycles_type *tracked_type(struct cycles_gather *gather,
                                              const struct candidate *block, uint32_t at)
{
    const struct object_layout *layout = &gather->layout->object;
    uint32_t before = gather->layout->pymalloc.debug_prefix_bytes;
    uint32_t most = block->block_bytes - (before ? OBJECT_DEBUG_BYTES : 0);
    const struct object_view view = {block->bytes + at, block->block_bytes - at,
                                     block->address + at};
    uint64_t next = u64_at(block->bytes, at - GC_HEAD_BYTES) & GC_LINK_MASK;
    uint64_t references = u64_at(view.bytes, 0);
    const struct cycles_type *type;

    if (!raddr_may_hold_word(next) || !(references & REFCOUNT_MASK) ||
        references & layout->refcnt_never)
        return NULL;
    type = cycles_type_of(gather->types, u64_at(view.bytes, layout->ob_type));
    if (!type || !(type->flags & TYPE_FLAG_HAVE_GC) || type->prefix != at - before ||
        object_block_need(layout, &type->shape, &view) > most)
        return NULL;
    if ((references & REFCOUNT_MASK) > REFERENCES_USUAL &&
        !is_linked(gather, next, view.address - GC_HEAD_BYTES))
        return NULL;
    return type;
}

/* The object in a block, when the collector tracks it; false when there is no room. */
static bool gather_block(struct cycles_gather *gather, size_t row,
                         const struct candidate *block)
{
    uint32_t before = gather->layout->pymalloc.debug_prefix_bytes;

    for (uint32_t at = before + GC_HEAD_BYTES;
         at <= before + OBJECT_PREFIX_MAX && at + 16 <= block->block_bytes; at += 16) {
        const struct cycles_type *type = tracked_type(gather, block, at);

        if (!type)
            continue;
        return cycles_set_add(gather->set, row, block->address + at,
                              mark_of(u64_at(block->bytes, at))) &&
               follow(gather, block->address + at - GC_HEAD_BYTES,
                      u64_at(block->bytes, at - GC_HEAD_BYTES) & GC_LINK_MASK);
    }
    return true;
}

static bool gather_pool(struct cycles_gather *gather, size_t row, const uint8_t *bytes,
                        uint64_t address)
{
    uint32_t pool_bytes = gather->layout->pymalloc.pool_bytes;
    struct pool pool;

    if (pool_read(&pool, bytes, pool_bytes, address,
                  gather->set->arenas->rows[row].index) != POOL_USED)
        return true;
    for (uint32_t i = 0; i < pool.n_carved; i++) {
        uint32_t at = POOL_HEADER_BYTES + i * pool.block_bytes;

        if (pool.n_free && pool.free[i / 64] >> i % 64 & 1)
            continue;
        if (!gather_block(
                gather, row,
                &(struct candidate){bytes + at, address + at, pool.block_bytes}))
            return false;
    }
    return true;
}

static enum gather_result gather_arena(struct cycles_gather *gather, size_t row)
{
    const struct arena_row *arena = &gather->set->arenas->rows[row];
    uint32_t pool_bytes = gather->layout->pymalloc.pool_bytes;
    uint64_t length = arena->pool_high - arena->first_pool;

    if (arena->pool_high <= arena->first_pool ||
        length > gather->layout->pymalloc.arena_bytes)
        return GATHER_MORE;
    length -= length % pool_bytes;
    cycles_memory_copy(gather->memory, arena->first_pool, gather->window, length);
    for (uint64_t at = 0; at < length; at += pool_bytes)
        if (!gather_pool(gather, row, gather->window + at, arena->first_pool + at))
            return GATHER_FAILED;
    cycles_set_end_arena(gather->set, row);
    return GATHER_MORE;
}

/* ---- all ---- */

/* Where the lists begin. */
static bool gather_heads(struct cycles_gather *gather)
{
    const struct layout_gc *gc = &gather->layout->gc;
    uint64_t link;

    for (size_t i = 0; i < 3; i++) {
        struct raddr list = raddr_add(gc->state, gc->generations[i]);

        if (reader_u64(gather->memory->reader, list, &link) &&
            !follow(gather, list.value, link & GC_LINK_MASK))
            return false;
    }
    return true;
}

/* What is frozen is on no list that is collected: it holds what it leads to. */
static void mark_frozen(struct cycles_gather *gather)
{
    const struct layout_gc *gc = &gather->layout->gc;
    struct raddr list = raddr_add(gc->state, gc->permanent);
    uint64_t node = 0;

    if (!gc->has_permanent || !reader_u64(gather->memory->reader, list, &node))
        return;
    for (uint32_t n = 0; n < NODES_MAX; n++) {
        struct cycles_mark *mark;

        node &= GC_LINK_MASK;
        if (!raddr_may_hold_word(node) || node == list.value)
            return;
        mark = cycles_set_find(gather->set, node + GC_HEAD_BYTES);
        if (mark)
            mark->references = CYCLES_REFERENCES_MOST;
        if (!cycles_memory_u64(gather->memory, node, &node))
            return;
    }
}

enum gather_result cycles_gather_step(struct cycles_gather *gather)
{
    if (gather->next < gather->set->arenas->count)
        return gather_arena(gather, gather->next++);
    if (!gather_heads(gather))
        return GATHER_FAILED;
    cycles_far_sort(&gather->set->far);
    mark_frozen(gather);
    return GATHER_OVER;
}
