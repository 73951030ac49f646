/*
 * objects.h - the walk: every Python object of the target, read from outside.
 *
 * The source keeps the result of its last walk. On SOURCE_DONE it gives it to
 * the snapshot under construction; between walks the sampler shares it with
 * source_objects_latest(). Belongs to the sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_H
#define HEAPTOP_SOURCE_OBJECTS_H

#include "heaptop/snapshot.h"
#include "heaptop/source.h"

extern const struct source_ops source_objects;

/* The result of the last walk that ended, or NULL. Borrowed: valid until the next
 * sample() or close(); who keeps it takes objects_ref(). */
const struct objects_section *source_objects_latest(void *state);

#endif
