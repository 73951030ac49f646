#include "source/heaps_picture.h"

#include <stdlib.h>
#include <string.h>

#include "layout/malloc_layout.h"
#include "source/objects_walk.h"
#include "target/target.h"
#include "util/bytes.h"

#define PAGE         UINT64_C(4096)
#define FEW_HEAPS    8
#define CELLS_OF_FEW 1024
#define CELLS_EACH   64
#define OBJECT_LOOK  64 /* bytes of a chunk that may be an object */

static uint64_t cell_bytes(uint64_t heap_bytes, uint64_t cells)
{
    uint64_t bytes = PAGE;

    while (bytes * cells < heap_bytes)
        bytes *= 2;
    return bytes;
}

bool heaps_picture_begin(struct heaps_picture *picture, const struct malloc_heaps *heaps)
{
    uint64_t cells = heaps->count <= FEW_HEAPS ? CELLS_OF_FEW : CELLS_EACH;

    heaps_picture_release(picture);
    picture->rows = calloc(heaps->count + 1, sizeof(*picture->rows));
    for (size_t i = 0; picture->rows && i < heaps->count; i++) {
        const struct malloc_heap *heap = &heaps->heaps[i];
        struct heap_row *row = &picture->rows[i];

        row->address = heap->start;
        row->bytes = heap->end - heap->start;
        row->arena = heap->arena;
        row->cell_bytes = cell_bytes(row->bytes, cells);
        row->first_cell = picture->n_cells;
        row->n_cells = (size_t)((row->bytes + row->cell_bytes - 1) / row->cell_bytes);
        picture->n_cells += row->n_cells;
    }
    picture->used = calloc(picture->n_cells + 1, sizeof(*picture->used));
    picture->cells = calloc(picture->n_cells + 1, 1);
    if (!picture->rows || !picture->used || !picture->cells) {
        heaps_picture_release(picture);
        return false;
    }
    picture->n_rows = heaps->count;
    return true;
}

void heaps_picture_release(struct heaps_picture *picture)
{
    free(picture->rows);
    free(picture->used);
    free(picture->cells);
    memset(picture, 0, sizeof(*picture));
}

void heaps_picture_heap(struct heaps_picture *picture, size_t heap)
{
    picture->row = heap < picture->n_rows ? &picture->rows[heap] : NULL;
    picture->n_last = 0;
    picture->used_end = picture->run_end = 0;
    picture->free_run_bytes = 0;
}

static void add_to_cells(struct heaps_picture *picture, uint64_t start, uint64_t end)
{
    const struct heap_row *row = picture->row;

    if (start < row->address || end > row->address + row->bytes)
        return;
    while (start < end) {
        uint64_t cell = (start - row->address) / row->cell_bytes;
        uint64_t stop = row->address + (cell + 1) * row->cell_bytes;

        stop = stop < end ? stop : end;
        picture->used[row->first_cell + cell] += stop - start;
        start = stop;
    }
}

static void chunk_used(struct heaps_picture *picture, const struct chunk *chunk)
{
    struct heap_row *row = picture->row;

    row->used_runs += !picture->is_used_run || picture->run_end != chunk->address;
    row->used_bytes += chunk->bytes;
    picture->is_used_run = true;
    picture->free_run_bytes = 0;
    add_to_cells(picture, chunk->address, chunk->address + chunk->bytes);
    picture->last[picture->n_last++ % HEAP_TOPS] =
        (struct heap_last){chunk->address, chunk->bytes, picture->used_end};
    picture->used_end = chunk->address + chunk->bytes;
}

static void chunk_free(struct heaps_picture *picture, const struct chunk *chunk)
{
    struct heap_row *row = picture->row;

    row->free_runs += picture->is_used_run || picture->run_end != chunk->address;
    row->free_bytes += chunk->bytes;
    picture->is_used_run = false;
    picture->free_run_bytes += chunk->bytes;
    if (picture->free_run_bytes > row->largest_free_bytes)
        row->largest_free_bytes = picture->free_run_bytes;
}

