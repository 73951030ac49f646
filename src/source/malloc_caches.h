/*
 * malloc_caches.h - chunks that look as if they were in use, and are free.
 *
 * glibc keeps small freed chunks in fastbins (one set an arena) and in tcaches (one a
 * thread) without marking them as free. Both are singly linked lists by size; their
 * links have been mangled since 2.32. A tcache is itself a chunk of a known size whose
 * contents must fit together, list by list; then it is one, whatever the version.
 *
 * One thread. Everything read is hostile.
 */
#ifndef HEAPTOP_SOURCE_MALLOC_CACHES_H
#define HEAPTOP_SOURCE_MALLOC_CACHES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/malloc_heaps.h"

/* Chunks by address; sorted by address_set_sort(). */
struct chunk_set {
    uint64_t *addresses;
    size_t count, capacity;
    size_t hint;
};

void chunk_set_clear(struct chunk_set *set);
void chunk_set_release(struct chunk_set *set);
/* False when there is no room. */
bool chunk_set_add(struct chunk_set *set, uint64_t address);
void chunk_set_sort(struct chunk_set *set);
/* Is it in the sorted set? Ascending questions are cheapest. */
bool chunk_set_has(struct chunk_set *set, uint64_t address);

/* Adds the chunks in the fastbins of the arena with these bins. */
void malloc_fastbins_add(struct chunk_set *set, struct reader *reader,
                         const struct malloc_heaps *heaps, uint64_t lists);

/* Can a chunk of this size be a tcache? */
bool malloc_is_tcache_size(uint64_t chunk_bytes);

/* When the user data is a tcache, adds the chunks on its lists; else adds none. */
void malloc_tcache_add(struct chunk_set *set, struct reader *reader,
                       const struct malloc_heaps *heaps, uint64_t user,
                       uint64_t chunk_bytes);

#endif
