/*
 * dry_run.h - a dry run of the collector on a made-up heap: eight lists, each empty,
 * tracked and with one reference, that a test makes into what it needs.
 */
#ifndef HEAPTOP_TESTS_DRY_RUN_H
#define HEAPTOP_TESTS_DRY_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_heap.h"
#include "source/cycles.h"

#define LIST_BLOCK 64 /* a GC head and 40 bytes */
#define LISTS      8
#define COLLECTING 80
#define PERMANENT  96

struct dry_run {
    struct fake_heap *fake;
    struct residency residency;
    struct arena_table arenas;
    struct arena_use uses[1];
    struct malloc_heaps heaps;
    struct malloc_heap heap;
    struct cycles cycles;
    uint64_t lists[LISTS]; /* empty, tracked, one reference each */
    uint32_t n_tables;
};

/* As on one of the collector's lists. */
static inline void track(struct dry_run *run, uint64_t object)
{
    fake_u64(run->fake, object - 16, FAKE_GC + 24);
    fake_u64(run->fake, object - 8, FAKE_GC + 24);
}

/* The two follow each other. */
static inline void link_up(struct dry_run *run, uint64_t one, uint64_t next)
{
    fake_u64(run->fake, one - 16, next - 16);
    fake_u64(run->fake, next - 8, one - 16);
}

static inline void add_list(struct dry_run *run, uint64_t object)
{
    fake_object(run->fake, object, run->fake->list);
    track(run, object);
}

static inline void begin(struct dry_run *run)
{
    struct fake_heap *fake = fake_heap_new();

    memset(run, 0, sizeof(*run));
    run->fake = fake;
    fake->layout.gc.collecting = COLLECTING;
    fake_pool(fake, 0, LIST_BLOCK, LISTS);
    fake_pool(fake, 1, 32, 64);
    for (uint32_t i = 0; i < LISTS; i++) {
        run->lists[i] = fake_block(0, LIST_BLOCK, i) + GC_HEAD_BYTES;
        add_list(run, run->lists[i]);
    }
    residency_add(&run->residency, FAKE_STATICS, FAKE_STATICS + FAKE_STATICS_BYTES, false,
                  false);
    residency_add(&run->residency, FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, false, false);
    residency_add(&run->residency, FAKE_ARENA, FAKE_ARENA + FAKE_ARENA_BYTES, false,
                  false);
    run->heap = (struct malloc_heap){
        .start = FAKE_HEAP, .end = FAKE_HEAP + FAKE_HEAP_BYTES, .first = FAKE_HEAP};
    run->heaps.heaps = &run->heap;
    run->heaps.count = 1;
    run->uses[0].resident_bytes = FAKE_ARENA_BYTES;
}

/* A list with these references, two at most. */
static inline void set_items(struct dry_run *run, uint64_t list, uint64_t one,
                             uint64_t two)
{
    uint64_t items = fake_block(1, 32, run->n_tables++);

    fake_u64(run->fake, items, one);
    fake_u64(run->fake, items + 8, two);
    fake_u64(run->fake, list + 16, two ? 2 : 1);
    fake_u64(run->fake, list + 24, items);
    fake_u64(run->fake, list + 32, 2);
}

static inline bool run_it(struct dry_run *run)
{
    struct err err = ERR_INIT;
    size_t bad;
    int steps = 0;

    if (arenas_read(&run->arenas, run->fake->reader, &run->fake->layout, &bad, &err))
        return false;
    if (cycles_begin(&run->cycles, &run->fake->layout, run->fake->reader, &run->residency,
                     &run->arenas, run->uses, &run->heaps))
        while (cycles_step(&run->cycles))
            assert_true(++steps < 100000);
    return cycles_is_known(&run->cycles);
}

static inline void end(struct dry_run *run)
{
    cycles_release(&run->cycles);
    arenas_release(&run->arenas);
    residency_release(&run->residency);
    fake_heap_free(run->fake);
}

/* Runs, and compares how many objects would be freed. */
static inline void expect(struct dry_run *run, uint64_t least, uint64_t most)
{
    assert_true(run_it(run));
    assert_int_equal(run->cycles.least.objects, least);
    assert_int_equal(run->cycles.most.objects, most);
}

#endif
