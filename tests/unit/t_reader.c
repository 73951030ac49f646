/* Readers: this process read live, holes included; images with faults. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/procfs.h"
#include "target/maps.h"
#include "target/pagemap.h"
#include "target/reader.h"
#include "target/shared_pages.h"
#include "target/vectors.h"

#define PAGE     4096
#define N_PIECES 3000

static struct raddr address_of(const void *memory)
{
    return raddr_of((uint64_t)(uintptr_t)memory);
}

static struct reader *open_self(int mem_fd)
{
    struct reader *reader = NULL;
    struct err err;

    assert_int_equal(reader_live_open(getpid(), mem_fd, &reader, &err), 0);
    return reader;
}

static uint64_t own_start_ticks(void)
{
    char text[PROCFS_TEXT_BYTES];
    struct procfs_stat stat;

    assert_true(procfs_read_file("self/stat", text, sizeof(text)) > 0 &&
                procfs_parse_stat(text, &stat));
    return stat.start_ticks;
}

static void test_live_read(void **state)
{
    struct reader *reader = open_self(-1);
    char text[] = "what is here", copy[sizeof(text)];
    uint64_t word = UINT64_C(0x1122334455667788), got;
    uint32_t half;
    struct err err;

    (void)state;
    assert_int_equal(reader_read(reader, address_of(text), copy, sizeof(copy)), 0);
    assert_string_equal(copy, text);
    assert_true(reader_u64(reader, address_of(&word), &got));
    assert_true(got == word);
    assert_true(reader_u32(reader, address_of(&word), &half));
    assert_int_equal(half, 0x55667788);
    assert_int_equal(reader_read(reader, raddr_of(16), copy, 1), -1);
    assert_int_equal(reader_read(reader, raddr_of(UINT64_MAX - 2), copy, 8), -1);
    assert_int_equal(reader_read(reader, raddr_of(16), copy, 0), 0);
    assert_int_equal(reader_fetch(reader, raddr_of(16), copy, 4, "a thing", &err), -1);
    assert_string_equal(err.text, "cannot read a thing of the target at 0x10");
    assert_true(reader_string(reader, address_of(text), copy, sizeof(copy)));
    assert_false(reader_string(reader, address_of(text), copy, 5));
    assert_true(reader->read_bytes > 0 && reader->calls > 0);
    reader_close(reader);
}

/* Page i of `area` is a hole when i is a multiple of 7. */
static char *area_with_holes(size_t pages)
{
    char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(area, MAP_FAILED);
    for (size_t i = 0; i < pages; i++)
        memset(area + i * PAGE, (int)(i % 251), PAGE);
    for (size_t i = 0; i < pages; i += 7)
        assert_int_equal(munmap(area + i * PAGE, PAGE), 0);
    return area;
}

static void check_scattered(struct reader *reader)
{
    struct piece *pieces = calloc(N_PIECES, sizeof(*pieces));
    unsigned char *bytes = calloc(N_PIECES, 64);
    char *area = area_with_holes(N_PIECES); /* last: nothing may fall into its holes */
    size_t expected = 0, got;

    for (size_t i = 0; i < N_PIECES; i++)
        pieces[i] = (struct piece){address_of(area + i * PAGE + i % 4000), bytes + i * 64,
                                   i % 60 + 1, true};
    for (size_t i = 0; i < N_PIECES; i++)
        expected += i % 7 != 0;
    got = reader_readv(reader, pieces, N_PIECES);
    assert_int_equal(got, expected);
    for (size_t i = 0; i < N_PIECES; i++) {
        assert_int_equal(pieces[i].done, i % 7 != 0);
        if (pieces[i].done) {
            assert_int_equal(bytes[i * 64], i % 251);
            assert_int_equal(bytes[i * 64 + i % 60], i % 251);
        }
    }
    munmap(area, (size_t)N_PIECES * PAGE);
    free(pieces);
    free(bytes);
}

static void test_live_readv(void **state)
{
    struct reader *reader = open_self(-1);

    (void)state;
    check_scattered(reader);
    reader_close(reader);
}

