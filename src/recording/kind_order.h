/*
 * kind_order.h - what changed in the table of kinds, and which slot each of its rows has.
 *
 * The table has thousands of rows, of which some tens change from one sample to the next.
 * It is laid beside the one before: runs of rows that are the same in both, though they
 * may stand elsewhere, are passed over in one go. Only the others are looked up, and are
 * told. Belongs to one encoder. Rows are told apart by the addresses of their kinds, as
 * their ids would have to be fetched from all over the memory.
 */
#ifndef HEAPTOP_RECORDING_KIND_ORDER_H
#define HEAPTOP_RECORDING_KIND_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"
#include "recording/slots.h"

struct kind_order {
    struct slots by_kind;
    uint32_t *slots;   /* by the row's place in this table */
    uint32_t *before;  /* by its place in the table before */
    uint32_t *places;  /* by slot: the place in the table before */
    uint32_t *changed; /* places of rows that are not as they were */
    size_t capacity, n_changed;
    bool has_gone; /* some rows are no more: those that by_kind was not asked for */
};

void kind_order_release(struct kind_order *order);
/* From the one table to the other; either may be NULL, and has no rows then. `before` is
 * the one of the last call. */
void kind_order_follow(struct kind_order *order, const struct objects_section *before,
                       const struct objects_section *now);

#endif
