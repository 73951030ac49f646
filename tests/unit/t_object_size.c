/* The formulas of sys.getsizeof on made-up objects, hostile ones too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "layout/object_size.h"

#define ADDRESS UINT64_C(0x7f0000001000)

struct made {
    uint8_t bytes[320];
};

static void put(struct made *made, size_t offset, uint64_t value)
{
    memcpy(made->bytes + offset, &value, sizeof(value));
}

static struct object_layout layout_of(uint8_t minor)
{
    struct object_layout layout;

    assert_true(object_layout_for(3, minor, &layout));
    return layout;
}

static uint64_t size_of(const struct object_layout *layout, enum object_rule rule,
                        uint64_t basicsize, uint64_t itemsize, const struct made *made,
                        struct size_more *more)
{
    const struct object_view view = {made->bytes, sizeof(made->bytes), ADDRESS};
    struct object_shape shape;

    assert_true(object_shape_init(&shape, layout, basicsize, itemsize, 0));
    shape.rule = rule;
    return object_size(layout, &shape, &view, more);
}

static void test_versions(void **state)
{
    struct object_layout layout;

    (void)state;
    assert_false(object_layout_for(3, 7, &layout));
    assert_false(object_layout_for(3, 16, &layout));
    assert_false(object_layout_for(2, 11, &layout));
    for (uint8_t minor = 8; minor <= 15; minor++) {
        layout = layout_of(minor);
        assert_int_equal(layout.minor, minor);
        assert_in_range(layout.heap_type_bytes, 880, 1024);
        assert_in_range(layout.ht_cached_keys, layout.ht_qualname,
                        layout.heap_type_bytes);
    }
}

static void test_prefixes(void **state)
{
    const uint64_t gc = TYPE_FLAG_HAVE_GC, dict = TYPE_FLAG_MANAGED_DICT;
    struct object_layout old = layout_of(10), middle = layout_of(11), new = layout_of(12);

    (void)state;
    assert_int_equal(object_prefix_bytes(&old, gc | dict), 16);
    assert_int_equal(object_prefix_bytes(&middle, gc | dict), 32);
    assert_int_equal(object_prefix_bytes(&middle, gc | TYPE_FLAG_MANAGED_WEAKREF), 16);
    assert_int_equal(object_prefix_bytes(&new, gc | TYPE_FLAG_MANAGED_WEAKREF), 32);
    assert_int_equal(object_prefix_bytes(&new, gc | dict | TYPE_FLAG_MANAGED_WEAKREF),
                     32);
    assert_int_equal(object_prefix_bytes(&new, 0), 0);
}

static void test_refcounts(void **state)
{
    struct object_layout old = layout_of(8), new = layout_of(14);

    (void)state;
    assert_true(old.refcnt_never & ADDRESS);
    assert_true(new.refcnt_never &ADDRESS);
    assert_false(old.refcnt_never & 0xffffffff);
    assert_false(new.refcnt_never &UINT64_C(0x00050000c0000000)); /* immortal, 3.14 */
}

static void test_int(void **state)
{
    struct object_layout old = layout_of(10), middle = layout_of(11), new = layout_of(12);
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    assert_int_equal(size_of(&old, OBJECT_INT, 24, 4, &made, more), 24);
    assert_int_equal(size_of(&middle, OBJECT_INT, 24, 4, &made, more), 28);
    put(&made, 16, (uint64_t)-3); /* negative, three digits */
    assert_int_equal(size_of(&old, OBJECT_INT, 24, 4, &made, more), 36);
    put(&made, 16, 3 << 3 | 2);
    assert_int_equal(size_of(&new, OBJECT_INT, 24, 4, &made, more), 36);
}

