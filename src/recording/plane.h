/*
 * plane.h - the values of one sheet in two samples that follow each other, and the
 * bytes that lead from the one to the other.
 *
 * A plane is a matrix: a column for each value of a field, a line for each slot, which
 * lies together in memory. A row of the section keeps its slot for as long as it is
 * there, so that what did not change is a difference of 0. Column 0 says whether there is
 * a row: 0, or 1 + its place.
 * Bytes of a sample: the number of slots, then for each column and slot the difference
 * to the sample before, as a zigzag varint; 0 is followed by how many more zeros come.
 * A key sample is a difference to nothing.
 *
 * Pure. What is decoded is hostile: bounded here, and by who takes the rows out.
 */
#ifndef HEAPTOP_RECORDING_PLANE_H
#define HEAPTOP_RECORDING_PLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

#define PLANE_VALUES_MAX ((size_t)16 << 20)
#define PLANE_WORD_BITS  64

struct plane {
    size_t columns;
    size_t slots;          /* that are in use */
    size_t capacity;       /* of slots */
    bool has_changed;      /* by decoding, since plane_untouch() */
    int64_t *now, *before; /* [slot * columns + column] */
    uint64_t *touched;     /* a bit for each slot */
    bool is_key;           /* the next sample is one */
};

void plane_init(struct plane *plane, size_t columns);
void plane_release(struct plane *plane);

/* At least so many slots; new ones are 0. False: more than a plane may have. */
bool plane_grow(struct plane *plane, size_t slots);
/* The values of a slot. */
static inline int64_t *plane_line(struct plane *plane, size_t slot)
{
    return &plane->now[slot * plane->columns];
}
static inline int64_t *plane_value(struct plane *plane, size_t column, size_t slot)
{
    return plane_line(plane, slot) + column;
}
/* Who encodes says so of each slot of which a value was changed: no others are looked at.
 * Decoding says it, too. */
static inline void plane_touch(struct plane *plane, size_t slot)
{
    plane->touched[slot / PLANE_WORD_BITS] |= UINT64_C(1) << slot % PLANE_WORD_BITS;
}
/* The first slot from here on that was touched, else the number of slots. */
size_t plane_next_touched(const struct plane *plane, size_t slot);
/* True for slots that are no more. */
bool plane_is_touched(const struct plane *plane, size_t slot);
void plane_untouch(struct plane *plane);

/* The next sample to encode is a key: forgets the one before. */
void plane_forget(struct plane *plane);
/* The next sample to decode is a key: forgets everything. */
void plane_reset(struct plane *plane);
/* Appends what leads from the sample before to this one, which becomes the one before. */
void plane_encode(struct plane *plane, struct strbuf *out);
/* Takes the same bytes; `*bytes` moves behind them. False: they are not such bytes, and
 * the plane must be reset. */
bool plane_decode(struct plane *plane, const uint8_t **bytes, const uint8_t *end);

bool varint_take(const uint8_t **bytes, const uint8_t *end, uint64_t *value);

#endif
