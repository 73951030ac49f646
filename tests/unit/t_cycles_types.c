/* What the dry run of the collector knows of types, and of their tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dry_run.h"

/* {n: None, ...} of so many, without a value and a key yet. */
static uint64_t add_dict(struct dry_run *run, uint64_t dict, uint64_t count)
{
    uint64_t keys = fake_malloc(run->fake, 40 + count * 24);

    fake_object(run->fake, dict, run->fake->dict);
    fake_u64(run->fake, dict + 32, keys);
    fake_u64(run->fake, keys, 1);
    fake_u64(run->fake, keys + 8, 12 | 3 << 8); /* logarithms; keys of any type */
    fake_u64(run->fake, keys + 24, count);
    return keys + 40;
}

/* The hash of an int is its value, which may be what id() said. */
static void takes_no_hash_for_a_reference(void **state)
{
    const uint64_t count = CYCLES_PIECE_WORDS / 3 + 30;
    struct dry_run run;
    uint64_t type, entries, slots;

    (void)state;
    begin(&run);
    type = fake_static_type(run.fake, "set", 200, 0, TYPE_FLAG_HAVE_GC);
    for (size_t i = 0; i < 4; i++)
        set_items(&run, run.lists[i], run.lists[i], 0);
    entries = add_dict(&run, run.lists[4], count);
    fake_u64(run.fake, entries, run.lists[0]);
    fake_u64(run.fake, entries + (count - 1) * 24, run.lists[1]);
    slots = fake_malloc(run.fake, 8 * 16);
    fake_object(run.fake, run.lists[5], type);
    fake_u64(run.fake, run.lists[5] + 32, 7);
    fake_u64(run.fake, run.lists[5] + 40, slots);
    fake_u64(run.fake, slots + 7 * 16 + 8, run.lists[2]);
    expect(&run, 4, 4);
    /* Keys and values are references. */
    cycles_release(&run.cycles);
    arenas_release(&run.arenas);
    fake_u64(run.fake, entries + 8, run.lists[0]);
    fake_u64(run.fake, entries + (count - 1) * 24 + 16, run.lists[1]);
    fake_u64(run.fake, slots + 7 * 16, run.lists[2]);
    for (size_t i = 0; i < 3; i++)
        fake_u64(run.fake, run.lists[i], 2);
    expect(&run, 1, 1);
    end(&run);
}

/* 3.14: tuples keep their hash in front of their items. */
static void visits_the_last_item_of_a_tuple(void **state)
{
    struct dry_run run;

    (void)state;
    for (uint16_t items = 24; items <= 32; items += 8) {
        begin(&run);
        run.fake->layout.object.tuple_items = items;
        fake_object(run.fake, run.lists[0], run.fake->tuple);
        fake_u64(run.fake, run.lists[0] + 16, 1);
        fake_u64(run.fake, run.lists[0] + 24, 0);
        fake_u64(run.fake, run.lists[0] + items, run.lists[1]);
        set_items(&run, run.lists[1], run.lists[0], 0);
        expect(&run, 2, 2);
        end(&run);
    }
}

/* The places in front of its items, and behind, keep what was there. */
static void visits_what_a_deque_has(void **state)
{
    struct dry_run run;
    uint64_t type, block;

    (void)state;
    begin(&run);
    type = fake_static_type(run.fake, "collections.deque", 48, 0, TYPE_FLAG_HAVE_GC);
    block = fake_malloc(run.fake, DEQUE_BLOCK);
    fake_u64(run.fake, run.lists[0] + 8, type);
    fake_u64(run.fake, run.lists[0] + 16, 2);
    fake_u64(run.fake, run.lists[0] + 24, block);
    fake_u64(run.fake, run.lists[0] + 32, block);
    fake_u64(run.fake, run.lists[0] + 40, 3);
    for (uint64_t i = 0; i < 2; i++) {
        fake_u64(run.fake, block + 8 + (3 + i) * 8, run.lists[i]);
        fake_u64(run.fake, block + 8 + (1 + i * 4) * 8, run.lists[2 + i]);
    }
    expect(&run, 2, 2);
    assert_int_equal(run.cycles.most.chunks.count, 1);
    end(&run);
}

/* Links of a cache that lead round without coming back to it, also where no link can be.
 */
