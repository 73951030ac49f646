/*
 * fake_walk.h - a whole walk over a made-up heap, and what it found. The test fails when
 * the walk does.
 */
#ifndef HEAPTOP_TESTS_FAKE_WALK_H
#define HEAPTOP_TESTS_FAKE_WALK_H

#include "source/objects_walk.h"

/* Ends with objects_unref(). */
const struct objects_section *fake_walk(struct walk *walk);

/* Its kind is NULL when there is none of this name. */
struct kind_row fake_row(const struct objects_section *section, const char *name);

#endif
