/* A refresh: what is kept of arenas, and when they are read again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_heap.h"
#include "model/kind.h"

#define N_FLOAT 100
#define N_DICT  50

struct fixture {
    struct fake_heap *fake;
    struct walk walk;
};

static void add_dicts(struct fake_heap *fake)
{
    fake_pool(fake, 2, 64, N_DICT);
    fake_pool(fake, 3, 128, N_DICT);
    for (uint32_t i = 0; i < N_DICT; i++) {
        uint64_t dict = fake_block(2, 64, i) + GC_HEAD_BYTES;
        uint64_t keys = fake_block(3, 128, i);

        fake_object(fake, dict, fake->dict);
        fake_u64(fake, dict + 32, keys);
        fake_u64(fake, keys, 1);
        fake_u64(fake, keys + 8, 3 | 3 << 8 | 1 << 16);
        fake_u64(fake, keys + 16, 5);
    }
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    fake_pool(f->fake, 1, 32, N_FLOAT);
    for (uint32_t i = 0; i < N_FLOAT; i++)
        fake_object(f->fake, fake_block(1, 32, i), f->fake->real);
    add_dicts(f->fake);
    walk_init(&f->walk, f->fake->reader, &f->fake->layout, f->fake->type);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    walk_release(&f->walk);
    fake_heap_free(f->fake);
    free(f);
    return 0;
}

/* One that may learn, so whether it is a refresh is its own matter. */
static const struct objects_section *walk_next(struct fixture *f, bool is_refresh)
{
    const struct objects_section *section;
    struct err err = ERR_INIT;

    walk_set_refresh(&f->walk, 1, is_refresh);
    assert_int_equal(walk_begin(&f->walk, &err), 0);
    assert_true(walk_step(&f->walk, 0));
    section = walk_finish(&f->walk);
    assert_non_null(section);
    return section;
}

static const struct objects_section *walk_once(struct fixture *f, bool is_refresh)
{
    fake_learned(&f->walk);
    return walk_next(f, is_refresh);
}

static const struct kind_row *row_of(const struct objects_section *section,
                                     const char *name)
{
    for (size_t i = 0; i < section->n_kinds; i++)
        if (!strcmp(section->kinds[i].kind->name, name))
            return &section->kinds[i];
    fail_msg("no %s", name);
    return NULL;
}

static void says_the_same(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *whole = walk_once(f, false);

    assert_int_equal(whole->walk.kept_arenas, 0);
    assert_int_equal(whole->walk.oldest_mono_ns, 0);
    assert_int_equal(row_of(whole, "float")->count, N_FLOAT);
    assert_int_equal(row_of(whole, "dict (no owner)")->parts_bytes, N_DICT * 128);
    for (int i = 0; i < KEPT_TURNS - 1; i++) {
        const struct objects_section *section = walk_once(f, true);

        assert_int_equal(section->walk.kept_arenas, 1);
        assert_true(section->walk.oldest_mono_ns > 0);
        assert_true(section->walk.oldest_mono_ns <= whole->walk.ended_mono_ns);
        assert_int_equal(section->n_kinds, whole->n_kinds);
        assert_int_equal(section->unowned_blocks, whole->unowned_blocks);
        for (size_t n = 0; n < whole->n_kinds; n++)
            assert_memory_equal(&section->kinds[n], &whole->kinds[n],
                                sizeof(whole->kinds[n]));
        objects_unref(section);
    }
    objects_unref(whole);
}

/* Refreshes until the floats are so many; how many refreshes that took. */
static int refreshes_until(struct fixture *f, uint64_t count)
{
    for (int i = 1;; i++) {
        const struct objects_section *section = walk_once(f, true);
        bool is_seen = row_of(section, "float")->count == count;

        objects_unref(section);
        if (is_seen)
            return i;
        assert_true(i < 2 * KEPT_TURNS);
    }
}

static void notices_a_header(void **state)
{
    struct fixture *f = *state;

    objects_unref(walk_once(f, false));
    fake_free_block(f->fake, 1, fake_block(1, 32, 7));
    assert_in_range(refreshes_until(f, N_FLOAT - 1), 1, KEPT_PHASES);
}

/* The pool is as full as before: nothing tells but its turn. */
static void reads_each_arena_in_its_turn(void **state)
{
    struct fixture *f = *state;

    objects_unref(walk_once(f, false));
    fake_object(f->fake, fake_block(1, 32, 7), f->fake->integer);
    assert_in_range(refreshes_until(f, N_FLOAT - 1), 2, KEPT_TURNS);
}

static void walks_whole_on_request(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    objects_unref(walk_once(f, false));
    fake_object(f->fake, fake_block(1, 32, 7), f->fake->integer);
    section = walk_once(f, false);
    assert_int_equal(section->walk.kept_arenas, 0);
    assert_int_equal(row_of(section, "float")->count, N_FLOAT - 1);
    objects_unref(section);
}

