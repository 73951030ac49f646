/* The table of arenas: right, damaged, unreadable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_python.h"
#include "source/arenas.h"

static void begin(struct fake_python *fake, struct layout *layout)
{
    struct err err = ERR_INIT;

    fake_python_init(fake);
    assert_int_equal(layout_find(&fake->target, layout, &err), 0);
    assert_true(layout->has_pymalloc);
}

static void reads_rows(void **state)
{
    struct fake_python fake;
    struct layout layout;
    struct arena_table table;
    struct err err = ERR_INIT;
    size_t bad;

    (void)state;
    begin(&fake, &layout);
    assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), 0);
    assert_int_equal(table.count, 2);
    assert_int_equal(table.n_slots, 16);
    assert_int_equal(bad, 0);
    assert_int_equal(table.rows[0].index, 0);
    assert_int_equal(table.rows[0].first_pool, 0x7e0000004000);
    assert_int_equal(table.rows[0].pool_high, 0x7e0000004000 + 40 * 16384);
    assert_int_equal(table.rows[0].total_pools, 63);
    assert_ptr_equal(arenas_find(&table, FAKE_ARENA_0, 1 << 20), &table.rows[0]);
    assert_ptr_equal(arenas_find(&table, FAKE_ARENA_0 + 0xfffff, 1 << 20),
                     &table.rows[0]);
    assert_null(arenas_find(&table, FAKE_ARENA_0 + 0x100000, 1 << 20));
    assert_null(arenas_find(&table, FAKE_ARENA_0 - 1, 1 << 20));
    assert_null(arenas_find(&table, UINT64_MAX, 1 << 20));
    assert_ptr_equal(arenas_find(&table, FAKE_ARENA_1 + 5, 1 << 20), &table.rows[1]);
    arenas_release(&table);
    fake_python_release(&fake);
}

#define ORDER_TABLE UINT64_C(0x1000)
#define ORDER_SLOTS 6

static uint64_t slot_address(uint64_t index)
{
    return ORDER_TABLE + index * sizeof(struct arena_object);
}

/* Slots 4, 1, 3 in this order; 0 has no free pool and stale links, 2 and 5 are unused. */
static void make_order(struct arena_object slots[ORDER_SLOTS])
{
    memset(slots, 0, ORDER_SLOTS * sizeof(*slots));
    slots[0] = (struct arena_object){.address = 1, .nextarena = slot_address(4)};
    slots[4] = (struct arena_object){
        .address = 1, .nfreepools = 2, .nextarena = slot_address(1)};
    slots[1] = (struct arena_object){.address = 1,
                                     .nfreepools = 2,
                                     .nextarena = slot_address(3),
                                     .prevarena = slot_address(4)};
    slots[3] = (struct arena_object){
        .address = 1, .nfreepools = 9, .prevarena = slot_address(1)};
}

static void follows_the_usable_arenas(void **state)
{
    const uint32_t wanted[ORDER_SLOTS] = {0, 2, 0, 3, 1, 0};
    struct arena_object slots[ORDER_SLOTS];
    uint32_t orders[ORDER_SLOTS] = {0};

    (void)state;
    make_order(slots);
    assert_true(arenas_order(slots, ORDER_SLOTS, ORDER_TABLE, orders));
    assert_memory_equal(orders, wanted, sizeof(wanted));
}

/* A list that was changing: a circle, a link to nowhere, one left over, out of order. */
static void orders_by_free_pools_when_torn(void **state)
{
    const uint32_t wanted[ORDER_SLOTS] = {0, 1, 0, 3, 2, 0};

    (void)state;
    for (int damage = 0; damage < 4; damage++) {
        struct arena_object slots[ORDER_SLOTS];
        uint32_t orders[ORDER_SLOTS] = {0};

        make_order(slots);
        if (damage == 0)
            slots[1].nextarena = slot_address(4);
        else if (damage == 1)
            slots[1].nextarena = slot_address(3) + 8;
        else if (damage == 2)
            slots[1].nextarena = 0;
        else
            slots[4].prevarena = slot_address(3);
        assert_false(arenas_order(slots, ORDER_SLOTS, ORDER_TABLE, orders));
        assert_memory_equal(orders, wanted, sizeof(wanted));
    }
}

