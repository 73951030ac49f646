/* A refresh of malloc's heap: what is kept of it, and when it is walked again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_heap.h"
#include "fake_walk.h"

#define N_STR       24
#define N_TUPLE     12
#define TEXT_BYTES  900
#define TUPLE_ITEMS 70
#define WINDOW      8192 /* so that the heap has some stretches */
#define CHUNK       UINT64_C(960)

static const struct walk_region heap = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};

struct fixture {
    struct fake_heap *fake;
    struct walk walk, other;               /* the other one keeps nothing */
    uint64_t strs[N_STR], tuples[N_TUPLE]; /* user addresses */
};

/* One that the collector tracks, behind the last one. */
static uint64_t add_tuple(struct fixture *f)
{
    uint64_t head = fake_malloc(f->fake, GC_HEAD_BYTES + 24 + TUPLE_ITEMS * 8);
    uint64_t last = fake_get(f->fake, FAKE_GC + 8);

    fake_object(f->fake, head + GC_HEAD_BYTES, f->fake->tuple);
    fake_u64(f->fake, head + GC_HEAD_BYTES + 16, TUPLE_ITEMS);
    fake_u64(f->fake, head, FAKE_GC);
    fake_u64(f->fake, head + 8, last);
    fake_u64(f->fake, last, head);
    fake_u64(f->fake, FAKE_GC + 8, head);
    return head;
}

static void fill(struct fixture *f)
{
    char text[TEXT_BYTES + 1];

    memset(text, 'x', TEXT_BYTES);
    text[TEXT_BYTES] = 0;
    for (int i = 0; i < N_STR; i++) {
        f->strs[i] = fake_malloc(f->fake, CHUNK - 8);
        fake_str_at(f->fake, f->strs[i], text);
        if (i % 2)
            f->tuples[i / 2] = add_tuple(f);
    }
    /* The top chunk reaches to the end. */
    fake_u64(f->fake, f->fake->next_heap + 8,
             (FAKE_HEAP + FAKE_HEAP_BYTES - f->fake->next_heap) | 1);
}

static void open_walk(struct walk *walk, struct fake_heap *fake, bool is_refresh)
{
    walk_init(walk, fake->reader, &fake->layout, fake->type);
    walk->window_capacity = WINDOW;
    fake_learned(walk);
    walk_set_refresh(walk, is_refresh, true);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    f->fake->layout.has_gc = true;
    /* No pool in the arena: it would not fit into the window. */
    fake_u64(f->fake, fake_get(f->fake, FAKE_ARENAS_WORD) + 8, FAKE_ARENA);
    fake_u32(f->fake, fake_get(f->fake, FAKE_ARENAS_WORD) + 16, 64);
    fill(f);
    open_walk(&f->walk, f->fake, true);
    open_walk(&f->other, f->fake, false);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    walk_release(&f->walk);
    walk_release(&f->other);
    fake_heap_free(f->fake);
    test_free(f);
    return 0;
}

static const struct objects_section *walk_once(struct walk *walk)
{
    fake_learned(walk);
    walk_set_regions(walk, &heap, 1);
    return fake_walk(walk);
}

static bool are_equal(const struct objects_section *a, const struct objects_section *b)
{
    return a->n_kinds == b->n_kinds &&
           !memcmp(a->kinds, b->kinds, a->n_kinds * sizeof(*a->kinds));
}

/* Refreshes until it says what a whole walk says; how many that took. */
static int refreshes_until_whole(struct fixture *f)
{
    const struct objects_section *whole = walk_once(&f->other);

    assert_int_equal(whole->walk.kept_heap_bytes, 0);
    for (int i = 1;; i++) {
        const struct objects_section *section = walk_once(&f->walk);
        bool is_equal = are_equal(section, whole);

        objects_unref(section);
        if (is_equal) {
            objects_unref(whole);
            return i;
        }
        assert_true(i <= 2 * KEPT_TURNS);
    }
}

