/*
 * cycles_far.h - the tracked objects outside the arenas, and four bytes for each.
 *
 * By regions of 256 KiB that hold some: of each object two bytes say where it is in its
 * region, rising, and its mark stands beside. They come along the collector's lists,
 * mostly by rising address; one that comes out of order moves those behind it. One
 * thread.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_FAR_H
#define HEAPTOP_SOURCE_CYCLES_FAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CYCLES_GRANULE_SHIFT   4               /* objects begin at multiples of 16 */
#define CYCLES_REFERENCES_MOST ((1 << 26) - 1) /* and more: never counted down */

struct cycles_mark {
    int32_t references : 27; /* that are not accounted for */
    uint32_t is_reachable : 1;
    uint32_t is_held : 1; /* by an opaque type in the garbage, perhaps */
    uint32_t is_scanned : 1;
    uint32_t is_opaque : 1;
};

struct far_region {
    uint64_t number; /* address / size of a region */
    uint16_t *units; /* of 16 bytes, from its beginning; rising */
    struct cycles_mark *marks;
    uint32_t count, capacity;
};

struct cycles_far {
    struct far_region *regions; /* as they came, or, once sorted, by address */
    size_t count, capacity;
    uint32_t *slots; /* by number: index of the region + 1; 0 = none */
    size_t n_slots;
    size_t n_objects;
};

void cycles_far_release(struct cycles_far *far);

/* The address is a multiple of 16; what is there stays. False when there is no room. */
bool cycles_far_add(struct cycles_far *far, uint64_t address, struct cycles_mark mark);

/* The object's mark, or NULL. Valid until one is added. */
struct cycles_mark *cycles_far_find(const struct cycles_far *far, uint64_t address);

/* By address, when all were added. */
void cycles_far_sort(struct cycles_far *far);

/* The object of number `index` in region number `region`. */
uint64_t cycles_far_address(const struct cycles_far *far, size_t region, size_t index);

#endif
