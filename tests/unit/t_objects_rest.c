/* Blocks that no object is known to have, in made-up heaps: what leads to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "fake_heap.h"
#include "fake_walk.h"

#define WORDS   (FAKE_STATICS + FAKE_STATICS_BYTES - 4096) /* static data, all 0 */
#define BLOCKS  10
#define MODULES 3

struct fixture {
    struct fake_heap *fake;
    struct walk walk;
};

static int setup(void **state)
{
    const struct rest_range statics = {WORDS, FAKE_STATICS + FAKE_STATICS_BYTES};
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    walk_init(&f->walk, f->fake->reader, &f->fake->layout, f->fake->type);
    walk_set_statics(&f->walk, &statics, 1);
    fake_learned(&f->walk);
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

static const struct objects_section *walk_whole(struct fixture *f)
{
    const struct walk_region heap = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};

    walk_set_regions(&f->walk, &heap, 1);
    return fake_walk(&f->walk);
}

/* So many chunks that they pass for a chain; the last is the heap's end. */
static void fake_heap_end(struct fake_heap *fake)
{
    for (int i = 0; i < 8; i++)
        fake_malloc(fake, 1008);
}

/* Of two that follow each other in a circle, by the beginning of one. */
static void test_statics(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    fake_pool(f->fake, 0, 48, BLOCKS);
    fake_u64(f->fake, WORDS + 8, fake_block(0, 48, 0));
    fake_u64(f->fake, WORDS + 4088, fake_block(0, 48, 5));
    fake_u64(f->fake, fake_block(0, 48, 0) + 40, fake_block(0, 48, 1));
    fake_u64(f->fake, fake_block(0, 48, 1) + 8, fake_block(0, 48, 0));
    fake_u64(f->fake, WORDS + 16, fake_block(0, 48, 6) + 16);
    fake_u64(f->fake, WORDS + 24, fake_block(0, 48, 7) + 1);
    for (int i = 0; i < 2; i++) {
        section = walk_whole(f);
        assert_int_equal(section->statics_blocks, 3);
        assert_int_equal(section->statics_bytes, 3 * 48);
        assert_int_equal(section->unowned_blocks, BLOCKS - 3);
        assert_int_equal(section->unowned_bytes, (BLOCKS - 3) * 48);
        objects_unref(section);
    }
    walk_set_statics(&f->walk, NULL, 0);
    section = walk_whole(f);
    assert_int_equal(section->statics_blocks, 0);
    assert_int_equal(section->unowned_blocks, BLOCKS);
    objects_unref(section);
}

/* Little is left: what led to a block is looked at, and all else only sometimes. */
static void test_statics_are_remembered(void **state)
{
    enum { REALS = 500, WALKS = 17 };
    static const uint64_t held[WALKS] = {1, 1, 0, [WALKS - 1] = 1};
    struct fixture *f = *state;

    fake_pool(f->fake, 0, 16, 2);
    for (uint32_t pool = 1; pool < FAKE_POOLS; pool++) {
        fake_pool(f->fake, pool, 32, REALS);
        for (uint32_t i = 0; i < REALS; i++)
            fake_object(f->fake, fake_block(pool, 32, i), f->fake->real);
    }
    fake_u64(f->fake, WORDS + 64, fake_block(0, 16, 0));
    for (int i = 0; i < WALKS; i++) {
        const struct objects_section *section = walk_whole(f);

        assert_int_equal(section->statics_blocks, held[i]);
        assert_int_equal(section->unowned_blocks, 2 - held[i]);
        objects_unref(section);
        fake_u64(f->fake, WORDS + 128, fake_block(0, 16, 1));
        if (i == 1)
            fake_u64(f->fake, WORDS + 64, 0);
    }
}

/* Static data lead to what an object has, to objects, and to malloc's chunks. */
static void test_statics_are_last(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;
    uint64_t list = fake_block(0, 64, 0) + 16;

    fake_pool(f->fake, 0, 64, 1);
    fake_pool(f->fake, 1, 48, 1);
    fake_object(f->fake, list, f->fake->list);
    fake_u64(f->fake, list + 24, fake_block(1, 48, 0));
    fake_u64(f->fake, list + 32, 5);
    fake_u64(f->fake, WORDS, fake_block(1, 48, 0));
    fake_u64(f->fake, WORDS + 8, fake_block(0, 64, 0));
    fake_u64(f->fake, WORDS + 16, fake_malloc(f->fake, 1008));
    fake_heap_end(f->fake);
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "list").parts_bytes, 48);
    assert_int_equal(section->statics_blocks, 0);
    assert_int_equal(section->unowned_blocks, 0);
    objects_unref(section);
}

/* A module's state in a block, and in a chunk; what it leads to is the module's. */
static void test_module_states(void **state)
{
    struct fixture *f = *state;
    uint64_t type = fake_static_type(f->fake, "module", 56, 0, TYPE_FLAG_HAVE_GC);
    uint64_t large = fake_malloc(f->fake, 2032), table = fake_malloc(f->fake, 1008);
    const struct objects_section *section;
    struct kind_row row;

    fake_heap_end(f->fake);
    fake_pool(f->fake, 0, 80, MODULES);
    fake_pool(f->fake, 1, 48, BLOCKS);
    for (uint32_t i = 0; i < MODULES; i++)
        fake_object(f->fake, fake_block(0, 80, i) + 16, type);
    fake_u64(f->fake, fake_block(0, 80, 0) + 16 + 32, fake_block(1, 48, 0));
    fake_u64(f->fake, fake_block(1, 48, 0) + 24, fake_block(1, 48, 1));
    fake_u64(f->fake, fake_block(1, 48, 1) + 8, table);
    fake_u64(f->fake, table + 1000, fake_block(1, 48, 2));
    fake_u64(f->fake, fake_block(0, 80, 1) + 16 + 32, large);
    fake_u64(f->fake, large + 2024, fake_block(1, 48, 3));
    fake_u64(f->fake, WORDS, fake_block(1, 48, 2)); /* has an owner already */
    fake_u64(f->fake, WORDS + 8, fake_block(1, 48, 4));
    section = walk_whole(f);
    row = fake_row(section, "module");
    assert_int_equal(row.count, MODULES);
    assert_int_equal(row.malloc_bytes, 2048 + 1024);
    assert_int_equal(row.parts_bytes, 4 * 48 + 2048 + 1024);
    assert_int_equal(section->statics_blocks, 1);
    assert_int_equal(section->unowned_blocks, BLOCKS - 5);
    objects_unref(section);
}

