/*
 * pins_blocks.h - what is in use in arenas that are mostly free, by kind.
 *
 * Each block in use is noted; so is what the objects among them have elsewhere, so that
 * at the end parts and the dicts of instances go to their owners. What has its owner
 * outside of these arenas has a kind of its own.
 *
 * Borrows the walk for its types and layout, with its table of arenas and map. One
 * thread; everything read is hostile.
 */
#ifndef HEAPTOP_SOURCE_PINS_BLOCKS_H
#define HEAPTOP_SOURCE_PINS_BLOCKS_H

#include "source/objects_walk.h"
#include "source/pins_arenas.h"

#define PIN_BLOCKS_MAX (UINT32_C(1) << 19) /* more arenas are not looked at */

enum pin_block_is {
    PIN_OBJECT,
    PIN_DICT, /* a plain dict: perhaps an instance's */
    PIN_PART,
    PIN_FREE_LISTED,
};

enum pin_age {
    PIN_UNTRACKED = 0,
    PIN_YOUNG,
    PIN_OLD,
};

struct pin_block {
    const struct kind *kind; /* NULL: nobody is known to have it */
    uint32_t offset;         /* from its arena's first pool */
    uint16_t bytes;
    uint8_t what : 4, age : 4;
    uint8_t head; /* in front of the object */
};

/* Who has the block that an address lies in: a kind, or the dict in another block. */
struct pin_claim {
    uint64_t address;
    struct type_entry *entry; /* NULL: the dict */
    uint64_t dict;
    bool is_dict_of; /* the block is the dict of an instance of the type */
};

struct pins_blocks {
    struct walk *walk;
    struct pins_arenas *arenas;
    struct chunk_set *young;  /* GC heads; NULL: not known */
    size_t next;              /* the arena that is looked at next */
    uint8_t *bytes;           /* of one pool */
    uint32_t *pinned;         /* by the row of an arena: 1 + its number; 0 = it is not */
    struct pin_block *blocks; /* arena by arena, each by address */
    size_t *first; /* by the arena's number: its first block; one more: behind */
    size_t count, capacity;
    struct pin_claim *claims;
    size_t n_claims, claims_capacity;
    bool is_full; /* of memory */
};

/* The members above `next` are given. False when out of memory. */
bool pins_blocks_begin(struct pins_blocks *pins);

/* Looks into the next arena; false when none is left, or they hold too much. */
bool pins_blocks_step(struct pins_blocks *pins);

/* Of the row that it is counted in: "(parts of objects elsewhere)", when its owner lies
 * in none of these arenas. After pins_blocks_rows(). */
const struct kind *pins_blocks_kind(const struct pin_block *block);

/* Gives parts to their owners and counts. Rows are the caller's to free. */
struct pin_row *pins_blocks_rows(struct pins_blocks *pins, size_t *count);

void pins_blocks_release(struct pins_blocks *pins);

#endif
