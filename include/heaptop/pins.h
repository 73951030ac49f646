/*
 * pins.h - what keeps arenas that are mostly free: which objects, and what freeing them
 * would return.
 *
 * A section of its own, counted like the objects section: it is taken seldom and shared
 * by the snapshots in between. An arena is mostly free when less than half of its bytes
 * are in use. Returned are whole arenas, and of these the bytes that are in memory.
 */
#ifndef HEAPTOP_PINS_H
#define HEAPTOP_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct kind;

#define PIN_OWNER_MAX 120

/* What objects of one kind, with their parts, keep. */
struct pin_row {
    const struct kind *kind;
    uint64_t objects, parts;
    uint64_t bytes;        /* of the blocks of both */
    uint64_t cheap;        /* of objects: in arenas of which hardly anything is in use */
    uint64_t arenas;       /* in which the kind has something */
    uint64_t alone;        /* of these: nothing else is in use there */
    uint64_t return_bytes; /* of the arenas that it keeps alone */
    uint64_t young;        /* of objects: in the collector's generations 0 and 1 */
    uint64_t old;          /* in the oldest one, or frozen */
    uint64_t untracked;    /* in none */
    uint64_t looked_up;    /* objects whose holders were looked for */
    uint64_t references;   /* that were found to these */
    uint64_t owner_references; /* of these by the owner */
    /* By what most of these are held: "list in app.Cache._items"; empty: not known. */
    char owner[PIN_OWNER_MAX];
};

/* Do the rows name owners? */
enum pin_owners {
    PIN_OWNERS_UNKNOWN = 0, /* not looked for yet */
    PIN_OWNERS_KNOWN,
    PIN_OWNERS_TOO_LITTLE, /* what they would return is not worth passes over all */
    PIN_OWNERS_TOO_DEAR,   /* the passes took too long, and were given up */
};

/* The cheapest arenas first: so many freed objects would return so much. */
struct pin_step {
    uint64_t arenas, objects, blocks, bytes;
    uint64_t return_bytes;
};

/* Pools that are less than half in use, of one size class: what is free in them serves
 * no other size. */
struct pin_class {
    uint32_t block_bytes;
    uint64_t pools, blocks; /* blocks in use in them */
    uint64_t free_bytes;
};

#define PIN_STEPS_MAX   32
#define PIN_CLASSES_MAX 64

struct pins_section {
    int64_t taken_mono_ns, cpu_ns; /* when, and the price */
    uint64_t read_bytes;
    uint64_t arena_bytes_each;
    uint64_t arenas;         /* mostly free */
    uint64_t arenas_skipped; /* of these: not looked at, as too much is in use in all */
    uint64_t arenas_torn;    /* changed while they were read */
    uint64_t resident_bytes; /* of the arenas that were looked at */
    uint64_t return_bytes;   /* pymalloc keeps one free arena */
    uint64_t objects, object_bytes, parts, part_bytes;
    bool are_generations_known;
    enum pin_owners owners;
    int64_t owners_mono_ns, owners_cpu_ns; /* when they were looked for, and the price */
    size_t n_rows;
    const struct pin_row *rows; /* by arenas, then bytes, descending */
    size_t n_steps;
    struct pin_step steps[PIN_STEPS_MAX];
    struct pin_step cheap; /* the arenas of which at most a tenth is in use */
    size_t n_classes;
    struct pin_class classes[PIN_CLASSES_MAX]; /* by free_bytes, descending */
    struct arena *memory;                      /* owns the rows; private */
    int references;                            /* private, atomic */
};

const struct pins_section *pins_ref(const struct pins_section *section);
void pins_unref(const struct pins_section *section);

#endif
