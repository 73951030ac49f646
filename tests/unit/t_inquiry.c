/* Answers to inquiries as they are counted, and the set of addresses: no target. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/duplicates.h"
#include "model/kind.h"
#include "model/kind_detail.h"
#include "util/address_set.h"

static const struct kind *kind_of(const char *name)
{
    return kind_intern(name, strlen(name));
}

static void add_size(struct kind_detail *detail, uint64_t size, uint32_t refcount)
{
    struct detail_instance instance = {.address = size * 16,
                                       .size_bytes = size,
                                       .memory_bytes = size + 8,
                                       .refcount = refcount};

    kind_detail_add(detail, &instance);
}

static void test_sizes_fall_into_their_classes(void **state)
{
    static const uint64_t sizes[] = {0, 1, 16, 17, 512, 513, 1024, 1025, UINT64_MAX - 8};
    static const size_t rows[] = {0, 0, 0, 1, 31, 32, 32, 33, DETAIL_SIZES - 1};
    (void)state;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct kind_detail detail = {.count = 0};

        add_size(&detail, sizes[i], 1);
        assert_int_equal(detail.sizes[rows[i]].count, 1);
        assert_int_equal(detail.sizes[rows[i]].size_bytes, sizes[i]);
    }
    assert_int_equal(detail_size_most(0), 16);
    assert_int_equal(detail_size_most(31), 512);
    assert_int_equal(detail_size_most(32), 1024);
}

static void test_refcounts(void **state)
{
    struct kind_detail detail = {.count = 0};
    struct detail_instance immortal = {.is_immortal = true, .refcount = UINT32_MAX};
    char words[UNITS_MAX];
    (void)state;

    add_size(&detail, 16, 1);
    add_size(&detail, 16, 7);
    add_size(&detail, 16, 100000);
    kind_detail_add(&detail, &immortal);
    assert_int_equal(detail.refcounts[0], 1);
    assert_int_equal(detail.refcounts[3], 1);
    assert_int_equal(detail.refcounts[DETAIL_REFCOUNTS - 1], 1);
    assert_int_equal(detail.immortal, 1);
    assert_string_equal(detail_refcount_words(words, 0), "1");
    assert_string_equal(detail_refcount_words(words, 3), "4-7");
    assert_string_equal(detail_refcount_words(words, DETAIL_REFCOUNTS - 1),
                        "65,536 and up");
}

static void test_the_largest_stay(void **state)
{
    struct kind_detail detail = {.count = 0};
    (void)state;

    for (uint64_t i = 0; i < 1000; i++)
        add_size(&detail, i * 7919 % 1000, 1);
    assert_int_equal(detail.count, 1000);
    assert_int_equal(detail.n_instances, DETAIL_INSTANCES);
    for (size_t i = 0; i < DETAIL_INSTANCES; i++)
        assert_int_equal(detail.instances[i].size_bytes, 999 - i);
}

static void test_words_of_a_class(void **state)
{
    struct kind_detail detail = {.tracked = 12, .class = {.storage = STORAGE_DICT}};
    struct strbuf words = STRBUF_INIT;
    (void)state;

    detail.generations[0] = reading_exact(2);
    detail.generations[2] = (struct reading){10, READING_ESTIMATE};
    detail.frozen = reading_exact(0);
    detail_tracked_words(&detail, &words);
    assert_string_equal(strbuf_text(&words), "12: gen0 2, gen1 -, gen2 ~10");
    strbuf_reset(&words);
    assert_true(detail_class_words(&detail, &words));
    assert_string_equal(strbuf_text(&words), "in a dict of each; 0 have a dict");
    assert_false(detail_slots_words(&detail, &words));
    detail.class.storage = STORAGE_OTHER;
    assert_false(detail_class_words(&detail, &words));
    strbuf_release(&words);
}

static void test_the_worst_duplicates_stay(void **state)
{
    struct duplicates duplicates = {.n_rows = 0};
    (void)state;

    for (uint64_t i = 1; i <= 500; i++) {
        struct duplicate_row row = {.kind = kind_of(i % 2 ? "str" : "int"),
                                    .address = i * 16,
                                    .count = i + 1,
                                    .memory_bytes = 48 * (i + 1),
                                    .wasted_bytes = 48 * i};

        duplicates_add(&duplicates, &row);
    }
    assert_int_equal(duplicates.n_rows, DUPLICATES_ROWS);
    assert_int_equal(duplicates.rows[0].wasted_bytes, 48 * 500);
    assert_int_equal(duplicates.rows[DUPLICATES_ROWS - 1].wasted_bytes, 48 * 401);
    assert_int_equal(duplicates.n_kinds, 2);
    assert_int_equal(duplicates.kinds[0].values + duplicates.kinds[1].values, 500);
    assert_int_equal(duplicates.kinds[0].duplicates + duplicates.kinds[1].duplicates,
                     500 * 501 / 2);
}

static void test_an_answer_is_of_one_topic(void **state)
{
    struct kind_detail *detail = calloc(1, sizeof(*detail));
    struct inquiry one = {.topic = INQUIRY_KIND, .kind = kind_of("str")}, other = one;
    (void)state;

    assert_non_null(detail);
    detail->answer.inquiry = one;
    assert_ptr_equal(kind_detail_of(&detail->answer), detail);
    assert_null(duplicates_of(&detail->answer));
    assert_null(kind_detail_of(NULL));
    assert_true(inquiry_is_same(&one, &other));
    other.shows_values = true;
    assert_false(inquiry_is_same(&one, &other));
    other = (struct inquiry){0};
    assert_false(inquiry_is_same(&one, &other));
    answer_free(&detail->answer);
    answer_free(NULL);
}

static void test_a_set_of_addresses_is_bounded(void **state)
{
    struct address_set set = {.n_slots = 0};
    (void)state;

    assert_false(address_set_has(&set, 16));
    assert_false(address_set_add(&set, 0));
    assert_true(address_set_add(&set, 16));
    assert_false(address_set_add(&set, 16));
    assert_true(address_set_has(&set, 16));
    for (uint64_t i = 2; i < ADDRESS_SET_MAX + 1000 && !set.is_full; i++)
        address_set_add(&set, i * 16);
    assert_true(set.is_full);
    assert_true(set.count <= ADDRESS_SET_MAX + 1);
    assert_true(address_set_has(&set, 32));
    assert_false(address_set_add(&set, UINT64_C(1) << 60));
    address_set_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_fall_into_their_classes),
        cmocka_unit_test(test_refcounts),
        cmocka_unit_test(test_the_largest_stay),
        cmocka_unit_test(test_words_of_a_class),
        cmocka_unit_test(test_the_worst_duplicates_stay),
        cmocka_unit_test(test_an_answer_is_of_one_topic),
        cmocka_unit_test(test_a_set_of_addresses_is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
