/*
 * free_lists.h - what the types keep for their next use: entries, bytes, arenas.
 *
 * Bytes are those of the blocks, GC head included; CPython's own report forgets it.
 * Borrows everything. One thread.
 */
#ifndef HEAPTOP_SOURCE_FREE_LISTS_H
#define HEAPTOP_SOURCE_FREE_LISTS_H

#include "heaptop/snapshot.h"
#include "layout/free_list_layout.h"
#include "source/account_pools.h"
#include "source/arenas.h"

struct free_lists {
    struct reader *reader;
    const struct layout *layout;
    const struct arena_table *table;
    const struct arena_use *uses; /* of the table's arenas; NULL: not known */
    uint64_t *heads; /* FREE_LIST_PLACES_MOST, kept from one reading to the next */
    struct free_lists_section totals;
    struct free_list_row rows[FREE_LIST_PLACES_MOST];
};

/* Reads all lists; false when they are not known for this interpreter, or changed so
 * fast that their counters did not fit. */
bool free_lists_read(struct free_lists *lists);

#endif
