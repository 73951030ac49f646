/* Which pages are present: what the words say, and reads that leave the others alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target/maps.h"
#include "target/pagemap.h"
#include "target/residency.h"

#define PRESENT (UINT64_C(1) << 63)
#define SWAPPED (UINT64_C(1) << 62)
#define PAGES   1000
#define START   (UINT64_C(100) * PAGEMAP_PAGE_BYTES)

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static void test_words(void **state)
{
    const uint64_t words[] = {PRESENT, PRESENT | 77,      SWAPPED,
                              0,       PRESENT | SWAPPED, PRESENT};

    (void)state;
    assert_true(pagemap_word_is_present(words[1]));
    assert_false(pagemap_word_is_present(SWAPPED | 5));
    assert_false(pagemap_word_is_present(0));
    assert_true(pagemap_word_is_swapped(SWAPPED | 5));
    assert_false(pagemap_word_is_swapped(SWAPPED | PAGEMAP_GUARD | 0x9f));
    assert_int_equal(pagemap_same(words, 0, 6), 2);
    assert_int_equal(pagemap_same(words, 2, 6), 3);
    assert_int_equal(pagemap_same(words, 5, 6), 1);
    assert_int_equal(pagemap_same(words, 6, 6), 0);
}

/* A pagemap of 100 + PAGES pages: of each ten, three are absent. */
static FILE *made_up_pagemap(void)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    for (uint64_t page = 0; page < 100 + PAGES; page++) {
        uint64_t word = page % 10 < 7 ? PRESENT | page : page % 10 == 8 ? SWAPPED : 0;

        assert_int_equal(fwrite(&word, sizeof(word), 1, file), 1);
    }
    fflush(file);
    return file;
}

static void test_runs(void **state)
{
    FILE *file = made_up_pagemap();
    struct pagemap pagemap;
    uint64_t present = 0, absent = 0;
    bool is_present;

    (void)state;
    pagemap_init(&pagemap, fileno(file));
    assert_int_equal(pagemap_run(&pagemap, START + 100, 1 << 20, &is_present),
                     7 * 4096 - 100);
    assert_true(is_present);
    for (uint64_t at = 0; at < PAGES * PAGEMAP_PAGE_BYTES;) {
        uint64_t run = pagemap_run(&pagemap, START + at, PAGES * PAGEMAP_PAGE_BYTES - at,
                                   &is_present);

        assert_true(run > 0);
        *(is_present ? &present : &absent) += run;
        at += run;
    }
    assert_int_equal(present, 700 * PAGEMAP_PAGE_BYTES);
    assert_int_equal(absent, 300 * PAGEMAP_PAGE_BYTES);
    fclose(file);
}

/* By words, as a file answers no request for a scan. */
static void test_next_present(void **state)
{
    const uint64_t page = PAGEMAP_PAGE_BYTES, end = START + PAGES * page;
    FILE *file = made_up_pagemap();
    struct pagemap pagemap;

    (void)state;
    pagemap_init(&pagemap, fileno(file));
    assert_int_equal(pagemap_next_present(&pagemap, START + 100, end), START + 100);
    assert_int_equal(pagemap_next_present(&pagemap, START + 7 * page + 8, end),
                     START + 10 * page);
    assert_int_equal(pagemap_next_present(&pagemap, end - 3 * page, end), end);
    assert_int_equal(pagemap_next_present(&pagemap, end, end), end);
    assert_true(pagemap_has_swapped(&pagemap, START + 7 * page, START + 9 * page));
    assert_false(pagemap_has_swapped(&pagemap, START + 9 * page, START + 18 * page));
    assert_true(pagemap.has_no_scan);
    pagemap_init(&pagemap, -1);
    assert_int_equal(pagemap_next_present(&pagemap, START, end), START);
    assert_false(pagemap_has_swapped(&pagemap, START, end));
    fclose(file);
}

/* As this kernel says it of 16 TiB, one page of which was touched. */
static void test_next_present_in_a_reservation(void **state)
{
    const uint64_t bytes = UINT64_C(16) << 40, touched = UINT64_C(9) << 40;
    uint8_t *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t start = (uintptr_t)memory, first;
    struct pagemap pagemap;

    (void)state;
    if (memory == MAP_FAILED)
        skip(); /* a limit of address space */
    memory[touched] = 1;
    pagemap_init(&pagemap, open("/proc/self/pagemap", O_RDONLY));
    first = pagemap_next_present(&pagemap, start, start + bytes);
    if (pagemap.has_no_scan) {
        assert_true(first < start + touched);
    } else {
        assert_int_equal(first, start + touched);
        first = pagemap_next_present(&pagemap, first + 4096, start + bytes);
        assert_int_equal(first, start + bytes);
        assert_false(pagemap_has_swapped(&pagemap, start, start + bytes));
    }
    close(pagemap.fd);
    munmap(memory, bytes);
}

