/* The table of a dict's keys, as it is in each version, and hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "layout/dict_keys.h"

#define TABLE UINT64_C(0x7f0000001000)

static struct dict_keys decode(uint8_t minor, const uint64_t words[5])
{
    struct object_layout layout;
    struct dict_keys keys;

    assert_true(object_layout_for(3, minor, &layout));
    assert_true(dict_keys_decode(&layout, (const uint8_t *)words, TABLE, &keys));
    return keys;
}

/* dk_refcnt, dk_size, dk_lookup, dk_usable, dk_nentries */
static void test_sizes_in_full(void **state)
{
    struct dict_keys keys = decode(9, (uint64_t[5]){1, 512, 0, 300, 41});

    (void)state;
    assert_int_equal(keys.entries, TABLE + 40 + 512 * 2);
    assert_int_equal(keys.n_entries, 41);
    assert_int_equal(keys.n_values, 341);
    assert_int_equal(keys.entry_bytes, 24);
    assert_int_equal(keys.bytes, 40 + 512 * 2 + 341 * 24);
    assert_int_equal(dict_keys_key(&keys, 2), keys.entries + 2 * 24 + 8);
}

/* dk_refcnt, {dk_log2_size, dk_log2_index_bytes, dk_kind, dk_version}, dk_usable,
 * dk_nentries */
static void test_sizes_as_logarithms(void **state)
{
    struct dict_keys general = decode(12, (uint64_t[5]){1, 4 | 4 << 8, 7, 3});
    struct dict_keys split = decode(12, (uint64_t[5]){9, 4 | 4 << 8 | 2 << 16, 7, 3});
    struct dict_keys empty = decode(12, (uint64_t[5]){1, 0 | 3 << 8 | 1 << 16, 0, 0});

    (void)state;
    assert_int_equal(general.entry_bytes, 24);
    assert_int_equal(general.bytes, 32 + 16 + 10 * 24);
    assert_int_equal(dict_keys_key(&general, 0), general.entries + 8);
    assert_int_equal(split.entry_bytes, 16);
    assert_int_equal(split.n_values, 10);
    assert_int_equal(dict_keys_key(&split, 1), split.entries + 16);
    assert_int_equal(empty.entries, TABLE + 32 + 8);
    assert_int_equal(empty.bytes, 32 + 8);
}

static void test_no_table(void **state)
{
    static const uint64_t slots[5] = {1, UINT64_MAX, 0, 5, 0};
    static const uint64_t index[5] = {1, 3 | 60 << 8, 0, 5, 0};
    struct object_layout layout;
    struct dict_keys keys;

    (void)state;
    for (uint8_t minor = 8; minor <= 15; minor++) {
        assert_true(object_layout_for(3, minor, &layout));
        assert_false(dict_keys_decode(&layout, (const uint8_t *)slots, TABLE, &keys));
        if (minor >= 11)
            assert_false(dict_keys_decode(&layout, (const uint8_t *)index, TABLE, &keys));
    }
}

/* dictobject.c: 8 slots have room for 5 entries, 16 for 10, 32 for 21. */
static void test_room(void **state)
{
    struct object_layout layout;

    (void)state;
    assert_true(object_layout_for(3, 11, &layout));
    assert_int_equal(dict_keys_of_room(&layout, 128, 15), 32 + 8 + 5 * 16);
    assert_int_equal(dict_keys_of_room(&layout, 160, 15), 32 + 8 + 5 * 24);
    assert_int_equal(dict_keys_of_room(&layout, 208, 15), 32 + 16 + 10 * 16);
    assert_int_equal(dict_keys_of_room(&layout, 1112, 24), 32 + 64 + 42 * 24);
    assert_int_equal(dict_keys_of_room(&layout, 256, 15), 0);
    assert_int_equal(dict_keys_of_room(&layout, 16, 15), 0);
    assert_int_equal(dict_values_of_room(&layout, 48), 0);
    assert_true(object_layout_for(3, 9, &layout));
    assert_int_equal(dict_keys_of_room(&layout, 176, 15), 40 + 8 + 5 * 24);
    assert_int_equal(dict_values_of_room(&layout, 48), 40);
    assert_int_equal(dict_values_of_room(&layout, 176), 168);
    assert_true(dict_keys_of_room(&layout, UINT64_MAX, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_in_full),
        cmocka_unit_test(test_sizes_as_logarithms),
        cmocka_unit_test(test_no_table),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
