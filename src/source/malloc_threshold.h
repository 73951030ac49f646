/*
 * malloc_threshold.h - from which size on glibc's malloc maps a chunk by itself. Freeing
 * such a chunk raises that size, and buffers of it stay in the heap from then on.
 */
#ifndef HEAPTOP_SOURCE_MALLOC_THRESHOLD_H
#define HEAPTOP_SOURCE_MALLOC_THRESHOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "target/reader.h"

/* Looks for malloc's parameters in libc's data [start, end); 0 = not found. */
uint64_t malloc_threshold_find(struct reader *reader, uint64_t start, uint64_t end);

/* A chunk of that size, or of up to four of them that lay side by side: within a tenth.
 * Never while the threshold is what it was at first. */
bool malloc_is_about_threshold(uint64_t chunk_bytes, uint64_t threshold);

#endif
