/*
 * cycles_free.h - what is freed with the garbage of a dry run: blocks of the arenas and
 * chunks of malloc. Of the two answers the one that is made: cycles.freed.
 *
 * Each reference that goes is counted, so what others hold, too, stays. No block is freed
 * twice. One thread.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_FREE_H
#define HEAPTOP_SOURCE_CYCLES_FREE_H

#include "source/cycles.h"

/* False when there is no memory. */
bool cycles_free_begin(struct cycles *cycles, struct cycles_freed *freed);

/* The object, its tables, and what it alone refers to is noted to go on from. */
void cycles_free_object(struct cycles *cycles, uint64_t object);

/* All were freed: which arenas are empty then. */
void cycles_freed_end(struct cycles *cycles);

/* Nothing is opaque: at most that is freed which is freed at least. False: no memory. */
bool cycles_freed_copy(struct cycles *cycles);

void cycles_freed_bits_release(struct cycles *cycles);

/* Of cycles.c. */
bool cycles_is_garbage(const struct cycles *cycles, const struct cycles_mark *mark);
void cycles_work_add(struct cycles *cycles, uint64_t address);
const struct cycles_type *cycles_type_at(struct cycles *cycles, uint64_t object);

#endif
