/* Without pymalloc: parts, dicts and their tables near their owners, and far from them,
 * over several stretches, in a whole walk and in refreshes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_heap.h"
#include "fake_walk.h"

#define N           40
#define WINDOW      4096 /* so that the heap has some stretches */
#define ITEMS       14
#define LIST_CHUNK  64
#define ITEMS_CHUNK 128
#define OWNER_CHUNK 32
#define DICT_CHUNK  80
#define KEYS_CHUNK  176
#define KEYS_SIZE   (32 + 8 + 5 * 24)

static const struct walk_region heap = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};

struct fixture {
    struct fake_heap *fake;
    struct walk walk, other;  /* the other one keeps nothing */
    uint64_t lists[N], last;  /* GC heads */
    uint64_t owners[N], type; /* their type */
};

static uint64_t add_head(struct fixture *f, uint64_t bytes, uint64_t type)
{
    uint64_t head = fake_malloc(f->fake, GC_HEAD_BYTES + bytes);

    fake_u64(f->fake, f->last, head);
    fake_u64(f->fake, head, FAKE_GC);
    fake_u64(f->fake, head + 8, f->last);
    fake_u64(f->fake, FAKE_GC + 8, head);
    fake_object(f->fake, head + GC_HEAD_BYTES, type);
    return f->last = head;
}

static void add_items(struct fixture *f, uint64_t list)
{
    fake_u64(f->fake, list + GC_HEAD_BYTES + 24, fake_malloc(f->fake, ITEMS * 8));
    fake_u64(f->fake, list + GC_HEAD_BYTES + 32, ITEMS);
}

static void add_keys(struct fixture *f, uint64_t dict)
{
    uint64_t keys = fake_malloc(f->fake, KEYS_SIZE);

    fake_u64(f->fake, dict + GC_HEAD_BYTES + 32, keys);
    fake_u64(f->fake, keys, 1);
    fake_u64(f->fake, keys + 8, 3 | 3 << 8); /* log2 of its sizes; keys of any kind */
}

/* Half of them have it all at hand. */
static void fill(struct fixture *f)
{
    uint64_t dicts[N];

    f->last = FAKE_GC;
    for (int i = 0; i < N; i++) {
        f->lists[i] = add_head(f, 40, f->fake->list);
        if (i % 2)
            add_items(f, f->lists[i]);
        f->owners[i] = fake_malloc(f->fake, 24);
        fake_object(f->fake, f->owners[i], f->type);
        if (i % 2 == 0)
            continue;
        dicts[i] = add_head(f, 48, f->fake->dict);
        add_keys(f, dicts[i]);
    }
    for (int i = 0; i < N; i += 2) {
        dicts[i] = add_head(f, 48, f->fake->dict);
        add_items(f, f->lists[i]);
    }
    for (int i = 0; i < N; i += 2)
        add_keys(f, dicts[i]);
    for (int i = 0; i < N; i++)
        fake_u64(f->fake, f->owners[i] + 16, dicts[i] + GC_HEAD_BYTES);
    fake_u64(f->fake, f->fake->next_heap + 8,
             (FAKE_HEAP + FAKE_HEAP_BYTES - f->fake->next_heap) | 1);
}

