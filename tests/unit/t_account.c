/* The account's pure parts: sums, stretches of pages, chains of chunks, their caches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layout/malloc_layout.h"
#include "model/account.h"
#include "source/account_claims.h"
#include "source/malloc_pass.h"

#define PAGE       UINT64_C(4096)
#define HEAP       UINT64_C(0x10000000)
#define HEAP_BYTES (64 * PAGE)

static void test_parts_close(void **state)
{
    struct account_section account = {.res_bytes = 1000};
    (void)state;

    account.parts[PART_OBJECTS].resident = 600;
    account.parts[PART_NATIVE].resident = 300;
    account_close(&account);
    assert_int_equal(account.unexplained_bytes, 100);
    account_split_large(&account, 200, true);
    assert_int_equal(account.parts[PART_NATIVE].resident, 100);
    assert_int_equal(account.parts[PART_PYTHON_LARGE].resident, 200);
    /* More than there is cannot be taken. */
    account_split_large(&account, 1000, true);
    assert_int_equal(account.parts[PART_NATIVE].resident, 0);
    assert_int_equal(account.parts[PART_PYTHON_LARGE].resident, 300);
    account_close(&account);
    assert_int_equal(account.unexplained_bytes, 100);
}

static void test_restart_is_what_is_left(void **state)
{
    struct account_section account = {.res_bytes = 1000};
    (void)state;

    account_predict_restart(&account);
    assert_false(reading_is_known(account.restart_bytes));
    account.parts[PART_FREE_BLOCKS].resident = 100;
    account.parts[PART_MALLOC_FREE].resident = 50;
    account.trim_bytes = reading_exact(40);
    account_predict_restart(&account);
    assert_int_equal(account.restart_bytes.value, 110);
    account.collect_trim_bytes = reading_exact(1000);
    account_predict_restart(&account);
    assert_int_equal(account.restart_bytes.value, 0);
}

/* A sentence for each reason, of three lines beside a name of the pane; and a name. */
static void test_reasons_are_all_there(void **state)
{
    (void)state;
    assert_null(account_garbage_why_name(GARBAGE_WHY_UNTOLD));
    for (enum garbage_why why = 0; why < GARBAGE_WHYS; why++) {
        const char *text = account_garbage_why_text(why);

        assert_non_null(text);
        assert_int_equal(strncmp(text, "not known", 9), 0);
        assert_in_range(strlen(text), 20, 160);
        for (enum garbage_why other = 1; other < why; other++) {
            assert_string_not_equal(account_garbage_why_name(why),
                                    account_garbage_why_name(other));
            assert_string_not_equal(text, account_garbage_why_text(other));
        }
    }
}

static void test_names_are_all_there(void **state)
{
    (void)state;
    for (int i = 0; i < ACCOUNT_PARTS; i++) {
        assert_non_null(account_part_name((enum account_part)i));
        assert_non_null(account_part_title((enum account_part)i));
    }
}

static void test_pages_are_found_again(void **state)
{
    struct residency pages = {0};
    struct residency_bytes bytes;
    bool is_resident;
    (void)state;

    assert_true(residency_add(&pages, 10 * PAGE, 12 * PAGE, false, false));
    assert_true(residency_add(&pages, 12 * PAGE, 13 * PAGE, false, false));
    assert_true(residency_add(&pages, 13 * PAGE, 14 * PAGE, true, false));
    assert_true(residency_add(&pages, 20 * PAGE, 21 * PAGE, false, true));
    assert_int_equal(pages.count, 3);
    bytes = residency_of(&pages, 0, 100 * PAGE);
    assert_int_equal(bytes.resident, 4 * PAGE);
    assert_int_equal(bytes.swapped, PAGE);
    assert_int_equal(bytes.file, PAGE);
    bytes = residency_of(&pages, 11 * PAGE + 100, 11 * PAGE + 300);
    assert_int_equal(bytes.resident, 200);
    assert_int_equal(residency_of(&pages, 14 * PAGE, 20 * PAGE).resident, 0);
    /* Backwards too: the hint only helps. */
    assert_int_equal(residency_of(&pages, 10 * PAGE, 11 * PAGE).resident, PAGE);
    assert_int_equal(residency_stretch(&pages, 10 * PAGE, 100 * PAGE, &is_resident),
                     3 * PAGE);
    assert_true(is_resident);
    residency_stretch(&pages, 13 * PAGE, 100 * PAGE, &is_resident);
    assert_false(is_resident);
    assert_int_equal(residency_stretch(&pages, 14 * PAGE, 100 * PAGE, &is_resident),
                     6 * PAGE);
    assert_false(is_resident);
    residency_release(&pages);
}

/* ---- chunks in an image of a heap ---- */

struct fake {
    uint8_t *bytes;
    struct image_segment segment;
    struct reader *reader;
    struct residency pages;
    struct malloc_heap heap;
    struct malloc_heaps heaps;
    uint64_t at;
    bool last_is_used;
};

