/*
 * object_size.h - what sys.getsizeof would say, from the bytes of an object.
 *
 * A `struct object_shape` says by which rule the instances of a type are
 * sized. Everything in the object is hostile: a number that no real object
 * could have counts as nothing. What lies elsewhere (a dict's keys table, the
 * code of a generator) is asked for with a `struct size_more`, and resolved
 * when its bytes have been read.
 *
 * Pure: no reading, no allocation; any thread.
 */
#ifndef HEAPTOP_LAYOUT_OBJECT_SIZE_H
#define HEAPTOP_LAYOUT_OBJECT_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/object_layout.h"

enum object_rule {
    OBJECT_FIXED = 0, /* basicsize */
    OBJECT_VAR,       /* basicsize + itemsize * ob_size */
    OBJECT_LOOSE,     /* as fixed, but its block may have any size from basicsize on */
    OBJECT_DATETIME,  /* fixed; without a time zone the block is shorter */
    OBJECT_INT,
    OBJECT_STR,
    OBJECT_LIST,
    OBJECT_DICT,
    OBJECT_ORDERED_DICT,
    OBJECT_SET,
    OBJECT_BYTEARRAY,
    OBJECT_DEQUE,
    OBJECT_ARRAY,
    OBJECT_NDARRAY,
    OBJECT_DECIMAL,
    OBJECT_CODE,
    OBJECT_GENERATOR,
    OBJECT_TYPE,
};

/* How the instances of one type are laid out. */
struct object_shape {
    uint64_t basicsize, itemsize;
    uint32_t
        prefix; /* bytes between the block (after debug hooks' bytes) and the object */
    uint32_t overhead; /* what debug hooks add to its block: 0 or OBJECT_DEBUG_BYTES */
    bool has_gc_head;
    bool has_inline_values; /* 3.13+: attributes stand behind it; any block from there on
                             */
    enum object_rule rule;
};

/* obmalloc.c _PyMem_DebugRawAlloc, 3.8 - 3.15: 16 bytes before a block, 8 behind.
 * Before it: the size asked for (big-endian), the api's letter, 7 FORBIDDENBYTEs. */
#define OBJECT_DEBUG_BYTES        24
#define OBJECT_DEBUG_PREFIX_BYTES 16
#define OBJECT_DEBUG_ID           8 /* where the letter stands in the prefix */

/* The letter ('r', 'm', 'o') if these 8 bytes end a debug prefix, else 0. */
static inline char object_debug_id(const uint8_t id[8])
{
    if (id[0] != 'r' && id[0] != 'm' && id[0] != 'o')
        return 0;
    for (int i = 1; i < 8; i++)
        if (id[i] != 0xfd)
            return 0;
    return (char)id[0];
}

/* The bytes of one object: from its start to the end of its block. */
struct object_view {
    const uint8_t *bytes;
    size_t length;
    uint64_t address; /* of the object in the target */
};

enum size_more_what {
    MORE_NOTHING = 0,
    MORE_KEYS,      /* a dict's keys table: charged when not shared */
    MORE_VALUES,    /* the same, and `values` pointers according to it */
    MORE_TYPE_KEYS, /* a class's cached keys: always charged */
    MORE_CODE,      /* a generator's code: how many slots its frame has */
    MORE_ARRAY,     /* array.array's item description: the size of an item */
    MORE_NDARRAY,   /* numpy's dimensions and strides: the data that it owns */
};

#define SIZE_MORE_BYTES 64 /* enough of any of them */

struct size_more {
    enum size_more_what what;
    uint64_t address; /* to read SIZE_MORE_BYTES from; what it needs starts there */
    uint64_t items;   /* MORE_ARRAY: how many; MORE_NDARRAY: dimensions */
};

/* What of its instances is the same for all; false when the type is impossible. */
bool object_shape_init(struct object_shape *shape, const struct object_layout *layout,
                       uint64_t basicsize, uint64_t itemsize, uint64_t flags);

/* The rule that the name of a static type brings, or OBJECT_FIXED. Generators
 * and such are known by name only. */
enum object_rule object_rule_of_name(const struct object_layout *layout,
                                     const char *name);

/* Could an object of this shape fill a block of so many bytes? */
bool object_fits(const struct object_layout *layout, const struct object_shape *shape,
                 const struct object_view *view, uint32_t block_bytes);

/* Is the answer of object_fits() the same for all blocks of one size? */
bool object_fits_is_constant(const struct object_shape *shape);

/* Is the answer of object_size() the same for all objects of the shape? */
bool object_size_is_constant(const struct object_shape *shape);

/* Bytes that an object of this shape takes of its block, prefix and debug hooks
 * included; for loose shapes at least. */
uint64_t object_block_need(const struct object_layout *layout,
                           const struct object_shape *shape,
                           const struct object_view *view);

/* As getsizeof, the prefix included; `more` is what is still to be added. */
uint64_t object_size(const struct object_layout *layout, const struct object_shape *shape,
                     const struct object_view *view, struct size_more *more);

/* What `more` adds, from the bytes at its address. *is_shared: the answer holds for
 * every object with the same address, so it may be remembered. */
uint64_t object_size_more(const struct object_layout *layout,
                          const struct size_more *more,
                          const uint8_t bytes[SIZE_MORE_BYTES], bool *is_shared);

#endif
