/* The dry run of the collector, on made-up heaps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dry_run.h"

static void finds_a_cycle(void **state)
{
    struct dry_run run;

    (void)state;
    begin(&run);
    for (size_t i = 2; i < LISTS; i++)
        fake_u64(run.fake, run.lists[i] - 16, 0); /* not tracked */
    set_items(&run, run.lists[0], run.lists[1], 0);
    set_items(&run, run.lists[1], run.lists[0], 0);
    expect(&run, 2, 2);
    assert_int_equal(run.cycles.most.bytes, 2 * LIST_BLOCK + 2 * 32);
    assert_int_equal(run.cycles.most.by_arena[0], 4);
    end(&run);
}

/* What is at the end of a table is found as what is at its beginning. */
static void visits_long_tables_in_pieces(void **state)
{
    const uint64_t count = CYCLES_PIECE_WORDS + 1500;
    struct dry_run run;
    uint64_t items;

    (void)state;
    begin(&run);
    items = fake_malloc(run.fake, count * 8);
    set_items(&run, run.lists[0], run.lists[0], 0);
    fake_u64(run.fake, run.lists[0] + 16, count);
    fake_u64(run.fake, run.lists[0] + 24, items);
    fake_u64(run.fake, items + CYCLES_PIECE_WORDS * 8, run.lists[1]);
    fake_u64(run.fake, items + (count - 2) * 8, run.lists[2]);
    fake_u64(run.fake, items + (count - 1) * 8, run.lists[0]);
    expect(&run, 3, 3);
    end(&run);
}

/* One list that claims more than the target has is none. Lists that do it together lie,
 * too, but nobody knows which: then nothing is known. */
static void believes_no_more_than_there_is(void **state)
{
    struct dry_run run;
    uint64_t words;

    (void)state;
    begin(&run);
    set_items(&run, run.lists[0], run.lists[0], 0);
    set_items(&run, run.lists[1], run.lists[1], 0);
    fake_u64(run.fake, run.lists[0] + 16, UINT64_C(1) << 31);
    expect(&run, 1, 1);
    cycles_release(&run.cycles);
    arenas_release(&run.arenas);
    words = residency_words(&run.residency);
    fake_u64(run.fake, run.lists[0] + 16, words / 2 + 1);
    fake_u64(run.fake, run.lists[1] + 16, words / 2 + 1);
    assert_false(run_it(&run));
    assert_int_equal(run.cycles.why, GARBAGE_WHY_CHANGED);
    end(&run);
}

/* Words of a module's state that lead to types, as if one of them were a tuple's, and
 * what they seem to refer to. */
static void takes_no_state_of_a_module_for_an_object(void **state)
{
    const uint64_t sizes[] = {1000, 1}, counts[] = {1, 0xca8100};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct dry_run run;
        uint64_t words;

        begin(&run);
        words = run.lists[1];
        set_items(&run, run.lists[0], run.lists[0], 0);
        fake_u64(run.fake, words, counts[i]);
        fake_u64(run.fake, words + 8, run.fake->tuple);
        fake_u64(run.fake, words + 16, sizes[i]);
        fake_u64(run.fake, words + 24, run.lists[0]);
        fake_u64(run.fake, run.lists[2], 2);
        fake_u64(run.fake, words - 16, run.lists[2] - 16);
        expect(&run, 1, 1);
        end(&run);
    }
}

static void spares_what_is_held_from_elsewhere(void **state)
{
    struct dry_run run;

    (void)state;
    begin(&run);
    set_items(&run, run.lists[0], run.lists[1], 0);
    set_items(&run, run.lists[1], run.lists[0], run.lists[2]);
    set_items(&run, run.lists[2], run.lists[3], 0);
    fake_u64(run.fake, run.lists[0], 2);
    /* The others have one reference that nobody in the heap accounts for. */
    expect(&run, 0, 0);
    end(&run);
}

static void frees_what_garbage_alone_holds(void **state)
{
    struct dry_run run;
    uint64_t alone = fake_block(1, 32, 62), shared = fake_block(1, 32, 63);

    (void)state;
    begin(&run);
    fake_object(run.fake, alone, run.fake->real);
    fake_object(run.fake, shared, run.fake->real);
    fake_u64(run.fake, shared, 2);
    set_items(&run, run.lists[0], run.lists[0], alone);
    set_items(&run, run.lists[1], run.lists[1], shared);
    expect(&run, 3, 3);
    /* Both of its references come from garbage. */
    cycles_release(&run.cycles);
    arenas_release(&run.arenas);
    set_items(&run, run.lists[2], run.lists[2], shared);
    expect(&run, 5, 5);
    end(&run);
}

/* A target that works meanwhile: two that have one reference each, from each other and
 * from the garbage. */