static void test_str(void **state)
{
    struct object_layout old = layout_of(11), new = layout_of(13);
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    put(&made, 16, 5);
    put(&made, 32, 1 << 2 | 1 << 5 | 1 << 6); /* compact ascii */
    assert_int_equal(size_of(&old, OBJECT_STR, 80, 0, &made, more), 48 + 6);
    assert_int_equal(size_of(&new, OBJECT_STR, 64, 0, &made, more), 40 + 6);
    put(&made, 32, 2 << 2 | 1 << 5); /* two bytes a character */
    assert_int_equal(size_of(&new, OBJECT_STR, 64, 0, &made, more), 56 + 12);
    put(&made, 40, 9); /* with a cached utf-8 form */
    put(&made, 48, ADDRESS + 4096);
    assert_int_equal(size_of(&new, OBJECT_STR, 64, 0, &made, more), 56 + 12 + 10);
    put(&made, 48, 0);
    put(&made, 16, UINT64_MAX); /* a length that cannot be */
    assert_in_range(size_of(&new, OBJECT_STR, 64, 0, &made, more), 0, 256);
}

static void test_containers(void **state)
{
    struct object_layout layout = layout_of(12);
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    put(&made, 32, 10);
    assert_int_equal(size_of(&layout, OBJECT_LIST, 40, 0, &made, more), 40 + 80);
    put(&made, 32, 31);
    put(&made, 40, ADDRESS + 64); /* the small table inside */
    assert_int_equal(size_of(&layout, OBJECT_SET, 200, 0, &made, more), 200);
    put(&made, 40, ADDRESS + 8192);
    assert_int_equal(size_of(&layout, OBJECT_SET, 200, 0, &made, more), 200 + 512);
    put(&made, 16, 100);
    put(&made, 40, 31);
    assert_int_equal(size_of(&layout, OBJECT_DEQUE, 232, 0, &made, more), 232 + 3 * 528);
    put(&made, 40, UINT64_MAX);
    assert_int_equal(size_of(&layout, OBJECT_DEQUE, 232, 0, &made, more), 232);
    put(&made, 24, 300);
    assert_int_equal(size_of(&layout, OBJECT_BYTEARRAY, 56, 0, &made, more), 356);
}

static uint64_t more_of(const struct object_layout *layout, enum size_more_what what,
                        const uint8_t *bytes, bool *is_shared)
{
    const struct size_more more = {what, ADDRESS, 10};

    return object_size_more(layout, &more, bytes, is_shared);
}

static void test_dict_keys(void **state)
{
    struct object_layout old = layout_of(9), new = layout_of(11);
    struct made made = {{0}}, keys = {{0}};
    struct size_more more[SIZE_MORE_MAX];
    bool is_shared;

    (void)state;
    put(&made, 32, ADDRESS);
    assert_int_equal(size_of(&new, OBJECT_DICT, 48, 0, &made, more), 48);
    assert_int_equal(more[0].what, MORE_KEYS);
    assert_int_equal(more[0].address, ADDRESS);
    put(&keys, 0, 1);
    put(&keys, 8, 8); /* 3.9: dk_size */
    assert_int_equal(more_of(&old, MORE_KEYS, keys.bytes, &is_shared), 40 + 8 + 5 * 24);
    put(&keys, 8, 3 | 3 << 8); /* 3.11: logarithms, general keys */
    assert_int_equal(more_of(&new, MORE_KEYS, keys.bytes, &is_shared), 32 + 8 + 5 * 24);
    assert_false(is_shared);
    put(&keys, 8, 3 | 3 << 8 | 2 << 16);
    put(&keys, 0, 7); /* shared by instances: only the values are a dict's own */
    put(&keys, 16, 3);
    put(&keys, 24, 2);
    assert_int_equal(more_of(&new, MORE_KEYS, keys.bytes, &is_shared), 0);
    assert_true(is_shared);
    assert_int_equal(more_of(&new, MORE_VALUES, keys.bytes, &is_shared), 40);
    assert_int_equal(more_of(&new, MORE_TYPE_KEYS, keys.bytes, &is_shared),
                     32 + 8 + 5 * 16);
}