/* A piece that begins in memory and ends in a hole is not done; the next ones are. */
static void test_live_straddle(void **state)
{
    struct reader *reader = open_self(-1);
    char *area = area_with_holes(15), buffer[4][3 * PAGE];
    struct piece pieces[] = {
        {address_of(area + 1 * PAGE), buffer[0], 3 * PAGE, false},
        {address_of(area + 6 * PAGE + 10), buffer[1], PAGE, false},
        {address_of(area + 8 * PAGE), buffer[2], 3 * PAGE, false},
        {address_of(area), buffer[3], 0, false},
    };

    (void)state;
    assert_int_equal(reader_readv(reader, pieces, 4), 3);
    assert_true(pieces[0].done && !pieces[1].done && pieces[2].done && pieces[3].done);
    assert_int_equal(buffer[2][3 * PAGE - 1], 10);
    assert_int_equal(
        reader_read(reader, address_of(area + 6 * PAGE + 10), buffer[1], PAGE), -1);
    munmap(area, (size_t)15 * PAGE);
    reader_close(reader);
}

static int open_of(pid_t pid, const char *name)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void await(int ready[2])
{
    char byte;

    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
}

/* A child's: says that it is ready, if it is, and stays. */
static void stay(int ready[2], bool is_ready)
{
    char byte = 0;

    alarm(30); /* does not outlive a test that fails */
    if (!is_ready || write(ready[1], &byte, 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

/* With privileges dropped only the kept descriptor of /proc/PID/mem still reads. */
static void test_live_descriptor(void **state)
{
    char *area = area_with_holes(15), bytes[4 * PAGE];
    struct piece pieces[] = {
        {address_of(area + 1 * PAGE), bytes, 2 * PAGE, false},
        {address_of(area + 7 * PAGE), bytes, 1, false},
        {address_of(area + 9 * PAGE + 4095), bytes + 3 * PAGE, 1, false},
    };
    struct reader *reader = NULL;
    struct err err;
    pid_t child;
    int mem_fd, ready[2];

    (void)state;
    if (geteuid())
        skip();
    assert_int_equal(pipe(ready), 0);
    child = fork();
    /* What was mapped since, by a sanitizer or the C library, may lie there. */
    if (!child)
        stay(ready, munmap(area + 7 * PAGE, PAGE) == 0);
    await(ready);
    mem_fd = open_of(child, "mem");
    assert_int_equal(setresuid(65534, 65534, 0), 0);
    assert_int_equal(reader_live_open(child, -1, &reader, &err), -1);
    assert_int_equal(err.code, ERR_DENIED);
    assert_int_equal(reader_live_open(child, mem_fd, &reader, &err), 0);
    assert_int_equal(setresuid(0, 0, 0), 0);
    assert_int_equal(reader_readv(reader, pieces, 3), 2);
    assert_true(pieces[0].done && !pieces[1].done && pieces[2].done);
    assert_int_equal(bytes[PAGE], 2);
    assert_int_equal(bytes[3 * PAGE], 9);
    assert_int_equal(reader_read(reader, address_of(area + 6 * PAGE), bytes, 2 * PAGE),
                     -1);
    assert_int_equal(reader_read(reader, raddr_of(UINT64_MAX - 1), bytes, 1), -1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* The descriptor belongs to the memory that is gone, not to the number. */
    assert_int_equal(reader_read(reader, address_of(area + 1 * PAGE), bytes, 1), -1);
    reader_close(reader);
    close(mem_fd);
    munmap(area, (size_t)15 * PAGE);
}

/* A child whose first half of the area is shared with its parent, the second its own. */
static pid_t forked(char *area, size_t half)
{
    int ready[2];
    pid_t child;

    assert_int_equal(pipe(ready), 0);
    child = fork();
    if (!child) {
        memset(area + half, 3, half);
        stay(ready, true);
    }
    await(ready);
    return child;
}

/* Memory that is shared with a parent is shared still when it has been read. */
static void test_live_shared(void **state)
{
    const size_t half = (size_t)64 * PAGE;
    char *area =
        mmap(NULL, 2 * half, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *copy = malloc(2 * half);
    struct reader *reader = NULL;
    struct err err;
    int mem_fd, pagemap_fd;
    pid_t child;

    (void)state;
    assert_true(area != MAP_FAILED && copy);
    memset(area, 2, 2 * half);
    child = forked(area, half);
    mem_fd = open_of(child, "mem");
    pagemap_fd = open_of(child, "pagemap");
    assert_int_equal(reader_live_open(child, mem_fd, &reader, &err), 0);
    reader_live_spare(reader, true, pagemap_fd);
    assert_int_equal(reader_read(reader, address_of(area), copy, 2 * half), 0);
    assert_int_equal(reader_read(reader, address_of(area + half), copy + half, half), 0);
    assert_true(copy[0] == 2 && copy[half - 1] == 2 && copy[half] == 3);
    assert_true(shared_pages_none(pagemap_fd, (uintptr_t)area + half, half));
    for (size_t at = 0; at < half; at += PAGE)
        assert_false(shared_pages_none(pagemap_fd, (uintptr_t)area + at, 1));
    assert_false(shared_pages_none(pagemap_fd, (uintptr_t)area, 2 * half));
    assert_false(shared_pages_none(-1, (uintptr_t)area + half, half));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    reader_close(reader);
    close(mem_fd);
    close(pagemap_fd);
    free(copy);
    munmap(area, 2 * half);
}

/* Two halves: one written, one read only. */
static char *half_read(size_t half)
{
    volatile char *area =
        mmap(NULL, 2 * half, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_true(area != MAP_FAILED);
    madvise((char *)area, 2 * half, MADV_NOHUGEPAGE);
    for (size_t at = 0; at < half; at += PAGE)
        area[at] = 2;
    for (size_t at = half; at < 2 * half; at += PAGE)
        assert_int_equal(area[at], 0);
    return (char *)area;
}

/* Memory that was only read is the kernel's page of zeros: it is shared with nobody, and
 * the fast way makes no copy of it. */
static void test_zeros_are_not_shared(void **state)
{
    const size_t half = (size_t)64 * PAGE;
    char *area = half_read(half), *copy = malloc(half);
    struct mapping mapping = {.start = (uintptr_t)area,
                              .end = (uintptr_t)area + 2 * half,
                              .is_readable = true,
                              .is_writable = true,
                              .path = ""};
    const struct maps maps = {.mappings = &mapping, .count = 1};
    int pagemap_fd = open_of(getpid(), "pagemap");
    struct pagemap pagemap;
    struct reader *reader = NULL;
    struct err err;
    pid_t child;

    (void)state;
    pagemap_init(&pagemap, pagemap_fd);
    pagemap_all_present(&pagemap, (uintptr_t)area, (uintptr_t)area + half);
    /* An older kernel cannot tell them apart. */
    assert_int_equal(shared_pages_any(pagemap_fd, &maps), pagemap.has_no_scan);
    assert_int_equal(reader_live_open(getpid(), -1, &reader, &err), 0);
    assert_int_equal(reader_read(reader, address_of(area + half), copy, half), 0);
    for (size_t at = half; at < 2 * half; at += PAGE)
        assert_false(shared_pages_none(pagemap_fd, (uintptr_t)area + at, 1));
    child = forked(area, PAGE);
    assert_true(shared_pages_any(pagemap_fd, &maps)); /* with the child */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    reader_close(reader);
    close(pagemap_fd);
    free(copy);
    munmap(area, 2 * half);
}

static void test_gone(void **state)
{
    struct reader *reader = NULL;
    struct err err = ERR_INIT;

    (void)state;
    assert_int_equal(reader_live_open(0x3ffffff, -1, &reader, &err), -1);
    assert_int_equal(err.code, ERR_GONE);
}

static void test_image(void **state)
{
    static const char first[] = "0123456789", second[] = "abc";
    const struct image_segment segments[] = {
        {{0x1000}, first, 10},
        {{UINT64_MAX - 2}, second, 3},
    };
    struct reader *reader = reader_image_new(segments, 2);
    char buffer[16] = "";
    struct piece pieces[] = {
        {{0x1008}, buffer, 2, false},
        {{0x1009}, buffer, 2, false},
        {{0x1000}, buffer + 4, 1, false},
    };

    (void)state;
    assert_int_equal(reader_read(reader, raddr_of(0x1002), buffer, 8), 0);
    assert_memory_equal(buffer, "23456789", 8);
    assert_int_equal(reader_read(reader, raddr_of(0x1002), buffer, 9), -1);
    assert_int_equal(reader_read(reader, raddr_of(0xfff), buffer, 2), -1);
    assert_int_equal(reader_read(reader, raddr_of(UINT64_MAX - 2), buffer, 3), 0);
    assert_int_equal(reader_read(reader, raddr_of(UINT64_MAX - 2), buffer, 16), -1);
    assert_int_equal(reader_readv(reader, pieces, 3), 2);
    assert_true(pieces[0].done && !pieces[1].done && pieces[2].done);
    reader_close(reader);
}

static void test_image_faults(void **state)
{
    const struct image_segment segment = {{0x1000}, "0123456789", 10};
    struct reader *reader = reader_image_new(&segment, 1);
    char byte;

    (void)state;
    reader_image_fail_at(reader, 2);
    assert_int_equal(reader_read(reader, raddr_of(0x1000), &byte, 1), 0);
    assert_int_equal(reader_read(reader, raddr_of(0x1000), &byte, 1), -1);
    assert_int_equal(reader_read(reader, raddr_of(0x1000), &byte, 1), 0);
    reader_close(reader);
}

/* Each page is read once; around a hole, and from an image that ends inside a page,
 * only what is there. */
static void test_kept(void **state)
{
    static uint8_t bytes[3 * PAGE + 100], copy[PAGE];
    const struct image_segment segment = {raddr_of(0x10000), bytes, sizeof(bytes)};
    struct reader *under = reader_image_new(&segment, 1);
    struct reader *kept = reader_kept_new(under, NULL);
    uint64_t calls;

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i / 7);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + PAGE - 10), copy, 20), 0);
    assert_memory_equal(copy, bytes + PAGE - 10, 20);
    calls = under->calls;
    assert_int_equal(calls, 2);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + 50), copy, PAGE), 0);
    assert_memory_equal(copy, bytes + 50, PAGE);
    assert_int_equal(under->calls, calls);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + 3 * PAGE), copy, 100), 0);
    assert_memory_equal(copy, bytes + 3 * PAGE, 100);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + 3 * PAGE), copy, 101), -1);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 - 1), copy, 2), -1);
    reader_close(kept);
    reader_close(under);
}

