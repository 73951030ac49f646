/*
 * cycles_edges.h - what an object refers to, read from outside.
 *
 * As tp_traverse would tell it, as far as that can be known: the words of the object
 * itself, and of the tables of lists, dicts, sets and instances. A type in C may keep
 * references where nobody sees them from outside: it is opaque, and who asks must not
 * take it for more than a bound. One thread; everything read is hostile.
 */
#ifndef HEAPTOP_SOURCE_CYCLES_EDGES_H
#define HEAPTOP_SOURCE_CYCLES_EDGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/cycles_types.h"

#define CYCLES_PIECE_WORDS 4092 /* of a long table, visited at once: whole entries */
#define CYCLES_PIECES_MAX  64

/* Words of a table: what is still to be visited of a long one. */
struct cycles_piece {
    uint64_t start, count;
    uint8_t entry_words; /* 0: no hashes are among them */
    uint8_t hash_at; /* in each entry: a number, even where it looks like an address */
};

struct cycles_edges {
    struct cycles_memory *memory;
    const struct object_layout *layout;
    struct cycles_types types;
    /* Called for each word that may be a reference. */
    void (*visit)(void *context, uint64_t word);
    /* Called for each table that the object has outside itself; NULL: not told. */
    void (*visit_table)(void *context, uint64_t address);
    void *context;
    bool is_own;       /* the word that is visited stands in the object itself */
    uint64_t n_unread; /* words of tables: they moved, or went */
    /* A word has one owner: who is told more than there are tells lies. */
    uint64_t words_most, words_left;
    bool is_excessive;
    struct cycles_piece pieces[CYCLES_PIECES_MAX];
    size_t n_pieces;
};

/* To be called before a turn over all objects, each of which is visited once. */
void cycles_edges_begin(struct cycles_edges *edges);

/* Visits all words of the object that may be references, but of a long table only the
 * first ones: the others are kept for cycles_edges_visit_more(). */
void cycles_edges_visit(struct cycles_edges *edges, uint64_t object,
                        const struct cycles_type *type);

/* Visits more words of a long table; false when all were visited. */
bool cycles_edges_visit_more(struct cycles_edges *edges);

#endif
