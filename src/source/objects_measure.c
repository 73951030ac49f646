#include "source/objects_measure.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "util/bytes.h"

#define UNSIZED_CHUNK_MAX                                        \
    (UINT64_C(64) << 10) /* where no size says what it should be \
                          */

int measure_begin(struct measure *measure, struct walk *walk, struct err *err)
{
    size_t rows = walk->table.count + 1;

    measure_release(measure);
    measure->walk = walk;
    measure->classes = calloc(rows, sizeof(*measure->classes));
    measure->is_known = calloc(rows, sizeof(*measure->is_known));
    if (!measure->classes || !measure->is_known)
        return err_set(err, ERR_FAILED, "out of memory for the pools of the arenas");
    return 0;
}

void measure_release(struct measure *measure)
{
    free(measure->classes);
    free(measure->is_known);
    measure->classes = NULL;
    measure->is_known = NULL;
}

int measure_read(struct measure *measure, uint64_t address, void *buffer, size_t length)
{
    struct walk_worker *worker = &measure->walk->workers[0];
    uint64_t offset = address - worker->window_address;
    bool is_present;

    if (offset < worker->window_bytes && worker->window_bytes - offset >= length) {
        memcpy(buffer, worker->window + offset, length);
        return 0;
    }
    if (address >= RADDR_END ||
        pagemap_run(&worker->pagemap, address, length, &is_present) < length ||
        !is_present)
        return -1;
    return reader_read(measure->walk->reader, raddr_of(address), buffer, length);
}

/* ---- where parts lie ---- */

/* The size classes of all pools of an arena, in one read. */
static void read_pools(struct measure *measure, size_t row)
{
    const struct arena_row *arena = &measure->walk->table.rows[row];
    uint32_t pool_bytes = measure->walk->layout.pymalloc.pool_bytes;
    struct piece pieces[PYMALLOC_ARENA_POOLS];
    struct pool_header headers[PYMALLOC_ARENA_POOLS];
    size_t count = 0;

    measure->is_known[row] = true;
    for (; count < PYMALLOC_ARENA_POOLS &&
           arena->first_pool + count * pool_bytes < arena->pool_high;
         count++)
        pieces[count] = (struct piece){raddr_of(arena->first_pool + count * pool_bytes),
                                       &headers[count], sizeof(headers[0]), false};
    reader_readv(measure->walk->reader, pieces, count);
    for (size_t i = 0; i < count; i++)
        if (pieces[i].done && headers[i].count &&
            headers[i].szidx < PYMALLOC_SIZE_CLASSES)
            measure->classes[row][i] = (uint8_t)(headers[i].szidx + 1);
}

/* The bytes of the block that the address lies in; 0 = in none. */
static uint64_t block_bytes(struct measure *measure, size_t row, uint64_t address)
{
    const struct arena_row *arena = &measure->walk->table.rows[row];
    uint64_t pool =
        (address - arena->first_pool) / measure->walk->layout.pymalloc.pool_bytes;

    if (address < arena->first_pool || pool >= PYMALLOC_ARENA_POOLS)
        return 0;
    if (!measure->is_known[row])
        read_pools(measure, row);
    return measure->classes[row][pool]
               ? pymalloc_block_bytes(measure->classes[row][pool] - 1u)
               : 0;
}

/* Of a part outside the arenas; `need` 0 = it is not known how much it has at least. */
static uint64_t far_bytes(struct measure *measure, uint64_t address, uint64_t need)
{
    uint64_t bytes;

    if (address < 4096 || address >= RADDR_END ||
        address - measure->walk->statics_start < measure->walk->statics_bytes ||
        !pagemap_is_present(&measure->walk->workers[0].pagemap, address - CHUNK_HEADER))
        return 0;
    address -= measure->walk->layout.pymalloc.debug_prefix_bytes;
    bytes = walk_chunk_bytes(measure->walk, address, need, need != 0);
    return need || bytes <= UNSIZED_CHUNK_MAX ? bytes : 0;
}

static uint64_t part_bytes(struct measure *measure, uint64_t address, uint64_t need)
{
    int64_t row = arena_map_row(&measure->walk->map, address);

    return row >= 0 ? block_bytes(measure, (size_t)row, address)
                    : far_bytes(measure, address, need);
}

uint64_t measure_block(struct measure *measure, const struct type_entry *entry,
                       const struct object_view *view)
{
    uint64_t block = view->address - entry->shape.prefix;

    return part_bytes(
        measure, block,
        object_block_need(&measure->walk->layout.object, &entry->shape, view));
}