static void test_hostile_keys(void **state)
{
    struct made keys;
    bool is_shared;

    (void)state;
    memset(keys.bytes, 0xff, sizeof(keys.bytes));
    for (uint8_t minor = 8; minor <= 15; minor++) {
        struct object_layout layout = layout_of(minor);

        for (int what = MORE_NOTHING; what <= MORE_NDARRAY; what++) {
            put(&keys, 0, 1);
            assert_in_range(
                more_of(&layout, (enum size_more_what)what, keys.bytes, &is_shared), 0,
                1 << 20);
        }
    }
}

static void test_frozendict(void **state)
{
    struct object_layout old = layout_of(14), new = layout_of(15);
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    assert_int_equal(object_rule_of_name(&old, "frozendict"), OBJECT_FIXED);
    assert_int_equal(object_rule_of_name(&new, "frozendict"), OBJECT_DICT);
    put(&made, 32, ADDRESS + 64); /* ma_keys */
    assert_int_equal(size_of(&new, OBJECT_DICT, 56, 0, &made, more), 56);
    assert_int_equal(more[0].what, MORE_KEYS);
    assert_int_equal(more[0].address, ADDRESS + 64);
}

static void test_generator(void **state)
{
    struct object_layout old = layout_of(10), middle = layout_of(11), new = layout_of(14);
    struct made made = {{0}}, code = {{0}};
    struct size_more more[SIZE_MORE_MAX];
    bool is_shared;

    (void)state;
    assert_int_equal(object_rule_of_name(&old, "generator"), OBJECT_FIXED);
    assert_int_equal(object_rule_of_name(&new, "generator"), OBJECT_GENERATOR);
    put(&made, 72, ADDRESS | 1);
    assert_int_equal(size_of(&new, OBJECT_GENERATOR, 144, 8, &made, more), 72);
    assert_int_equal(more[0].address, ADDRESS + 76);
    put(&code, 0, 20); /* co_framesize, words */
    assert_int_equal(more_of(&new, MORE_CODE, code.bytes, &is_shared), 160);
    put(&code, 8, 3); /* 3.11: co_stacksize @68, co_nlocalsplus @76 */
    assert_int_equal(more_of(&middle, MORE_CODE, code.bytes, &is_shared), 23 * 8);
    put(&made, 72, 0);
    size_of(&new, OBJECT_GENERATOR, 144, 8, &made, more);
    assert_int_equal(more[0].what, MORE_NOTHING);
}

static bool fits(const struct object_layout *layout, uint64_t basicsize,
                 uint64_t itemsize, uint64_t flags, uint64_t ob_size,
                 uint32_t block_bytes)
{
    struct object_shape shape;
    struct made made = {{0}};
    const struct object_view view = {made.bytes, sizeof(made.bytes), ADDRESS};

    assert_true(object_shape_init(&shape, layout, basicsize, itemsize, flags));
    put(&made, 16, ob_size);
    return object_fits(layout, &shape, &view, block_bytes);
}

static void test_fits(void **state)
{
    struct object_layout layout = layout_of(13);

    (void)state;
    assert_true(fits(&layout, 24, 0, 0, 0, 32));
    assert_false(fits(&layout, 24, 0, 0, 0, 48)); /* fixed types fill their class */
    assert_false(fits(&layout, 40, 0, 0, 0, 32));
    assert_true(fits(&layout, 24, 0, TYPE_FLAG_HAVE_GC, 0, 48));
    assert_true(fits(&layout, 24, 8, 0, 4, 64)); /* 24 + 4 * 8 */
    assert_true(fits(&layout, 24, 8, 0, 2, 64)); /* one that shrank */
    assert_false(fits(&layout, 24, 8, 0, 6, 64));
    assert_false(fits(&layout, 24, 8, 0, 0, 512));
    assert_true(fits(&layout, 16, 0, TYPE_FLAG_INLINE_VALUES, 0, 336));
    assert_false(
        fits(&layout, 16, 0, TYPE_FLAG_INLINE_VALUES | TYPE_FLAG_HAVE_GC, 0, 16));
}

