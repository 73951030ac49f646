/* Finding and proving a layout: on a made-up Python, then on bent ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "fake_python.h"
#include "layout/decode.h"
#include "layout/free_list_layout.h"

static void finds_all(void **state)
{
    struct fake_python fake;
    struct layout layout;
    struct err err = ERR_INIT;

    (void)state;
    fake_python_init(&fake);
    assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
    assert_string_equal(err.text, "");
    assert_true(layout.has_pymalloc);
    assert_true(layout.has_gc);
    assert_string_equal(layout.allocator, "pymalloc");
    /* usable_arenas has the same value as arenas: the right word must be taken. */
    assert_int_equal(layout.pymalloc.arenas_word.value, FAKE_STATE + OBMALLOC_ARENAS);
    assert_int_equal(layout.pymalloc.raw_blocks_word.value,
                     FAKE_STATE + OBMALLOC_RAW_BLOCKS);
    assert_int_equal(layout.pymalloc.debug_prefix_bytes, 0);
    assert_int_equal(layout.gc.state.value, FAKE_GC);
    assert_int_equal(layout.interpreter.value, FAKE_INTERPRETER);
    assert_true(layout_still_holds(&layout, &fake.target));
    fake_slot(&fake, 0)->address = 0;
    fake_pool(&fake, 1, 0)->arenaindex = 7;
    assert_false(layout_still_holds(&layout, &fake.target));
    fake_python_release(&fake);
}

/* An interpreter elsewhere than the table says is found by what points back to it. */
static void finds_moved_gc(void **state)
{
    struct fake_python fake;
    struct layout layout;
    struct err err = ERR_INIT;
    unsigned char copy[240];

    (void)state;
    fake_python_init(&fake);
    memcpy(copy, fake_at(&fake, FAKE_GC), sizeof(copy));
    memset(fake_at(&fake, FAKE_GC), 0, sizeof(copy));
    memcpy(fake_at(&fake, FAKE_GC + 512), copy, sizeof(copy));
    for (unsigned i = 0; i < 3; i++)
        fake_link(&fake, FAKE_GC + 512 + 24 + i * 24, i * 100, 5);
    fake_link(&fake, FAKE_GC + 512 + 104, 400, 7);
    fake_set_u64(&fake, FAKE_GC + 512 + 96, FAKE_GC + 512 + 24);
    assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
    assert_true(layout.has_gc);
    assert_int_equal(layout.gc.state.value, FAKE_GC + 512);
    fake_python_release(&fake);
}

/* The five ways of 3.13 - 3.15, told apart by what lies in memory. */
static void finds_each_collector(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_fake_versions; i++) {
        const struct fake_version *version = &fake_versions[i];
        struct fake_python fake;
        struct layout layout;
        struct err err = ERR_INIT;

        fake_python_init(&fake);
        fake_set_version(&fake, version);
        assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
        assert_string_equal(err.text, "");
        assert_true(layout.has_gc && layout.has_pymalloc);
        assert_int_equal(layout.gc.state.value, FAKE_NEW_GC);
        assert_memory_equal(layout.gc.generations, version->generations,
                            sizeof(version->generations));
        assert_int_equal(layout.gc.permanent, version->permanent);
        assert_int_equal(layout.gc.stats, version->stats);
        assert_int_equal(layout.gc.collecting, version->collecting);
        assert_int_equal(layout.gc.enabled, version->enabled);
        assert_int_equal(layout.gc.is_incremental, version->is_incremental);
        assert_int_equal(layout.gc.stats_is_pointer, version->minor == 15);
        assert_int_equal(layout.pymalloc.interpreter_state, 10800);
        assert_true(layout_still_holds(&layout, &fake.target));
        /* free_threaded: neither arenas nor lists. */
        fake_set_u64(&fake, FAKE_RUNTIME + 16, 1);
        assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
        assert_false(layout.has_gc || layout.has_pymalloc);
        assert_string_equal(layout.allocator, "mimalloc");
        fake_python_release(&fake);
    }
}

static void notices_debug_hooks(void **state)
{
    struct fake_python fake;
    struct layout layout;
    struct err err = ERR_INIT;

    (void)state;
    fake_python_init(&fake);
    for (size_t i = 2; i < 10; i++) {
        unsigned char *block = (unsigned char *)fake_pool(&fake, 0, i) + 48;

        for (int j = 0; j < 5; j++, block += pymalloc_block_bytes((uint32_t)i)) {
            block[8] = 'o';
            memset(block + 9, 0xfd, 7);
        }
    }
    assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
    assert_int_equal(layout.pymalloc.debug_prefix_bytes, 16);
    assert_string_equal(layout.allocator, "pymalloc_debug");
    fake_python_release(&fake);
}

/* Each bend breaks one invariant; the words of the error must name it. */
static void bend_pool(struct fake_python *fake)
{
    fake_pool(fake, 0, 0)->arenaindex = 9;
    fake_pool(fake, 1, 0)->arenaindex = 9;
}

static void bend_slot(struct fake_python *fake)
{
    fake_slot(fake, 0)->ntotalpools = 1000;
}

