/* Parts and their owners in made-up heaps: each block is charged once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "fake_heap.h"
#include "fake_walk.h"

#define N_LISTS 40
#define N_DICTS 20

struct fixture {
    struct fake_heap *fake;
    struct walk walk;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
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

static const struct objects_section *walk_whole(struct fixture *f)
{
    const struct walk_region heap = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};

    walk_set_regions(&f->walk, &heap, 1);
    return fake_walk(&f->walk);
}

/* Lists with 5 items each, that lie in a pool of their own. */
static void fill_lists(struct fake_heap *fake)
{
    fake_pool(fake, 0, 64, N_LISTS);
    fake_pool(fake, 1, 48, N_LISTS + 3); /* three are nobody's */
    for (uint32_t i = 0; i < N_LISTS; i++) {
        uint64_t list = fake_block(0, 64, i) + 16;

        fake_object(fake, list, fake->list);
        fake_u64(fake, list + 24, fake_block(1, 48, i));
        fake_u64(fake, list + 32, 5);
    }
}

static void test_items(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;
    struct kind_row row;

    fill_lists(f->fake);
    section = walk_whole(f);
    row = fake_row(section, "list");
    assert_int_equal(row.count, N_LISTS);
    assert_int_equal(row.parts_bytes, N_LISTS * 48);
    assert_int_equal(row.memory_bytes, N_LISTS * (64 + 48));
    assert_int_equal(row.size_bytes, N_LISTS * (16 + 40 + 40));
    assert_int_equal(row.malloc_bytes, 0);
    assert_int_equal(section->unowned_blocks, 3);
    assert_int_equal(section->unowned_bytes, 3 * 48);
    objects_unref(section);
}

/* Two that claim one block, and one that claims an object: charged once, or not. */
static void test_claims(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    fill_lists(f->fake);
    fake_u64(f->fake, fake_block(0, 64, 0) + 40, fake_block(1, 48, 1));
    fake_u64(f->fake, fake_block(0, 64, 2) + 40, fake_block(0, 64, 3));
    fake_u64(f->fake, fake_block(0, 64, 4) + 40, FAKE_ARENA + FAKE_POOL_BYTES * 5);
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "list").parts_bytes, (N_LISTS - 3) * 48);
    assert_int_equal(section->unowned_blocks, 6);
    objects_unref(section);
}

/* Nodes in arenas are charged once, and remembered nowhere: there may be millions. */
static void test_chains(void **state)
{
    enum { NODES = 30 };
    struct fixture *f = *state;
    uint64_t type =
        fake_static_type(f->fake, "collections.OrderedDict", 96, 0, TYPE_FLAG_DICT);
    const struct objects_section *section;

    fake_pool(f->fake, 0, 96, 2);
    fake_pool(f->fake, 1, 32, NODES + 3);
    for (uint32_t i = 0; i < NODES; i++)
        fake_u64(f->fake, fake_block(1, 32, i) + 16, fake_block(1, 32, i + 1));
    for (uint32_t i = 0; i < 2; i++) {
        fake_object(f->fake, fake_block(0, 96, i), type);
        fake_u64(f->fake, fake_block(0, 96, i) + 48, fake_block(1, 32, i * (NODES - 1)));
    }
    /* The first says that it has more; the second's go in a circle. */
    fake_u64(f->fake, fake_block(0, 96, 0) + 16, NODES - 1);
    fake_u64(f->fake, fake_block(0, 96, 1) + 16, UINT32_MAX);
    fake_u64(f->fake, fake_block(1, 32, NODES) + 16, fake_block(1, 32, NODES));
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "collections.OrderedDict").parts_bytes,
                     (NODES + 1) * 32);
    assert_int_equal(section->unowned_blocks, 2);
    assert_false(section->walk.complete);
    objects_unref(section);
}

