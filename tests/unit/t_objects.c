/* The walk over made-up heaps: what is counted, and what hostile heaps do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fake_heap.h"
#include "fake_walk.h"
#include "util/clock.h"

#define N_STR   200
#define N_FLOAT 300
#define N_THING 60
#define N_TUPLE 50

struct fixture {
    struct fake_heap *fake;
    struct walk walk;
    uint64_t thing, large;
};

/* A GC head that is on the list: links into the arena, one block apart. */
static void track(struct fake_heap *fake, uint64_t head, uint64_t next, uint64_t previous)
{
    fake_u64(fake, head, next);
    fake_u64(fake, head + 8, previous);
}

static void fill_things(struct fixture *f)
{
    struct fake_heap *fake = f->fake;

    fake_pool(fake, 2, 48, N_THING);
    for (uint32_t i = 0; i < N_THING; i++) {
        uint64_t block = fake_block(2, 48, i);

        track(fake, block + 16, block + 16, block + 16);
        fake_object(fake, block + 32, f->thing);
    }
}

/* Tuples of two; the first holds (Thing, object) and begins like a Thing. One link
 * leads to a large tuple in the malloc heap. */
static void fill_tuples(struct fixture *f)
{
    struct fake_heap *fake = f->fake;

    fake_pool(fake, 3, 64, N_TUPLE);
    for (uint32_t i = 0; i < N_TUPLE; i++) {
        uint64_t block = fake_block(3, 64, i);

        track(fake, block, i ? block - 64 : f->large, block);
        fake_object(fake, block + 16, fake->tuple);
        fake_u64(fake, block + 32, 2);
        fake_u64(fake, block + 40, f->thing);
        fake_u64(fake, block + 48, fake->object);
    }
    track(fake, f->large, fake_block(3, 64, 0), fake_block(3, 64, 1));
    fake_object(fake, f->large + 16, fake->tuple);
    fake_u64(fake, f->large + 32, 100);
}

static void fill(struct fixture *f)
{
    struct fake_heap *fake = f->fake;

    f->thing = fake_class(fake, "app", "Thing", 16, TYPE_FLAG_MANAGED_DICT);
    f->large = fake_malloc(fake, 16 + 24 + 800);
    fake_pool(fake, 0, 64, N_STR);
    for (uint32_t i = 0; i < N_STR; i++)
        fake_str_at(fake, fake_block(0, 64, i), "a short one");
    fake_pool(fake, 1, 32, N_FLOAT);
    for (uint32_t i = 0; i < N_FLOAT; i++)
        fake_object(fake, fake_block(1, 32, i), fake->real);
    fill_things(f);
    fill_tuples(f);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    fill(f);
    walk_init(&f->walk, f->fake->reader, &f->fake->layout, f->fake->type);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    walk_release(&f->walk);
    fake_heap_free(f->fake);
    test_free(f);
    return 0;
}

static uint64_t count_of(const struct objects_section *section, const char *name)
{
    return fake_row(section, name).count;
}

static void test_counts(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = fake_walk(&f->walk);

    assert_int_equal(count_of(section, "str"), N_STR);
    assert_int_equal(fake_row(section, "str").size_bytes, N_STR * (48 + 12));
    assert_int_equal(fake_row(section, "str").memory_bytes, N_STR * 64);
    assert_int_equal(count_of(section, "float"), N_FLOAT);
    assert_int_equal(count_of(section, "app.Thing"), N_THING);
    assert_int_equal(fake_row(section, "app.Thing").size_bytes, N_THING * 48);
    assert_int_equal(fake_row(section, "app.Thing").tracked, N_THING);
    assert_int_equal(count_of(section, "tuple"), N_TUPLE + 1);
    assert_int_equal(count_of(section, "type"), 1);
    assert_int_equal(section->unowned_blocks, 0);
    assert_true(section->walk.complete);
    assert_int_equal(section->walk.torn_pools, 0);
    assert_string_equal(section->walk.method, "outside");
    objects_unref(section);
}

