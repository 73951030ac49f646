/*
 * object_evidence.h - by what an object is told from another one of its kind.
 *
 * From the bytes of one object: a hash of what never changes in it (the value of an int,
 * the text of a str, the items of a tuple), or seldom does (where a list has its items),
 * and hashes of its neighbours on the collector's list. Pure: nothing is read.
 */
#ifndef HEAPTOP_SOURCE_OBJECT_EVIDENCE_H
#define HEAPTOP_SOURCE_OBJECT_EVIDENCE_H

#include "model/born.h"
#include "source/objects_walk.h"

/* Fills the trace but is_old, and of the evidence what the object itself tells. */
void object_evidence(const struct walk *walk, const struct met_object *met,
                     struct object_trace *trace, struct birth_evidence *evidence);

/* Its place; the pool's blocks begin behind its header. */
struct object_place object_place_of(const struct walk *walk,
                                    const struct met_object *met);

#endif