static void test_items_in_chunks(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;
    struct kind_row row;
    uint64_t items;

    fill_lists(f->fake);
    items = fake_malloc(f->fake, 1000);
    for (int i = 0; i < 8; i++) /* a chain */
        fake_malloc(f->fake, 64);
    fake_malloc(f->fake, FAKE_HEAP + FAKE_HEAP_BYTES - f->fake->next_heap - 32);
    fake_u64(f->fake, fake_block(0, 64, 0) + 40, items);
    fake_u64(f->fake, fake_block(0, 64, 0) + 48, 125);
    section = walk_whole(f);
    row = fake_row(section, "list");
    assert_int_equal(row.malloc_bytes, 1008);
    assert_int_equal(row.memory_bytes, N_LISTS * 64 + (N_LISTS - 1) * 48 + 1008);
    objects_unref(section);
}

/* Instances with a dict each; the last two dicts are nobody's. */
static void fill_dicts(struct fake_heap *fake)
{
    uint64_t class = fake_class(fake, "app", "Thing", 16, TYPE_FLAG_MANAGED_DICT);

    fake_pool(fake, 2, 48, N_DICTS - 2);
    fake_pool(fake, 3, 64, N_DICTS);
    fake_pool(fake, 4, 128, N_DICTS);
    for (uint32_t i = 0; i < N_DICTS; i++) {
        uint64_t dict = fake_block(3, 64, i) + 16, keys = fake_block(4, 128, i);

        fake_object(fake, dict, fake->dict);
        fake_u64(fake, dict + 32, keys);
        fake_u64(fake, keys, 1);
        fake_u64(fake, keys + 8, 3 | 3 << 8 | 1 << 16);
        if (i >= N_DICTS - 2)
            continue;
        fake_object(fake, fake_block(2, 48, i) + 32, class);
        fake_u64(fake, fake_block(2, 48, i) + 8, dict);
    }
}

static void test_dicts_of(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;
    struct kind_row row;

    fill_dicts(f->fake);
    section = walk_whole(f);
    row = fake_row(section, "dict of app.Thing");
    assert_int_equal(row.count, N_DICTS - 2);
    assert_int_equal(row.memory_bytes, (N_DICTS - 2) * (64 + 128));
    assert_int_equal(row.size_bytes, (N_DICTS - 2) * (64 + 120));
    row = fake_row(section, "dict (no owner)");
    assert_int_equal(row.count, 2);
    assert_int_equal(row.memory_bytes, 2 * (64 + 128));
    assert_int_equal(fake_row(section, "app.Thing").count, N_DICTS - 2);
    assert_int_equal(section->unowned_blocks, 0);
    objects_unref(section);
}

/* A type in C with a field that nobody wrote down. */
static void test_learned(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t type = fake_static_type(fake, "lib.Buffer", 32, 0, 0);
    const struct objects_section *section;

    fake_pool(fake, 0, 32, 200);
    fake_pool(fake, 1, 80, 200);
    for (uint32_t i = 0; i < 200; i++) {
        fake_object(fake, fake_block(0, 32, i), type);
        fake_u64(fake, fake_block(0, 32, i) + 24, fake_block(1, 80, i));
    }
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "lib.Buffer").count, 200);
    assert_int_equal(fake_row(section, "lib.Buffer").parts_bytes, 200 * 80);
    assert_int_equal(section->unowned_blocks, 0);
    objects_unref(section);
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "lib.Buffer").parts_bytes, 200 * 80);
    objects_unref(section);
}

/* Many of one type, of which the first have nothing there. */
static void test_learned_from_later_ones(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t type = fake_static_type(fake, "lib.Buffer", 32, 0, 0);
    const struct objects_section *section;

    fake_pool(fake, 0, 32, 200);
    fake_pool(fake, 1, 80, 200);
    for (uint32_t i = 0; i < 200; i++) {
        fake_object(fake, fake_block(0, 32, i), type);
        if (i >= 2 * LEARN_SAMPLES)
            fake_u64(fake, fake_block(0, 32, i) + 24, fake_block(1, 80, i));
    }
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "lib.Buffer").parts_bytes,
                     (200 - 2 * LEARN_SAMPLES) * 80);
    assert_int_equal(section->unowned_blocks, 2 * LEARN_SAMPLES);
    objects_unref(section);
}

