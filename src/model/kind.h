/*
 * kind.h - stable interned names.
 *
 * kind_intern() cleans the raw name and gives the one `struct kind` for it,
 * the same pointer for the whole run. Kinds are never freed; beyond KINDS_MAX
 * all further names share the kind "(other kinds)", so a target that makes
 * types without end cannot eat heaptop's memory. Thread-safe.
 */
#ifndef HEAPTOP_MODEL_KIND_H
#define HEAPTOP_MODEL_KIND_H

#include <stddef.h>

#include "heaptop/snapshot.h"

#define KINDS_MAX       (1 << 17)
#define KIND_NAME_BYTES 512 /* longer names are cut */

const struct kind *kind_intern(const char *raw_name, size_t length);

#endif
