/* Slots and changes of the table of kinds, against what looking at each row says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "recording/kind_order.h"

#define KINDS 200
#define TURNS 300

/* A table of some of the kinds, in some order. */
struct table {
    struct kind_row rows[KINDS];
    struct objects_section section;
};

static struct kind kinds[KINDS];

static void shuffle(struct kind_row *rows, size_t count, size_t swaps)
{
    for (size_t i = 0; count && i < swaps; i++) {
        size_t from = (size_t)rand() % count, to = (size_t)rand() % count;
        struct kind_row row = rows[from];

        memmove(rows + from, rows + from + 1, (count - from - 1) * sizeof(*rows));
        memmove(rows + to + 1, rows + to, (count - to - 1) * sizeof(*rows));
        rows[to] = row;
    }
}

/* What follows a table: some rows go, some come, some change, some move. */
static void follow(struct table *table, const struct table *before)
{
    bool is_there[KINDS] = {false};
    size_t count = 0, changes = (size_t)rand() % 8;

    for (size_t i = 0; i < before->section.n_kinds; i++)
        if (rand() % 100 || !changes)
            table->rows[count++] = before->rows[i];
    for (size_t i = 0; i < count; i++)
        is_there[table->rows[i].kind - kinds] = true;
    for (size_t i = 0; i < KINDS; i++)
        if (!is_there[i] && changes && rand() % 10 == 0)
            table->rows[count++] = (struct kind_row){.kind = &kinds[i], .count = 1};
    for (size_t i = 0; count && i < changes; i++)
        table->rows[(size_t)rand() % count].count++;
    shuffle(table->rows, count, changes);
    table->section = (struct objects_section){.n_kinds = count, .kinds = table->rows};
}

/* By kind; 0: it has no row. */
static void rows_by_kind(const struct table *table, const struct kind_row *rows[KINDS])
{
    memset(rows, 0, KINDS * sizeof(*rows));
    for (size_t i = 0; i < table->section.n_kinds; i++)
        rows[table->rows[i].kind - kinds] = &table->rows[i];
}

static bool is_told(const struct kind_order *order, size_t place)
{
    for (size_t i = 0; i < order->n_changed; i++)
        if (order->changed[i] == place)
            return true;
    return false;
}

/* Every row has a slot of its own, the one it had; what is not as it was is told. */
static void check(const struct kind_order *order, const struct table *before,
                  const struct table *now, uint32_t slots[KINDS])
{
    const struct kind_row *was[KINDS], *is[KINDS];
    bool is_taken[2 * KINDS] = {false};
    size_t gone = 0;

    rows_by_kind(before, was);
    rows_by_kind(now, is);
    for (size_t i = 0; i < now->section.n_kinds; i++) {
        size_t kind = (size_t)(now->rows[i].kind - kinds);
        uint32_t slot = order->slots[i];

        assert_true(slot < 2 * KINDS && !is_taken[slot]);
        is_taken[slot] = true;
        assert_true(!was[kind] || slots[kind] == slot);
        assert_true(is_told(order, i) ||
                    (was[kind] && memcmp(was[kind], is[kind], sizeof(**is)) == 0));
        slots[kind] = slot;
    }
    for (size_t i = 0; i < KINDS; i++)
        gone += was[i] && !is[i];
    assert_true(order->has_gone == (gone > 0));
}

static void test_tables_that_follow_each_other(void **state)
{
    static struct table tables[2];
    struct kind_order order = {.capacity = 0};
    uint32_t slots[KINDS];

    (void)state;
    srand(1);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        struct table *now = &tables[turn % 2], *before = &tables[1 - turn % 2];

        follow(now, before);
        kind_order_follow(&order, &before->section, &now->section);
        check(&order, before, now, slots);
        if (order.has_gone)
            slots_end(&order.by_kind);
        if (turn % 50 == 49) { /* a sample without a walk */
            kind_order_follow(&order, &now->section, NULL);
            assert_true(order.has_gone == (now->section.n_kinds > 0));
            slots_end(&order.by_kind);
            now->section.n_kinds = 0;
        }
    }
    kind_order_release(&order);
}

static void test_few_changes_tell_few_rows(void **state)
{
    static struct table tables[2];
    struct kind_order order = {.capacity = 0};
    size_t moved = 150;

    (void)state;
    for (size_t i = 0; i < KINDS; i++)
        tables[0].rows[i] = (struct kind_row){.kind = &kinds[i], .count = 1};
    tables[0].section =
        (struct objects_section){.n_kinds = KINDS, .kinds = tables[0].rows};
    tables[1] = tables[0];
    tables[1].section.kinds = tables[1].rows;
    kind_order_follow(&order, NULL, &tables[0].section);
    assert_int_equal(order.n_changed, KINDS);
    tables[1].rows[20].count = 2;
    memmove(tables[1].rows + 51, tables[1].rows + 50,
            (moved - 50) * sizeof(tables[1].rows[0]));
    tables[1].rows[50] = tables[0].rows[moved];
    kind_order_follow(&order, &tables[0].section, &tables[1].section);
    assert_in_range(order.n_changed, 2, 4);
    kind_order_release(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables_that_follow_each_other),
        cmocka_unit_test(test_few_changes_tell_few_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