static void test_impossible_shapes(void **state)
{
    struct object_layout layout = layout_of(11);
    struct object_shape shape;

    (void)state;
    assert_false(object_shape_init(&shape, &layout, 0, 0, 0));
    assert_false(object_shape_init(&shape, &layout, UINT64_MAX, 0, 0));
    assert_false(object_shape_init(&shape, &layout, 16, UINT64_MAX, 0));
    assert_true(object_shape_init(&shape, &layout, 16, 0, UINT64_MAX));
}

/* A block shorter than the fields that a rule looks at. */
static void test_short_view(void **state)
{
    struct object_layout layout = layout_of(11);
    struct made made;
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    memset(made.bytes, 0xff, sizeof(made.bytes));
    for (int rule = OBJECT_FIXED; rule <= OBJECT_TYPE; rule++) {
        for (size_t length = 0; length <= 64; length += 8) {
            const struct object_view view = {made.bytes, length, ADDRESS};
            struct object_shape shape;

            assert_true(object_shape_init(&shape, &layout, 16, 8, 0));
            shape.rule = (enum object_rule)rule;
            object_size(&layout, &shape, &view, more);
            object_fits(&layout, &shape, &view, 64);
        }
    }
}

/* numpy: (3, 5) of 8 bytes, in either order; what another array owns is not counted. */
static void test_ndarray(void **state)
{
    struct object_layout layout = layout_of(11);
    const uint64_t rows[8] = {3, 5, 40, 8}, columns[8] = {3, 5, 8, 24};
    const uint64_t none[8] = {3, 0, 8, 8}, hostile[8] = {UINT64_MAX, 5, 8, UINT64_MAX};
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];
    bool is_shared;

    (void)state;
    put(&made, 24, 2);
    put(&made, 32, ADDRESS + 4096);
    put(&made, 64, 4);
    assert_int_equal(size_of(&layout, OBJECT_NDARRAY, 96, 0, &made, more), 96 + 32);
    assert_int_equal(more[0].what, MORE_NDARRAY);
    assert_int_equal(more[0].address, ADDRESS + 4096);
    assert_int_equal(object_size_more(&layout, more, (const uint8_t *)rows, &is_shared),
                     120);
    assert_int_equal(
        object_size_more(&layout, more, (const uint8_t *)columns, &is_shared), 120);
    assert_int_equal(object_size_more(&layout, more, (const uint8_t *)none, &is_shared),
                     0);
    assert_in_range(object_size_more(&layout, more, (const uint8_t *)hostile, &is_shared),
                    0, 5);
    put(&made, 64, 0);
    size_of(&layout, OBJECT_NDARRAY, 96, 0, &made, more);
    assert_int_equal(more[0].what, MORE_NOTHING);
    put(&made, 24, UINT32_MAX);
    assert_int_equal(size_of(&layout, OBJECT_NDARRAY, 96, 0, &made, more), 96);
}

static void test_decimal(void **state)
{
    struct object_layout layout = layout_of(11);
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    put(&made, 56, 20);
    assert_int_equal(size_of(&layout, OBJECT_DECIMAL, 104, 0, &made, more), 264);
    put(&made, 24, 0x20);
    assert_int_equal(size_of(&layout, OBJECT_DECIMAL, 104, 0, &made, more), 104);
}

/* 3.13+: a subclass of datetime has its attributes behind it. */
static void test_datetime_with_values(void **state)
{
    struct object_layout layout = layout_of(14);
    struct object_shape shape;
    struct made made = {{0}};
    const struct object_view view = {made.bytes, sizeof(made.bytes), ADDRESS};

    (void)state;
    assert_true(object_shape_init(&shape, &layout, 48, 0,
                                  TYPE_FLAG_HAVE_GC | TYPE_FLAG_MANAGED_DICT |
                                      TYPE_FLAG_INLINE_VALUES));
    shape.rule = OBJECT_DATETIME;
    assert_true(object_fits(&layout, &shape, &view, 176));
    shape.has_inline_values = false;
    assert_true(object_fits(&layout, &shape, &view, 80));
    assert_false(object_fits(&layout, &shape, &view, 176));
}

