/*
 * layout.h - where CPython keeps things, for one build, as data.
 *
 * src/layout/ is the only home of CPython and glibc facts. A layout starts from
 * a table by version (table.c), is completed by searching the target's memory
 * (find_*.c), and is accepted only when its invariants hold on the live target
 * (prove.c). A failed proof names the invariant that failed.
 *
 * Every fact names its source in CPython (file, struct or function, versions)
 * where it is written down. All offsets are bytes from the start of the struct;
 * default (GIL) LP64 builds.
 */
#ifndef HEAPTOP_LAYOUT_LAYOUT_H
#define HEAPTOP_LAYOUT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "layout/object_layout.h"
#include "target/raddr.h"
#include "target/target.h"

#define LAYOUT_OBMALLOC_STATES_MAX 64

/* obmalloc.c: struct arena_object, 48 bytes; struct pool_header, 48 bytes; the
 * same in 3.8 - 3.15. Offsets are in pymalloc_layout.h as constants. */
struct layout_pymalloc {
    uint32_t arena_bytes;         /* ARENA_SIZE: 256 KiB (3.8, 3.9), 1 MiB (3.10+) */
    uint32_t pool_bytes;          /* POOL_SIZE: 4 KiB (3.8, 3.9), 16 KiB (3.10+) */
    struct raddr arenas_word;     /* address of the variable `arenas` */
    struct raddr maxarenas_word;  /* address of `maxarenas`; 0 = not known */
    struct raddr raw_blocks_word; /* raw_allocated_blocks; 0 = not known */
    bool raw_blocks_is_total;     /* 3.8: one counter holds small and large together */
    struct raddr highwater_word;  /* narenas_highwater; 0 = not known */
    /* 3.12+: an interpreter may have a struct _obmalloc_state of its own. */
    struct raddr interpreters; /* as in layout; 0 = there can be no other state */
    uint32_t interpreter_next, interpreter_state; /* offsets in an interpreter */
    bool state_is_pointer;       /* 3.13+: interpreter_state is that of a pointer to it */
    uint32_t debug_prefix_bytes; /* 16 under debug hooks, else 0 */
};

struct layout_gc {
    struct raddr state; /* struct _gc_runtime_state of the main interpreter */
    /* Offsets in it. debug: gc.get_debug() (pycore_gc.h, _gc_runtime_state.debug) */
    uint16_t enabled, debug, generations[3], permanent, stats, collecting;
    bool stats_is_pointer; /* 3.15 */
    bool has_permanent;
    bool is_incremental; /* 3.14.0 - 3.14.4: young and two old spaces */
};

/* 3.8, 3.9: free lists whose places no table names; see free_list_layout.h. */
#define FREE_LIST_STATICS 7

struct layout_free_list {
    struct raddr counter, type; /* 0 = not found */
};

struct layout {
    struct python_version version;
    bool is_free_threaded;
    char allocator[24]; /* as facts.allocator; "" = not known */
    bool has_pymalloc;  /* .pymalloc is proven */
    bool has_gc;        /* .gc is proven */
    struct layout_pymalloc pymalloc;
    struct layout_gc gc;
    struct object_layout object; /* by version; see object_layout.h */
    struct raddr interpreter;    /* main PyInterpreterState; 0 = not known */
    struct raddr interpreters;   /* _PyRuntime.interpreters.head; with interpreter */
    uint32_t interpreter_next;   /* PyInterpreterState.next */
    struct layout_free_list free_lists[FREE_LIST_STATICS];
};

/*
 * Finds and proves the layout from outside: without symbols beyond .dynsym,
 * without an agent. Partial success is success: has_pymalloc and has_gc say
 * what was proven, and `err` (code ERR_NONE when all was) names the invariant
 * that failed. -1 only when not even the version is known or supported.
 */
int layout_find(struct target *target, struct layout *layout, struct err *err);

/* PYTHONMALLOC=mimalloc (3.13+): for the kernel its memory is anonymous, and none of
 * glibc's. False without a layout. */
bool layout_uses_mimalloc(const struct layout *layout);

/* Proves again, cheaply; false when the target's structures no longer fit. */
bool layout_still_holds(const struct layout *layout, struct target *target);

#endif