/* ---- size and parts ---- */

/* 3.13+: values stand in the object itself, and their header says so (pycore_dict.h
 * struct _dictvalues: capacity, size, embedded). */
static bool is_inline(struct measure *measure, const struct object_shape *shape,
                      uint64_t values)
{
    uint8_t header[4];

    return measure->walk->layout.object.minor >= 13 && shape->rule == OBJECT_DICT &&
           !measure_read(measure, values, header, sizeof(header)) && header[2] == 1;
}

/* What the size has elsewhere. */
static uint64_t size_elsewhere(struct measure *measure, struct size_more more)
{
    const struct object_layout *layout = &measure->walk->layout.object;
    uint8_t bytes[SIZE_MORE_BYTES];
    bool is_shared;

    if (more.what == MORE_NOTHING ||
        measure_read(measure, more.address, bytes, sizeof(bytes)))
        return 0;
    if (object_size_leads(layout, &more, bytes) &&
        measure_read(measure, more.address, bytes, sizeof(bytes)))
        return 0;
    return object_size_more(layout, &more, bytes, &is_shared);
}

static uint64_t part_memory(struct measure *measure, const struct object_part *part,
                            uint64_t elsewhere)
{
    switch (part->what) {
    case OBJECT_PART_KEYS: /* 0 elsewhere: other dicts have them, too */
        return elsewhere ? part_bytes(measure, part->address, elsewhere) : 0;
    case OBJECT_PART_CHAIN:
        return part->count * part_bytes(measure, part->address, part->bytes);
    case OBJECT_PART_START:
        return part_bytes(measure, part->address, part->bytes ? part->bytes : elsewhere);
    case OBJECT_PART_BLOCK:
    case OBJECT_PART_SIZED:
        return part_bytes(measure, part->address, part->bytes);
    case OBJECT_PART_DICT:
        break;
    }
    return 0;
}

/* A class is charged the keys that its instances share (typeobject.c
 * type___sizeof___impl). */
static void add_cached_keys(struct measure *measure, const struct met_object *met,
                            struct measured *measured)
{
    const struct type_entry *class = types_get(&measure->walk->types, met->view.address);
    struct size_more more = {MORE_TYPE_KEYS, class ? class->cached_keys : 0, 0};
    uint64_t bytes = more.address ? size_elsewhere(measure, more) : 0;

    if (!met->entry->shape.is_ctype) /* whose own __sizeof__ leaves them out */
        measured->size_bytes += bytes;
    measured->memory_bytes += bytes ? part_bytes(measure, more.address, bytes) : 0;
}

/* Tables that have room for as many entries as their block: the size counts them all. */
static uint64_t part_size(const struct measure *measure, const struct object_part *part,
                          uint64_t memory_bytes)
{
    bool is_near = arena_map_has(&measure->walk->map, part->address);

    if (part->what != OBJECT_PART_SIZED || !memory_bytes)
        return 0;
    return walk_sized_room(measure->walk,
                           is_near ? memory_bytes
                                   : memory_bytes - walk_chunk_overhead(measure->walk));
}

void measure_object(struct measure *measure, const struct met_object *met,
                    struct measured *measured)
{
    const struct object_layout *layout = &measure->walk->layout.object;
    const struct object_shape *shape = &met->entry->shape;
    struct object_part parts[OBJECT_PARTS_MAX];
    struct size_more more[SIZE_MORE_MAX];
    uint64_t size = object_size(layout, shape, &met->view, more);
    uint64_t first = size_elsewhere(measure, more[0]);
    uint64_t second = size_elsewhere(measure, more[1]);
    size_t count = shape->has_parts ? object_parts(layout, shape, &met->view, parts) : 0;

    *measured = (struct measured){size + first + second, met->block_bytes, 0};
    if (shape->rule == OBJECT_TYPE)
        add_cached_keys(measure, met, measured);
    for (size_t i = 0; i < count; i++) {
        bool is_second = parts[i].what == OBJECT_PART_KEYS && more[1].what == MORE_KEYS;
        uint64_t memory_bytes;

        if (parts[i].what == OBJECT_PART_DICT)
            measured->dict = parts[i].address;
        if (parts[i].what == OBJECT_PART_BLOCK &&
            is_inline(measure, shape, parts[i].address))
            continue;
        memory_bytes = part_memory(measure, &parts[i], is_second ? second : first);
        measured->memory_bytes += memory_bytes;
        measured->size_bytes += part_size(measure, &parts[i], memory_bytes);
    }
}
