/* Objects in malloc's chunks beside the arenas: in pages of their own, and small ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_heap.h"
#include "fake_walk.h"

struct fixture {
    struct fake_heap *fake;
    struct walk walk;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    fake_pool(f->fake, 0, 64, 4);
    for (uint32_t i = 0; i < 4; i++)
        fake_object(f->fake, fake_block(0, 64, i), f->fake->object);
    fake_class(f->fake, "app", "Thing", 16, TYPE_FLAG_MANAGED_DICT);
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

/* What shrank stayed in its chunk, though pymalloc would have room for it now. */
static void test_shrunk_in_chunks(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    const struct walk_region region = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};
    const struct objects_section *section;
    uint64_t shrunk = fake_malloc(fake, 61), wide = fake_malloc(fake, 200);
    uint64_t freed = fake_malloc(fake, 61), real = fake_malloc(fake, 24);
    struct kind_row before; /* the class has its names in chunks, too */

    walk_set_image(&f->walk, FAKE_STATICS, FAKE_STATICS + FAKE_STATICS_BYTES);
    walk_set_regions(&f->walk, &region, 1);
    section = fake_walk(&f->walk);
    before = fake_row(section, "str");
    objects_unref(section);
    fake_str_at(fake, shrunk, "a short one");
    fake_str_at(fake, wide, "a short one"); /* realloc would have cut it */
    fake_str_at(fake, freed, "a short one");
    fake_u64(fake, freed, wide ^ freed >> 12); /* tcache */
    fake_object(fake, real, fake->real);       /* no float ever was larger */
    walk_set_regions(&f->walk, &region, 1);
    section = fake_walk(&f->walk);
    assert_int_equal(fake_row(section, "str").count, before.count + 1);
    assert_int_equal(fake_row(section, "str").malloc_bytes, before.malloc_bytes + 80);
    assert_int_equal(fake_row(section, "float").count, 0);
    objects_unref(section);
}

static void test_mmapped_chunk(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    const struct walk_region regions[] = {
        {FAKE_HEAP + 3 * 4096, FAKE_HEAP + FAKE_HEAP_BYTES, false},
        {FAKE_ARENA, FAKE_ARENA + FAKE_ARENA_BYTES, false},
        {0, 0, false},
        {UINT64_MAX - 8191, UINT64_MAX - 4095, false},
    };
    const struct objects_section *section;
    uint64_t at = regions[0].start;

    for (uint64_t word = at; word < regions[0].end; word += 8)
        fake_u64(fake, word, 0);
    fake_u64(fake, at + 8, 8192 | 2);
    fake_str_at(fake, at + 16, "");
    fake_u64(fake, at + 32, 8000);
    fake_u64(fake, at + 8192 + 8, UINT64_MAX << 12 | 2); /* larger than all there is */
    walk_set_regions(&f->walk, regions, 4);
    section = fake_walk(&f->walk);
    assert_int_equal(fake_row(section, "str").count, 1);
    assert_int_equal(fake_row(section, "str").memory_bytes, 8192);
    objects_unref(section);
}

/* 2.43 leaves the header out of the size; the chunk is whole pages all the same. */
static void test_mmapped_chunk_of_a_list(void **state)
{
    struct fixture *f = *state;
    uint64_t at = FAKE_HEAP + 3 * 4096;

    fake_u64(f->fake, at + 8, 8192 | 2);
    assert_int_equal(walk_chunk_bytes(&f->walk, at + 16, 8000, true), 8192);
    fake_u64(f->fake, at + 8, (8192 - 16) | 2);
    assert_int_equal(walk_chunk_bytes(&f->walk, at + 16, 8000, true), 8192);
    fake_u64(f->fake, at + 8, (8192 - 16) | 1);
    assert_int_equal(walk_chunk_bytes(&f->walk, at + 16, 8000, true), 8192 - 16);
}

int main(void)
{
#define POINT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(test_shrunk_in_chunks),
        POINT(test_mmapped_chunk),
        POINT(test_mmapped_chunk_of_a_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