static void says_the_same(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *whole = walk_once(&f->other);

    assert_int_equal(fake_row(whole, "str").malloc_bytes, N_STR * CHUNK);
    assert_int_equal(fake_row(whole, "tuple").count, N_TUPLE);
    assert_int_equal(fake_row(whole, "tuple").tracked, N_TUPLE);
    /* The first tells how large the heap is, the second keeps it. */
    objects_unref(walk_once(&f->walk));
    objects_unref(walk_once(&f->walk));
    for (int i = 0; i < KEPT_TURNS + 2; i++) {
        const struct objects_section *section = walk_once(&f->walk);

        assert_in_range(section->walk.kept_heap_bytes, WINDOW, FAKE_HEAP_BYTES);
        assert_true(section->walk.oldest_mono_ns > 0);
        assert_true(section->walk.complete);
        assert_true(are_equal(section, whole));
        objects_unref(section);
    }
    objects_unref(whole);
}

static void keep(struct fixture *f)
{
    for (int i = 0; i < 3; i++)
        objects_unref(walk_once(&f->walk));
    assert_true(f->walk.stretches.n_known > 2);
}

/* Nearly each chunk is another one now: whichever are looked at, it is seen. */
static void notices_many_types(void **state)
{
    struct fixture *f = *state;

    keep(f);
    for (int i = 0; i < N_STR; i++)
        fake_u64(f->fake, f->strs[i], 0); /* dead */
    assert_in_range(refreshes_until_whole(f), 1, STRETCH_PHASES);
}

/* No header tells, and no type, so it is seen when its stretch has its turn. */
static void walks_each_stretch_in_its_turn(void **state)
{
    struct fixture *f = *state;

    keep(f);
    fake_u64(f->fake, f->strs[N_STR / 2] + 16, TEXT_BYTES - 100);
    assert_in_range(refreshes_until_whole(f), 2, KEPT_TURNS);
}

/* One chunk over the end of one stretch and the beginning of the next, all over the heap:
 * what begins in the middle of a chunk is not there any more. */
static void follows_chunks_that_grew_together(void **state)
{
    struct fixture *f = *state;

    keep(f);
    for (int i = 0; i + 1 < N_STR; i += 4) {
        uint64_t chunk = f->strs[i] - CHUNK_HEADER;

        fake_u64(f->fake, f->strs[i], 0);
        fake_u64(f->fake, f->strs[i + 1], 0);
        fake_u64(f->fake, chunk + 8, (2 * CHUNK) | 1);
    }
    assert_in_range(refreshes_until_whole(f), 1, KEPT_TURNS);
}

/* The collector's list leads from what is kept to what is not, and back. */
static void counts_what_is_tracked_once(void **state)
{
    struct fixture *f = *state;
    uint64_t first = f->tuples[0], second = f->tuples[1];

    keep(f);
    /* The first is gone from the list, and dead. */
    fake_u64(f->fake, FAKE_GC, second);
    fake_u64(f->fake, second + 8, FAKE_GC);
    fake_u64(f->fake, first + GC_HEAD_BYTES, 0);
    fake_u64(f->fake, first, 0);
    assert_in_range(refreshes_until_whole(f), 1, KEPT_TURNS);
    fake_u64(f->fake, f->fake->next_heap + 8, 0); /* add_tuple() writes over the top */
    add_tuple(f);
    fake_u64(f->fake, f->fake->next_heap + 8,
             (FAKE_HEAP + FAKE_HEAP_BYTES - f->fake->next_heap) | 1);
    assert_in_range(refreshes_until_whole(f), 1, KEPT_TURNS);
}

/* Anything may stand there; walks end, and what was there again is told again. */
static void bears_anything(void **state)
{
    struct fixture *f = *state;
    uint64_t random = 1;

    keep(f);
    for (int i = 0; i < 3000; i++) {
        uint64_t at = FAKE_HEAP + (random >> 20) % (FAKE_HEAP_BYTES / 8) * 8, word;

        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        if (at >= f->strs[0] - CHUNK_HEADER && at < f->fake->next_heap) {
            word = fake_get(f->fake, at);
            fake_u64(f->fake, at, i % 3 ? random >> 40 : word ^ 1u << (random >> 60));
            objects_unref(walk_once(&f->walk));
            fake_u64(f->fake, at, word);
        }
    }
    assert_in_range(refreshes_until_whole(f), 1, KEPT_TURNS);
}

int main(void)
{
#define POINT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(says_the_same),
        POINT(notices_many_types),
        POINT(walks_each_stretch_in_its_turn),
        POINT(follows_chunks_that_grew_together),
        POINT(counts_what_is_tracked_once),
        POINT(bears_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