/* The few pages that were read last, until they are to be forgotten. */
static void test_pages(void **state)
{
    static uint8_t bytes[80 * PAGE];
    uint8_t copy[2 * PAGE];
    struct image_segment segment = {{0x10000}, bytes, 70 * PAGE + 100};
    struct reader *under = reader_image_new(&segment, 1);
    struct reader *pages = reader_pages_new(under);

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 7 + i / PAGE);
    /* Two pages for what lies across them, none for what is there. */
    reader_pages_mark(pages);
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + PAGE - 10), copy, 20), 0);
    assert_memory_equal(copy, bytes + PAGE - 10, 20);
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + 50), copy, PAGE), 0);
    assert_memory_equal(copy, bytes + 50, PAGE);
    assert_int_equal(under->calls, 2);
    assert_false(reader_pages_was_older(pages));
    reader_pages_mark(pages);
    assert_false(reader_pages_was_older(pages));
    bytes[60]++; /* in a page that is kept */
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + 60), copy, 1), 0);
    assert_int_equal((uint8_t)(copy[0] + 1), bytes[60]);
    assert_true(reader_pages_was_older(pages));
    reader_pages_forget(pages);
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + 60), copy, 1), 0);
    assert_int_equal(copy[0], bytes[60]);
    /* Long reads go straight; another page comes into its slot. */
    under->calls = 0;
    assert_int_equal(reader_read(pages, raddr_of(0x10000), copy, 2 * PAGE), 0);
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + 64 * PAGE), copy, 8), 0);
    assert_memory_equal(copy, bytes + 64 * PAGE, 8);
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + 8), copy, 8), 0);
    assert_memory_equal(copy, bytes + 8, 8);
    assert_int_equal(under->calls, 3);
    /* A page that cannot be read as a whole is read in part. */
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + 70 * PAGE), copy, 100), 0);
    assert_memory_equal(copy, bytes + 70 * PAGE, 100);
    assert_int_equal(reader_read(pages, raddr_of(0x10000 + 70 * PAGE), copy, 101), -1);
    reader_close(pages);
    reader_close(under);
}

