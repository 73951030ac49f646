/*
 * free_list_entries.h - which objects (or other things) are on one free list.
 *
 * The target's threads take from its lists and give back to them: an answer is one where
 * the list was as long as its counter said. Any thread, each with its own reader.
 */
#ifndef HEAPTOP_SOURCE_FREE_LIST_ENTRIES_H
#define HEAPTOP_SOURCE_FREE_LIST_ENTRIES_H

#include <stdbool.h>
#include <stdint.h>

#include "layout/free_list_layout.h"
#include "target/reader.h"

/* `head`: where the list was found before, if it has to be searched for (0: not yet);
 * kept there. False when it changed under the reading each time, or cannot be found. */
bool free_list_entries(struct reader *reader, const struct free_list_place *place,
                       uint64_t *head, uint64_t entries[FREE_LIST_MOST], uint64_t *count);

#endif