static void ends_in_a_ring_of_links(void **state)
{
    (void)state;
    for (uint64_t odd = 0; odd <= 4; odd += 4) {
        struct dry_run run;
        uint64_t link;

        begin(&run);
        link = fake_malloc(run.fake, 80) + odd;
        fake_u64(run.fake, run.lists[0] + 8,
                 fake_static_type(run.fake, "functools._lru_cache_wrapper", 48, 0,
                                  TYPE_FLAG_HAVE_GC));
        fake_u64(run.fake, run.lists[0] + 24, link);
        fake_u64(run.fake, link + 24, link);
        assert_int_equal(run_it(&run), odd != 0); /* a ring is no cache's */
        end(&run);
    }
}

/* Of what it refers to it owns the callback, and what a class has added. */
static void visits_what_a_weak_reference_owns(void **state)
{
    struct dry_run run;
    uint64_t type, class;

    (void)state;
    begin(&run);
    type = fake_static_type(run.fake, "weakref.ReferenceType", 40, 0, TYPE_FLAG_HAVE_GC);
    class = fake_class(run.fake, "mod", "Keyed", 48, TYPE_FLAG_HAVE_GC);
    fake_u64(run.fake, class + run.fake->layout.object.tp_base, type);
    fake_u64(run.fake, class, 2);
    fake_u64(run.fake, run.lists[0] + 8, class);
    fake_u64(run.fake, run.lists[0] + 16, run.lists[1]);
    fake_u64(run.fake, run.lists[0] + 40, run.lists[2]);
    set_items(&run, run.lists[1], run.lists[1], 0);
    set_items(&run, run.lists[2], run.lists[0], 0);
    /* One that is held from elsewhere does not hold what it refers to. */
    fake_u64(run.fake, run.lists[3] + 8, type);
    fake_u64(run.fake, run.lists[3] + 16, run.lists[2]);
    expect(&run, 3, 3);
    end(&run);
}

/* Where an object's weak references begin it does not hold one. */
static void owns_no_weak_references_to_itself(void **state)
{
    struct dry_run run;
    uint64_t type;

    (void)state;
    begin(&run);
    type = fake_static_type(run.fake, "cell", 40, 0, TYPE_FLAG_HAVE_GC);
    fake_u64(run.fake, type + run.fake->layout.object.tp_weaklistoffset, 24);
    fake_u64(run.fake, run.lists[0] + 8, type);
    fake_u64(run.fake, run.lists[0] + 16, run.lists[3]);
    fake_u64(run.fake, run.lists[0] + 24, run.lists[1]);
    fake_u64(run.fake, run.lists[0] + 32, run.lists[4]);
    fake_u64(run.fake, run.lists[1] + 8,
             fake_static_type(run.fake, "weakref", 40, 0, TYPE_FLAG_HAVE_GC));
    set_items(&run, run.lists[2], run.lists[2], run.lists[1]);
    set_items(&run, run.lists[3], run.lists[3], 0);
    fake_u64(run.fake, run.lists[3], 2);
    set_items(&run, run.lists[4], run.lists[4], 0);
    fake_u64(run.fake, run.lists[4], 2);
    expect(&run, 2, 2);
    end(&run);
}

/* The dict of a subclass of int stands behind the digits. */
static void visits_the_dict_behind_items(void **state)
{
    struct dry_run run;
    uint64_t class;

    (void)state;
    begin(&run);
    class = fake_class(run.fake, "mod", "Number", 32, TYPE_FLAG_HAVE_GC | TYPE_FLAG_INT);
    fake_u64(run.fake, class + run.fake->layout.object.tp_itemsize, 4);
    fake_u64(run.fake, class + run.fake->layout.object.tp_base, run.fake->integer);
    fake_u64(run.fake, class + run.fake->layout.object.tp_dictoffset, UINT64_MAX - 7);
    fake_u64(run.fake, class, 2);
    fake_u64(run.fake, run.lists[0] + 8, class);
    fake_u64(run.fake, run.lists[0] + 16, UINT64_MAX); /* -1: one digit */
    fake_u64(run.fake, run.lists[0] + 32, run.lists[1]);
    set_items(&run, run.lists[1], run.lists[0], 0);
    expect(&run, 2, 2);
    end(&run);
}

