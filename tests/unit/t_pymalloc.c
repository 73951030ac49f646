/* Counting pools: the account always closes, whatever the pools look like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_python.h"
#include "source/pymalloc.h"

struct pymalloc_case {
    struct fake_python fake;
    struct layout layout;
    struct pymalloc_state *memory;
    struct pymalloc_section section;
    struct err err;
};

static void begin(struct pymalloc_case *c)
{
    memset(c, 0, sizeof(*c));
    fake_python_init(&c->fake);
    assert_int_equal(layout_find(&c->fake.target, &c->layout, &c->err), 0);
    assert_true(c->layout.has_pymalloc);
    c->memory = pymalloc_state_new();
    assert_non_null(c->memory);
}

static void end(struct pymalloc_case *c)
{
    pymalloc_state_free(c->memory);
    fake_python_release(&c->fake);
}

static int count(struct pymalloc_case *c)
{
    memset(&c->section, 0, sizeof(c->section));
    c->err = (struct err)ERR_INIT;
    return pymalloc_count_section(&c->section, NULL, c->memory, c->fake.reader,
                                  &c->layout, &c->err);
}

static void assert_closes(const struct pymalloc_section *section)
{
    assert_int_equal(section->used_bytes + section->free_block_bytes +
                         section->free_pool_bytes + section->header_bytes,
                     section->arena_bytes);
    assert_int_equal(section->arena_bytes, section->arenas * section->arena_bytes_each);
}

static void counts_pools(void **state)
{
    struct pymalloc_case c;

    (void)state;
    begin(&c);
    fake_pool(&c.fake, 0, 3)->count = 0; /* an empty pool; the rest of it is stale */
    fake_pool(&c.fake, 0, 3)->szidx = PYMALLOC_NO_SIZE_CLASS;
    assert_int_equal(count(&c), 0);
    assert_closes(&c.section);
    assert_int_equal(c.section.arenas, 2);
    assert_int_equal(c.section.arenas_peak.value, 3);
    assert_int_equal(c.section.pools_used, 42);
    assert_int_equal(c.section.pools_untouched, 23 + 61);
    assert_int_equal(c.section.pools_free, 23 + 61 + 1);
    assert_int_equal(c.section.blocks_used, 42 * 5);
    assert_int_equal(c.section.size_classes[0].pools, 3);
    assert_int_equal(c.section.size_classes[0].blocks_used, 15);
    assert_int_equal(c.section.size_classes[0].blocks_free, 3 * 1021 - 15);
    assert_int_equal(c.section.size_classes[31].blocks_free, 31 - 5);
    assert_int_equal(c.section.allocated_blocks.value, 1000 + 42 * 5);
    assert_int_equal(c.section.allocated_blocks.state, READING_EXACT);
    assert_int_equal(c.section.torn_pools, 0);
    end(&c);
}

/* The picture shows the same pools that are counted. */
static void draws_pools(void **state)
{
    const struct arenas_section *arenas = NULL;
    struct pymalloc_case c;
    uint64_t blocks = 0;
    size_t at;

    (void)state;
    begin(&c);
    fake_pool(&c.fake, 0, 3)->count = 0;
    fake_pool(&c.fake, 0, 4)->maxnextoffset = 0; /* torn */
    assert_int_equal(pymalloc_count_section(&c.section, &arenas, c.memory, c.fake.reader,
                                            &c.layout, &c.err),
                     0);
    assert_non_null(arenas);
    assert_int_equal(arenas->n_arenas, 2);
    assert_int_equal(arenas->pools_each, 64);
    /* An arena with a torn pool is read again, after the others. */
    at = arenas->arenas[0].address != FAKE_ARENA_0;
    assert_int_equal(arenas->arenas[at].address, FAKE_ARENA_0);
    assert_int_equal(arenas->arenas[at].pools, 63);
    assert_int_equal(arenas->arenas[at].pools_used, 38);
    assert_int_equal(arenas->arenas[at].pools_free, 1);
    assert_int_equal(arenas->arenas[at].pools_untouched, 23);
    assert_int_equal(arena_cells(arenas, at)[3], POOL_CELL_FREE);
    assert_int_equal(arena_cells(arenas, at)[4], POOL_CELL_TORN);
    assert_int_equal(arena_cells(arenas, at)[40], POOL_CELL_UNTOUCHED);
    assert_true(pool_cell_is_used(arena_cells(arenas, at)[0]));
    assert_int_equal(pool_cell_class(arena_cells(arenas, at)[0]),
                     fake_pool(&c.fake, 0, 0)->szidx);
    assert_int_equal(pool_cell_fill(arena_cells(arenas, at)[0]), 0);
    for (size_t i = 0; i < arenas->n_arenas; i++)
        blocks += arenas->arenas[i].blocks_used;
    assert_int_equal(blocks, c.section.blocks_used);
    arenas_unref(arenas);
    end(&c);
}

