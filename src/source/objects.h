/*
 * objects.h - the walk: every Python object of the target, read from outside.
 *
 * On SOURCE_DONE the source gives the result of its walk to the snapshot under
 * construction. Belongs to the sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_H
#define HEAPTOP_SOURCE_OBJECTS_H

#include "heaptop/snapshot.h"
#include "heaptop/source.h"

extern const struct source_ops source_objects;

#endif
