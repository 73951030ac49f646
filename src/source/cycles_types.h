/*
 * cycles_types.h - types, as far as they tell what their instances refer to.
 *
 * A class written in Python has what the type in C has that it derives from, and behind
 * that attributes and a dict of its own. What a type in C has, its name tells. Of one
 * that is not known here nobody sees from outside where it keeps references: it is
 * opaque. One thread; everything read is hostile.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_TYPES_H
#define HEAPTOP_SOURCE_CYCLES_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout/object_size.h"
#include "source/cycles_memory.h"

#define CYCLES_TYPES_MAX ((size_t)1 << 18) /* and what looked like one */

/* Where the references of an instance are, besides those of lists, dicts and tuples, and
 * besides its own words. */
enum cycles_rule {
    CYCLES_WORDS = 0, /* nowhere else */
    CYCLES_SET,
    CYCLES_WEAKREF,
    CYCLES_FRAME,
    CYCLES_GENERATOR,
    CYCLES_DEQUE,
    CYCLES_ORDERED_DICT,
    CYCLES_LRU_CACHE,
    CYCLES_ELEMENT,
    CYCLES_CONTEXT_VAR,
    CYCLES_QUEUE,
};

struct cycles_type {
    uint64_t address;
    uint64_t base, flags, traverse;
    uint32_t basicsize, itemsize, prefix;
    uint32_t native_bytes; /* of its words, what the type in C has that tells the rule */
    uint32_t weak_list;    /* where an instance's weak references begin: it does not own
                              them; 0 = nowhere */
    int32_t dict_offset;   /* below 0: from the end of an instance with its items */
    enum cycles_rule rule;
    bool is_known;       /* itself: nothing of it is hidden */
    bool has_owned_type; /* instances tell the collector that they own it */
    bool shows_others;   /* memory that others own */
    bool tells_parts;    /* what it has besides lists, dicts and sets: by its shape */
    struct object_shape shape;
};

struct cycles_type_slot {
    uint64_t address;         /* 0 = the slot is free */
    struct cycles_type *type; /* NULL: none is there */
};

struct cycles_types {
    struct cycles_memory *memory;
    const struct object_layout *layout;
    struct cycles_type_slot *slots; /* by address */
    size_t count, n_slots;
    bool is_short;     /* of memory, or of room: a type that is there is not known */
    uint64_t traverse; /* of classes written in Python: the most frequent one */
};

/* False when there is no memory. */
bool cycles_types_init(struct cycles_types *types, struct cycles_memory *memory,
                       const struct object_layout *layout);
void cycles_types_release(struct cycles_types *types);

/* The type at the address; NULL when none is there. It stays where it is. */
const struct cycles_type *cycles_type_of(struct cycles_types *types, uint64_t address);

/* Classes written in Python share one tp_traverse; most heap types are such. Of those
 * that were asked for until now. */
void cycles_types_find_traverse(struct cycles_types *types);

/* May it refer to what cannot be seen? */
bool cycles_type_is_opaque(struct cycles_types *types, const struct cycles_type *type);

#endif
