/* The walk without pymalloc over made-up memory: malloc's chunks, or the collector's
 * lists; what is counted, and what hostile memory does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "fake_heap.h"
#include "fake_walk.h"

#define N_LIST  40
#define N_STR   30
#define N_FLOAT 20

static const struct walk_region heap = {FAKE_HEAP, FAKE_HEAP + FAKE_HEAP_BYTES, true};

struct fixture {
    struct fake_heap *fake;
    struct walk walk;
    uint64_t lists[N_LIST], strs[N_STR], floats[N_FLOAT]; /* user addresses */
    uint32_t debug_prefix;
    const struct walk_region *region; /* NULL: along the lists */
};

/* A chunk, with what the debug hooks write in front when they are on. */
static uint64_t block(struct fixture *f, uint64_t bytes, char api)
{
    uint64_t extra = f->debug_prefix ? f->debug_prefix + 8 : 0;
    uint64_t user = fake_malloc(f->fake, bytes + extra);

    if (!f->debug_prefix)
        return user;
    fake_u64(f->fake, user, bytes);
    fake_u64(f->fake, user + 8, UINT64_C(0xfdfdfdfdfdfdfd00) | (uint8_t)api);
    return user + f->debug_prefix;
}

static void fill_lists(struct fixture *f)
{
    uint64_t previous = FAKE_GC;

    for (int i = 0; i < N_LIST; i++) {
        uint64_t head = f->lists[i] = block(f, 16 + 40, 'o');

        fake_u64(f->fake, previous, head);
        fake_u64(f->fake, head + 8, previous);
        fake_object(f->fake, head + 16, f->fake->list);
        previous = head;
    }
    fake_u64(f->fake, previous, FAKE_GC);
    fake_u64(f->fake, FAKE_GC + 8, previous);
}

static void fill(struct fixture *f)
{
    fill_lists(f);
    for (int i = 0; i < N_STR; i++) {
        f->strs[i] = block(f, 61, 'o');
        fake_str_at(f->fake, f->strs[i], "a short one");
    }
    for (int i = 0; i < N_FLOAT; i++) {
        f->floats[i] = block(f, 24, 'o');
        fake_object(f->fake, f->floats[i], f->fake->real);
    }
    fake_object(f->fake, block(f, 24, 'm'), f->fake->real + 8); /* no object */
    /* The top chunk reaches to the end. */
    fake_u64(f->fake, f->fake->next_heap + 8,
             (FAKE_HEAP + FAKE_HEAP_BYTES - f->fake->next_heap) | 1);
}

static struct fixture *fixture_new(uint32_t debug_prefix)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    f->fake = fake_heap_new();
    f->debug_prefix = debug_prefix;
    f->region = &heap;
    f->fake->layout.has_pymalloc = false;
    fill(f);
    walk_init(&f->walk, f->fake->reader, &f->fake->layout, f->fake->type);
    return f;
}

static int setup(void **state)
{
    *state = fixture_new(0);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    walk_release(&f->walk);
    fake_heap_free(f->fake);
    test_free(f);
    return 0;
}

static const struct objects_section *walk_whole(struct fixture *f)
{
    walk_set_regions(&f->walk, f->region, f->region ? 1 : 0);
    return fake_walk(&f->walk);
}

static void check_counts(const struct objects_section *section, uint64_t n_list,
                         uint64_t n_str, uint64_t n_float)
{
    assert_int_equal(fake_row(section, "list").count, n_list);
    assert_int_equal(fake_row(section, "str").count, n_str);
    assert_int_equal(fake_row(section, "float").count, n_float);
}

static void expect(struct fixture *f, uint64_t n_list, uint64_t n_str, uint64_t n_float)
{
    const struct objects_section *section = walk_whole(f);

    check_counts(section, n_list, n_str, n_float);
    objects_unref(section);
}