static void frees_nothing_twice(void **state)
{
    struct dry_run run;

    (void)state;
    begin(&run);
    for (size_t i = 1; i < LISTS; i++)
        fake_u64(run.fake, run.lists[i] - 16, 0); /* not tracked */
    set_items(&run, run.lists[0], run.lists[0], run.lists[1]);
    set_items(&run, run.lists[1], run.lists[2], 0);
    set_items(&run, run.lists[2], run.lists[1], 0);
    expect(&run, 3, 3);
    assert_int_equal(run.cycles.most.by_arena[0], 6);
    end(&run);
}

/* Whether it visits what it refers to is not known: two answers. */
static void gives_bounds_for_what_is_opaque(void **state)
{
    struct dry_run run;
    uint64_t type;

    (void)state;
    begin(&run);
    type = fake_static_type(run.fake, "mod.Opaque", 40, 0, TYPE_FLAG_HAVE_GC);
    fake_u64(run.fake, run.lists[0] + 8, type);
    fake_u64(run.fake, run.lists[0] + 16, run.lists[0]);
    fake_u64(run.fake, run.lists[0] + 24, run.lists[1]);
    set_items(&run, run.lists[2], run.lists[2], 0);
    expect(&run, 1, 3);
    end(&run);
}

static void spares_what_is_frozen(void **state)
{
    struct dry_run run;

    (void)state;
    begin(&run);
    run.fake->layout.gc.has_permanent = true;
    run.fake->layout.gc.permanent = PERMANENT;
    set_items(&run, run.lists[0], run.lists[0], run.lists[1]);
    set_items(&run, run.lists[2], run.lists[2], 0);
    fake_u64(run.fake, FAKE_GC + PERMANENT, run.lists[0] - 16);
    fake_u64(run.fake, run.lists[0] - 16, FAKE_GC + PERMANENT);
    expect(&run, 1, 1);
    end(&run);
}

static void follows_links_out_of_the_arenas(void **state)
{
    struct dry_run run;
    uint64_t far;

    (void)state;
    begin(&run);
    far = fake_malloc(run.fake, 600) + GC_HEAD_BYTES;
    add_list(&run, far);
    set_items(&run, far, run.lists[0], 0);
    set_items(&run, run.lists[0], far, 0);
    link_up(&run, run.lists[1], far);
    expect(&run, 2, 2);
    assert_int_equal(run.cycles.most.chunks.count, 1);
    /* What does not lead back was led to by no object. */
    cycles_release(&run.cycles);
    arenas_release(&run.arenas);
    fake_u64(run.fake, far - 8, run.lists[2] - 16);
    expect(&run, 0, 0);
    end(&run);
}

static void waits_for_a_collection(void **state)
{
    struct dry_run run;

    (void)state;
    begin(&run);
    fake_u32(run.fake, FAKE_GC + COLLECTING, 1);
    assert_false(run_it(&run));
    assert_int_equal(run.cycles.why, GARBAGE_WHY_COLLECTING);
    end(&run);
}

/* In no order only a part of a line is read, and the rest when somebody comes again. */
static void reads_parts_of_lines(void **state)
{
    const uint64_t first = FAKE_HEAP + 8, second = FAKE_HEAP + 9000;

    (void)state;
    for (int is_scattered = 0; is_scattered < 2; is_scattered++) {
        struct dry_run run;
        struct cycles_memory memory = {.is_scattered = is_scattered};
        uint64_t value = 0;

        begin(&run);
        memory.reader = run.fake->reader;
        memory.residency = &run.residency;
        fake_u64(run.fake, first, 1);
        assert_false(cycles_memory_is_near(&memory, first));
        assert_true(cycles_memory_u64(&memory, first, &value));
        assert_int_equal(value, 1);
        assert_true(cycles_memory_is_near(&memory, first));
        assert_int_equal(cycles_memory_is_near(&memory, second), !is_scattered);
        /* What was read is not read again. */
        fake_u64(run.fake, first, 2);
        fake_u64(run.fake, second, 3);
        assert_true(cycles_memory_u64(&memory, second, &value));
        assert_int_equal(value, is_scattered ? 3 : 0);
        assert_true(cycles_memory_u64(&memory, first, &value));
        assert_int_equal(value, 1);
        assert_true(cycles_memory_is_near(&memory, FAKE_HEAP + 5000));
        cycles_memory_release(&memory);
        end(&run);
    }
}

/* A table over several words and arenas: each object has its own mark. */
/* Before anything is read. */
static void says_why_not(void **state)
{
    struct dry_run run;

    (void)state;
    begin(&run);
    assert_int_equal(cycles_why_not(NULL), GARBAGE_WHY_NO_COLLECTOR);
    assert_int_equal(cycles_why_not(&run.fake->layout), GARBAGE_WHY_UNTOLD);
    assert_true(run_it(&run));
    assert_int_equal(run.cycles.why, GARBAGE_WHY_UNTOLD);
    cycles_release(&run.cycles);
    /* The table of arenas did not get its memory. */
    assert_false(cycles_begin(&run.cycles, &run.fake->layout, run.fake->reader,
                              &run.residency, &run.arenas, NULL, &run.heaps));
    assert_int_equal(run.cycles.why, GARBAGE_WHY_NO_MEMORY);
    cycles_release(&run.cycles);
    arenas_release(&run.arenas);
    run.fake->layout.has_gc = false;
    assert_false(run_it(&run));
    assert_int_equal(run.cycles.why, GARBAGE_WHY_NO_COLLECTOR);
    run.fake->layout.has_gc = true;
    run.fake->layout.has_pymalloc = false;
    assert_int_equal(cycles_why_not(&run.fake->layout), GARBAGE_WHY_NO_ARENAS);
    run.fake->layout.is_free_threaded = true;
    assert_int_equal(cycles_why_not(&run.fake->layout), GARBAGE_WHY_FREE_THREADED);
    end(&run);
}

