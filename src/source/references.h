/*
 * references.h - what an object refers to, and by what.
 *
 * The references that tp_traverse would visit, read from outside: fields of the object,
 * items of lists, tuples, deques and numpy's arrays of objects, entries of dicts and
 * sets, attributes that stand in values or in the object itself. Each comes with where it
 * stands, so that it can be named. What another type in C keeps elsewhere is not seen.
 *
 * Tables are read where they lie, in pieces, and bounded. Everything read is hostile.
 * One thread.
 */
#ifndef HEAPTOP_SOURCE_REFERENCES_H
#define HEAPTOP_SOURCE_REFERENCES_H

#include "source/objects_walk.h"

enum reference_by {
    BY_FIELD,     /* the word at offset `at` of the object */
    BY_ITEM,      /* of a list, tuple, set, deque, array */
    BY_KEY,       /* it is a key of the dict */
    BY_VALUE,     /* of the dict, under the key object at the address `at` */
    BY_ATTRIBUTE, /* likewise, but of an instance that has no dict */
    BY_DICT,      /* it is the object's __dict__ */
    BY_TYPE,
    BY_PART, /* it is no object, but what the object has elsewhere: references_parts() */
};

struct reference {
    uint64_t word;
    enum reference_by by;
    uint64_t at;
};

typedef void reference_visitor(void *with, const struct reference *reference);

#define REFERENCES_PIECE 4096 /* words */

struct references {
    struct walk *walk;
    reference_visitor *visit;
    void *with;
    uint64_t words_left; /* of tables: each has one owner, so that more are lies */
    bool is_excessive;
    uint64_t words[REFERENCES_PIECE];
};

void references_visit(struct references *references, const struct met_object *met);

/* The blocks in which it has its items, keys or buffer, of itself alone. */
void references_parts(struct references *references, const struct met_object *met);

/* The value that a dict has under this name, when both its key is a str; 0 = none. */
uint64_t references_lookup(struct references *references, uint64_t dict,
                           const char *name);

#endif