static void test_chunks(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = walk_whole(f);

    check_counts(section, N_LIST, N_STR, N_FLOAT);
    assert_string_equal(section->walk.method, "outside, malloc chunks");
    assert_true(section->walk.complete);
    assert_false(section->walk.tracked_only);
    assert_int_equal(fake_row(section, "list").tracked, N_LIST);
    assert_int_equal(fake_row(section, "list").memory_bytes, N_LIST * 64);
    assert_int_equal(fake_row(section, "str").memory_bytes, N_STR * 80);
    assert_int_equal(fake_row(section, "str").size_bytes, N_STR * (48 + 12));
    objects_unref(section);
}

static void test_debug_hooks(void **state)
{
    struct fixture *f = fixture_new(16);
    const struct objects_section *section = walk_whole(f);

    (void)state;
    check_counts(section, N_LIST, N_STR, N_FLOAT);
    assert_true(section->walk.complete);
    assert_int_equal(fake_row(section, "str").size_bytes, N_STR * (48 + 12));
    objects_unref(section);
    teardown((void **)&f);
}

/* What waits in tcache or a fastbin says "in use", as glibc leaves it. */
static void test_freed_a_moment_ago(void **state)
{
    struct fixture *f = *state;
    uint64_t key = UINT64_C(0x9d3c5a7e11223344);

    /* tcache: link, mangled as from glibc 2.32 on, and key. */
    fake_u64(f->fake, f->strs[0], f->strs[1] ^ f->strs[0] >> 12);
    fake_u64(f->fake, f->strs[0] + 8, key);
    fake_u64(f->fake, f->lists[3], f->lists[4] ^ f->lists[3] >> 12);
    fake_u64(f->fake, f->lists[3] + 8, key);
    fake_u64(f->fake, f->lists[2], f->lists[4]); /* it left its list first */
    fake_u64(f->fake, f->lists[4] + 8, f->lists[2]);
    /* fastbin: the link only; plain, and the last one of its bin. */
    fake_u64(f->fake, f->floats[0], f->floats[1] - 16);
    fake_u64(f->fake, f->floats[2], (f->floats[2] - 16) >> 12);
    expect(f, N_LIST - 1, N_STR - 1, N_FLOAT - 2);
}

/* A free chunk: its neighbour says so. */
static void test_free_chunks(void **state)
{
    struct fixture *f = *state;

    fake_u64(f->fake, f->strs[6] - 8, fake_get(f->fake, f->strs[6] - 8) & ~UINT64_C(1));
    expect(f, N_LIST, N_STR - 1, N_FLOAT);
}

/* A size that makes no sense: the chain goes on behind it, nothing counts twice. */
static void test_broken_chain(void **state)
{
    struct fixture *f = *state;
    const uint64_t wild[] = {0, 1, 17, UINT64_MAX, UINT64_MAX - 14, 1 << 20, 32 | 4};
    uint64_t at = f->strs[10] - 8, before = fake_get(f->fake, at);

    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        const struct objects_section *section;

        fake_u64(f->fake, at, wild[i]);
        section = walk_whole(f);
        assert_int_equal(fake_row(section, "list").count, N_LIST);
        assert_int_equal(fake_row(section, "float").count, N_FLOAT);
        assert_in_range(fake_row(section, "str").count, N_STR - 2, N_STR);
        assert_true(fake_row(section, "str").count < N_STR ? !section->walk.complete : 1);
        objects_unref(section);
    }
    fake_u64(f->fake, at, before);
    expect(f, N_LIST, N_STR, N_FLOAT);
}

/* The heap, and memory in which chunks of whole pages are. */
static const struct objects_section *walk_two_regions(struct fixture *f)
{
    const struct walk_region regions[] = {
        heap, {FAKE_ARENA, FAKE_ARENA + FAKE_ARENA_BYTES, false}};

    walk_set_regions(&f->walk, regions, 2);
    return fake_walk(&f->walk);
}

static void fill_mmapped_chunk(struct fixture *f)
{
    fake_u64(f->fake, FAKE_ARENA + 8192 + 8, 8192 | 2);
    fake_str_at(f->fake, FAKE_ARENA + 8192 + 16, "");
    fake_u64(f->fake, FAKE_ARENA + 8192 + 32, 8000);
}