/* Neighbours come along, but only those of the same mapping. */
static void test_kept_neighbours(void **state)
{
    static uint8_t bytes[6 * PAGE], copy[PAGE];
    const struct image_segment segment = {raddr_of(0x10000), bytes, sizeof(bytes)};
    struct mapping mappings[] = {
        {.start = 0x10000, .end = 0x10000 + 2 * PAGE, .path = "", .is_readable = true},
        {.start = 0x10000 + 2 * PAGE,
         .end = 0x10000 + 6 * PAGE,
         .path = "",
         .is_readable = true},
        {.start = 0x10000 + 6 * PAGE, .end = 0x10000 + 7 * PAGE, .path = ""},
    };
    const struct maps maps = {.mappings = mappings, .count = 3};
    struct reader *under = reader_image_new(&segment, 1);
    struct reader *kept = reader_kept_new(under, &maps);

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i / 7);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + PAGE), copy, 8), 0);
    assert_int_equal(under->read_bytes, 2 * PAGE);
    assert_int_equal(reader_read(kept, raddr_of(0x10000), copy, 8), 0);
    assert_int_equal(under->calls, 1);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + 3 * PAGE - 3), copy, 6), 0);
    assert_memory_equal(copy, bytes + 3 * PAGE - 3, 6);
    assert_int_equal(under->calls, 2);
    assert_int_equal(under->read_bytes, 4 * PAGE);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + 5 * PAGE), copy, 6), 0);
    assert_memory_equal(copy, bytes + 5 * PAGE, 6);
    assert_int_equal(under->calls, 3);
    assert_int_equal(under->read_bytes, 6 * PAGE);
    assert_int_equal(reader_read(kept, raddr_of(0x10000 + 6 * PAGE), copy, 8), -1);
    reader_close(kept);
    reader_close(under);
}