/* Objects, each with the head of a table, and that with the table. */
static void keeps_what_parts_lead_to(void **state)
{
    enum { TABLES = 20 };
    struct fixture *f = *state;
    uint64_t type = fake_static_type(f->fake, "lib.Table", 32, 0, 0);
    const struct objects_section *section;
    struct type_entry *entry;

    fake_pool(f->fake, 0, 32, TABLES);
    fake_pool(f->fake, 4, 48, TABLES);
    fake_pool(f->fake, 5, 80, TABLES);
    for (uint32_t i = 0; i < TABLES; i++) {
        fake_object(f->fake, fake_block(0, 32, i), type);
        fake_u64(f->fake, fake_block(0, 32, i) + 24, fake_block(4, 48, i));
        fake_u64(f->fake, fake_block(4, 48, i) + 8, fake_block(5, 80, i));
    }
    objects_unref(walk_once(f, false));
    entry = types_get(&f->walk.types, type);
    assert_non_null(entry);
    assert_true(object_shape_learn(&entry->shape, 24));
    assert_true(object_shape_link(&entry->shape, 24, 8));
    says_the_same(state);
    section = walk_once(f, true);
    assert_int_equal(row_of(section, "lib.Table")->parts_bytes, TABLES * (48 + 80));
    objects_unref(section);
}

/* The numbers of types are others when one of them died. */
static void forgets_when_a_class_is_gone(void **state)
{
    struct fixture *f = *state;
    uint64_t class = fake_class(f->fake, "app", "Thing", 32, 0);
    uint64_t block = fake_block(1, 32, 3);
    const struct objects_section *section;

    fake_object(f->fake, block, class);
    objects_unref(walk_once(f, false));
    fake_u64(f->fake, class + f->fake->layout.object.tp_flags, 0);
    section = walk_once(f, true);
    assert_int_equal(section->walk.kept_arenas, 0);
    objects_unref(section);
}

/* ---- and learning ---- */

static void expect_kept(struct fixture *f, uint64_t kept, uint64_t unowned)
{
    const struct objects_section *section = walk_next(f, true);

    assert_int_equal(section->walk.kept_arenas, kept);
    assert_int_equal(section->unowned_blocks, unowned);
    objects_unref(section);
}

/* Refreshes until the blocks of which nobody is known to have them are so many. */
static void expect_noticed(struct fixture *f, uint64_t unowned)
{
    for (int i = 0;; i++) {
        const struct objects_section *section = walk_next(f, true);
        bool is_seen = section->unowned_blocks == unowned;

        objects_unref(section);
        if (is_seen)
            return;
        assert_true(i < KEPT_PHASES);
    }
}

/* Blocks that nobody has are looked at once, and again when there are many more. */
static void refreshes_after_a_walk_without_a_lesson(void **state)
{
    struct fixture *f = *state;

    fake_pool(f->fake, 4, 48, 40);
    expect_kept(f, 0, 40);
    expect_kept(f, 1, 40);
    fake_pool(f->fake, 5, 48, 8);
    expect_noticed(f, 48);
    expect_kept(f, 1, 48);
    fake_pool(f->fake, 5, 48, 80);
    expect_noticed(f, 120);
    expect_kept(f, 0, 120); /* whole: it looks */
    expect_kept(f, 1, 120);
}

/* What came later is learned by the next walk, and the one after is not told by what was
 * kept before. */
static void learns_between_refreshes(void **state)
{
    enum { BUFFERS = 40 };
    struct fixture *f = *state;
    uint64_t type = fake_static_type(f->fake, "lib.Buffer", 32, 0, 0);
    const uint64_t kept[] = {0, 0, 1, 1};

    expect_kept(f, 0, 0);
    expect_kept(f, 1, 0);
    fake_pool(f->fake, 0, 32, BUFFERS);
    fake_pool(f->fake, 4, 80, BUFFERS);
    for (uint32_t i = 0; i < BUFFERS; i++) {
        fake_object(f->fake, fake_block(0, 32, i), type);
        fake_u64(f->fake, fake_block(0, 32, i) + 24, fake_block(4, 80, i));
    }
    expect_noticed(f, BUFFERS);
    for (int i = 0; i < 4; i++) {
        const struct objects_section *section = walk_next(f, true);

        assert_int_equal(section->walk.kept_arenas, kept[i]);
        assert_int_equal(row_of(section, "lib.Buffer")->parts_bytes, BUFFERS * 80);
        assert_int_equal(section->unowned_blocks, 0);
        objects_unref(section);
    }
}

int main(void)
{
#define POINT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(says_the_same),
        POINT(notices_a_header),
        POINT(reads_each_arena_in_its_turn),
        POINT(walks_whole_on_request),
        POINT(keeps_what_parts_lead_to),
        POINT(forgets_when_a_class_is_gone),
        POINT(refreshes_after_a_walk_without_a_lesson),
        POINT(learns_between_refreshes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
