/*
 * json_inquiry.h - answers to questions about the objects as one line of JSON each:
 * schemas heaptop.holders/1 and heaptop.born/1; doc/json.md says what is in them.
 */
#ifndef HEAPTOP_SINK_JSON_INQUIRY_H
#define HEAPTOP_SINK_JSON_INQUIRY_H

#include <stdio.h>

#include "heaptop/err.h"
#include "model/born.h"
#include "model/holders.h"

/* At most `rows` rows, 0 = all. */
int json_write_holders(FILE *out, const struct holders *holders, int rows,
                       struct err *err);

/* The addresses of the objects are told of the kinds that contain `filter`; NULL: of
 * none. */
int json_write_born(FILE *out, const struct born *born,
                    const struct remembered *remembered, const char *filter, int rows,
                    struct err *err);

#endif