/* 3.12: a second interpreter embeds a state of its own; a third shares the first. */
static void reads_other_interpreters(void **state)
{
    const uint64_t other = FAKE_DATA + 0x9000, third = FAKE_DATA + 0xa000;
    const uint64_t offset = FAKE_STATE - FAKE_INTERPRETER;
    struct fake_python fake;
    struct layout layout;
    struct arena_table table;
    struct err err = ERR_INIT;
    size_t bad;

    (void)state;
    begin(&fake, &layout);
    assert_int_equal(layout.pymalloc.interpreter_state, offset);
    layout.pymalloc.interpreter_state = 0x10;
    fake_set_u64(&fake, FAKE_RUNTIME + 40, other);
    fake_set_u64(&fake, other, third);
    fake_set_u64(&fake, third, other); /* a circle: must end all the same */
    fake_set_u64(&fake, other + 0x10 + OBMALLOC_ARENAS, FAKE_TABLE + 16 * 48 + 16);
    fake_set_u32(&fake, other + 0x10 + OBMALLOC_MAXARENAS, 16);
    *fake_slot(&fake, 0) = (struct arena_object){.nextarena = 0};
    *(struct arena_object *)fake_at(&fake, FAKE_TABLE + 16 * 48 + 16) =
        (struct arena_object){.address = FAKE_ARENA_0,
                              .pool_address = FAKE_ARENA_0 + 0x3000,
                              .ntotalpools = 63};
    assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), 0);
    assert_int_equal(table.count, 2);
    assert_int_equal(table.n_slots, 32);
    assert_int_equal(table.rows[0].arenas_word, other + 0x10 + OBMALLOC_ARENAS);
    assert_int_equal(table.rows[1].arenas_word, FAKE_STATE + OBMALLOC_ARENAS);
    arenas_release(&table);
    fake_python_release(&fake);
}

/* maxarenas lost, and no chunk header either: read on to the first nonsense. */
static void reads_without_length(void **state)
{
    struct fake_python fake;
    struct layout layout;
    struct arena_table table;
    struct err err = ERR_INIT;
    size_t bad;

    (void)state;
    begin(&fake, &layout);
    layout.pymalloc.maxarenas_word = raddr_of(0);
    assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), 0);
    assert_int_equal(table.n_slots, 16);
    arenas_release(&table);
    fake_set_u64(&fake, FAKE_TABLE - 8, 0);
    fake_slot(&fake, 40)->address = 12345;
    assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), 0);
    assert_int_equal(table.n_slots, 40);
    assert_int_equal(table.count, 2);
    arenas_release(&table);
    fake_python_release(&fake);
}

static void leaves_out_nonsense(void **state)
{
    struct fake_python fake;
    struct layout layout;
    struct arena_table table;
    struct err err = ERR_INIT;
    size_t bad;

    (void)state;
    begin(&fake, &layout);
    /* Wild addresses, too many pools, a high water mark outside, a twin. */
    *fake_slot(&fake, 5) = (struct arena_object){.address = UINT64_MAX - 4095};
    *fake_slot(&fake, 6) = (struct arena_object){.address = 4096, .ntotalpools = 64};
    *fake_slot(&fake, 7) = *fake_slot(&fake, 1);
    fake_slot(&fake, 7)->pool_address = FAKE_ARENA_1 + 65 * 16384;
    *fake_slot(&fake, 8) = *fake_slot(&fake, 1);
    *fake_slot(&fake, 9) = *fake_slot(&fake, 1);
    fake_slot(&fake, 9)->nfreepools = UINT32_MAX;
    assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), 0);
    assert_int_equal(table.count, 2);
    assert_int_equal(bad, 5);
    arenas_release(&table);
    fake_python_release(&fake);
}

static void fails_with_a_sentence(void **state)
{
    static const uint64_t words[] = {0, 16, UINT64_MAX - 15, FAKE_HEAP + 0xfff0};
    struct fake_python fake;
    struct layout layout;
    struct arena_table table;
    size_t bad;

    (void)state;
    begin(&fake, &layout);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct err err = ERR_INIT;

        fake_set_u64(&fake, FAKE_STATE + OBMALLOC_ARENAS, words[i]);
        assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), -1);
        assert_string_not_equal(err.text, "");
        assert_null(table.rows);
    }
    /* A huge maxarenas is not believed. */
    fake_set_u64(&fake, FAKE_STATE + OBMALLOC_ARENAS, FAKE_TABLE);
    fake_set_u32(&fake, FAKE_STATE + OBMALLOC_MAXARENAS, 1u << 31);
    struct err err = ERR_INIT;
    assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), 0);
    assert_int_equal(table.n_slots, 16);
    arenas_release(&table);
    layout.has_pymalloc = false;
    assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), -1);
    fake_python_release(&fake);
}

/* One failed read is made good by the next attempt. */
static void survives_every_failed_read(void **state)
{
    struct fake_python fake;
    struct layout layout;

    (void)state;
    begin(&fake, &layout);
    for (uint64_t n = 1; n < 40; n++) {
        struct arena_table table;
        struct err err = ERR_INIT;
        size_t bad;

        reader_image_fail_at(fake.reader, n);
        assert_int_equal(arenas_read(&table, fake.reader, &layout, &bad, &err), 0);
        assert_int_equal(table.count, 2);
        arenas_release(&table);
    }
    fake_python_release(&fake);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rows),
        cmocka_unit_test(follows_the_usable_arenas),
        cmocka_unit_test(orders_by_free_pools_when_torn),
        cmocka_unit_test(reads_without_length),
        cmocka_unit_test(reads_other_interpreters),
        cmocka_unit_test(leaves_out_nonsense),
        cmocka_unit_test(fails_with_a_sentence),
        cmocka_unit_test(survives_every_failed_read),
    };

    return cmocka_run_group_tests_name("arenas", tests, NULL, NULL);
}