static void fake_begin(struct fake *fake)
{
    memset(fake, 0, sizeof(*fake));
    fake->bytes = calloc(1, HEAP_BYTES);
    fake->segment = (struct image_segment){raddr_of(HEAP), fake->bytes, HEAP_BYTES};
    fake->reader = reader_image_new(&fake->segment, 1);
    fake->heap = (struct malloc_heap){HEAP, HEAP + HEAP_BYTES, HEAP, 0};
    fake->heaps = (struct malloc_heaps){.heaps = &fake->heap, .count = 1};
    fake->last_is_used = true;
    residency_add(&fake->pages, HEAP, HEAP + HEAP_BYTES, false, false);
}

static void fake_end(struct fake *fake)
{
    reader_close(fake->reader);
    residency_release(&fake->pages);
    free(fake->bytes);
}

static void put(struct fake *fake, uint64_t offset, uint64_t word)
{
    memcpy(fake->bytes + offset, &word, sizeof(word));
}

/* The next chunk; gives its address. */
static uint64_t add_chunk(struct fake *fake, uint64_t bytes, bool is_used)
{
    uint64_t offset = fake->at;

    put(fake, offset + 8, bytes | (fake->last_is_used ? CHUNK_PREV_IN_USE : 0));
    fake->at += bytes;
    fake->last_is_used = is_used;
    return HEAP + offset;
}

static void add_top(struct fake *fake)
{
    add_chunk(fake, HEAP_BYTES - fake->at, false);
}

static void run_pass(struct malloc_pass *pass)
{
    int steps = 0;

    malloc_pass_begin(pass);
    while (malloc_pass_step(pass))
        assert_true(++steps < 1000);
}

static void test_chunks_are_told_apart(void **state)
{
    struct malloc_pass pass;
    struct fake fake;
    (void)state;

    fake_begin(&fake);
    for (int i = 0; i < 8; i++)
        add_chunk(&fake, 112, true);
    add_chunk(&fake, 3 * PAGE, false); /* free: 896 .. */
    add_chunk(&fake, 64, true);
    add_top(&fake);
    assert_true(malloc_pass_init(&pass, fake.reader, &fake.pages, &fake.heaps));
    run_pass(&pass);
    assert_int_equal(pass.n_rows, 1);
    assert_int_equal(pass.rows[0].used_bytes, 8 * 112 + 64);
    assert_int_equal(pass.rows[0].free_bytes, 3 * PAGE);
    assert_int_equal(pass.rows[0].top_bytes, HEAP_BYTES - 8 * 112 - 64 - 3 * PAGE);
    assert_int_equal(pass.used_chunks, 9);
    assert_int_equal(pass.lost_bytes, 0);
    assert_int_equal(pass.memory.used.resident + pass.memory.free.resident +
                         pass.memory.top.resident,
                     HEAP_BYTES);
    /* 896 + 48 up to the page, to 896 + 3 pages down: two pages; and the top's. */
    assert_int_equal(malloc_pass_trim_bytes(&pass),
                     2 * PAGE + ((pass.rows[0].top_bytes - 33) & ~(PAGE - 1)));
    malloc_pass_release(&pass);
    fake_end(&fake);
}

static void test_what_will_be_freed_merges(void **state)
{
    struct malloc_pass pass;
    uint64_t before, chunk;
    struct fake fake;
    (void)state;

    fake_begin(&fake);
    for (int i = 0; i < 6; i++)
        add_chunk(&fake, 64, true);
    add_chunk(&fake, 2048, false);
    chunk = add_chunk(&fake, 4 * PAGE, true);
    add_chunk(&fake, 2048, false);
    add_chunk(&fake, 64, true);
    add_top(&fake);
    assert_true(malloc_pass_init(&pass, fake.reader, &fake.pages, &fake.heaps));
    run_pass(&pass);
    before = malloc_pass_trim_bytes(&pass);
    assert_true(chunk_set_add(&pass.freed, chunk));
    chunk_set_sort(&pass.freed);
    run_pass(&pass);
    /* 5 pages from 384 on: four whole ones. */
    assert_int_equal(malloc_pass_trim_bytes(&pass) - before, 4 * PAGE);
    malloc_pass_release(&pass);
    fake_end(&fake);
}

static void test_cached_chunks_are_free(void **state)
{
    struct malloc_pass pass;
    struct fake fake;
    uint64_t tcache, first, second;
    (void)state;

    fake_begin(&fake);
    tcache = add_chunk(&fake, 0x290, true);
    first = add_chunk(&fake, 48, true);
    second = add_chunk(&fake, 48, true);
    for (int i = 0; i < 6; i++)
        add_chunk(&fake, 64, true);
    add_top(&fake);
    /* Two entries in the list of chunks of 48: counts, heads, a mangled link. */
    fake.bytes[tcache - HEAP + CHUNK_HEADER + 2] = 2;
    put(&fake, tcache - HEAP + CHUNK_HEADER + 128 + 8, first + CHUNK_HEADER);
    put(&fake, first - HEAP + CHUNK_HEADER,
        (second + CHUNK_HEADER) ^ (first + CHUNK_HEADER) >> 12);
    put(&fake, second - HEAP + CHUNK_HEADER, (second + CHUNK_HEADER) >> 12);
    assert_true(malloc_pass_init(&pass, fake.reader, &fake.pages, &fake.heaps));
    run_pass(&pass);
    assert_int_equal(pass.tcache.count, 2);
    assert_int_equal(pass.rows[0].cached_bytes, 96);
    assert_int_equal(pass.rows[0].used_bytes, 0x290 + 6 * 64);
    malloc_pass_release(&pass);
    fake_end(&fake);
}