static int address_compare(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

/* The samples of a type are the same in whichever order its instances are met. */
static void test_samples(void **state)
{
    struct fixture *f = *state;
    struct walk *walk = &f->walk;
    const struct type_entry entry = {.id = 7};
    struct type_samples *met[2];

    walk->learning.is_sampling = true;
    for (uint32_t w = 0; w < 2; w++) {
        walk->workers[w].walk = walk;
        walk->workers[w].index = w;
        for (uint64_t i = 0; i < 3000; i++)
            walk_learn_sample(&walk->workers[w], &entry,
                              FAKE_ARENA + (w ? 2999 - i : i) * 48);
        met[w] = walk->learning.samples[w].types[entry.id];
        assert_int_equal(met[w]->count, LEARN_SAMPLES);
        qsort(met[w]->addresses, LEARN_SAMPLES, sizeof(uint64_t), address_compare);
    }
    assert_memory_equal(met[0]->addresses, met[1]->addresses,
                        LEARN_SAMPLES * sizeof(uint64_t));
    /* They are of all, not neighbours. */
    assert_true(met[0]->addresses[0] < FAKE_ARENA + 48 * 500);
    assert_true(met[0]->addresses[LEARN_SAMPLES - 1] > FAKE_ARENA + 48 * 2500);
}

/* What is shared is not owned: nothing is learned from one block for all. */
static void test_shared_is_not_learned(void **state)
{
    struct fixture *f = *state;
    struct fake_heap *fake = f->fake;
    uint64_t type = fake_static_type(fake, "lib.View", 32, 0, 0);
    const struct objects_section *section;

    fake_pool(fake, 0, 32, 200);
    fake_pool(fake, 1, 512, 10);
    for (uint32_t i = 0; i < 200; i++) {
        fake_object(fake, fake_block(0, 32, i), type);
        fake_u64(fake, fake_block(0, 32, i) + 24, fake_block(1, 512, 0));
    }
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "lib.View").parts_bytes, 0);
    assert_int_equal(section->unowned_blocks, 10);
    objects_unref(section);
}

enum { TABLES = 200, ROWS = 150 };

/* Objects with the head of a table (+24), that leads to the table (+link_at). */
static uint64_t fill_tables(struct fake_heap *fake, uint32_t link_at)
{
    uint64_t type = fake_static_type(fake, "lib.Table", 32, 0, 0);

    fake_pool(fake, 0, 32, TABLES);
    fake_pool(fake, 1, 48, TABLES);
    fake_pool(fake, 2, 80, TABLES);
    for (uint32_t i = 0; i < TABLES; i++) {
        fake_object(fake, fake_block(0, 32, i), type);
        fake_u64(fake, fake_block(0, 32, i) + 24, fake_block(1, 48, i));
        fake_u64(fake, fake_block(1, 48, i) + link_at, fake_block(2, 80, i));
    }
    return type;
}

/* A learned part leads to one more. */
static void test_linked(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    fill_tables(f->fake, 8);
    for (int i = 0; i < 2; i++) {
        section = walk_whole(f);
        assert_int_equal(fake_row(section, "lib.Table").parts_bytes, TABLES * (48 + 80));
        assert_int_equal(section->unowned_blocks, 0);
        objects_unref(section);
    }
}

