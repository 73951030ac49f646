/*
 * objects_rest.h - blocks that no object is known to have: whose memory leads to them.
 *
 * When all parts are charged, a few blocks of pymalloc's are left. Code in C reaches them
 * from the state of a module, from a type in malloc's memory, or from its static data:
 * tables of the parser of 3.8, keys kept for the next dicts, members of static types.
 * That memory is looked through: a word that says exactly where such a block begins is
 * believed, and the blocks found so are looked through in turn. What a module's state or
 * a type leads to is a part of that object; what only static data lead to is counted
 * apart, as held by statics.
 *
 * Static data are the written pages of all images, at most REST_STATICS_MOST bytes of
 * them; of all else REST_ITEMS_MOST bytes are looked through, and at most
 * REST_BLOCKS_MOST blocks are charged. What is beyond stays unowned.
 * Which words of static data led to a block is remembered: the next walks look at those,
 * and at all static data only when images or their pages came or went, when too much is
 * left without an owner, or after some walks.
 * Everything read is hostile. Called by the thread that steps the walk.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_REST_H
#define HEAPTOP_SOURCE_OBJECTS_REST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REST_STATICS_MOST (UINT64_C(64) << 20)
#define REST_ITEMS_MOST   (UINT64_C(16) << 20)
#define REST_BLOCKS_MOST  65536

struct walk;
struct target;

struct rest_range {
    uint64_t start, end;
};

/* Memory that is to be looked through. */
struct rest_item {
    uint64_t address, bytes;
    uint32_t owner; /* number of a type; 0 = static data */
};

struct walk_rest {
    struct rest_range *statics; /* where an image may be written; from walk to walk */
    size_t n_statics;
    size_t next;    /* of them: the one under way */
    uint64_t at;    /* in it; 0 = its beginning */
    uint64_t *hits; /* addresses of words that led to a block; from walk to walk */
    size_t n_hits, hits_capacity;
    size_t next_hit, n_kept; /* of those of the walk before: looked at; still right */
    unsigned walks;          /* since all static data were looked through */
    bool is_whole;           /* in this walk they are */
    uint64_t statics_read, items_read; /* bytes */
    struct rest_item *items;
    size_t n_items, items_capacity;
    size_t n_taken; /* blocks that were charged */
    uint64_t statics_blocks, statics_bytes;
};

/* Where static data may lie in the walks that begin next; copied. */
void walk_set_statics(struct walk *walk, const struct rest_range *ranges, size_t count);
/* The same from the target's mappings, which are as they are now. */
void walk_set_target_statics(struct walk *walk, struct target *target);

void walk_rest_begin(struct walk *walk);
/* Memory that a type's instance has; nothing of it is read yet. */
void walk_rest_add(struct walk *walk, uint64_t address, uint64_t bytes, uint32_t owner);
/* Looks through some; false when nothing is left. */
bool walk_rest_step(struct walk *walk);
void walk_rest_release(struct walk *walk);

#endif
