/* What is remembered of objects, and how it is judged whether one is new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "model/born.h"
#include "util/address_map.h"

#define POOL UINT64_C(0x7f0000004000)

static void test_set_finds_what_was_added(void **state)
{
    struct object_set set = {.count = 0};
    struct object_trace found;

    (void)state;
    for (uint32_t pool = 0; pool < 3; pool++)
        for (uint32_t block = pool; block < 1000; block += 3) {
            struct object_place place = {0, POOL + pool * 0x4000, block};
            struct object_trace trace = {.kind = block % 7,
                                         .content = (uint8_t)(block % 250 + 1),
                                         .is_old = block % 2};

            object_set_add(&set, &place, &trace);
        }
    object_set_add(&set, &(struct object_place){0x5000, 0, 0},
                   &(struct object_trace){.kind = 9, .content = 5});
    object_set_end(&set);
    for (uint32_t block = 0; block < 1000; block++) {
        struct object_place place = {0, POOL + 0x4000, block};

        assert_int_equal(object_set_find(&set, &place, &found), block % 3 == 1);
        if (block % 3 != 1)
            continue;
        assert_int_equal(found.kind, block % 7);
        assert_int_equal(found.content, block % 250 + 1);
        assert_int_equal(found.is_old, block % 2);
    }
    assert_true(object_set_find(&set, &(struct object_place){0x5000, 0, 0}, &found));
    assert_int_equal(found.kind, 9);
    assert_false(object_set_find(&set, &(struct object_place){0x6000, 0, 0}, &found));
    assert_false(
        object_set_find(&set, &(struct object_place){0, POOL + 0x10000, 0}, &found));
    object_set_release(&set);
}

static void test_set_counts_kinds(void **state)
{
    struct object_set set = {.count = 0};
    uint32_t counts[4] = {0};

    (void)state;
    for (uint32_t block = 0; block < 100; block++)
        object_set_add(&set, &(struct object_place){0, POOL, block},
                       &(struct object_trace){.kind = block % 4});
    object_set_end(&set);
    object_set_count(&set, counts, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(counts[i], 25);
    object_set_release(&set);
}

static void test_judged(void **state)
{
    const struct object_trace then = {
        .kind = 1, .content = 10, .next = 3, .previous = 4, .is_old = true};
    struct object_trace now = then;
    struct birth_evidence evidence = {.has_content = true, .is_tracked = true};

    (void)state;
    /* Nothing was there, or another kind: certain. */
    assert_int_equal(birth_judge(NULL, &now, &evidence), BIRTH_NEW);
    now.kind = 2;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_NEW);
    now = then;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_OLD_INFERRED);
    /* It changed: its neighbours tell. */
    now.content = 11;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_OLD_INFERRED);
    now.next = 30;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_OLD_INFERRED);
    now.previous = 40;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_NEW_INFERRED);
    /* The lists of the collector are certain, unless it may be tracked anew. */
    evidence.are_positions_known = true;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_OLD);
    evidence.is_recent = true;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_NEW);
    evidence.may_return = true;
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_NEW_INFERRED);
    /* What never changes and is another is another. */
    evidence = (struct birth_evidence){.has_content = true, .is_immutable = true};
    assert_int_equal(birth_judge(&then, &now, &evidence), BIRTH_NEW);
}

static void test_sets_are_four(void **state)
{
    struct object_sets sets = {.next = 0};

    (void)state;
    for (uint32_t mark = 1; mark <= 6; mark++)
        object_sets_add(&sets, mark);
    assert_null(object_sets_find(&sets, 2));
    assert_non_null(object_sets_find(&sets, 3));
    assert_null(object_sets_find(&sets, 0));
    object_sets_release(&sets);
}

static void test_map(void **state)
{
    struct address_map map = {.count = 0};

    (void)state;
    assert_int_equal(address_map_get(&map, 16), ADDRESS_MAP_NONE);
    assert_false(address_map_add(&map, 0, 1));
    for (uint32_t i = 1; i < 5000; i++)
        assert_true(address_map_add(&map, i * UINT64_C(16), i));
    assert_false(address_map_add(&map, 160, 7));
    assert_int_equal(address_map_get(&map, 160), 10);
    address_map_set(&map, 160, 7);
    assert_int_equal(address_map_get(&map, 160), 7);
    assert_int_equal(address_map_get(&map, 5000 * 16), ADDRESS_MAP_NONE);
    address_map_release(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_finds_what_was_added),
        cmocka_unit_test(test_set_counts_kinds),
        cmocka_unit_test(test_judged),
        cmocka_unit_test(test_sets_are_four),
        cmocka_unit_test(test_map),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
