/* Where the rest of an object lies, on made-up objects, hostile ones too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "layout/object_parts.h"

#define ADDRESS UINT64_C(0x7f0000001000)
#define BEFORE  32 /* bytes in front of the object */

struct made {
    uint8_t bytes[BEFORE + 512];
    struct object_layout layout;
    struct object_shape shape;
    struct object_part parts[OBJECT_PARTS_MAX];
    size_t count;
};

static void put(struct made *made, int offset, uint64_t value)
{
    memcpy(made->bytes + BEFORE + offset, &value, sizeof(value));
}

static void make(struct made *made, uint8_t minor, enum object_rule rule,
                 uint64_t basicsize, uint64_t flags, int64_t dict_offset)
{
    memset(made, 0, sizeof(*made));
    assert_true(object_layout_for(3, minor, &made->layout));
    assert_true(object_shape_init(&made->shape, &made->layout, basicsize, 0, flags));
    made->shape.rule = rule;
    object_shape_parts(&made->shape, &made->layout, flags, dict_offset);
}

static void find(struct made *made)
{
    const struct object_view view = {made->bytes + BEFORE, sizeof(made->bytes) - BEFORE,
                                     ADDRESS};

    made->count = object_parts(&made->layout, &made->shape, &view, made->parts);
}

static void assert_part(const struct made *made, size_t i, enum object_part_what what,
                        uint64_t address, uint64_t bytes)
{
    assert_true(i < made->count);
    assert_int_equal(made->parts[i].what, what);
    assert_int_equal(made->parts[i].address, address);
    assert_int_equal(made->parts[i].bytes, bytes);
}

static void test_list(void **state)
{
    struct made made;

    (void)state;
    make(&made, 12, OBJECT_LIST, 40, TYPE_FLAG_LIST, 0);
    assert_true(made.shape.has_parts);
    put(&made, 24, 0x5000);
    put(&made, 32, 7);
    find(&made);
    assert_int_equal(made.count, 1);
    assert_part(&made, 0, OBJECT_PART_BLOCK, 0x5000, 56);
    put(&made, 32, 0); /* nothing allocated: the pointer means nothing */
    find(&made);
    assert_int_equal(made.count, 0);
}

static void test_managed_dicts(void **state)
{
    const uint64_t flags = TYPE_FLAG_HAVE_GC | TYPE_FLAG_MANAGED_DICT;
    struct made made;

    (void)state;
    make(&made, 11, OBJECT_FIXED, 16, flags, -48);
    put(&made, -32, 0x5008);
    find(&made);
    assert_int_equal(made.count, 1);
    assert_part(&made, 0, OBJECT_PART_BLOCK, 0x5008, 0);
    make(&made, 12, OBJECT_FIXED, 16, flags, -1);
    put(&made, -24, 0x5007); /* values, one less */
    find(&made);
    assert_part(&made, 0, OBJECT_PART_BLOCK, 0x5008, 0);
    put(&made, -24, 0x6000);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_DICT, 0x6000, 0);
    make(&made, 13, OBJECT_FIXED, 16, flags, -1);
    find(&made);
    assert_int_equal(made.count, 0); /* the values are in the object */
}

static void test_dict_offsets(void **state)
{
    struct made made;

    (void)state;
    make(&made, 10, OBJECT_FIXED, 48, TYPE_FLAG_HAVE_GC, 16);
    put(&made, 16, 0x6000);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_DICT, 0x6000, 0);
    /* From the end of an object of variable size, also of a negative int. */
    make(&made, 10, OBJECT_VAR, 32, TYPE_FLAG_HAVE_GC, -8);
    made.shape.itemsize = 4;
    put(&made, 16, UINT64_C(0) - 3);
    put(&made, 40, 0x7000);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_DICT, 0x7000, 0);
    put(&made, 16, UINT64_MAX / 2); /* beyond any object */
    find(&made);
    assert_int_equal(made.count, 0);
}

