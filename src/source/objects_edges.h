/*
 * objects_edges.h - who has what: noted while blocks are met, charged when all are known.
 *
 * An edge leads from the type of an owner to a part. Into the arena that is scanned,
 * where most lead, it is kept until the arena's end only (objects_local.c); into another
 * arena it takes 8 bytes, elsewhere 16, until the arena's end, where those are packed
 * (objects_pack.h). What is kept for the next walk is not copied but borrowed as a run. A
 * plain dict leaves a record of 8 bytes instead, because whose dict it is is not known
 * yet; records are in the order of the dicts' blocks, so that a dict's record is found by
 * counting (objects_notes.h).
 *
 * The lists of one worker; nothing here reads the target.
 */
#ifndef HEAPTOP_SOURCE_OBJECTS_EDGES_H
#define HEAPTOP_SOURCE_OBJECTS_EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/objects_pack.h"

/* Addresses are kept in units of 16 bytes: 43 bits; numbers of types in 18. */
#define EDGE_UNIT_SHIFT 4
#define EDGE_OWNER_BITS 18
#define EDGE_FLAG_BITS  3

enum edge_what {
    EDGE_PART = 0, /* the block in which the address lies */
    EDGE_START,    /* the block that begins there */
    EDGE_KEYS,     /* a table of keys: part of the owner's size, too */
    EDGE_DICT,     /* the owner's dict */
    EDGE_SIZED,    /* a block whose room is a part of the owner's size */
};

/* Flags of a dict's record. */
#define RECORD_IS_SPLIT   1u /* it leads to values, else to keys */
#define RECORD_IS_TRACKED 2u
#define RECORD_IS_CLAIMED 4u /* what it leads to: in place of the address its bytes */

static inline struct far_edge far_edge_of(uint64_t address, uint32_t owner,
                                          enum edge_what what)
{
    return (struct far_edge){.address = address,
                             .owner = owner & ((1u << EDGE_OWNER_BITS) - 1),
                             .what = (uint32_t)what & 7u};
}

struct far_dict {
    uint64_t address;
    uint64_t record;
    uint64_t bytes; /* of its chunk */
};

struct chain {
    uint64_t address;
    uint32_t owner, link_at;
    uint32_t left, bytes; /* blocks to come, and the size of one */
};

/* A part in which a word leads to one more: learned, so it comes after all else. */
struct linked_part {
    uint64_t address; /* of the first part: where it begins */
    uint32_t owner, link_at;
};

/* In place of link_at: any of its words may (objects_rest.h). */
#define LINK_EVERY UINT32_MAX

/* Words in pieces: they neither move nor are more room than they fill taken. */
#define WORDS_PIECE_SHIFT 15
#define WORDS_PIECE       ((size_t)1 << WORDS_PIECE_SHIFT)

struct word_list {
    uint64_t **pieces;
    size_t n_pieces, count;
};

/* Makes room for one more; false when out of memory. */
bool word_list_grow(struct word_list *list);

static inline bool word_list_add(struct word_list *list, uint64_t word)
{
    if (list->count >> WORDS_PIECE_SHIFT == list->n_pieces && !word_list_grow(list))
        return false;
    list->pieces[list->count >> WORDS_PIECE_SHIFT][list->count % WORDS_PIECE] = word;
    list->count++;
    return true;
}

static inline uint64_t *word_list_at(const struct word_list *list, size_t index)
{
    return &list->pieces[index >> WORDS_PIECE_SHIFT][index % WORDS_PIECE];
}

/* What one arena or stretch has; packed or kept, so only read. */
struct edges_run {
    const uint64_t *near; /* as edges.near; borrowed */
    size_t n_near;
    struct edge_pack pack;
    bool is_own; /* the pack is not borrowed */
};

struct edges {
    struct word_list local; /* as near, within the arena that is scanned */
    struct word_list near;  /* unit << 21 | owner << 3 | what */
    struct word_list dicts; /* unit of keys or values << 21 | owner << 3 | flags */
    struct far_edge *far;
    size_t n_far, far_capacity;
    struct far_dict *far_dicts;
    size_t n_far_dicts, far_dicts_capacity;
    struct chain *chains;
    size_t n_chains, chains_capacity;
    struct linked_part *linked;
    size_t n_linked, linked_capacity;
    uint64_t *links; /* GC heads outside the arenas */
    size_t n_links, links_capacity;
    struct edges_run *runs;
    size_t n_runs, runs_capacity;
    bool is_full; /* out of memory: some were left out */
};

static inline uint64_t edge_pack(uint64_t address, uint32_t owner, uint32_t flags)
{
    return address >> EDGE_UNIT_SHIFT << (EDGE_OWNER_BITS + EDGE_FLAG_BITS) |
           (uint64_t)owner << EDGE_FLAG_BITS | flags;
}

static inline uint64_t edge_address(uint64_t edge)
{
    return edge >> (EDGE_OWNER_BITS + EDGE_FLAG_BITS) << EDGE_UNIT_SHIFT;
}

static inline uint32_t edge_owner(uint64_t edge)
{
    return (uint32_t)(edge >> EDGE_FLAG_BITS) & ((1u << EDGE_OWNER_BITS) - 1);
}

static inline uint32_t edge_flags(uint64_t edge)
{
    return (uint32_t)edge & ((1u << EDGE_FLAG_BITS) - 1);
}

static inline uint64_t edge_with_owner(uint64_t edge, uint32_t owner)
{
    return edge_pack(edge_address(edge), owner, edge_flags(edge));
}

/* Room for one more item of `size` bytes; false when out of memory. */
bool edges_grow(void **items, size_t count, size_t *capacity, size_t size);

/* Adds a word; without memory it is left out, and told. */
#define EDGES_ADD_WORD(edges, list, word)         \
    do {                                          \
        if (!word_list_add(&(edges)->list, word)) \
            (edges)->is_full = true;              \
    } while (0)

/* Adds an item; without memory it is left out, and told. */
#define EDGES_ADD(edges, list, item)                                       \
    do {                                                                   \
        if ((edges)->n_##list < (edges)->list##_capacity ||                \
            edges_grow((void **)&(edges)->list, (edges)->n_##list,         \
                       &(edges)->list##_capacity, sizeof(*(edges)->list))) \
            (edges)->list[(edges)->n_##list++] = item;                     \
        else                                                               \
            (edges)->is_full = true;                                       \
    } while (0)

/* Packs far edges and links from the given ones on; without memory they stay. */
void edges_pack(struct edges *edges, size_t first_far, size_t first_link);

/* Adds what is kept, which must outlive the edges; false when out of memory. */
bool edges_borrow(struct edges *edges, const struct edges_run *run);

/* Edges into other arenas, piece by piece: first those of runs. False behind the last. */
bool edges_near_piece(const struct edges *edges, size_t piece, const uint64_t **words,
                      size_t *count);
size_t edges_near_pieces(const struct edges *edges);
/* How many there are: into other arenas, and elsewhere. */
size_t edges_count_near(const struct edges *edges);
size_t edges_count_far(const struct edges *edges);

/* Gives back what the lists have room for beyond what is in them. */
void edges_trim(struct edges *edges);

/* Forgets those into other arenas and elsewhere. */
void edges_forget_parts(struct edges *edges);
void edges_release(struct edges *edges);

#endif
