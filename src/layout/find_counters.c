/*
 * Counters beside the arenas: how many slots the table has, how many blocks were
 * too large for pymalloc, and whether debug hooks widen every block.
 */
#include "layout/find.h"

#include <stdlib.h>

#include "layout/decode.h"
#include "layout/malloc_layout.h"
#include "layout/object_size.h"
#include "layout/pymalloc_layout.h"

#define COUNTER_LOADS 256
#define BLOCKS_MAX    (INT64_C(1) << 40)
#define HOOKS_POOLS   8 /* used pools that are looked at for debug hooks */

static uint64_t slots_rounded_down(uint64_t slots)
{
    uint64_t rounded = PYMALLOC_SLOTS_FIRST;

    if (slots < rounded || slots > 2 * PYMALLOC_SLOTS_MAX)
        return 0;
    while (rounded * 2 <= slots)
        rounded *= 2;
    return pymalloc_is_slot_count(rounded) ? rounded : 0;
}

/* What was asked for when the table was allocated: behind debug hooks exactly, else
 * from glibc's chunk header (malloc.c: size and 3 flags in front of the data; an
 * mmapped chunk, flag 2, has no neighbour whose prev_size it may use). */
static uint64_t slots_from_allocation(struct reader *reader, uint64_t arenas)
{
    uint8_t front[OBJECT_DEBUG_PREFIX_BYTES];
    uint64_t size = 0, flags;

    if (arenas < sizeof(front) ||
        reader_read(reader, raddr_of(arenas - sizeof(front)), front, sizeof(front)))
        return 0;
    if (object_debug_id(front + OBJECT_DEBUG_ID)) {
        for (int i = 0; i < 8; i++)
            size = size << 8 | front[i];
        return slots_rounded_down(size / sizeof(struct arena_object));
    }
    for (int i = 7; i >= 0; i--)
        size = size << 8 | front[8 + i];
    flags = size & CHUNK_FLAGS;
    size &= ~CHUNK_FLAGS;
    if (size < CHUNK_MIN)
        return 0;
    return slots_rounded_down(
        (size - (flags & CHUNK_MMAPPED ? CHUNK_HEADER : CHUNK_OVERHEAD)) /
        sizeof(struct arena_object));
}

uint64_t pymalloc_slots(const struct layout_pymalloc *pymalloc, struct reader *reader,
                        uint64_t arenas)
{
    uint32_t slots;

    if (!raddr_is_null(pymalloc->maxarenas_word) &&
        reader_u32(reader, pymalloc->maxarenas_word, &slots) &&
        pymalloc_is_slot_count(slots))
        return slots;
    return slots_from_allocation(reader, arenas);
}

/* The one wide variable that is read and is not `arenas`; 0 when not exactly one. */
static uint64_t counter_word(const struct code_load *loads, size_t count, uint64_t arenas)
{
    uint64_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if (loads[i].bytes != 8 || loads[i].address == arenas ||
            loads[i].address == found)
            continue;
        if (found)
            return 0;
        found = loads[i].address;
    }
    return found;
}

/* The one narrow variable whose value can be a number of slots. */
static void find_maxarenas(struct target *target, struct layout_pymalloc *pymalloc,
                           const struct code_load *loads, size_t count)
{
    uint64_t found = 0;
    uint32_t slots;

    for (size_t i = 0; i < count; i++) {
        if (loads[i].bytes != 4 || loads[i].address == found ||
            !reader_u32(target->reader, raddr_of(loads[i].address), &slots) ||
            !pymalloc_is_slot_count(slots))
            continue;
        if (found)
            return;
        found = loads[i].address;
    }
    pymalloc->maxarenas_word = raddr_of(found);
}

/* 3.8: only _PyObject_DebugMallocStats() reads maxarenas, among much else. */
static void find_maxarenas_3_8(struct target *target, struct layout_pymalloc *pymalloc)
{
    struct code_load loads[COUNTER_LOADS];
    size_t count =
        find_code_loads(target, "_PyObject_DebugMallocStats", true, loads, COUNTER_LOADS);

    find_maxarenas(target, pymalloc, loads, count);
}

/* 3.8: the function returns _Py_AllocatedBlocks. 3.9 - 3.11: it adds the pools'
 * counts, through arenas and maxarenas, to raw_allocated_blocks. */
static int find_counters_in_code(struct target *target, struct layout *layout,
                                 struct err *err)
{
    struct layout_pymalloc *pymalloc = &layout->pymalloc;
    struct code_load loads[COUNTER_LOADS];
    size_t count =
        find_code_loads(target, "_Py_GetAllocatedBlocks", false, loads, COUNTER_LOADS);
    uint64_t word = counter_word(loads, count, pymalloc->arenas_word.value);
    uint64_t blocks;
    bool reads_arenas = false;

