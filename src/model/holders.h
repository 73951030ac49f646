/*
 * holders.h - who refers to the objects of a kind, or to one object, one level up.
 *
 * A row is a way in which they are held, in words: "dict of module app key LEAK",
 * "app.Entry.children", "list in app.Cache._items". It has the address of the holder that
 * holds most: asked again for this one, the way climbs until a module, a type or a frame.
 * Pure.
 */
#ifndef HEAPTOP_MODEL_HOLDERS_H
#define HEAPTOP_MODEL_HOLDERS_H

#include "model/inquiry.h"

#define INQUIRY_HOLDERS "holders"

#define HOLDER_LABEL_MAX 160
#define HOLDER_ROWS_MAX  1000 /* the rest is in rest */

struct holder_row {
    char label[HOLDER_LABEL_MAX];   /* clean */
    uint64_t references;            /* to the objects that were asked for */
    uint64_t holders;               /* objects that hold them in this way */
    uint64_t address;               /* of the one that holds most; 0 = none */
    uint64_t most;                  /* its references */
    uint64_t last, last_references; /* of the holder that was added last; private */
    const struct kind *kind;        /* of a holder */
    bool is_root;                   /* a module or a class: here the way ends */
};

struct holders {
    struct answer answer;      /* first */
    uint64_t objects;          /* that were asked for */
    uint64_t held;             /* of these: to which something refers */
    char of[HOLDER_LABEL_MAX]; /* what they are: "app.Entry", "list at 0x..." */
    struct holder_row *rows;   /* by references, descending; of equals roots first */
    size_t n_rows, capacity;
    uint64_t rest; /* references of ways for which no row was left */
};

struct holders *holders_new(void);
/* Adds to the row of this label, which is made clean. What one holder holds comes in a
 * row. */
void holders_add(struct holders *holders, const char *raw_label, const struct kind *kind,
                 uint64_t references, uint64_t address, bool is_root);
void holders_sort(struct holders *holders);

#endif