static void test_large_object(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = fake_walk(&f->walk);
    struct kind_row row = fake_row(section, "tuple");

    assert_int_equal(row.memory_bytes, N_TUPLE * 64 + 848);
    assert_int_equal(row.size_bytes, N_TUPLE * (16 + 24 + 16) + 16 + 24 + 800);
    objects_unref(section);
}

static void test_free_blocks_and_free_lists(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    fake_free_block(f->fake, 0, fake_block(0, 64, 3));
    fake_free_block(f->fake, 0, fake_block(0, 64, N_STR - 1));
    fake_u64(f->fake, fake_block(1, 32, 0), 0); /* a dead float, kept for reuse */
    fake_u64(f->fake, fake_block(1, 32, 1), FAKE_ARENA + 4096); /* pointers */
    fake_u64(f->fake, fake_block(1, 32, 1) + 8, FAKE_ARENA + 8192);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "str"), N_STR - 2);
    assert_int_equal(count_of(section, "float"), N_FLOAT - 2);
    assert_int_equal(section->freelist_objects, 1);
    assert_int_equal(section->unowned_blocks, 1);
    assert_int_equal(section->unowned_bytes, 32);
    objects_unref(section);
}

/* 3.8 - 3.13: the link of a free float stands where its type was. */
static void test_free_floats(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;
    uint64_t interpreter = FAKE_STATICS + 8192, list = interpreter + 3616;

    f->walk.layout.version = (struct python_version){.major = 3, .minor = 11};
    f->walk.layout.interpreter = raddr_of(interpreter);
    for (uint32_t i = 0; i < 3; i++) {
        fake_u64(f->fake, fake_block(1, 32, i), 0);
        fake_u64(f->fake, fake_block(1, 32, i) + 8, i < 2 ? fake_block(1, 32, i + 1) : 0);
    }
    fake_u64(f->fake, list, fake_block(1, 32, 0));
    fake_u32(f->fake, list - 8, 3);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "float"), N_FLOAT - 3);
    assert_int_equal(section->freelist_objects, 3);
    assert_int_equal(section->freelist_bytes, 3 * 32);
    assert_int_equal(section->unowned_blocks, 0);
    objects_unref(section);
    fake_u32(f->fake, list - 8, 4000000000u); /* longer than any */
    section = fake_walk(&f->walk);
    assert_int_equal(section->unowned_blocks, 3);
    objects_unref(section);
}

/* A text that ends where a Thing had its refcount, before the type that is still there.
 */
static void test_text_over_an_object(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;
    const char text[] = "Load(expr left, operator op, exp";

    for (uint32_t i = 0; i < 8; i++) {
        uint64_t block = fake_block(2, 48, i), word;

        for (uint32_t at = 0; at < 32; at += 8) {
            memcpy(&word, text + at, sizeof(word));
            fake_u64(f->fake, block + at, word);
        }
        fake_u64(f->fake, block + 32, 0x2972);
    }
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "app.Thing"), N_THING - 8);
    assert_int_equal(section->unowned_blocks, 8);
    objects_unref(section);
}

/* A free list that never ends, or leaves its pool: that pool is told, others count. */
static void test_damaged_free_lists(void **state)
{
    struct fixture *f = *state;
    uint64_t block = fake_block(0, 64, 3);
    const uint64_t wild[] = {block, block + 8, FAKE_STATICS, UINT64_MAX, 1};

    fake_free_block(f->fake, 0, block);
    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        const struct objects_section *section;

        fake_u64(f->fake, block, wild[i]);
        section = fake_walk(&f->walk);
        assert_int_equal(section->walk.torn_pools, 1);
        assert_int_equal(count_of(section, "str"), 0);
        assert_int_equal(count_of(section, "float"), N_FLOAT);
        objects_unref(section);
    }
}