/* The last chunks in use, the uppermost first. */
static void chunk_top(struct heaps_picture *picture, const struct chunk *chunk,
                      struct residency *residency)
{
    uint64_t end = chunk->address + chunk->bytes;
    size_t count = picture->n_last < HEAP_TOPS ? picture->n_last : HEAP_TOPS;

    picture->row->top_bytes += chunk->bytes;
    for (size_t i = 0; i < count && picture->n_tops < HEAP_TOPS_MOST; i++) {
        const struct heap_last *last =
            &picture->last[(picture->n_last - 1 - i) % HEAP_TOPS];
        uint64_t start = last->before ? last->before : last->address;

        picture->tops[picture->n_tops++] = (struct heap_top_row){
            .heap = picture->row->address,
            .address = last->address,
            .bytes = last->bytes,
            .return_bytes = residency_of(residency, start, end).resident};
    }
}

void heaps_picture_chunk(struct heaps_picture *picture, const struct chunk *chunk,
                         struct residency *residency)
{
    if (!picture->row)
        return;
    if (chunk->state == CHUNK_USED)
        chunk_used(picture, chunk);
    else if (chunk->state == CHUNK_FREE)
        chunk_free(picture, chunk);
    else if (chunk->state == CHUNK_TOP)
        chunk_top(picture, chunk, residency);
    picture->run_end = chunk->address + chunk->bytes;
}

static uint8_t cell_of(const struct heap_row *row, uint64_t used, uint64_t at)
{
    uint64_t top = row->address + row->bytes - row->top_bytes;

    if (!used)
        return row->top_bytes && row->address + at >= top ? HEAP_CELL_TOP
                                                          : HEAP_CELL_FREE;
    if (used * 3 < row->cell_bytes)
        return HEAP_CELL_LOW;
    if (used * 3 < row->cell_bytes * 2)
        return HEAP_CELL_HALF;
    return used * 20 < row->cell_bytes * 19 ? HEAP_CELL_MOST : HEAP_CELL_FULL;
}

/* The kind of the object that begins the chunk: its type says how deep it lies. */
static const struct kind *chunk_kind(struct walk *walk, const struct heap_top_row *top)
{
    uint64_t prefix = walk->layout.pymalloc.debug_prefix_bytes;
    uint8_t bytes[OBJECT_LOOK];

    if (top->bytes < OBJECT_LOOK + CHUNK_HEADER ||
        reader_read(walk->reader, raddr_of(top->address + CHUNK_HEADER + prefix), bytes,
                    sizeof(bytes)))
        return NULL;
    for (uint32_t at = 0; at <= OBJECT_PREFIX_MAX; at += 16) {
        uint64_t type = u64_at(bytes, at + 8);
        const struct type_entry *entry =
            walk_is_alive(walk, u64_at(bytes, at)) && type >= PAGE && !(type & 7)
                ? types_get(&walk->types, type)
                : NULL;

        if (entry && entry->shape.prefix == at && entry->shape.basicsize <= top->bytes)
            return entry->kind;
    }
    return NULL;
}

static void name_tops(struct heaps_picture *picture, struct target *target,
                      const struct layout *layout)
{
    struct walk walk;

    walk_init(&walk, target->reader, layout, target->type_type.value);
    walk_set_target_image(&walk, target);
    arena_map_init(&walk.map, &walk.table, layout->pymalloc.arena_bytes); /* none */
    for (size_t i = 0; i < picture->n_tops; i++)
        picture->tops[i].kind = chunk_kind(&walk, &picture->tops[i]);
    walk_release(&walk);
}

void heaps_picture_end(struct heaps_picture *picture, struct target *target,
                       const struct layout *layout)
{
    for (size_t i = 0; i < picture->n_rows; i++) {
        const struct heap_row *row = &picture->rows[i];

        for (size_t cell = 0; cell < row->n_cells; cell++)
            picture->cells[row->first_cell + cell] = cell_of(
                row, picture->used[row->first_cell + cell], (cell + 1) * row->cell_bytes);
    }
    if (layout && picture->n_tops)
        name_tops(picture, target, layout);
}