/* A pickler's memo, a table of its own; an unpickler's, its marks and two texts. */
static void test_picklers(void **state)
{
    struct object_layout layout = layout_of(11);
    const uint64_t memo[8] = {31, 4, 32, ADDRESS + 256};
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    put(&made, 16, ADDRESS + 128);
    assert_int_equal(size_of(&layout, OBJECT_PICKLER, 152, 0, &made, more), 152);
    assert_int_equal(more[0].what, MORE_MEMO);
    assert_int_equal(
        object_size_more(&layout, &more[0], (const uint8_t *)memo, &(bool){0}),
        32 + 32 * 16);
    put(&made, 32, 32);
    put(&made, 224, ADDRESS);
    put(&made, 256, 20);
    assert_int_equal(size_of(&layout, OBJECT_UNPICKLER, 272, 0, &made, more),
                     272 + 32 * 8 + 20 * 8);
    assert_int_equal(more[0].what, MORE_TEXT);
    assert_int_equal(more[1].what, MORE_NOTHING);
    assert_int_equal(size_of(&layout, OBJECT_UNPICKLER, 280, 0, &made, more), 280);
}

/* Two places at once: which cells are arguments, and what opcodes remember. */
static void test_code_caches(void **state)
{
    struct object_layout old = layout_of(9), new = layout_of(11);
    const uint64_t tuple[8] = {1, ADDRESS, 3};
    const uint64_t code[8] = {1, ADDRESS, 40};
    const uint64_t hostile[8] = {1, ADDRESS, UINT64_MAX};
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    assert_int_equal(size_of(&old, OBJECT_CODE, 176, 0, &made, more), 176);
    assert_int_equal(more[0].what, MORE_NOTHING);
    put(&made, 88, ADDRESS + 64);
    put(&made, 96, ADDRESS + 128);
    put(&made, 48, ADDRESS + 256);
    put(&made, 160, ADDRESS + 512);
    put(&made, 168, UINT64_C(2) << 32);
    assert_int_equal(size_of(&old, OBJECT_CODE, 176, 0, &made, more), 176 + 64);
    assert_int_equal(more[0].what, MORE_TUPLE);
    assert_int_equal(more[0].address, ADDRESS + 64);
    assert_int_equal(object_size_more(&old, &more[0], (const uint8_t *)tuple, &(bool){0}),
                     24);
    assert_int_equal(more[1].address, ADDRESS + 256);
    assert_int_equal(object_size_more(&old, &more[1], (const uint8_t *)code, &(bool){0}),
                     20);
    assert_int_equal(
        object_size_more(&old, &more[1], (const uint8_t *)hostile, &(bool){0}), 0);
    size_of(&new, OBJECT_CODE, 176, 0, &made, more);
    assert_int_equal(more[1].what, MORE_NOTHING);
}

static void test_itertools(void **state)
{
    struct object_layout layout = layout_of(13);
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];

    (void)state;
    put(&made, 16, ADDRESS + 64);
    put(&made, 40, 3);
    put(&made, 48, 2);
    assert_int_equal(size_of(&layout, OBJECT_COMBINATIONS, 56, 0, &made, more), 80);
    assert_int_equal(more[0].what, MORE_NOTHING);
    assert_int_equal(size_of(&layout, OBJECT_PERMUTATIONS, 64, 0, &made, more), 80);
    assert_int_equal(more[0].what, MORE_TUPLE);
    assert_int_equal(size_of(&layout, OBJECT_PRODUCT, 48, 0, &made, more), 48);
    assert_int_equal(more[0].what, MORE_TUPLE);
}

