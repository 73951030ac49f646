/*
 * kind_generations.h - in which generations a kind's objects are.
 *
 * Part of the kind inquiry, after its pass: the collector's lists are followed, but the
 * longest, whose share is what remains of the tracked objects. A list that is too long or
 * never holds still is unknown. Reads the target. One thread.
 */
#ifndef HEAPTOP_SOURCE_KIND_GENERATIONS_H
#define HEAPTOP_SOURCE_KIND_GENERATIONS_H

#include "model/kind_detail.h"
#include "source/objects_walk.h"

/* Is the object one of those that are counted? */
typedef bool generations_is_one(void *with, const struct type_entry *entry,
                                uint64_t object);

void kind_generations(struct walk *walk, generations_is_one *is_one, void *with,
                      struct kind_detail *detail);

#endif