static void test_damaged_pool_headers(void **state)
{
    struct fixture *f = *state;
    const struct {
        uint64_t offset;
        uint32_t value, torn;
    } damages[] = {
        {0, 0, 0},           /* empty */
        {0, N_FLOAT + 1, 1}, /* more used than carved */
        {32, 5, 1},          /* belongs to another arena */
        {36, 0xffff, 1},     {40, 0xfffffff0u, 1}, {40, 49, 1}, {44, 0, 1},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        const struct objects_section *section;
        uint64_t at = FAKE_ARENA + FAKE_POOL_BYTES + damages[i].offset;
        uint32_t before = (uint32_t)fake_get(f->fake, at);

        fake_u32(f->fake, at, damages[i].value);
        section = fake_walk(&f->walk);
        assert_int_equal(section->walk.torn_pools, damages[i].torn);
        assert_int_equal(count_of(section, "float"), 0);
        assert_int_equal(count_of(section, "str"), N_STR);
        objects_unref(section);
        fake_u32(f->fake, at, before);
    }
}

static void test_wild_types(void **state)
{
    struct fixture *f = *state;
    const uint64_t wild[] = {0,
                             1,
                             8,
                             UINT64_MAX,
                             UINT64_MAX - 7,
                             FAKE_STATICS,
                             FAKE_STATICS + FAKE_STATICS_BYTES - 8,
                             FAKE_ARENA};
    const size_t n_wild = sizeof(wild) / sizeof(wild[0]);
    const struct objects_section *section;

    for (size_t i = 0; i < n_wild; i++)
        fake_u64(f->fake, fake_block(1, 32, (uint32_t)i) + 8, wild[i]);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "float"), N_FLOAT - n_wild);
    assert_int_equal(section->unowned_blocks, n_wild);
    objects_unref(section);
}

/* What claims to be a type but could not be one makes no objects. */
static void test_impossible_types(void **state)
{
    struct fixture *f = *state;
    const struct object_layout *layout = &f->fake->layout.object;
    const uint64_t damages[][2] = {
        {layout->tp_basicsize, UINT64_MAX},
        {layout->tp_basicsize, 0},
        {layout->tp_basicsize, UINT64_C(1) << 40},
        {layout->tp_itemsize, UINT64_MAX},
        {layout->tp_flags, 0},
        {layout->ob_type, f->fake->real},
        {layout->ob_type, 0},
        {layout->tp_name, 8},
    };

    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        uint64_t at = f->fake->real + damages[i][0], before = fake_get(f->fake, at);
        const struct objects_section *section;

        fake_u64(f->fake, at, damages[i][1]);
        walk_release(&f->walk);
        walk_init(&f->walk, f->fake->reader, &f->fake->layout, f->fake->type);
        section = fake_walk(&f->walk);
        assert_int_equal(count_of(section, "float"), 0);
        assert_int_equal(section->unowned_blocks, N_FLOAT);
        objects_unref(section);
        fake_u64(f->fake, at, before);
    }
}

static void test_gc_links_without_end(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    /* Each thing links to a different place that is no object. */
    for (uint32_t i = 0; i < N_THING; i++)
        track(f->fake, fake_block(2, 48, i) + 16, FAKE_HEAP + 16 * i, RADDR_END - 16);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "app.Thing"), N_THING);
    assert_int_equal(count_of(section, "tuple"), N_TUPLE + 1);
    objects_unref(section);
}

/* Any one read may fail; the next walk sees everything again. */
static void test_every_read_fails_once(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = fake_walk(&f->walk);
    uint64_t count = section->count, calls = f->fake->reader->calls;

    objects_unref(section);
    walk_release(&f->walk);
    walk_init(&f->walk, f->fake->reader, &f->fake->layout, f->fake->type);
    assert_true(calls > 10);
    for (uint64_t n = 1; n < calls * 4; n++) {
        struct err err = ERR_INIT;

        reader_image_fail_at(f->fake->reader, n);
        if (!walk_begin(&f->walk, &err)) {
            assert_true(walk_step(&f->walk, 0));
            section = walk_finish(&f->walk);
            assert_true(section->count <= count);
            objects_unref(section);
        } else {
            assert_true(err.text[0]);
        }
        reader_image_fail_at(f->fake->reader, 0);
        section = fake_walk(&f->walk);
        assert_int_equal(section->count, count);
        objects_unref(section);
    }
}