static void test_a_broken_chain_goes_on(void **state)
{
    struct malloc_pass pass;
    struct fake fake;
    uint64_t broken;
    (void)state;

    fake_begin(&fake);
    for (int i = 0; i < 20; i++)
        add_chunk(&fake, 64, true);
    broken = add_chunk(&fake, 64, true);
    for (int i = 0; i < 20; i++)
        add_chunk(&fake, 64, true);
    add_top(&fake);
    put(&fake, broken - HEAP + 8, 7);
    assert_true(malloc_pass_init(&pass, fake.reader, &fake.pages, &fake.heaps));
    run_pass(&pass);
    assert_int_equal(pass.lost_bytes, 64);
    assert_int_equal(pass.rows[0].used_bytes, 40 * 64);
    malloc_pass_release(&pass);
    fake_end(&fake);
}

/* Whatever stands in a heap, the pass ends, and no byte is counted twice. */
static void test_noise_ends(void **state)
{
    uint32_t seed = 12345;
    (void)state;

    for (int round = 0; round < 50; round++) {
        struct malloc_pass pass;
        struct fake fake;

        fake_begin(&fake);
        for (uint64_t i = 0; i < HEAP_BYTES; i += 8) {
            seed = seed * 1664525 + 1013904223;
            put(&fake, i, seed % 3 ? seed % 4096 : seed);
        }
        assert_true(malloc_pass_init(&pass, fake.reader, &fake.pages, &fake.heaps));
        run_pass(&pass);
        assert_true(pass.memory.used.resident + pass.memory.free.resident +
                        pass.memory.top.resident + pass.memory.other.resident <=
                    HEAP_BYTES);
        malloc_pass_release(&pass);
        fake_end(&fake);
    }
}

static void test_each_byte_has_one_owner(void **state)
{
    static const char text[] = "00010000-00020000 rw-p 00000000 00:00 0\n"
                               "00020000-00030000 r--p 00000000 08:01 7 /lib/a.so\n"
                               "00030000-00040000 rw-p 00000000 00:00 0 [stack]\n"
                               "00040000-00050000 rw-s 00000000 00:01 9 /dev/shm/x\n";
    struct account_bytes parts[ACCOUNT_PARTS] = {{0, 0}};
    struct account_claims claims = {0};
    struct residency pages = {0};
    struct maps maps;
    uint64_t sum = 0;
    (void)state;

    maps_parse(&maps, text, sizeof(text) - 1);
    residency_add(&pages, 0x10000, 0x20000, false, false);
    residency_add(&pages, 0x20000, 0x28000, false, true);
    residency_add(&pages, 0x28000, 0x30000, false, false);
    residency_add(&pages, 0x30000, 0x31000, false, false);
    residency_add(&pages, 0x40000, 0x50000, false, true);
    account_claims_add(&claims, CLAIM_STACK, 0x18000, 0x1a000, "thread stacks");
    account_claims_add(&claims, CLAIM_IMAGE, 0x20000, 0x30000, "/lib/a.so");
    account_claims_sort(&claims);
    account_claims_count(&claims, &maps, &pages, true, parts);
    for (int i = 0; i < ACCOUNT_PARTS; i++)
        sum += parts[i].resident;
    assert_int_equal(sum, pages.resident_bytes);
    assert_int_equal(parts[PART_THREAD_STACKS].resident, 0x3000);
    assert_int_equal(parts[PART_IMAGE_DATA].resident, 0x8000);
    assert_int_equal(parts[PART_FILES].resident, 0x18000);
    assert_int_equal(parts[PART_PRIVATE].resident, 0xe000);
    account_claims_release(&claims);
    residency_release(&pages);
    maps_release(&maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_close),
        cmocka_unit_test(test_restart_is_what_is_left),
        cmocka_unit_test(test_reasons_are_all_there),
        cmocka_unit_test(test_names_are_all_there),
        cmocka_unit_test(test_pages_are_found_again),
        cmocka_unit_test(test_chunks_are_told_apart),
        cmocka_unit_test(test_what_will_be_freed_merges),
        cmocka_unit_test(test_cached_chunks_are_free),
        cmocka_unit_test(test_a_broken_chain_goes_on),
        cmocka_unit_test(test_noise_ends),
        cmocka_unit_test(test_each_byte_has_one_owner),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