static void test_mmapped_chunk(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    fill_mmapped_chunk(f);
    section = walk_two_regions(f);
    check_counts(section, N_LIST, N_STR + 1, N_FLOAT);
    assert_int_equal(fake_row(section, "str").memory_bytes, N_STR * 80 + 8192);
    objects_unref(section);
}

/* What the kernel says of a page, in a file that stands for pagemap. */
static void say(int fd, uint64_t address, uint64_t word)
{
    off_t at = (off_t)(address / PAGEMAP_PAGE_BYTES * sizeof(word));

    assert_int_equal(pwrite(fd, &word, sizeof(word), at), sizeof(word));
}

static void say_page(int fd, uint64_t page, uint64_t word)
{
    say(fd, FAKE_HEAP + page * PAGEMAP_PAGE_BYTES, word);
}

/* Headers on a page that is swapped out: what follows is counted, but not as a whole. */
static void test_headers_absent(void **state)
{
    struct fixture *f = *state;
    FILE *file = tmpfile();
    const struct objects_section *section;

    assert_non_null(file);
    for (uint64_t page = 0; page < FAKE_HEAP_BYTES / PAGEMAP_PAGE_BYTES; page++)
        say_page(fileno(file), page, UINT64_C(1) << 63);
    walk_set_pagemap(&f->walk, fileno(file));
    section = walk_whole(f);
    check_counts(section, N_LIST, N_STR, N_FLOAT);
    assert_true(section->walk.complete);
    assert_int_equal(section->walk.absent_chunks, 0);
    objects_unref(section);
    for (uint64_t page = 0; page < 2; page++) {
        say_page(fileno(file), page, UINT64_C(1) << 62);
        section = walk_whole(f);
        assert_false(section->walk.complete);
        assert_true(section->walk.absent_chunks > 0);
        assert_true(fake_row(section, "list").count < N_LIST ||
                    fake_row(section, "str").count < N_STR);
        objects_unref(section);
        say_page(fileno(file), page, UINT64_C(1) << 63);
    }
    fclose(file);
}

/* With two pages in front of the object of whole pages of which the kernel says that. */
static bool is_complete_behind(struct fixture *f, int fd, uint64_t first, uint64_t second)
{
    const struct objects_section *section;
    bool is_complete;

    say(fd, FAKE_ARENA, first);
    say(fd, FAKE_ARENA + PAGEMAP_PAGE_BYTES, second);
    section = walk_two_regions(f);
    check_counts(section, N_LIST, N_STR + 1, N_FLOAT);
    is_complete = section->walk.complete;
    objects_unref(section);
    return is_complete;
}

/* Guard pages hold nothing, as what was never touched; one that is swapped out may hold
 * an object, wherever it stands among those. */
static void test_guard_pages(void **state)
{
    const uint64_t guard = PAGEMAP_SWAPPED | PAGEMAP_GUARD | 0x9f;
    struct fixture *f = *state;
    FILE *file = tmpfile();
    int fd = fileno(file);

    for (uint64_t at = 0; at < FAKE_HEAP_BYTES; at += PAGEMAP_PAGE_BYTES)
        say(fd, FAKE_HEAP + at, PAGEMAP_PRESENT);
    for (uint64_t at = 0; at < FAKE_ARENA_BYTES; at += PAGEMAP_PAGE_BYTES)
        say(fd, FAKE_ARENA + at, at < 16384 ? PAGEMAP_PRESENT : 0);
    fill_mmapped_chunk(f);
    walk_set_pagemap(&f->walk, fd);
    assert_true(is_complete_behind(f, fd, guard, 0));
    assert_true(is_complete_behind(f, fd, 0, guard));
    assert_false(is_complete_behind(f, fd, PAGEMAP_SWAPPED, 0));
    assert_false(is_complete_behind(f, fd, 0, PAGEMAP_SWAPPED));
    assert_false(is_complete_behind(f, fd, guard, PAGEMAP_SWAPPED));
    fclose(file);
}

/* A type that could not be read is none, as is any stray word that leads to unmapped
 * memory: its kind is missing as a whole. Nothing else may be missing. */