/* More modules than there are, it seems: all of one large state. */
static void test_states_are_bounded(void **state)
{
    enum { POOL = 200, POOLS = 5, STATE = 32768 };
    struct fixture *f = *state;
    uint64_t type = fake_static_type(f->fake, "module", 56, 0, TYPE_FLAG_HAVE_GC);
    uint64_t large = fake_malloc(f->fake, STATE - 16);
    const struct objects_section *section;

    fake_heap_end(f->fake);
    for (uint32_t i = 0; i < POOL * POOLS; i++) {
        uint64_t module = fake_block(i / POOL, 80, i % POOL) + 16;

        fake_pool(f->fake, i / POOL, 80, POOL);
        fake_object(f->fake, module, type);
        fake_u64(f->fake, module + 32, large);
    }
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "module").count, POOL * POOLS);
    assert_int_equal(fake_row(section, "module").malloc_bytes, STATE);
    assert_in_range(section->walk.read_bytes, REST_ITEMS_MOST,
                    REST_ITEMS_MOST + 4 * FAKE_BYTES);
    objects_unref(section);
}

/* A type as numpy makes one for each dtype. */
static uint64_t fake_made_type(struct fake_heap *fake, uint64_t metatype)
{
    const struct object_layout *layout = &fake->layout.object;
    uint64_t address = fake_malloc(fake, 1008);

    fake_object(fake, address, metatype);
    fake_u64(fake, address + layout->tp_name, fake_get(fake, metatype + layout->tp_name));
    fake_u64(fake, address + layout->tp_basicsize, 96);
    fake_u64(fake, address + layout->tp_flags, TYPE_FLAG_READY);
    fake_u64(fake, address + layout->tp_base, fake->object);
    return address;
}

static void test_types_in_chunks(void **state)
{
    enum { TYPES = 4 };
    struct fixture *f = *state;
    uint64_t meta = fake_static_type(f->fake, "lib.Meta", 968, 40,
                                     TYPE_FLAG_TYPE | TYPE_FLAG_HAVE_GC);
    const struct object_layout *layout = &f->fake->layout.object;
    const struct objects_section *section;
    struct kind_row row;

    fake_pool(f->fake, 0, 464, BLOCKS);
    for (uint32_t i = 0; i < TYPES; i++)
        fake_u64(f->fake, fake_made_type(f->fake, meta) + 920, fake_block(0, 464, i));
    /* Not ready yet; of what is no type; too short. */
    fake_u64(f->fake, fake_made_type(f->fake, meta) + layout->tp_flags, 0);
    fake_made_type(f->fake, f->fake->list);
    fake_u64(f->fake, fake_malloc(f->fake, 400) + 8, meta);
    fake_heap_end(f->fake);
    section = walk_whole(f);
    row = fake_row(section, "lib.Meta");
    assert_int_equal(row.count, TYPES);
    assert_int_equal(row.tracked, 0);
    assert_int_equal(row.size_bytes, TYPES * (16 + layout->type_bytes));
    assert_int_equal(row.parts_bytes, TYPES * 464);
    assert_int_equal(row.malloc_bytes, TYPES * 1024);
    assert_int_equal(section->unowned_blocks, BLOCKS - TYPES);
    objects_unref(section);
}

/* Tables of keys kept by an interpreter that is not the main one (3.11); the list of all
 * interpreters goes in a circle. */
static void test_keys_of_interpreters(void **state)
{
    enum { KEPT = 3, NEXT = 8, LIST = 5168, COUNT = 5808 };
    struct fixture *f = *state;
    uint64_t first = fake_malloc(f->fake, 16368), second = fake_malloc(f->fake, 16368);
    const struct objects_section *section;

    fake_heap_end(f->fake);
    fake_pool(f->fake, 0, 128, BLOCKS);
    f->walk.layout.version = (struct python_version){.major = 3, .minor = 11};
    f->walk.layout.interpreter = raddr_of(first);
    f->walk.layout.interpreters = raddr_of(WORDS);
    f->walk.layout.interpreter_next = NEXT;
    fake_u64(f->fake, WORDS, second);
    fake_u64(f->fake, second + NEXT, first);
    fake_u64(f->fake, first + NEXT, second);
    for (uint32_t i = 0; i < KEPT; i++)
        fake_u64(f->fake, second + LIST + i * 8, fake_block(0, 128, i));
    fake_u32(f->fake, second + COUNT, KEPT);
    section = walk_whole(f);
    assert_int_equal(section->freelist_objects, KEPT);
    assert_int_equal(section->freelist_bytes, KEPT * 128);
    assert_int_equal(section->unowned_blocks, BLOCKS - KEPT);
    objects_unref(section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_statics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statics_are_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_statics_are_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_module_states, setup, teardown),
        cmocka_unit_test_setup_teardown(test_states_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_types_in_chunks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_keys_of_interpreters, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
