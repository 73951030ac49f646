/*
 * fake_heap.h - the memory of a made-up CPython 3.11: statics, a malloc heap and one
 * arena, as three segments of one buffer, so that tests can build any heap, also one
 * that no interpreter would make.
 */
#ifndef HEAPTOP_TESTS_FAKE_HEAP_H
#define HEAPTOP_TESTS_FAKE_HEAP_H

#include <stdint.h>

#include "layout/layout.h"
#include "source/objects_walk.h"
#include "target/reader.h"

#define FAKE_STATICS       UINT64_C(0x100000000000)
#define FAKE_STATICS_BYTES 16384u
#define FAKE_HEAP          UINT64_C(0x100000800000)
#define FAKE_HEAP_BYTES    65536u
#define FAKE_ARENA         UINT64_C(0x100001000000)
#define FAKE_POOL_BYTES    16384u
#define FAKE_POOLS         6u
#define FAKE_ARENA_BYTES   (FAKE_POOLS * FAKE_POOL_BYTES)
#define FAKE_BYTES         (FAKE_STATICS_BYTES + FAKE_HEAP_BYTES + FAKE_ARENA_BYTES)

/* Where the statics are. */
#define FAKE_ARENAS_WORD (FAKE_STATICS + 64)
#define FAKE_MAXARENAS   (FAKE_STATICS + 72)
#define FAKE_GC          (FAKE_STATICS + 128)
#define FAKE_TYPES       (FAKE_STATICS + 1024)

struct fake_heap {
    uint8_t bytes[FAKE_BYTES];
    struct layout layout;
    struct reader *reader; /* reads `bytes` */
    uint64_t next_static, next_heap;
    uint64_t type, object, str, tuple, list, dict, real, integer; /* static types */
};

/* As if walks had long taught nothing: those that begin next take no samples. */
static inline void fake_learned(struct walk *walk)
{
    walk->learning.is_due = false;
    walk->learning.walks = 60;
}

/* Ready types, an empty arena. Ends with fake_heap_free(). */
struct fake_heap *fake_heap_new(void);
void fake_heap_free(struct fake_heap *fake);

/* The same reader and layout over bytes that were given: for fuzzing. */
struct fake_heap *fake_heap_of_bytes(const uint8_t *bytes, size_t size);

void fake_u64(struct fake_heap *fake, uint64_t address, uint64_t value);
void fake_u32(struct fake_heap *fake, uint64_t address, uint32_t value);
uint64_t fake_get(const struct fake_heap *fake, uint64_t address);

/* A chunk of the malloc heap: user address. */
uint64_t fake_malloc(struct fake_heap *fake, uint64_t bytes);

uint64_t fake_str_at(struct fake_heap *fake, uint64_t address, const char *text);
uint64_t fake_static_type(struct fake_heap *fake, const char *name, uint64_t basicsize,
                          uint64_t itemsize, uint64_t flags);
/* A class with __module__ and a qualified name; module may be NULL. */
uint64_t fake_class(struct fake_heap *fake, const char *module, const char *qualname,
                    uint64_t basicsize, uint64_t flags);

/* Carves `count` used blocks; gives the address of the first. */
uint64_t fake_pool(struct fake_heap *fake, uint32_t index, uint32_t block_bytes,
                   uint32_t count);
uint64_t fake_block(uint32_t index, uint32_t block_bytes, uint32_t n);
/* Puts a block on the free list of its pool. */
void fake_free_block(struct fake_heap *fake, uint32_t index, uint64_t block);

void fake_object(struct fake_heap *fake, uint64_t address, uint64_t type);

#endif