static void open_walk(struct walk *walk, struct fake_heap *fake, bool is_refresh)
{
    walk_init(walk, fake->reader, &fake->layout, fake->type);
    walk->window_capacity = WINDOW;
    walk_set_refresh(walk, is_refresh, true);
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    f->fake->layout.has_pymalloc = false;
    f->fake->layout.has_gc = true;
    f->type = fake_static_type(f->fake, "owner", 24, 0, 0);
    fake_u64(f->fake, f->type + f->fake->layout.object.tp_dictoffset, 16);
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

static void each_has_what_is_its_own(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = walk_once(&f->other);
    struct kind_row lists = fake_row(section, "list");
    struct kind_row owners = fake_row(section, "owner");
    struct kind_row dicts = fake_row(section, "dict of owner");

    assert_string_equal(section->walk.method, "outside, malloc chunks");
    assert_true(f->other.stretches.n_fresh > 2);
    assert_int_equal(lists.count, N);
    assert_int_equal(lists.memory_bytes, N * (LIST_CHUNK + ITEMS_CHUNK));
    assert_int_equal(lists.parts_bytes, N * ITEMS_CHUNK);
    assert_int_equal(owners.memory_bytes, N * OWNER_CHUNK);
    assert_int_equal(dicts.count, N);
    assert_int_equal(dicts.tracked, N);
    assert_int_equal(dicts.memory_bytes, N * (DICT_CHUNK + KEYS_CHUNK));
    assert_int_equal(dicts.malloc_bytes, dicts.memory_bytes);
    assert_int_equal(dicts.size_bytes, N * (GC_HEAD_BYTES + 48 + KEYS_SIZE));
    assert_null(fake_row(section, "dict (no owner)").kind);
    objects_unref(section);
}

/* Nothing is left of the edges that lead to what is near. */
static void little_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_INIT;

    walk_set_regions(&f->other, &heap, 1);
    fake_learned(&f->other);
    assert_int_equal(walk_begin(&f->other, &err), 0);
    while (f->other.stage < WALK_OWNERS)
        walk_step(&f->other, 1);
    assert_int_equal(f->other.workers[0].edges.n_far, 0);
    assert_int_equal(f->other.workers[0].edges.n_far_dicts, 0);
    assert_in_range(edges_count_far(&f->other.workers[0].edges), N, N + 10);
    assert_int_equal(walk_stretches_count_dicts(&f->other), N);
    walk_step(&f->other, 0);
    objects_unref(walk_finish(&f->other));
}

static void refreshes_say_the_same(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *whole = walk_once(&f->other), *section;

    objects_unref(walk_once(&f->walk));
    for (int i = 0; i < KEPT_TURNS + 2; i++) {
        section = walk_once(&f->walk);
        assert_in_range(section->walk.kept_heap_bytes, WINDOW, FAKE_HEAP_BYTES);
        assert_true(section->walk.complete);
        assert_true(are_equal(section, whole));
        objects_unref(section);
    }
    objects_unref(whole);
}

/* Parts of what is kept that come to lie elsewhere, and dicts that change hands. */
static void changes_are_told_in_time(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *whole, *section;
    bool is_equal = false;
    uint64_t dict;

    for (int i = 0; i < 2; i++)
        objects_unref(walk_once(&f->walk));
    for (int i = 0; i + 1 < N; i += 4) {
        dict = fake_get(f->fake, f->owners[i] + 16);
        fake_u64(f->fake, f->owners[i] + 16, fake_get(f->fake, f->owners[i + 1] + 16));
        fake_u64(f->fake, f->owners[i + 1] + 16, dict);
        fake_u64(f->fake, f->lists[i] + GC_HEAD_BYTES + 24, 0);
        fake_u64(f->fake, f->lists[i] + GC_HEAD_BYTES + 32, 0);
    }
    for (int i = 1; i < N; i += 4)
        fake_u64(f->fake, f->owners[i] + 16, 0);
    whole = walk_once(&f->other);
    assert_int_equal(fake_row(whole, "dict of owner").count, N - N / 4);
    assert_int_equal(fake_row(whole, "dict (no owner)").count, N / 4);
    for (int i = 0; i < KEPT_TURNS && !is_equal; i++) {
        section = walk_once(&f->walk);
        is_equal = are_equal(section, whole);
        objects_unref(section);
    }
    assert_true(is_equal);
    objects_unref(whole);
}

int main(void)
{
#define POINT(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(each_has_what_is_its_own),
        POINT(little_is_remembered),
        POINT(refreshes_say_the_same),
        POINT(changes_are_told_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
