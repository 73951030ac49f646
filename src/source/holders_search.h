/*
 * holders_search.h - who refers to some objects, one level up: passes over all objects,
 * one after the other.
 *
 * The first pass may find the objects themselves, the next one who refers to them, and at
 * most three more who has the dicts and lists among these, so that they can be named
 * (holder_names.h). Objects may be told apart by groups.
 *
 * Borrows the context's target, and must not outlive it. One thread; everything read is
 * hostile.
 */
#ifndef HEAPTOP_SOURCE_HOLDERS_SEARCH_H
#define HEAPTOP_SOURCE_HOLDERS_SEARCH_H

#include "source/holder_names.h"
#include "source/objects_pass.h"

enum search_stage {
    FIND_OBJECTS = 0,
    FIND_HOLDERS,
    FIND_OWNERS, /* of the containers among them, and of their owners */
};

struct holders_search {
    struct objects_pass pass;
    struct references references;
    uint64_t words; /* that a pass may visit in tables */
    enum search_stage stage;
    int n_owner_passes;
    /* Shown every object in a pass of its own, to add those that are meant; NULL: they
     * are known when the search begins. */
    void (*find)(void *with, const struct met_object *met);
    void *find_with;
    struct address_map objects; /* by twice the group; odd: something refers to it */
    uint32_t *links_left;       /* by group: more are not noted; NULL: no bound */
    bool has_parts;             /* what is meant has no object's head, in part */
    bool ignores_types;         /* that an object is of a class is not to hold it */
    const struct kind *module;
    struct address_map wanted;    /* containers whose owner is looked for */
    struct holder_links held;     /* who refers to the objects */
    struct holder_links owners;   /* who has a container, by its address */
    uint64_t n_held;              /* objects to which something refers */
    const struct met_object *met; /* under way */
    size_t first;                 /* of its links */
    bool is_cut;                  /* there was no room for all */
};

/* Starts; the members that say what is meant are set before, the others are zero. Call
 * holders_search_release() in any case. */
int holders_search_begin(struct holders_search *search,
                         const struct source_context *context, struct err *err);

/* One of the objects that are meant; false when there is no room. */
bool holders_search_add(struct holders_search *search, uint64_t address, uint32_t group);

/* Likewise, of what objects have elsewhere: the address that they keep of it. */
bool holders_search_add_part(struct holders_search *search, uint64_t address,
                             uint32_t group);

/* Goes on until done or the deadline has passed: then SOURCE_MORE. SOURCE_FAILED: err
 * says why. */
enum source_result holders_search_step(struct holders_search *search,
                                       int64_t deadline_mono_ns, struct err *err);

void holders_search_release(struct holders_search *search);

#endif