static void check_kinds_whole(const struct objects_section *section)
{
    uint64_t n_list = fake_row(section, "list").count,
             n_str = fake_row(section, "str").count,
             n_float = fake_row(section, "float").count;

    assert_true(!n_list || n_list == N_LIST);
    assert_true(!n_str || n_str == N_STR);
    assert_true(!n_float || n_float == N_FLOAT);
}

/* Any one read may fail: no crash, never too many, never whole when it is not. */
static void test_every_read_fails_once(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = walk_whole(f);
    uint64_t count = section->count, calls = f->fake->reader->calls;

    objects_unref(section);
    for (uint64_t n = 1; n <= calls; n++) {
        struct err err = ERR_INIT;

        walk_release(&f->walk);
        walk_init(&f->walk, f->fake->reader, &f->fake->layout, f->fake->type);
        reader_image_fail_at(f->fake->reader, n);
        walk_set_regions(&f->walk, &heap, 1);
        if (!walk_begin(&f->walk, &err)) {
            assert_true(walk_step(&f->walk, 0));
            section = walk_finish(&f->walk);
            assert_true(section->count <= count);
            if (section->walk.complete)
                check_kinds_whole(section);
            objects_unref(section);
        }
        reader_image_fail_at(f->fake->reader, 0);
    }
    expect(f, N_LIST, N_STR, N_FLOAT);
}

static const struct objects_section *walk_lists(struct fixture *f)
{
    const struct objects_section *section;

    f->region = NULL;
    section = walk_whole(f);
    assert_string_equal(section->walk.method, "outside, gc lists");
    assert_true(section->walk.tracked_only);
    assert_false(section->walk.complete);
    return section;
}

static void test_lists(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section = walk_lists(f);

    check_counts(section, N_LIST, 0, 0);
    assert_int_equal(section->walk.open_links, 0);
    objects_unref(section);
}

/* Links to nowhere, one of each object: told, and what both sides reach is counted. */
static void test_wild_links(void **state)
{
    struct fixture *f = *state;
    const uint64_t wild[] = {FAKE_HEAP + 8, FAKE_STATICS, UINT64_C(0x7fff00000000),
                             FAKE_ARENA};

    for (size_t i = 0; i < sizeof(wild) / sizeof(wild[0]); i++) {
        const struct objects_section *section;

        fake_u64(f->fake, f->lists[20], wild[i]);
        section = walk_lists(f);
        check_counts(section, N_LIST, 0, 0);
        assert_true(section->walk.open_links > 0);
        objects_unref(section);
    }
}

/* The last ones lead round and round without the head. */
static void test_cycle_without_head(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    fake_u64(f->fake, f->lists[N_LIST - 1], f->lists[N_LIST - 5]);
    section = walk_lists(f);
    check_counts(section, N_LIST, 0, 0);
    assert_true(section->walk.open_links > 0);
    objects_unref(section);
}

/* Each object links to itself: the ends are seen, and the walk ends. */
static void test_links_to_self(void **state)
{
    struct fixture *f = *state;
    const struct objects_section *section;

    f->region = NULL;
    for (int i = 10; i < N_LIST - 10; i++) {
        fake_u64(f->fake, f->lists[i], f->lists[i]);
        fake_u64(f->fake, f->lists[i] + 8, f->lists[i]);
    }
    section = walk_lists(f);
    assert_in_range(fake_row(section, "list").count, 20, 22);
    objects_unref(section);
}

static void test_no_lists(void **state)
{
    struct fixture *f = *state;
    struct err err = ERR_INIT;

    fake_u64(f->fake, FAKE_GC, FAKE_GC);
    assert_int_equal(walk_begin(&f->walk, &err), -1);
    assert_true(err.text[0]);
}

int main(void)
{
#define POINT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        POINT(test_chunks),
        cmocka_unit_test(test_debug_hooks),
        POINT(test_freed_a_moment_ago),
        POINT(test_free_chunks),
        POINT(test_broken_chain),
        POINT(test_mmapped_chunk),
        POINT(test_headers_absent),
        POINT(test_guard_pages),
        POINT(test_every_read_fails_once),
        POINT(test_lists),
        POINT(test_wild_links),
        POINT(test_cycle_without_head),
        POINT(test_links_to_self),
        POINT(test_no_lists),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
