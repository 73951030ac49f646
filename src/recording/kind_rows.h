/*
 * kind_rows.h - the rows of kinds of the sample that was built last, in the order of its
 * section: of the next one only those that changed are read and sorted.
 *
 * Thousands of kinds hardly change from walk to walk, and a jump builds a hundred
 * sections. Belongs to one decoder.
 */
#ifndef HEAPTOP_RECORDING_KIND_ROWS_H
#define HEAPTOP_RECORDING_KIND_ROWS_H

#include "recording/rows.h"

struct kind_rows {
    struct kind_row *rows;
    uint32_t *slots; /* of each row, in its plane */
    size_t count;
};

void kind_rows_release(struct kind_rows *kinds);
/* Takes over what changed in the plane since. */
void kind_rows_update(struct kind_rows *kinds, const struct rows_source *source);

#endif
