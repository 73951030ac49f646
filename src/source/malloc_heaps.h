/*
 * malloc_heaps.h - where glibc's malloc has its memory: heaps, mmapped chunks, arenas.
 *
 * The main heap is what the kernel calls [heap]; heaps of threads begin at addresses
 * that 64 MiB divide, with a header that says how long they are; mmapped chunks are
 * whole pages whose header says so. The state of each arena is found by its bins, which
 * point at themselves while they are empty; so no version of glibc needs to be known.
 *
 * Borrows what it is given. Everything read is hostile. One thread.
 */
#ifndef HEAPTOP_SOURCE_MALLOC_HEAPS_H
#define HEAPTOP_SOURCE_MALLOC_HEAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/arenas.h"
#include "source/malloc_chain.h"
#include "target/maps.h"
#include "target/residency.h"

struct malloc_mmapped {
    uint64_t start, end;
};

struct malloc_heaps {
    struct malloc_heap *heaps; /* sorted by address */
    size_t count, capacity;
    struct malloc_mmapped *mmapped; /* sorted */
    size_t n_mmapped, mmapped_capacity;
    bool is_cut; /* no memory for more */
};

/* What of the target is looked through. */
struct malloc_places {
    struct reader *reader;
    struct residency *residency;
    const struct maps *maps;
    const struct arena_table *arenas; /* pymalloc's: no chunks in them */
    uint64_t arena_bytes;
};

/* The next stretch of memory, from mapping number *next on, in which there may be mmapped
 * chunks and heaps of threads. Neighbours are joined: the kernel splits one chunk over
 * several mappings when a part of it was madvised. False when there is none. */
bool malloc_region_next(const struct maps *maps, size_t *next, uint64_t *start,
                        uint64_t *end);

void malloc_heaps_find(struct malloc_heaps *heaps, const struct malloc_places *places);
void malloc_heaps_release(struct malloc_heaps *heaps);

/* The heap that contains the address, or NULL. */
const struct malloc_heap *malloc_heaps_at(const struct malloc_heaps *heaps,
                                          uint64_t address);

/* Address of the bins of a malloc_state somewhere in [start, end); 0 = none there. The
 * top of the state must lie in one of the heaps. */
uint64_t malloc_lists_find(struct reader *reader, const struct malloc_heaps *heaps,
                           uint64_t start, uint64_t end);

#endif
