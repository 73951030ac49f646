/*
 * kind_class.h - a class made in Python: where its instances keep their attributes, and
 * what __slots__ would save.
 *
 * Part of the kind inquiry. An instance with slots has its attributes in its own block,
 * behind what its builtin base has, and neither dict nor __weakref__. Reads the class and
 * its bases. One thread.
 */
#ifndef HEAPTOP_SOURCE_KIND_CLASS_H
#define HEAPTOP_SOURCE_KIND_CLASS_H

#include "model/kind_detail.h"
#include "source/objects_measure.h"

struct kind_class {
    uint64_t type;        /* its address; 0 = no instance was met yet */
    uint64_t names;       /* attributes that the class's shared keys have */
    uint64_t most_items;  /* of an instance's dict */
    uint64_t no_dict;     /* instances without one */
    uint64_t fixed_bytes; /* of an instance without dict, __weakref__ and new slots */
    bool can_have_slots;
    bool has_more; /* other types have the same name */
};

/* An instance was met; `dict` is its own, or NULL. */
void kind_class_add(struct kind_class *class, struct measure *measure,
                    struct kind_detail *detail, const struct met_object *met,
                    const struct met_object *dict, uint64_t dict_bytes);

/* When all were met. */
void kind_class_end(const struct kind_class *class, const struct walk *walk,
                    struct kind_detail *detail);

#endif
