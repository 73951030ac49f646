/*
 * pymalloc.h - counts pymalloc's pools and blocks; the pymalloc source's work
 * without the sampler around it, for tests and --selfcheck. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_PYMALLOC_H
#define HEAPTOP_SOURCE_PYMALLOC_H

#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "target/reader.h"

/* Buffers and what is remembered between samples; freed by free(). NULL: no memory. */
struct pymalloc_state;
struct pymalloc_state *pymalloc_state_new(void);

/* Fills a zeroed section. used_bytes + free_block_bytes + free_pool_bytes +
 * header_bytes == arena_bytes always; pools that stay torn are header_bytes. */
int pymalloc_count_section(struct pymalloc_section *section, struct pymalloc_state *state,
                           struct reader *reader, const struct layout *layout,
                           struct err *err);

#endif
