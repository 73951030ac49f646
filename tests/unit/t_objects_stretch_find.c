/* Heads and notes of stretches: what was noted is found, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "source/objects_walk.h"

#define START   UINT64_C(0x555500000000)
#define STRETCH UINT64_C(0x100000)
#define LONG    UINT64_C(0x300010)

static struct walk walk;

static void open_at(uint64_t start)
{
    walk.chunks.at = walk.chunks.boundary = start;
    walk_stretch_open(&walk);
}

static void close_at(uint64_t end)
{
    walk.chunks.at = end;
    walk_stretch_close(&walk);
}

static int setup(void **state)
{
    (void)state;
    memset(&walk, 0, sizeof(walk));
    walk.workers[0].walk = &walk;
    walk_stretches_begin(&walk, false, false);
    assert_true(walk.stretches.is_on);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    walk_stretches_release(&walk);
    return 0;
}

static bool finds(uint64_t address, uint64_t user, uint64_t bytes)
{
    struct noted_chunk chunk;

    return walk_stretches_find(&walk.workers[0], address, &chunk) && chunk.user == user &&
           chunk.bytes == bytes;
}

static bool finds_nothing(uint64_t address)
{
    struct noted_chunk chunk;

    return !walk_stretches_find(&walk.workers[0], address, &chunk);
}

static void notes_are_found(void **state)
{
    (void)state;
    open_at(START);
    for (uint64_t i = 0; i < 100; i++)
        assert_true(walk_stretch_note(&walk, START + 16 + i * 4096, 1024));
    close_at(START + STRETCH);
    walk_stretches_sort(&walk);
    for (uint64_t i = 0; i < 100; i++) {
        uint64_t n = i * 37 % 100, user = START + 16 + n * 4096;

        assert_true(finds(user, user, 1024));
        assert_true(finds(user + 1023, user, 1024));
        assert_true(finds_nothing(user + 1024));
        assert_true(finds_nothing(user - 1));
    }
    assert_true(finds_nothing(START - 1));
    assert_true(finds_nothing(START + STRETCH + 16));
}

static void one_takes_it(void **state)
{
    struct noted_chunk chunk, same;

    (void)state;
    open_at(START);
    for (uint64_t i = 0; i < 70; i++)
        walk_stretch_note(&walk, START + 16 + i * 1024, 1024);
    close_at(START + STRETCH);
    walk_stretches_sort(&walk);
    assert_true(
        walk_stretches_find(&walk.workers[0], START + 16 + 65 * 1024 + 8, &chunk));
    assert_false(noted_chunk_is_claimed(&chunk));
    assert_true(noted_chunk_claim(&chunk));
    assert_true(walk_stretches_find(&walk.workers[0], START + 16 + 65 * 1024, &same));
    assert_true(noted_chunk_is_claimed(&same));
    assert_false(noted_chunk_claim(&same));
    assert_true(walk_stretches_find(&walk.workers[0], START + 16 + 64 * 1024, &same));
    assert_false(noted_chunk_is_claimed(&same));
}

/* Longer than a note can say; such a chunk is the last of its stretch. */
static void a_long_chunk(void **state)
{
    const uint64_t longest_in_note = UINT16_MAX * UINT64_C(16), user = START + 4096 + 16;

    (void)state;
    open_at(START);
    assert_true(walk_stretch_note(&walk, START + 16, longest_in_note));
    assert_true(walk_stretch_note(&walk, user, LONG));
    assert_false(walk_stretch_note(&walk, user + 32, 1024)); /* as it cannot be */
    close_at(START + 4096 + LONG);
    walk_stretches_sort(&walk);
    assert_true(finds(START + 4000, START + 16, longest_in_note));
    assert_true(finds(user + LONG - 17, user, LONG));
}

/* Elsewhere, and by others, what is noted in no stretch. */
static void what_does_not_fit(void **state)
{
    const uint8_t head[16] = {0};

    (void)state;
    assert_false(walk_stretch_note(&walk, START + 16, 1024)); /* none is under way */
    assert_false(walk_stretch_head(&walk, START + 16, head));
    open_at(START);
    assert_true(walk_stretch_note(&walk, START + STRETCH - 16, 1024));
    assert_true(walk_stretch_head(&walk, START + STRETCH - 16, head));
    assert_false(walk_stretch_note(&walk, START + STRETCH, 1024));
    assert_false(walk_stretch_head(&walk, START + STRETCH, head));
    assert_false(walk_stretch_note(&walk, START - 16, 1024));
    assert_false(walk_stretch_head(&walk, START + 24, head));
    close_at(START + 2 * STRETCH);
    walk_stretches_sort(&walk);
    assert_true(finds_nothing(START + STRETCH + 1024));
    assert_true(walk_stretches_have(&walk, START + STRETCH - 16));
    assert_false(walk_stretches_have(&walk, START + STRETCH));
}

/* In any order, as heaps of threads may be; asked for in any order. */
static void of_several_stretches(void **state)
{
    static const uint64_t order[] = {3, 0, 2, 1};
    const uint8_t head[16] = {0};

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uint64_t start = START + order[i] * 2 * STRETCH;

        open_at(start);
        for (uint64_t n = 0; n < 50; n++) {
            assert_true(walk_stretch_head(&walk, start + 32 + n * 64, head));
            assert_true(walk_stretch_note(&walk, start + 8192 + n * 64, 48));
        }
        close_at(start + STRETCH);
    }
    walk_stretches_sort(&walk);
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t n = i * 7 % 200, start = START + n % 4 * 2 * STRETCH, at = n / 4 * 64;

        assert_true(walk_stretches_have(&walk, start + 32 + at));
        assert_false(walk_stretches_have(&walk, start + 48 + at));
        assert_false(walk_stretches_have(&walk, start + STRETCH + 32 + at));
        assert_true(finds(start + 8192 + at + 47, start + 8192 + at, 48));
        assert_true(finds_nothing(start + 8192 + at + 48));
    }
}

int main(void)
{
#define POINT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(notes_are_found),   POINT(one_takes_it),         POINT(a_long_chunk),
        POINT(what_does_not_fit), POINT(of_several_stretches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