    for (size_t i = 0; i < count; i++)
        reads_arenas |= loads[i].address == pymalloc->arenas_word.value;
    pymalloc->raw_blocks_is_total = layout->version.minor == 8;
    if (reads_arenas == pymalloc->raw_blocks_is_total)
        return err_set(err, ERR_UNSUPPORTED,
                       "pymalloc: _Py_GetAllocatedBlocks() does not read the table of "
                       "arenas that was found");
    if (!word || !reader_u64(target->reader, raddr_of(word), &blocks) ||
        blocks > (uint64_t)BLOCKS_MAX)
        return err_set(err, ERR_UNSUPPORTED,
                       "pymalloc: the counter of large blocks was not found in "
                       "_Py_GetAllocatedBlocks()");
    pymalloc->raw_blocks_word = raddr_of(word);
    if (pymalloc->raw_blocks_is_total)
        find_maxarenas_3_8(target, pymalloc);
    else
        find_maxarenas(target, pymalloc, loads, count);
    return 0;
}

/* 3.12+: arenas is a member of struct _obmalloc_state. */
static int find_counters_in_state(struct target *target, struct layout *layout,
                                  struct err *err)
{
    struct layout_pymalloc *pymalloc = &layout->pymalloc;
    struct raddr state = raddr_add(pymalloc->arenas_word, -OBMALLOC_ARENAS);
    uint64_t current, highwater, raw;
    uint32_t slots;

    if (!reader_u32(target->reader, raddr_add(state, OBMALLOC_MAXARENAS), &slots) ||
        !reader_u64(target->reader, raddr_add(state, OBMALLOC_NARENAS), &current) ||
        !reader_u64(target->reader, raddr_add(state, OBMALLOC_HIGHWATER), &highwater) ||
        !reader_u64(target->reader, raddr_add(state, OBMALLOC_RAW_BLOCKS), &raw))
        return err_set(err, ERR_FAILED, "pymalloc: its state cannot be read");
    if (!pymalloc_is_slot_count(slots) || !current || current > slots ||
        current > highwater || raw > (uint64_t)BLOCKS_MAX)
        return err_set(err, ERR_UNSUPPORTED,
                       "pymalloc: the counters of arenas contradict each other");
    pymalloc->maxarenas_word = raddr_add(state, OBMALLOC_MAXARENAS);
    pymalloc->highwater_word = raddr_add(state, OBMALLOC_HIGHWATER);
    pymalloc->raw_blocks_word = raddr_add(state, OBMALLOC_RAW_BLOCKS);
    return 0;
}

int find_counters(struct target *target, struct layout *layout, struct err *err)
{
    if (layout->version.minor >= 12)
        return find_counters_in_state(target, layout, err);
    return find_counters_in_code(target, layout, err);
}

/* Adds what one pool says: live blocks, and how many of them have the prefix. */
static bool hooks_look_at_pool(struct reader *reader, struct layout_pymalloc *pymalloc,
                               uint64_t address, uint8_t *bytes, uint64_t votes[2])
{
    const struct pool_header *pool = (const struct pool_header *)(const void *)bytes;
    uint32_t block_bytes;

    if (reader_read(reader, raddr_of(address), bytes, pymalloc->pool_bytes) ||
        !pool_header_is_consistent(pool, pymalloc, pool->arenaindex) || !pool->count)
        return false;
    block_bytes = pymalloc_block_bytes(pool->szidx);
    votes[0] += pool->count;
    for (uint32_t at = sizeof(*pool);
         at < pool->nextoffset && block_bytes <= pymalloc->pool_bytes - at;
         at += block_bytes)
        votes[1] += object_debug_id(bytes + at + OBJECT_DEBUG_ID) != 0;
    return true;
}

static void hooks_look_at_arena(struct reader *reader, struct layout_pymalloc *pymalloc,
                                const struct arena_object *arena, uint64_t votes[2])
{
    uint64_t address = pymalloc_first_pool(pymalloc, arena->address);
    uint8_t *bytes = calloc(1, pymalloc->pool_bytes);
    int n_pools = 0;

    while (bytes && address < arena->pool_address && n_pools < HOOKS_POOLS) {
        n_pools += hooks_look_at_pool(reader, pymalloc, address, bytes, votes);
        address += pymalloc->pool_bytes;
    }
    free(bytes);
}

int find_debug_hooks(struct target *target, struct layout *layout, struct err *err)
{
    struct layout_pymalloc *pymalloc = &layout->pymalloc;
    uint64_t arenas, votes[2] = {0, 0};
    uint64_t slots;

    if (!reader_u64(target->reader, pymalloc->arenas_word, &arenas))
        return err_set(err, ERR_FAILED, "pymalloc: the variable arenas cannot be read");
    slots = pymalloc_slots(pymalloc, target->reader, arenas);
    for (uint64_t i = 0; !votes[0] && (i < PYMALLOC_SLOTS_FIRST || i < slots) && i < 4096;
         i++) {
        struct arena_object arena;

        if (reader_read(target->reader, raddr_of(arenas + i * sizeof(arena)), &arena,
                        sizeof(arena)))
            break;
        if (arena.address && arena_object_is_plausible(&arena, pymalloc, NULL))
            hooks_look_at_arena(target->reader, pymalloc, &arena, votes);
    }
    if (!votes[0])
        return err_set(err, ERR_UNSUPPORTED, "pymalloc: no pool in use could be read");
    pymalloc->debug_prefix_bytes =
        votes[1] > votes[0] / 2 ? OBJECT_DEBUG_PREFIX_BYTES : 0;
    return 0;
}