static void test_containers(void **state)
{
    struct made made;

    (void)state;
    make(&made, 11, OBJECT_SET, 200, TYPE_FLAG_HAVE_GC, 0);
    put(&made, 32, 31);
    put(&made, 40, ADDRESS + 64); /* the small table, inside */
    find(&made);
    assert_int_equal(made.count, 0);
    put(&made, 40, 0x5000);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_BLOCK, 0x5000, 512);
    make(&made, 11, OBJECT_DEQUE, 216, TYPE_FLAG_HAVE_GC, 0);
    put(&made, 16, 200);
    put(&made, 24, 0x5000);
    put(&made, 40, 10);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_CHAIN, 0x5000, 528);
    assert_int_equal(made.parts[0].count, 4);
    put(&made, 40, 1000); /* no index of a block */
    find(&made);
    assert_int_equal(made.count, 0);
}

static void test_str(void **state)
{
    struct made made;

    (void)state;
    make(&made, 12, OBJECT_STR, 64, TYPE_FLAG_STR, 0);
    put(&made, 32, 0x64); /* compact ascii: no other UTF-8 */
    put(&made, 48, 0x5000);
    find(&made);
    assert_int_equal(made.count, 0);
    put(&made, 32, 0x28); /* compact, two bytes each */
    put(&made, 40, 9);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_BLOCK, 0x5000, 10);
}

static void test_learned_fields(void **state)
{
    struct made made;

    (void)state;
    make(&made, 12, OBJECT_FIXED, 64, 0, 0);
    assert_false(made.shape.has_parts);
    assert_true(object_shape_learn(&made.shape, 40));
    assert_true(object_shape_learn(&made.shape, 40));
    assert_int_equal(made.shape.n_learned, 1);
    put(&made, 40, 0x5000);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_START, 0x5000, 0);
    for (uint32_t i = 1; i < OBJECT_LEARNED_MAX; i++)
        assert_true(object_shape_learn(&made.shape, 40 + i * 8));
    assert_false(object_shape_learn(&made.shape, 400));
    made.shape.learned[0] = 4000; /* beyond the object */
    find(&made);
    assert_int_equal(made.count, 0);
}

/* What parts lead to: each is noted once, and only a few. */
static void test_linked_fields(void **state)
{
    struct made made;

    (void)state;
    make(&made, 12, OBJECT_FIXED, 64, 0, 0);
    assert_true(object_shape_link(&made.shape, 40, 8));
    assert_false(object_shape_link(&made.shape, 40, 8));
    for (uint32_t i = 1; i < OBJECT_LINKED_MAX; i++)
        assert_true(object_shape_link(&made.shape, 40, 8 + i * 8));
    assert_false(object_shape_link(&made.shape, 48, 8));
    assert_int_equal(made.shape.n_linked, OBJECT_LINKED_MAX);
    assert_int_equal(made.shape.linked[1].field, 40);
    assert_int_equal(made.shape.linked[1].link_at, 16);
}

/* Whatever the bytes are, parts are few and nothing is read outside. */
static void test_any_bytes(void **state)
{
    struct made made;
    uint64_t random = 88172645463325252u;

    (void)state;
    for (uint32_t n = 0; n < 20000; n++) {
        make(&made, (uint8_t)(8 + n % 8), OBJECT_FIXED, 64 + n % 400, random, 16);
        made.shape.rule = (enum object_rule)(n % (OBJECT_TYPE + 1));
        for (size_t i = 0; i < sizeof(made.bytes); i += 8) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            memcpy(made.bytes + i, &random, 8);
        }
        made.shape.dict_offset = (int32_t)random;
        find(&made);
        assert_true(made.count <= OBJECT_PARTS_MAX);
    }
}

/* The name and the text of a class, where they are memory of its own. */
static void test_type(void **state)
{
    struct made made;

    (void)state;
    make(&made, 12, OBJECT_TYPE, 920, TYPE_FLAG_TYPE, 0);
    put(&made, 24, ADDRESS + 4096);
    put(&made, 176, ADDRESS + 8192);
    find(&made);
    assert_int_equal(made.count, 2);
    assert_part(&made, 0, OBJECT_PART_START, ADDRESS + 4096, 0);
    assert_part(&made, 1, OBJECT_PART_START, ADDRESS + 8192, 0);
}