/* What the helper's child reads is what is there; it notices the end of the memory. */
static void test_vectors(void **state)
{
    char *area = area_with_holes(15), bytes[40 * 8];
    struct piece pieces[40];
    struct vectors *vectors;
    uint64_t start_ticks = own_start_ticks();
    size_t settled;

    (void)state;
    assert_null(vectors_open(getpid(), start_ticks + 1));
    vectors = vectors_open(getpid(), start_ticks);
    assert_non_null(vectors);
    for (size_t i = 0; i < 40; i++)
        pieces[i] =
            (struct piece){address_of(area + PAGE + i * 100), bytes + 8 * i, 8, false};
    assert_int_equal(vectors_read(vectors, pieces, 40), 40);
    for (size_t i = 0; i < 40; i++)
        assert_true(pieces[i].done && !memcmp(bytes + 8 * i, area + PAGE + i * 100, 8));
    assert_int_equal(vectors_read(vectors, pieces, VECTORS_FEWEST - 1), 0);
    for (size_t i = 0; i < 40; i++)
        pieces[i].done = false;
    pieces[30].address = address_of(area + 7 * PAGE); /* a hole */
    settled = vectors_read(vectors, pieces, 40);
    assert_int_equal(settled, 31);
    assert_true(pieces[29].done && !pieces[30].done && !pieces[31].done);
    vectors_close(vectors);
    munmap(area, (size_t)15 * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_live_read),
        cmocka_unit_test(test_live_readv),
        cmocka_unit_test(test_live_straddle),
        cmocka_unit_test(test_live_descriptor),
        cmocka_unit_test(test_live_shared),
        cmocka_unit_test(test_zeros_are_not_shared),
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_image),
        cmocka_unit_test(test_image_faults),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_kept_neighbours),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_vectors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