static void bend_nothing_there(struct fake_python *fake)
{
    fake_set_u64(fake, FAKE_STATE + OBMALLOC_ARENAS, 0);
    fake_set_u64(fake, FAKE_STATE + 536, 0);
}

static void bend_counters(struct fake_python *fake)
{
    fake_set_u64(fake, FAKE_STATE + OBMALLOC_NARENAS, 1000);
}

static void bend_head(struct fake_python *fake)
{
    fake_set_u64(fake, FAKE_GC + 96, FAKE_GC);
}

static void bend_permanent(struct fake_python *fake)
{
    fake_set_u64(fake, FAKE_GC + 104, UINT64_MAX - 7);
}

static void bend_generations(struct fake_python *fake)
{
    for (unsigned i = 0; i < 3; i++)
        fake_set_u64(fake, FAKE_GC + 24 + i * 24, 16);
}

static void bend_enabled(struct fake_python *fake)
{
    fake_set_u32(fake, FAKE_GC + 12, 77);
}

static void bend_interpreter(struct fake_python *fake)
{
    fake_set_u64(fake, FAKE_INTERPRETER + 8, 1);
}

static void names_what_failed(void **state)
{
    static const struct {
        void (*bend)(struct fake_python *fake);
        bool has_pymalloc, has_gc;
        const char *words;
    } cases[] = {
        {bend_pool, false, true, "table of arenas"},
        {bend_slot, false, true, "table of arenas"},
        {bend_nothing_there, false, true, "table of arenas"},
        {bend_counters, false, true, "contradict"},
        {bend_head, true, false, "generation0"},
        {bend_permanent, true, false, "permanent generation"},
        {bend_generations, true, false, "lists of generations"},
        {bend_enabled, true, false, "enabled"},
        {bend_interpreter, true, false, "number 0"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fake_python fake;
        struct layout layout;
        struct err err = ERR_INIT;

        fake_python_init(&fake);
        cases[i].bend(&fake);
        assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
        assert_int_equal(layout.has_pymalloc, cases[i].has_pymalloc);
        assert_int_equal(layout.has_gc, cases[i].has_gc);
        if (!strstr(err.text, cases[i].words))
            fail_msg("case %zu: \"%s\" does not say \"%s\"", i, err.text, cases[i].words);
        fake_python_release(&fake);
    }
}

static void refuses_unknown_versions(void **state)
{
    static const uint8_t minors[] = {0, 7, 16, 255};
    struct fake_python fake;
    struct layout layout;
    struct err err = ERR_INIT;

    (void)state;
    fake_python_init(&fake);
    for (size_t i = 0; i < sizeof(minors); i++) {
        fake.target.version.minor = minors[i];
        assert_int_equal(layout_find(&fake.target, &layout, &err), -1);
        assert_int_equal(err.code, ERR_UNSUPPORTED);
    }
    fake.target.reader = NULL;
    assert_int_equal(layout_find(&fake.target, &layout, &err), -1);
    fake_python_release(&fake);
}

static void survives_every_failed_read(void **state)
{
    struct fake_python fake;
    uint64_t reads = 0;

    (void)state;
    fake_python_init(&fake);
    for (uint64_t n = 1; n < 2000; n++) {
        struct layout layout;
        struct err err = ERR_INIT;

        reader_image_fail_at(fake.reader, n);
        assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
        if (!layout.has_pymalloc || !layout.has_gc)
            assert_string_not_equal(err.text, "");
        if (layout.has_pymalloc && layout.has_gc)
            reads = n;
    }
    reader_image_fail_at(fake.reader, 0);
    assert_true(reads > 0);
    fake_python_release(&fake);
}

static void survives_damage(void **state)
{
    unsigned seed = 1;

    (void)state;
    for (int i = 0; i < 400; i++) {
        struct fake_python fake;
        struct layout layout;
        struct err err = ERR_INIT;

        fake_python_init(&fake);
        fake.target.version.minor = (uint8_t)(12 + i % 4);
        fake_damage(&fake, &seed, 1 + i % 20);
        assert_int_equal(layout_find(&fake.target, &layout, &err), 0);
        layout_still_holds(&layout, &fake.target);
        fake_python_release(&fake);
    }
}

/* mov counter(%rip),%eax; mov counter(%rip),%rdx; cmp 0x1234,%rax (absolute); ret */
static void decodes_loads(void **state)
{
    static const uint8_t code[] = {0x8b, 0x05, 0x10, 0,    0,    0,    0x48, 0x8b,
                                   0x15, 0xf0, 0xff, 0xff, 0xff, 0x48, 0x3b, 0x04,
                                   0x25, 0x34, 0x12, 0,    0,    0xc3};
    struct code_load loads[8];

    (void)state;
    assert_int_equal(decode_loads(code, sizeof(code), 0x1000, loads, 8), 3);
    assert_int_equal(loads[0].address, 0x1006 + 0x10);
    assert_int_equal(loads[0].bytes, 4);
    assert_int_equal(loads[1].address, 0x100d - 0x10);
    assert_int_equal(loads[1].bytes, 8);
    assert_int_equal(loads[2].address, 0x1234);
    assert_int_equal(loads[2].bytes, 8);
    for (size_t cut = 0; cut < sizeof(code); cut++)
        assert_true(decode_loads(code, cut, 0x1000, loads, 8) <= 3);
    assert_int_equal(decode_loads(code, sizeof(code), 0x1000, loads, 1), 1);
}

/* lea table(%rip),%r13; mov table(,%rbx,4),%edx; mov (%rsp),%edx: no table */
static void decodes_tables(void **state)
{
    static const uint8_t code[] = {0x4c, 0x8d, 0x2d, 0x10, 0,    0,    0,
                                   0x8b, 0x14, 0x9d, 0x00, 0xc6, 0x93, 0x00,
                                   0x8b, 0x14, 0x24, 0xc3, 0,    0,    0};
    uint64_t tables[4];

    (void)state;
    assert_int_equal(decode_tables(code, sizeof(code), 0x1000, tables, 4), 2);
    assert_int_equal(tables[0], 0x1007 + 0x10);
    assert_int_equal(tables[1], 0x93c600);
    for (size_t cut = 0; cut < sizeof(code); cut++)
        assert_true(decode_tables(code, cut, 0x1000, tables, 1) <= 1);
}

/* A page of static variables, and a page with dead objects. */
#define STATICS 0x10000u
#define DEAD    0x20000u
#define A_TYPE  0x5550u

static uint64_t search_head(const struct free_list_place *place, uint32_t count,
                            const uint64_t *statics, const uint64_t *dead)
{
    struct image_segment segments[] = {{raddr_of(STATICS), statics, 4096},
                                       {raddr_of(DEAD), dead, 4096}};
    struct reader *reader = reader_image_new(segments, 2);
    uint64_t head = free_list_find_head(reader, place, count);

    reader_close(reader);
    return head;
}

/* An array of two beside its counter, behind one whose objects are of another type. */
static void finds_an_array_near_its_counter(void **state)
{
    static uint64_t statics[512], dead[512];
    struct free_list_place place = {.length = -1,
                                    .type_address = A_TYPE,
                                    .counter = STATICS + 8 * 200,
                                    .is_array = true};

    (void)state;
    dead[1] = A_TYPE + 8;
    dead[9] = dead[17] = A_TYPE;
    statics[180] = DEAD;
    statics[204] = DEAD + 8 * 8;
    statics[205] = DEAD + 8 * 16;
    assert_int_equal(search_head(&place, 2, statics, dead), STATICS + 8 * 204);
    assert_int_equal(search_head(&place, 3, statics, dead), 0);
    dead[16] = 1; /* it lives */
    assert_int_equal(search_head(&place, 2, statics, dead), 0);
    dead[16] = 0;
    place.counter = STATICS; /* nothing can be read in front of it */
    assert_int_equal(search_head(&place, 2, statics, dead), 0);
}

/* Floats are linked by their type's word; a list is as long as it should be. */
static void finds_a_chain_near_its_counter(void **state)
{
    static uint64_t statics[512], dead[512];
    struct free_list_place place = {
        .length = -1, .type_address = A_TYPE, .counter = STATICS + 4, .next = 8};

    (void)state;
    dead[1] = DEAD + 8 * 8;
    dead[9] = DEAD + 8 * 16;
    statics[3] = DEAD;
    assert_int_equal(search_head(&place, 3, statics, dead), STATICS + 8 * 3);
    assert_int_equal(search_head(&place, 2, statics, dead), 0);
    dead[17] = DEAD; /* a ring */
    assert_int_equal(search_head(&place, 3, statics, dead), 0);
    assert_int_equal(search_head(&place, FREE_LIST_MOST, statics, dead), STATICS + 8 * 3);
}

/* call +0x10; jne -1 (its own last byte); jmp cut off at the end */
static void decodes_jumps(void **state)
{
    static const uint8_t code[] = {0xe8, 0x10, 0,    0,    0,    0x0f, 0x85,
                                   0xff, 0xff, 0xff, 0xff, 0xe9, 0,    0};
    uint64_t targets[4];

    (void)state;
    assert_int_equal(decode_jumps(code, sizeof(code), 0x1000, targets, 4), 2);
    assert_int_equal(targets[0], 0x1015);
    assert_int_equal(targets[1], 0x100a);
    for (size_t cut = 0; cut < sizeof(code); cut++)
        assert_true(decode_jumps(code, cut, 0x1000, targets, 1) <= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_all),
        cmocka_unit_test(finds_moved_gc),
        cmocka_unit_test(finds_each_collector),
        cmocka_unit_test(notices_debug_hooks),
        cmocka_unit_test(names_what_failed),
        cmocka_unit_test(refuses_unknown_versions),
        cmocka_unit_test(survives_every_failed_read),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(decodes_loads),
        cmocka_unit_test(decodes_jumps),
        cmocka_unit_test(decodes_tables),
        cmocka_unit_test(finds_an_array_near_its_counter),
        cmocka_unit_test(finds_a_chain_near_its_counter),
    };

    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
