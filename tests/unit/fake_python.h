/*
 * fake_python.h - a CPython 3.12 made of bytes: runtime, interpreter, collector,
 * pymalloc's state, a table of arenas and two arenas with pools, as they would lie
 * in a target. Tests bend it and look at what heaptop makes of it.
 */
#ifndef HEAPTOP_TESTS_FAKE_PYTHON_H
#define HEAPTOP_TESTS_FAKE_PYTHON_H

#include <stddef.h>
#include <stdint.h>

#include "layout/layout.h"
#include "layout/pymalloc_layout.h"
#include "target/target.h"

#define FAKE_DATA        UINT64_C(0x7f0000000000) /* the image's writable segment */
#define FAKE_DATA_BYTES  ((size_t)64 << 10)
#define FAKE_RUNTIME     (FAKE_DATA + 0x100)
#define FAKE_INTERPRETER (FAKE_DATA + 0x1000)
#define FAKE_GC          (FAKE_INTERPRETER + 112)
#define FAKE_STATE       (FAKE_DATA + 0x8000) /* struct _obmalloc_state */
#define FAKE_HEAP        UINT64_C(0x550000000000)
#define FAKE_HEAP_BYTES  ((size_t)64 << 10)
#define FAKE_TABLE       (FAKE_HEAP + 0x20)
#define FAKE_OBJECTS     (FAKE_HEAP + 0x4000) /* tracked objects: heads of 16 bytes */
#define FAKE_ARENA_BYTES ((size_t)1 << 20)
#define FAKE_POOL_BYTES  ((size_t)16 << 10)
#define FAKE_ARENA_0     UINT64_C(0x7e0000001000) /* not aligned: 63 pools */
#define FAKE_ARENA_1     UINT64_C(0x7e0000200000) /* aligned: 64 pools */

struct fake_python {
    struct target target;
    struct reader *reader;
    struct mapping mappings[4];
    unsigned char *data, *heap, *arenas[2];
};

/* Builds all of it, with 40 and 3 carved pools; ends the program without memory. */
void fake_python_init(struct fake_python *fake);
void fake_python_release(struct fake_python *fake);

/* The bytes at an address of the fake target; the address must be in it. */
void *fake_at(struct fake_python *fake, uint64_t address);
void fake_set_u64(struct fake_python *fake, uint64_t address, uint64_t value);
void fake_set_u32(struct fake_python *fake, uint64_t address, uint32_t value);

struct arena_object *fake_slot(struct fake_python *fake, size_t index);
struct pool_header *fake_pool(struct fake_python *fake, int arena, size_t index);

/* Carves a pool of a class with so many blocks in use. */
void fake_carve(struct fake_python *fake, int arena, size_t index, uint32_t size_class,
                uint32_t used);

/* Links `count` heads, from FAKE_OBJECTS on, into the list at `head`. */
void fake_link(struct fake_python *fake, uint64_t head, size_t first, size_t count);

/* How a version lays out its collector (3.13 upstream and Debian's,
 * 3.14.0, 3.14.5, 3.15); the interpreter then describes itself as 3.13+ does. */
struct fake_version {
    uint8_t minor;
    uint16_t generations[3], permanent, generation0, stats, collecting, enabled, bytes;
    bool is_incremental;
};

extern const struct fake_version fake_versions[];
extern const size_t n_fake_versions;

/* The collector's address once the version was set. */
#define FAKE_NEW_GC   (FAKE_INTERPRETER + 7400)
#define FAKE_GC_STATS (FAKE_HEAP + 0xc000) /* 3.15: what the pointer leads to */

void fake_set_version(struct fake_python *fake, const struct fake_version *version);

/* Flips bits and plants words at random places, repeatably. */
void fake_damage(struct fake_python *fake, unsigned *seed, int n_places);

#endif