/* A class's dict before 3.13, the class itself later. */
static void test_ctypes(void **state)
{
    struct object_layout old = layout_of(11), new = layout_of(13);
    const uint8_t text[SIZE_MORE_BYTES] = "T{<i:a:}";
    struct made made = {{0}};
    struct size_more more[SIZE_MORE_MAX];
    struct object_shape shape;
    uint8_t bytes[1200] = {0};
    const struct object_view view = {bytes, sizeof(bytes), ADDRESS};
    struct ctypes_info info = object_ctypes_info(&new);
    uint64_t one = 1, flags = TYPE_FLAG_HEAP;

    (void)state;
    memcpy(bytes + new.tp_flags, &flags, sizeof(flags));
    put(&made, 32, ADDRESS + 4096);
    put(&made, 64, 2);
    put(&made, 88, ADDRESS);
    put(&made, 168, ADDRESS + 8);
    assert_int_equal(size_of(&old, OBJECT_STG_DICT, 192, 0, &made, more), 192 + 144 + 24);
    assert_int_equal(more[0].what, MORE_TEXT);
    assert_int_equal(object_size_more(&old, &more[0], text, &(bool){0}), 9);
    assert_int_equal(more[1].what, MORE_KEYS);
    assert_true(object_shape_init(&shape, &new, 1088, 0, TYPE_FLAG_TYPE));
    assert_int_equal(object_size(&new, &shape, &view, more), 928);
    shape.is_ctype = true;
    memcpy(bytes + info.n_dimensions, &one, sizeof(one));
    assert_int_equal(object_size(&new, &shape, &view, more), 1088 + 8);
    assert_int_equal(more[0].what, MORE_NOTHING);
}

/* Not made by a class statement: sys.getsizeof(int) of each version. */
static void test_static_types(void **state)
{
    static const uint64_t sizes[] = {416, 408, 408, 424, 432, 416, 416, 424};
    struct size_more more[SIZE_MORE_MAX];
    uint8_t bytes[1200] = {0};
    const struct object_view view = {bytes, sizeof(bytes), ADDRESS};
    uint64_t flags = TYPE_FLAG_HEAP;

    (void)state;
    for (uint8_t minor = 8; minor <= 15; minor++) {
        struct object_layout layout = layout_of(minor);
        struct object_shape shape;

        assert_true(object_shape_init(&shape, &layout, layout.heap_type_bytes, 40,
                                      TYPE_FLAG_TYPE | TYPE_FLAG_HAVE_GC));
        memset(bytes, 0, sizeof(bytes));
        assert_int_equal(object_size(&layout, &shape, &view, more), sizes[minor - 8]);
        memcpy(bytes + layout.tp_flags, &flags, sizeof(flags));
        assert_int_equal(object_size(&layout, &shape, &view, more),
                         16 + layout.heap_type_bytes);
    }
}

static void test_numpy_values(void **state)
{
    (void)state;
    assert_int_equal(object_value_of_name("numpy.float64"), 8);
    assert_int_equal(object_value_of_name("numpy.uint8"), 1);
    assert_int_equal(object_value_of_name("numpy.complex256"), 32);
    assert_int_equal(object_value_of_name("numpy.bool_"), 1);
    assert_int_equal(object_value_of_name("numpy.ndarray"), 0);
    assert_int_equal(object_value_of_name("numpy.int99999999999999999999"), 0);
    assert_int_equal(object_value_of_name("float64"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_prefixes),
        cmocka_unit_test(test_refcounts),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_str),
        cmocka_unit_test(test_containers),
        cmocka_unit_test(test_dict_keys),
        cmocka_unit_test(test_hostile_keys),
        cmocka_unit_test(test_frozendict),
        cmocka_unit_test(test_generator),
        cmocka_unit_test(test_fits),
        cmocka_unit_test(test_impossible_shapes),
        cmocka_unit_test(test_short_view),
        cmocka_unit_test(test_ndarray),
        cmocka_unit_test(test_decimal),
        cmocka_unit_test(test_code_caches),
        cmocka_unit_test(test_datetime_with_values),
        cmocka_unit_test(test_picklers),
        cmocka_unit_test(test_itertools),
        cmocka_unit_test(test_ctypes),
        cmocka_unit_test(test_static_types),
        cmocka_unit_test(test_numpy_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