/* What is reachable for the collector, but only from what it does not track. */
static void frees_what_is_held_behind_its_back(void **state)
{
    struct dry_run run;
    uint64_t type, holder = fake_block(1, 32, 63);

    (void)state;
    begin(&run);
    type = fake_static_type(run.fake, "holder", 32, 0, 0);
    fake_object(run.fake, holder, type);
    fake_u64(run.fake, holder + 16, run.lists[1]);
    fake_u64(run.fake, holder + 24, run.lists[2]);
    fake_u64(run.fake, run.lists[2], 2); /* somebody else, too */
    set_items(&run, run.lists[0], run.lists[0], holder);
    set_items(&run, run.lists[1], run.lists[3], 0);
    expect(&run, 4, 4);
    end(&run);
}

/* 3.11 and later: gi_code stands where a tuple counts its items. */
static void finds_no_items_in_a_generator(void **state)
{
    struct dry_run run;
    uint64_t type;

    (void)state;
    begin(&run);
    run.fake->layout.object.gen_code = 16;
    type = fake_static_type(run.fake, "generator", 32, 8, TYPE_FLAG_HAVE_GC);
    fake_u64(run.fake, run.lists[1] + 8, type);
    fake_u64(run.fake, run.lists[1] + 16, 400);
    set_items(&run, run.lists[0], run.lists[0], 0);
    /* Behind the generator: it does not refer to that. */
    fake_u64(run.fake, fake_block(0, LIST_BLOCK, 2), run.lists[0]);
    expect(&run, 1, 1);
    end(&run);
}

/* A buffer, a lock: what a word of the object leads to the beginning of. */
static void frees_what_an_object_has_for_itself(void **state)
{
    static const char *const names[] = {"cell", "memoryview"};

    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        struct dry_run run;
        uint64_t buffer;

        begin(&run);
        buffer = fake_malloc(run.fake, 700);
        fake_malloc(run.fake, 700);
        fake_u64(run.fake, run.lists[0] + 8,
                 fake_static_type(run.fake, names[i], 48, 0, TYPE_FLAG_HAVE_GC));
        fake_u64(run.fake, run.lists[0] + 16, run.lists[0]);
        fake_u64(run.fake, run.lists[0] + 24, buffer);
        fake_u64(run.fake, run.lists[0] + 32, fake_block(1, 32, 63));
        /* No block begins there, nor a chunk, though it looks a bit like one. */
        fake_u64(run.fake, run.lists[0] + 40,
                 i ? fake_block(1, 32, 62) + 16 : buffer + 96);
        fake_u64(run.fake, buffer + 88, 257);
        fake_u64(run.fake, buffer + 88 + 256, 9);
        expect(&run, 1, 1);
        /* A view shows memory that others own. */
        assert_int_equal(run.cycles.most.chunks.count, 1 - i);
        assert_int_equal(run.cycles.most.by_arena[0], 2 - i);
        end(&run);
    }
}

/* 3.8: classes written in Python only. */
static void visits_the_class_of_an_instance(void **state)
{
    static const struct {
        const char *name;
        uint8_t minor;
        bool is_owned;
    } cases[] = {{"Some", 8, true},
                 {"Some", 11, true},
                 {"m.Some", 8, false},
                 {"m.Some", 11, true}};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct dry_run run;
        uint64_t class;

        begin(&run);
        run.fake->layout.object.minor = cases[i].minor;
        class = fake_class(run.fake, NULL, cases[i].name, 32, TYPE_FLAG_HAVE_GC);
        link_up(&run, run.lists[1], class);
        fake_u64(run.fake, run.lists[0] + 8, class);
        fake_u64(run.fake, run.lists[0] + 16, run.lists[0]);
        assert_true(run_it(&run));
        assert_int_equal(cycles_set_find(&run.cycles.set, class)->is_reachable,
                         !cases[i].is_owned);
        end(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visits_the_last_item_of_a_tuple),
        cmocka_unit_test(takes_no_hash_for_a_reference),
        cmocka_unit_test(finds_no_items_in_a_generator),
        cmocka_unit_test(visits_what_a_deque_has),
        cmocka_unit_test(ends_in_a_ring_of_links),
        cmocka_unit_test(visits_what_a_weak_reference_owns),
        cmocka_unit_test(owns_no_weak_references_to_itself),
        cmocka_unit_test(visits_the_dict_behind_items),
        cmocka_unit_test(frees_what_is_held_behind_its_back),
        cmocka_unit_test(frees_what_an_object_has_for_itself),
        cmocka_unit_test(visits_the_class_of_an_instance),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