/* 3.8 - 3.10: which cells are arguments, and what opcodes remember; 3.12 and later: what
 * was made for those who asked. */
static void test_code(void **state)
{
    struct made made;

    (void)state;
    make(&made, 9, OBJECT_CODE, 176, 0, 0);
    assert_true(made.shape.has_parts);
    put(&made, 96, ADDRESS + 512);
    put(&made, 160, ADDRESS + 1024);
    find(&made);
    assert_int_equal(made.count, 2);
    assert_part(&made, 0, OBJECT_PART_START, ADDRESS + 512, 0);
    assert_part(&made, 1, OBJECT_PART_START, ADDRESS + 1024, 0);
    make(&made, 11, OBJECT_CODE, 192, 0, 0);
    assert_false(made.shape.has_parts);
    for (uint8_t minor = 12; minor <= 15; minor++) {
        make(&made, minor, OBJECT_CODE, 192, 0, 0);
        assert_true(made.shape.has_parts);
        put(&made, minor == 12 ? 152 : 160, ADDRESS + 512);
        find(&made);
        assert_int_equal(made.count, 1);
        assert_part(&made, 0, OBJECT_PART_START, ADDRESS + 512, 0);
    }
}

static void test_module(void **state)
{
    struct made made;

    (void)state;
    make(&made, 12, OBJECT_MODULE, 56, 0, 0);
    put(&made, 24, ADDRESS + 512); /* md_def: another's */
    find(&made);
    assert_int_equal(made.count, 0);
    put(&made, 32, ADDRESS + 1024);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_START, ADDRESS + 1024, 0);
    make(&made, 15, OBJECT_MODULE, 104, 0, 0);
    put(&made, 24, ADDRESS + 1024);
    find(&made);
    assert_part(&made, 0, OBJECT_PART_START, ADDRESS + 1024, 0);
}

/* What describes a function in C to Python. */
static void test_builtin(void **state)
{
    struct made made;

    (void)state;
    for (uint8_t minor = 8; minor <= 15; minor++) {
        make(&made, minor, OBJECT_FIXED, 56, TYPE_FLAG_HAVE_GC, 0);
        made.shape.rule = object_rule_of_name(&made.layout, "builtin_function_or_method");
        put(&made, 16, ADDRESS + 1024);
        put(&made, 24, ADDRESS + 512); /* m_self */
        find(&made);
        assert_int_equal(made.count, 1);
        assert_part(&made, 0, OBJECT_PART_START, ADDRESS + 1024, 0);
        assert_true(object_size_is_constant(&made.shape));
    }
}

/* What an array of numpy has told of itself to others: its address is tagged. */
static void test_exports(void **state)
{
    struct made made;

    (void)state;
    make(&made, 11, OBJECT_NDARRAY, 96, 0, 0);
    put(&made, 80, ADDRESS + 1024 + 3);
    find(&made);
    assert_int_equal(made.count, 1);
    assert_part(&made, 0, OBJECT_PART_CHAIN, ADDRESS + 1024, 0);
    assert_int_equal(made.parts[0].count, 2);
    assert_int_equal(made.parts[0].link_at, 0);
    for (uint64_t other = 0; other < 3; other++) { /* none, and what is not tagged so */
        put(&made, 80, other ? ADDRESS + 1024 + other : 0);
        find(&made);
        assert_int_equal(made.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_type),           cmocka_unit_test(test_list),
        cmocka_unit_test(test_managed_dicts),  cmocka_unit_test(test_dict_offsets),
        cmocka_unit_test(test_containers),     cmocka_unit_test(test_str),
        cmocka_unit_test(test_learned_fields), cmocka_unit_test(test_linked_fields),
        cmocka_unit_test(test_any_bytes),      cmocka_unit_test(test_code),
        cmocka_unit_test(test_module),         cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_exports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
