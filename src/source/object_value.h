/*
 * object_value.h - what a str, bytes or int holds: for those who asked to see values.
 *
 * Only the builtin types themselves. The contents are hostile: lengths are bounded by the
 * block or chunk that the object lies in, and text is clean. One thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECT_VALUE_H
#define HEAPTOP_SOURCE_OBJECT_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/objects_measure.h"

enum value_type {
    VALUE_IS_NONE = 0, /* of another type, or not plausible */
    VALUE_IS_STR,
    VALUE_IS_BYTES,
    VALUE_IS_INT,
};

/* Where a value stands. */
struct object_value {
    enum value_type type;
    uint64_t address, bytes; /* of its contents */
    uint32_t width;          /* of str: bytes of a character; else 1, of int 4 */
    bool is_negative;        /* of int */
};

#define VALUE_HEADER_BYTES 80 /* of an object: enough to find its value */

/* Where the value of the object is; VALUE_IS_NONE when it has none. */
struct object_value value_of(const struct object_layout *layout,
                             const struct met_object *met);

/* Reads the beginning of the object at the address into `bytes`, and makes `met` of it
 * (but its block_bytes); -1 when it has gone. */
int value_read(struct measure *measure, uint64_t address,
               uint8_t bytes[VALUE_HEADER_BYTES], struct met_object *met);

/* The value as clean text on one line, cut to fit: 'text', b'bytes', 123. */
void value_preview(struct measure *measure, const struct object_value *value, char *text,
                   size_t size);

/* A hash of type and contents, never 0; 0 = they cannot be read, or are longer than
 * VALUE_BYTES_MAX. */
#define VALUE_BYTES_MAX (UINT64_C(64) << 20)
uint64_t value_hash(struct measure *measure, const struct object_value *value,
                    uint64_t seed);

#endif
