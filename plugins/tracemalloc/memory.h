/*
 * memory.h - the target's memory by blocks, the last ones of which are kept: tables are
 * followed from pointer to pointer, and many of them lie in one block.
 */
#ifndef HEAPTOP_TRACEMALLOC_MEMORY_H
#define HEAPTOP_TRACEMALLOC_MEMORY_H

#include <stdbool.h>

#include "heaptop/plugin.h"

/* What was kept is forgotten: the target has gone on. */
void memory_begin(const struct heaptop_host *host);
/* All or nothing. */
bool memory_read(uint64_t address, void *to, size_t bytes);
bool memory_word(uint64_t address, uint64_t *word);

#endif
