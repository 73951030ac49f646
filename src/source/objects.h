/*
 * objects.h - the walk: every Python object of the target, read from outside.
 *
 * On SOURCE_DONE the result is given to the snapshot under construction; between walks
 * the sampler shares it. Belongs to the sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_H
#define HEAPTOP_SOURCE_OBJECTS_H

#include "heaptop/source.h"

extern const struct source_ops source_objects;

#endif
