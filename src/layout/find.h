/*
 * find.h - the steps of layout_find(), private to src/layout/.
 *
 * Each step fills its part of the layout and returns 0, or -1 with the
 * invariant that did not hold. The sampler's thread.
 */
#ifndef HEAPTOP_LAYOUT_FIND_H
#define HEAPTOP_LAYOUT_FIND_H

#include <stddef.h>
#include <stdint.h>

#include "layout/layout.h"

/* Facts by version that are not offsets inside a found struct (table.c). */
struct layout_runtime_table {
    uint8_t minor;
    uint32_t main_interpreter; /* _PyRuntime.interpreters.main */
    uint32_t interpreter_id;   /* PyInterpreterState.id */
    uint32_t interpreter_next; /* PyInterpreterState.next */
    uint32_t gc;               /* GC state in the interpreter; 3.8: in _PyRuntime */
};

/* One way in which a version lays out its GC state. */
struct layout_gc_table {
    uint8_t minor_first, minor_last;
    struct layout_gc gc;  /* the offsets; state is 0 */
    uint16_t generation0; /* offset of the pointer to generation 0; 0 = none */
    uint16_t state_bytes; /* debug_offsets.gc.size must say so; 0 = any */
};

const struct layout_runtime_table *layout_runtime_table(uint8_t minor);
/* All tables, in the order in which they are tried. */
const struct layout_gc_table *layout_gc_tables(size_t *count);
void layout_pymalloc_table(uint8_t minor, struct layout_pymalloc *pymalloc);

int find_arenas(struct target *target, struct layout *layout, struct err *err);
/* After find_arenas: counters that no table names (3.8 - 3.11), or the state struct. */
int find_counters(struct target *target, struct layout *layout, struct err *err);
/* Sets debug_prefix_bytes. */
int find_debug_hooks(struct target *target, struct layout *layout, struct err *err);
/* 3.8, 3.9: what is not found stays 0. */
void find_free_lists(struct target *target, struct layout *layout);
/* Where other interpreters' states hang; none is no failure. */
void find_states(struct target *target, struct layout *layout);
int find_interpreter(struct target *target, struct layout *layout, struct err *err);
int find_gc(struct target *target, struct layout *layout, struct err *err);

/* The variables in the image's data that an exported function reads; with_parts: also
 * those of its parts, when it is a short wrapper. Returns how many, <= max. */
struct code_load;
size_t find_code_loads(struct target *target, const char *function, bool with_parts,
                       struct code_load *loads, size_t max);
/* The arrays in the image's data that a small exported function goes through. */
size_t find_code_tables(struct target *target, const char *function, uint64_t *addresses,
                        size_t max);

/* prove.c: the invariants on the live target. */
int prove_arenas(const struct layout_pymalloc *pymalloc, struct reader *reader,
                 struct err *err);
int prove_gc(const struct layout_gc *gc, const struct layout_gc_table *table,
             struct reader *reader, struct err *err);

#endif