/* A passed deadline ends a slice, never the walk. */
static void test_slices(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = fake_walk(&f->walk);
    uint64_t count = section->count;
    struct err err = ERR_INIT;
    int slices = 1;

    objects_unref(section);
    assert_int_equal(walk_begin(&f->walk, &err), 0);
    while (!walk_step(&f->walk, 1) && slices < 100)
        slices++;
    assert_in_range(slices, 2, 99);
    section = walk_finish(&f->walk);
    assert_int_equal(section->count, count);
    objects_unref(section);
}

static void test_two_classes_of_one_name(void **state)
{
    struct fixture *f = *state;
    uint64_t second = fake_class(f->fake, "app", "Thing", 16, TYPE_FLAG_MANAGED_DICT);
    const struct objects_section *section;

    for (uint32_t i = 0; i < N_THING / 2; i++)
        fake_u64(f->fake, fake_block(2, 48, i) + 40, second);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "app.Thing"), N_THING);
    objects_unref(section);
}

/* The memory of a class becomes another class between two walks. */
static void test_class_is_replaced(void **state)
{
    struct fixture *f = *state;
    const struct object_layout *layout = &f->fake->layout.object;
    uint64_t other = fake_class(f->fake, "app", "Other", 16, TYPE_FLAG_MANAGED_DICT);
    const struct objects_section *section = fake_walk(&f->walk);

    assert_int_equal(count_of(section, "app.Thing"), N_THING);
    objects_unref(section);
    fake_u64(f->fake, f->thing + layout->ht_qualname,
             fake_get(f->fake, other + layout->ht_qualname));
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "app.Thing"), 0);
    assert_int_equal(count_of(section, "app.Other"), N_THING);
    objects_unref(section);
}

static void test_dict_keys(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t far = fake_malloc(fake, 600), near = fake_block(5, 256, 0), dict;
    const struct objects_section *section;

    fake_pool(fake, 4, 64, 3);
    fake_pool(fake, 5, 256, 1);
    for (uint32_t i = 0; i < 3; i++) {
        dict = fake_block(4, 64, i) + 16;
        fake_object(fake, dict, fake->dict);
        fake_u64(fake, dict + 32, i == 0 ? near : far);
    }
    fake_u64(fake, near, 1);
    fake_u64(fake, near + 8, 3 | 3 << 8 | 1 << 16);
    fake_u64(fake, far, 2); /* shared: charged to nobody here */
    fake_u64(fake, far + 8, 4 | 4 << 8 | 2 << 16);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "dict (no owner)"), 3);
    assert_int_equal(fake_row(section, "dict (no owner)").size_bytes,
                     3 * 64 + 32 + 8 + 5 * 16);
    assert_int_equal(section->unowned_blocks, 0);
    assert_int_equal(fake_row(section, "dict (no owner)").parts_bytes, 256);
    objects_unref(section);
}

static void test_debug_hooks(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    const struct objects_section *section;

    for (uint32_t i = 0; i < 5; i++) /* 16 bytes in front, 8 behind: 48 for a float */
        fake_pool(fake, i, 48, 10);
    for (uint32_t i = 0; i < 10; i++) {
        fake_object(fake, fake_block(4, 48, i) + 16, fake->real);
        fake_u64(fake, fake_block(4, 48, i) + 8, i == 0 ? 'm' : 'o');
    }
    walk_release(&f->walk);
    fake->layout.pymalloc.debug_prefix_bytes = 16;
    walk_init(&f->walk, fake->reader, &fake->layout, fake->type);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "float"), 9);
    assert_int_equal(fake_row(section, "float").size_bytes, 9 * 24);
    objects_unref(section);
}

static void test_arena_gone(void **state)
{
    struct fixture *f = *state;
    uint64_t table = fake_get(f->fake, FAKE_ARENAS_WORD);
    const struct objects_section *section;

    fake_u64(f->fake, table + 48, FAKE_ARENA + (64 << 20)); /* nothing is mapped there */
    fake_u64(f->fake, table + 56, FAKE_ARENA + (64 << 20) + FAKE_POOL_BYTES);
    fake_u32(f->fake, table + 64, 63);
    fake_u32(f->fake, table + 68, 64);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "float"), N_FLOAT);
    assert_int_equal(section->walk.torn_pools, 0);
    assert_int_equal(f->walk.workers[0].counts.arenas_gone, 1);
    objects_unref(section);
}