/* The same in chunks of malloc. */
static void test_linked_chunks(void **state)
{
    enum { CHUNKS = 12 };
    struct fixture *f = *state;
    const struct objects_section *section;
    struct kind_row row;

    fill_tables(f->fake, 8);
    for (uint32_t i = 0; i < CHUNKS; i++)
        fake_u64(f->fake, fake_block(1, 48, i) + 8, fake_malloc(f->fake, 1008));
    fake_malloc(f->fake, 1008); /* the last is the heap's end */
    section = walk_whole(f);
    row = fake_row(section, "lib.Table");
    assert_int_equal(row.malloc_bytes, CHUNKS * 1024);
    assert_int_equal(row.parts_bytes,
                     TABLES * 48 + (TABLES - CHUNKS) * 80 + CHUNKS * 1024);
    assert_int_equal(section->unowned_blocks, CHUNKS);
    objects_unref(section);
}

/* Parts that lead to what another has, or to what all of them share. */
static void test_linked_is_last(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    fill_tables(f->fake, 8);
    fake_pool(f->fake, 3, 64, ROWS);
    fake_pool(f->fake, 4, 48, ROWS);
    fake_pool(f->fake, 5, 512, 20);
    for (uint32_t i = 0; i < ROWS; i++) {
        uint64_t list = fake_block(3, 64, i) + 16;

        fake_object(f->fake, list, f->fake->list);
        fake_u64(f->fake, list + 24, fake_block(4, 48, i));
        fake_u64(f->fake, list + 32, 5);
        /* Lists' items instead of tables, in fewer than those that are learned from. */
        if (i % 4 == 0)
            fake_u64(f->fake, fake_block(1, 48, i) + 8, fake_block(4, 48, i));
        fake_u64(f->fake, fake_block(1, 48, i) + 16, fake_block(4, 48, i));
        fake_u64(f->fake, fake_block(1, 48, i) + 24, fake_block(5, 512, 0));
        fake_u64(f->fake, fake_block(1, 48, i) + 32, fake_block(5, 512, 1) + 16);
    }
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "list").parts_bytes, ROWS * 48);
    assert_int_equal(fake_row(section, "lib.Table").parts_bytes,
                     TABLES * 48 + (TABLES - (ROWS + 3) / 4) * 80);
    assert_int_equal(section->unowned_blocks, 20 + (ROWS + 3) / 4);
    objects_unref(section);
}

/* What stands behind the end of a part is not of it; one alone may be chance. */
static void test_linked_is_bounded(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;
    struct type_entry *entry;
    uint64_t type = fill_tables(f->fake, 8);

    for (uint32_t i = 1; i < TABLES; i++)
        fake_u64(f->fake, fake_block(1, 48, i) + 8, 0);
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "lib.Table").parts_bytes, TABLES * 48);
    objects_unref(section);
    entry = types_get(&f->walk.types, type);
    assert_non_null(entry);
    assert_true(object_shape_link(&entry->shape, 24, 48 + 8)); /* the next one's */
    fake_u64(f->fake, fake_block(1, 48, 1) + 8, fake_block(2, 80, 1));
    fake_learned(&f->walk);
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "lib.Table").parts_bytes, TABLES * 48);
    objects_unref(section);
    assert_true(object_shape_link(&entry->shape, 24, 8));
    fake_learned(&f->walk);
    section = walk_whole(f);
    assert_int_equal(fake_row(section, "lib.Table").parts_bytes, TABLES * 48 + 2 * 80);
    objects_unref(section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_samples, setup, teardown),
        cmocka_unit_test_setup_teardown(test_items, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chains, setup, teardown),
        cmocka_unit_test_setup_teardown(test_items_in_chunks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dicts_of, setup, teardown),
        cmocka_unit_test_setup_teardown(test_learned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_learned_from_later_ones, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared_is_not_learned, setup, teardown),
        cmocka_unit_test_setup_teardown(test_linked, setup, teardown),
        cmocka_unit_test_setup_teardown(test_linked_chunks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_linked_is_last, setup, teardown),
        cmocka_unit_test_setup_teardown(test_linked_is_bounded, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
