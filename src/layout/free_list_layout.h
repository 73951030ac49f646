/*
 * free_list_layout.h - where CPython keeps its free lists, by version.
 *
 * Offsets are from the main interpreter's struct (3.10 - 3.12), or from the place where
 * its object state begins (3.13+), which the layout finds relative to the allocator's.
 * 3.8 and 3.9 have static variables that no symbol names: their counters are found in
 * the code that prints them, their lists are searched for (find_free_lists.c).
 * A list is believed when it is as long as its counter says.
 */
#ifndef HEAPTOP_LAYOUT_FREE_LIST_LAYOUT_H
#define HEAPTOP_LAYOUT_FREE_LIST_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/layout.h"

#define FREE_LIST_TUPLES_MOST   20
#define FREE_LIST_STATIC_TUPLES 20   /* 3.8 and 3.9: lists of 1 to 19 items */
#define FREE_LIST_MOST          4096 /* entries: no list of any version may be longer */

struct free_list_place {
    const char *type;      /* static text */
    int32_t length;        /* of tuples; -1 */
    uint64_t head;         /* address of the first pointer; 0: free_list_find_head() */
    uint64_t type_address; /* where the head is 0: of the entries' type */
    uint64_t counter;      /* address of the number of entries */
    bool is_array;         /* pointers in a row; else a chain */
    bool is_wide;          /* the counter has 64 bits, else 32 */
    bool is_disguised;     /* no entry looks like a dead object of a type */
    uint16_t next;         /* in an entry of a chain: offset of the link to the next */
    uint16_t prefix;       /* bytes in front of the object in its block */
};

#define FREE_LIST_PLACES_MOST 64

/* The lists of the interpreter; 0 when they are not known for this version. */
size_t free_list_places(const struct layout *layout,
                        struct free_list_place places[FREE_LIST_PLACES_MOST]);
size_t free_list_static_places(const struct layout *layout,
                               struct free_list_place places[FREE_LIST_PLACES_MOST]);

/* Searches near the counter for what holds so many entries, > 0; 0 when nothing does. */
uint64_t free_list_find_head(struct reader *reader, const struct free_list_place *place,
                             uint32_t count);

#endif