#define N_FAR   5000
#define FAR(n)  (UINT64_C(0x20000000) + (n)*64)
#define MARK(n) ((struct cycles_mark){.references = (int32_t)(n)&CYCLES_REFERENCES_MOST})

/* In an order that is neither rising nor falling: 1777 and 5000 have no divisor. */
static void add_far(struct cycles_set *set)
{
    for (uint64_t i = 0; i < N_FAR; i++) {
        uint64_t n = i * 1777 % N_FAR;

        assert_true(cycles_set_add_far(set, FAR(n), MARK(n)));
        assert_int_equal(cycles_set_find(set, FAR(n))->references, n);
    }
    assert_true(cycles_set_add_far(set, FAR(7), MARK(0))); /* it is there */
    assert_true(cycles_set_add_far(set, 0x10000, MARK(N_FAR)));
    cycles_far_sort(&set->far);
}

static void finds_each_mark(void **state)
{
    struct arena_row rows[] = {{.address = 0x10000000, .first_pool = 0x10000000},
                               {.address = 0x10300000, .first_pool = 0x10300000}};
    struct arena_table arenas = {.rows = rows, .count = 2};
    struct cycles_mark *mark;
    struct cycles_at at = {0};
    struct cycles_set set;
    uint64_t address, last = 0;
    size_t count = 0;

    (void)state;
    assert_true(cycles_set_init(&set, &arenas, 1 << 20));
    for (size_t row = 0; row < 2; row++) {
        for (uint64_t n = 0; n < 1000; n++)
            assert_true(cycles_set_add(&set, row, rows[row].address + n * 48, MARK(n)));
        cycles_set_end_arena(&set, row);
    }
    add_far(&set);
    assert_int_equal(cycles_set_find(&set, 0x10300000 + 999 * 48)->references, 999);
    assert_null(cycles_set_find(&set, 0x10300000 + 16));
    assert_null(cycles_set_find(&set, FAR(0) + 8));
    assert_null(cycles_set_find(&set, FAR(0) + 16));
    assert_null(cycles_set_find(&set, FAR(N_FAR)));
    assert_null(cycles_set_find(&set, 0x7f0000000000));
    for (; (mark = cycles_set_next(&set, &at, &address)); count++, last = address) {
        assert_ptr_equal(cycles_set_find(&set, address), mark);
        assert_true(address > last || count == 2000); /* the first one outside */
        if (count > 2000)
            assert_int_equal(mark->references, count - 2001);
    }
    assert_int_equal(count, 2000 + N_FAR + 1);
    assert_null(cycles_set_next(&set, &at, &address));
    cycles_set_release(&set);
}

/* Whatever is in the target's memory, it comes to an end. */
static void survives_any_bytes(void **state)
{
    uint32_t random = 1;

    (void)state;
    for (int turn = 0; turn < 60; turn++) {
        struct dry_run run;

        begin(&run);
        for (size_t i = 0; i + 1 < LISTS; i++)
            set_items(&run, run.lists[i], run.lists[i + 1], run.lists[0]);
        for (int n = 0; n < 40; n++) {
            random = random * 1664525u + 1013904223u;
            run.fake->bytes[(random >> 8) % FAKE_BYTES] ^= (uint8_t)(random >> 3);
            random = random * 1664525u + 1013904223u;
            fake_u64(run.fake, fake_block(random >> 31, 32, (random >> 8) % 16),
                     run.lists[random >> 29]);
        }
        run_it(&run);
        end(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_cycle),
        cmocka_unit_test(visits_long_tables_in_pieces),
        cmocka_unit_test(believes_no_more_than_there_is),
        cmocka_unit_test(takes_no_state_of_a_module_for_an_object),
        cmocka_unit_test(spares_what_is_held_from_elsewhere),
        cmocka_unit_test(frees_what_garbage_alone_holds),
        cmocka_unit_test(frees_nothing_twice),
        cmocka_unit_test(gives_bounds_for_what_is_opaque),
        cmocka_unit_test(spares_what_is_frozen),
        cmocka_unit_test(follows_links_out_of_the_arenas),
        cmocka_unit_test(waits_for_a_collection),
        cmocka_unit_test(says_why_not),
        cmocka_unit_test(reads_parts_of_lines),
        cmocka_unit_test(finds_each_mark),
        cmocka_unit_test(survives_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
