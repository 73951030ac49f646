/*
 * holder_names.h - by what an object is held, in words.
 *
 * A link leads from an object to one that refers to it. Plain containers say nothing by
 * themselves, so their label goes on with who has them; dicts are named by whose they
 * are. Reads names where they stand. One thread.
 */
#ifndef HEAPTOP_SOURCE_HOLDER_NAMES_H
#define HEAPTOP_SOURCE_HOLDER_NAMES_H

#include "model/holders.h"
#include "source/references.h"
#include "util/address_map.h"

/* Who refers to something, and by what. */
struct holder_link {
    uint64_t holder;
    const struct kind *kind; /* of the holder; entries of types end with a pass */
    uint64_t type;           /* its address */
    uint64_t at;             /* as in a reference */
    uint32_t count;          /* of references */
    uint32_t group;          /* of what is held; 0 when all is one */
    enum reference_by by;
    enum object_rule rule;
};

struct holder_link holder_link_of(const struct met_object *met,
                                  const struct reference *reference);

struct holder_links {
    struct references *references;
    struct address_map by_address; /* of what is held: a place in links */
    struct holder_link *links;
    size_t count, capacity;
};

/* False when there is no room. */
bool holder_links_add(struct holder_links *links, const struct holder_link *link);
void holder_links_release(struct holder_links *links);

/* Dicts, lists and the like without a type of their own. */
bool holder_is_container(const struct kind *kind);

/* True when the holder is where a way ends: a module, a class. */
bool holder_label(const struct holder_links *links, const struct holder_link *link,
                  char label[HOLDER_LABEL_MAX]);

#endif
