/*
 * heaps.h - the picture of malloc's heaps: how much of each stretch is in use, and what
 * lies on their tops.
 *
 * Part of the malloc section, and counted in the same pass. Chunks that a tcache keeps
 * look used. A cell is HEAP_CELL_FREE (nothing in use) .. HEAP_CELL_FULL, or the top.
 */
#ifndef HEAPTOP_HEAPS_H
#define HEAPTOP_HEAPS_H

#include <stddef.h>
#include <stdint.h>

struct kind;

enum heap_cell {
    HEAP_CELL_FREE = 0,
    HEAP_CELL_LOW,  /* under a third in use */
    HEAP_CELL_HALF, /* under two thirds */
    HEAP_CELL_MOST,
    HEAP_CELL_FULL,
    HEAP_CELL_TOP, /* never used, or free up to the end */
};

struct heap_row {
    uint64_t address, bytes;
    uint64_t arena; /* 0 = the main arena's */
    uint64_t used_bytes, free_bytes, top_bytes;
    uint64_t used_runs, free_runs; /* stretches of chunks in use, and of free ones */
    uint64_t largest_free_bytes;   /* the top is not one of these */
    uint64_t cell_bytes;
    size_t first_cell, n_cells; /* in the section's heap_cells */
};

/* A chunk in use near the end of a heap: the heap cannot shrink below it. */
struct heap_top_row {
    uint64_t heap, address, bytes;
    const struct kind *kind; /* NULL: a part of an object, or not Python's */
    uint64_t return_bytes;   /* if it and all above it were freed; in memory */
};

#endif