/* Pages of a file, and those that are swapped out or absent, are not written. */
static void test_written_runs(void **state)
{
    const uint64_t words[] = {PRESENT, PRESENT, PRESENT | PAGEMAP_FILE,
                              SWAPPED, 0,       PRESENT};
    FILE *file = tmpfile();
    struct pagemap pagemap;
    bool is_written;

    (void)state;
    assert_non_null(file);
    assert_int_equal(fwrite(words, sizeof(words), 1, file), 1);
    fflush(file);
    pagemap_init(&pagemap, fileno(file));
    assert_int_equal(pagemap_run_written(&pagemap, 8, 6 * 4096 - 8, &is_written),
                     2 * 4096 - 8);
    assert_true(is_written);
    assert_int_equal(pagemap_run_written(&pagemap, 2 * 4096, 3 * 4096, &is_written),
                     3 * 4096);
    assert_false(is_written);
    assert_int_equal(pagemap_run_written(&pagemap, 5 * 4096 + 8, 16, &is_written), 16);
    assert_true(is_written);
    pagemap_init(&pagemap, -1);
    assert_int_equal(pagemap_run_written(&pagemap, 8, 1 << 20, &is_written), 1 << 20);
    assert_true(is_written);
    fclose(file);
}

static void test_read_leaves_absent_pages(void **state)
{
    static uint8_t memory[PAGES * PAGEMAP_PAGE_BYTES], buffer[sizeof(memory)];
    struct image_segment segment = {{START}, memory, sizeof(memory)};
    struct reader *reader = reader_image_new(&segment, 1);
    FILE *file = made_up_pagemap();
    struct pagemap pagemap;
    uint64_t absent = 0;

    (void)state;
    memset(memory, 0x5a, sizeof(memory));
    memset(buffer, 1, sizeof(buffer));
    pagemap_init(&pagemap, fileno(file));
    assert_int_equal(
        pagemap_read(&pagemap, reader, START, buffer, sizeof(buffer), &absent), 0);
    assert_int_equal(absent, 300 * PAGEMAP_PAGE_BYTES);
    for (size_t page = 0; page < PAGES; page++)
        assert_int_equal(buffer[page * 4096 + 4095], page % 10 < 7 ? 0x5a : 0);
    assert_int_equal(reader->read_bytes, 700 * PAGEMAP_PAGE_BYTES);
    reader_close(reader);
    fclose(file);
}

/* Nobody says: everything is read, as before. */
static void test_without_pagemap(void **state)
{
    static uint8_t memory[3 * 4096], buffer[sizeof(memory)];
    struct image_segment segment = {{START}, memory, sizeof(memory)};
    struct reader *reader = reader_image_new(&segment, 1);
    int fds[2];
    struct pagemap pagemap;
    uint64_t absent = 0;

    (void)state;
    memset(memory, 7, sizeof(memory));
    assert_int_equal(pipe(fds), 0);
    for (int i = 0; i < 2; i++) {
        memset(buffer, 0, sizeof(buffer));
        pagemap_init(&pagemap, i ? fds[0] : -1); /* a pipe cannot be asked by offset */
        assert_int_equal(
            pagemap_read(&pagemap, reader, START, buffer, sizeof(buffer), &absent), 0);
        assert_memory_equal(buffer, memory, sizeof(memory));
        assert_int_equal(absent, 0);
    }
    close(fds[0]);
    close(fds[1]);
    reader_close(reader);
}

static void check_residency(int fd, uint64_t start, uint64_t pages, uint64_t resident,
                            uint64_t swapped)
{
    struct mapping mapping = {
        .start = start, .end = start + pages * PAGEMAP_PAGE_BYTES, .path = ""};
    const struct maps maps = {&mapping, 1, false, NULL};
    struct residency residency = {0};
    struct err err = ERR_INIT;

    assert_int_equal(residency_scan(&residency, fd, &maps, &err), 0);
    assert_int_equal(residency.resident_bytes, resident * PAGEMAP_PAGE_BYTES);
    assert_int_equal(residency.swapped_bytes, swapped * PAGEMAP_PAGE_BYTES);
    residency_release(&residency);
}

/* A file answers no request for a scan: its words are read. */
static void test_residency_by_words(void **state)
{
    const uint64_t words[] = {PRESENT, SWAPPED | PAGEMAP_GUARD | 0x9f, SWAPPED, 0};
    FILE *file = tmpfile();

    (void)state;
    assert_non_null(file);
    assert_int_equal(fwrite(words, sizeof(words), 1, file), 1);
    fflush(file);
    check_residency(fileno(file), 0, 4, 1, 1);
    fclose(file);
}

/* As this kernel says it of a guard page of our own. */
static void test_residency_with_a_guard(void **state)
{
    size_t bytes = 8 * PAGEMAP_PAGE_BYTES;
    uint8_t *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/proc/self/pagemap", O_RDONLY);
    uint64_t word;

    (void)state;
    assert_true(memory != MAP_FAILED);
    assert_true(fd >= 0);
    memset(memory, 1, 3 * PAGEMAP_PAGE_BYTES);
    if (madvise(memory + PAGEMAP_PAGE_BYTES, PAGEMAP_PAGE_BYTES, MADV_GUARD_INSTALL))
        skip(); /* before Linux 6.13 */
    assert_int_equal(pread(fd, &word, 8, (off_t)((uintptr_t)memory / 4096 + 1) * 8), 8);
    if (!(word & PAGEMAP_GUARD))
        skip(); /* and 6.15 */
    check_residency(fd, (uintptr_t)memory, 8, 2, 0);
    munmap(memory, bytes);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_next_present),
        cmocka_unit_test(test_next_present_in_a_reservation),
        cmocka_unit_test(test_written_runs),
        cmocka_unit_test(test_read_leaves_absent_pages),
        cmocka_unit_test(test_without_pagemap),
        cmocka_unit_test(test_residency_by_words),
        cmocka_unit_test(test_residency_with_a_guard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
