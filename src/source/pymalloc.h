/*
 * pymalloc.h - counts pymalloc's pools and blocks; the pymalloc source's work
 * without the sampler around it, for tests and --selfcheck. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_PYMALLOC_H
#define HEAPTOP_SOURCE_PYMALLOC_H

#include "heaptop/arenas.h"
#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "target/reader.h"

/* Buffers and what is remembered between samples. NULL: no memory. */
struct pymalloc_state;
struct pymalloc_state *pymalloc_state_new(void);
void pymalloc_state_free(struct pymalloc_state *state);

/* Fills a zeroed section. used_bytes + free_block_bytes + free_pool_bytes +
 * header_bytes == arena_bytes always; pools that stay torn are header_bytes.
 * *arenas gets the picture of the same pools, with one reference, or NULL when out of
 * memory; arenas may be NULL. */
int pymalloc_count_section(struct pymalloc_section *section,
                           const struct arenas_section **arenas,
                           struct pymalloc_state *state, struct reader *reader,
                           const struct layout *layout, struct err *err);

#endif