static void packs_class_and_fill_into_a_cell(void **state)
{
    (void)state;
    for (uint32_t size_class = 0; size_class < PYMALLOC_SIZE_CLASSES; size_class++) {
        assert_int_equal(pool_cell_class(pool_cell_of(size_class, 1, 31)), size_class);
        assert_int_equal(pool_cell_class(pool_cell_of(size_class, 31, 31)), size_class);
        assert_int_equal(pool_cell_fill(pool_cell_of(size_class, 1, 31)), 0);
        assert_int_equal(pool_cell_fill(pool_cell_of(size_class, 30, 31)),
                         POOL_FILL_FULL - 1);
        assert_int_equal(pool_cell_fill(pool_cell_of(size_class, 31, 31)),
                         POOL_FILL_FULL);
    }
}

/* Pools that never make sense are counted as torn, and as loss. */
static void counts_torn_pools(void **state)
{
    struct pymalloc_case c;

    (void)state;
    begin(&c);
    fake_pool(&c.fake, 0, 0)->szidx = 32;
    fake_pool(&c.fake, 0, 1)->count = 1000000;
    fake_pool(&c.fake, 0, 2)->nextoffset = 50;
    fake_pool(&c.fake, 0, 3)->nextoffset = UINT32_MAX;
    fake_pool(&c.fake, 0, 4)->maxnextoffset = 0;
    fake_pool(&c.fake, 1, 2)->arenaindex = 0;
    assert_int_equal(count(&c), 0);
    assert_int_equal(c.section.torn_pools, 6);
    assert_int_equal(c.section.pools_used, 37);
    assert_int_equal(c.section.allocated_blocks.state, READING_TORN);
    assert_closes(&c.section);
    end(&c);
}

/* The arena went away between the table and its pools. */
static void leaves_out_lost_arenas(void **state)
{
    struct pymalloc_case c;

    (void)state;
    begin(&c);
    /* A slot whose pools are not readable at all. */
    *fake_slot(&c.fake, 4) = *fake_slot(&c.fake, 1);
    fake_slot(&c.fake, 4)->address = 0x7d0000000000;
    fake_slot(&c.fake, 4)->pool_address = 0x7d0000004000;
    assert_int_equal(count(&c), 0);
    assert_int_equal(c.section.torn_pools, 0);
    assert_int_equal(c.section.arenas, 2);
    assert_closes(&c.section);
    end(&c);
}

static void refuses_a_table_of_nonsense(void **state)
{
    struct pymalloc_case c;

    (void)state;
    begin(&c);
    for (size_t i = 0; i < 16; i++)
        fake_slot(&c.fake, i)->address = 12345;
    assert_int_equal(count(&c), -1);
    assert_string_not_equal(c.err.text, "");
    end(&c);
}

/* 3.8: one counter holds small and large blocks; unknown stays unknown. */
static void knows_counters(void **state)
{
    struct pymalloc_case c;

    (void)state;
    begin(&c);
    c.layout.pymalloc.raw_blocks_is_total = true;
    assert_int_equal(count(&c), 0);
    assert_int_equal(c.section.allocated_blocks.value, 1000);
    c.layout.pymalloc.raw_blocks_word = raddr_of(0);
    c.layout.pymalloc.highwater_word = raddr_of(0);
    assert_int_equal(count(&c), 0);
    assert_int_equal(c.section.allocated_blocks.state, READING_UNKNOWN);
    assert_int_equal(c.section.arenas_peak.state, READING_UNKNOWN);
    end(&c);
}

static void survives_every_failed_read(void **state)
{
    struct pymalloc_case c;
    int n_failed = 0;

    (void)state;
    begin(&c);
    for (uint64_t n = 1; n < 200; n++) {
        reader_image_fail_at(c.fake.reader, n);
        if (count(&c)) {
            n_failed++;
            assert_string_not_equal(c.err.text, "");
            continue;
        }
        assert_closes(&c.section);
        assert_int_equal(c.section.arenas, 2);
        assert_int_equal(c.section.torn_pools, 0); /* healed by reading again */
    }
    assert_int_equal(n_failed, 0);
    end(&c);
}

static void survives_damage(void **state)
{
    unsigned seed = 7;

    (void)state;
    for (int i = 0; i < 400; i++) {
        struct pymalloc_case c;

        begin(&c);
        fake_damage(&c.fake, &seed, 1 + i % 20);
        if (!count(&c))
            assert_closes(&c.section);
        else
            assert_string_not_equal(c.err.text, "");
        end(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_pools),
        cmocka_unit_test(draws_pools),
        cmocka_unit_test(packs_class_and_fill_into_a_cell),
        cmocka_unit_test(counts_torn_pools),
        cmocka_unit_test(leaves_out_lost_arenas),
        cmocka_unit_test(refuses_a_table_of_nonsense),
        cmocka_unit_test(knows_counters),
        cmocka_unit_test(survives_every_failed_read),
        cmocka_unit_test(survives_damage),
    };

    return cmocka_run_group_tests_name("pymalloc", tests, NULL, NULL);
}