/* Strings too long for pymalloc are found among malloc's chunks. */
static void test_chunks(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    const struct walk_region region = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};
    const struct objects_section *section;
    uint64_t chunk = fake_malloc(fake, 700), next = fake_malloc(fake, 600);

    fake_str_at(fake, chunk, "");
    fake_u64(fake, chunk + 16, 640); /* the length */
    walk_set_regions(&f->walk, &region, 1);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "str"), N_STR + 1);
    assert_int_equal(fake_row(section, "str").memory_bytes, N_STR * 64 + 720);
    /* What the collector's lists gave is not counted again. */
    assert_int_equal(count_of(section, "tuple"), N_TUPLE + 1);
    assert_int_equal(count_of(section, "type"), 1);
    objects_unref(section);
    fake_u64(fake, next - 8, fake_get(fake, next - 8) & ~UINT64_C(1)); /* it was freed */
    walk_set_regions(&f->walk, &region, 1);
    section = fake_walk(&f->walk);
    assert_int_equal(count_of(section, "str"), N_STR);
    objects_unref(section);
}

/* Sizes of chunks that lead nowhere: the walk ends, the rest is counted. */
static void test_damaged_chunks(void **state)
{
    struct fixture *f = *state;
    const struct walk_region region = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};
    const uint64_t wild[] = {0, 1, 17, 33, UINT64_MAX, UINT64_MAX - 14, 1 << 20, 32 | 4};
    uint64_t chunk = fake_malloc(f->fake, 700);

    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        const struct objects_section *section;

        fake_u64(f->fake, chunk - 8, wild[i]);
        walk_set_regions(&f->walk, &region, 1);
        section = fake_walk(&f->walk);
        assert_int_equal(count_of(section, "float"), N_FLOAT);
        objects_unref(section);
    }
}

static void test_arena_map(void **state)
{
    struct arena_row rows[] = {
        {.index = 0, .address = 0x7f0000101000},
        {.index = 1, .address = 0x7f0000201000},
        {.index = 2, .address = 0x7f0000900000},
    };
    struct arena_table table = {.rows = rows, .count = 3, .n_slots = 16};
    struct arena_map map;

    (void)state;
    arena_map_init(&map, &table, 1 << 20);
    assert_non_null(map.stretches);
    assert_false(arena_map_has(&map, 0));
    assert_false(arena_map_has(&map, UINT64_MAX));
    assert_false(arena_map_has(&map, 0x7f0000100fff));
    for (size_t i = 0; i < 3; i++) {
        assert_true(arena_map_has(&map, rows[i].address));
        assert_true(arena_map_has(&map, rows[i].address + 0xfffff));
    }
    assert_false(arena_map_has(&map, 0x7f0000301000));
    assert_false(arena_map_has(&map, 0x7f00008fffff));
    assert_false(arena_map_has(&map, 0x7f0000a00000));
    arena_map_release(&map);
    rows[2].address = UINT64_C(1) << 60; /* too wide for a table */
    arena_map_init(&map, &table, 1 << 20);
    assert_null(map.stretches);
    assert_true(arena_map_has(&map, 0x7f0000101000));
    assert_false(arena_map_has(&map, 0x7f0000301000));
    arena_map_release(&map);
}

int main(void)
{
#define POINT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(test_counts),
        POINT(test_large_object),
        POINT(test_free_blocks_and_free_lists),
        POINT(test_free_floats),
        POINT(test_text_over_an_object),
        POINT(test_damaged_free_lists),
        POINT(test_damaged_pool_headers),
        POINT(test_wild_types),
        POINT(test_impossible_types),
        POINT(test_gc_links_without_end),
        POINT(test_every_read_fails_once),
        POINT(test_slices),
        POINT(test_two_classes_of_one_name),
        POINT(test_class_is_replaced),
        POINT(test_dict_keys),
        POINT(test_debug_hooks),
        POINT(test_arena_gone),
        POINT(test_chunks),
        POINT(test_damaged_chunks),
        cmocka_unit_test(test_arena_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
