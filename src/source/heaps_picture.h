/*
 * heaps_picture.h - draws malloc's heaps while their chunks are passed over.
 *
 * Told every chunk of every heap, in order; keeps how much of each cell is in use, and
 * the last chunks in use of each heap. One thread.
 */
#ifndef HEAPTOP_SOURCE_HEAPS_PICTURE_H
#define HEAPTOP_SOURCE_HEAPS_PICTURE_H

#include <stdbool.h>

#include "heaptop/heaps.h"
#include "layout/layout.h"
#include "source/malloc_heaps.h"
#include "target/residency.h"

#define HEAP_TOPS      8  /* chunks kept of one heap */
#define HEAP_TOPS_MOST 64 /* of all */

struct target;

struct heap_last {
    uint64_t address, bytes;
    uint64_t before; /* end of the chunk in use in front of it */
};

struct heaps_picture {
    struct heap_row *rows; /* in the order of the heaps */
    size_t n_rows;
    uint64_t *used; /* bytes, by cell */
    uint8_t *cells;
    size_t n_cells;
    struct heap_row *row;             /* the heap under way */
    struct heap_last last[HEAP_TOPS]; /* a ring */
    size_t n_last;
    uint64_t run_end, used_end; /* of the stretch, and of the last chunk in use */
    bool is_used_run;
    uint64_t free_run_bytes;
    struct heap_top_row tops[HEAP_TOPS_MOST];
    size_t n_tops;
};

/* False when out of memory: then nothing is drawn, and the other calls do nothing. */
bool heaps_picture_begin(struct heaps_picture *picture, const struct malloc_heaps *heaps);
void heaps_picture_heap(struct heaps_picture *picture, size_t heap);
void heaps_picture_chunk(struct heaps_picture *picture, const struct chunk *chunk,
                         struct residency *residency);
/* Cells from bytes; names what lies on the tops. `layout` may be NULL. */
void heaps_picture_end(struct heaps_picture *picture, struct target *target,
                       const struct layout *layout);
void heaps_picture_release(struct heaps_picture *picture);

#endif
