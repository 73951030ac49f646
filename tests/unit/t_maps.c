/* /proc/PID/maps: good text, torn text, nonsense; and our own, live. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/maps.h"

static const char good[] =
    "00400000-0041f000 r--p 00000000 fd:01 1234                       "
    "/usr/bin/python3.11\n"
    "0041f000-006d2000 r-xp 0001f000 fd:01 1234                       "
    "/usr/bin/python3.11\n"
    "01a00000-01c00000 rw-p 00000000 00:00 0                          [heap]\n"
    "7f0000000000-7f0000001000 rw-p 00000000 00:00 0 \n"
    "7f0000001000-7f0000002000 rw-s 00000000 00:01 77                 /dev/shm/a b "
    "(deleted)\n"
    "7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0                  [stack]\n"
    "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n";

static void test_parse(void **state)
{
    struct maps maps;

    (void)state;
    maps_parse(&maps, good, sizeof(good) - 1);
    assert_int_equal(maps.count, 7);
    assert_false(maps.cut);
    assert_int_equal(maps.mappings[0].start, 0x400000);
    assert_int_equal(maps.mappings[1].offset, 0x1f000);
    assert_int_equal(maps.mappings[1].inode, 1234);
    assert_int_equal(maps.mappings[1].device_major, 0xfd);
    assert_int_equal(maps.mappings[1].device_minor, 1);
    assert_true(maps.mappings[1].is_executable);
    assert_false(maps.mappings[1].is_writable);
    assert_string_equal(maps.mappings[0].path, "/usr/bin/python3.11");
    assert_string_equal(maps.mappings[3].path, "");
    assert_string_equal(maps.mappings[4].path, "/dev/shm/a b (deleted)");
    assert_true(maps.mappings[4].is_shared);
    assert_true(maps.mappings[6].end == UINT64_C(0xffffffffff601000));
    maps_release(&maps);
    assert_int_equal(maps.count, 0);
}

static void test_find(void **state)
{
    struct maps maps;

    (void)state;
    maps_parse(&maps, good, sizeof(good) - 1);
    assert_ptr_equal(maps_find(&maps, raddr_of(0x400000)), &maps.mappings[0]);
    assert_ptr_equal(maps_find(&maps, raddr_of(0x41efff)), &maps.mappings[0]);
    assert_ptr_equal(maps_find(&maps, raddr_of(0x41f000)), &maps.mappings[1]);
    assert_null(maps_find(&maps, raddr_of(0x6d2000)));
    assert_null(maps_find(&maps, raddr_of(0)));
    assert_null(maps_find(&maps, raddr_of(UINT64_MAX)));
    maps_release(&maps);
}

static void test_anonymous(void **state)
{
    struct maps maps;

    (void)state;
    maps_parse(&maps, good, sizeof(good) - 1);
    assert_false(mapping_is_anonymous(&maps.mappings[0]));
    assert_true(mapping_is_anonymous(&maps.mappings[2]));
    assert_true(mapping_is_anonymous(&maps.mappings[3]));
    assert_false(mapping_is_anonymous(&maps.mappings[4]));
    assert_true(mapping_is_anonymous(&maps.mappings[5]));
    assert_false(mapping_is_anonymous(&maps.mappings[6]));
    maps_release(&maps);
}

static void test_nonsense(void **state)
{
    static const char *const lines[] = {
        "",
        "\n\n\n",
        "-",
        "1000-",
        "1000-2000",
        "1000-2000 rw-p",
        "zz-yy rw-p 0 0:0 0",
        "2000-1000 rw-p 00000000 00:00 0 \n",
        "1000-1000 rw-p 00000000 00:00 0 \n",
        "11112222333344445-2 rw-p 00000000 00:00 0 \n",
        "1000-2000 rw-p 00000000 100000000:00 0 \n",
        "1000-2000 rw-p 0 00:00 12x /a\n",
        "1000-2000 rw-pp00000000 00:00 0 \n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        struct maps maps;

        maps_parse(&maps, lines[i], strlen(lines[i]));
        if (maps.count)
            fail_msg("a mapping was made of \"%s\"", lines[i]);
        maps_release(&maps);
    }
}

static void test_skips_torn(void **state)
{
    static const char text[] = "1000-3000 rw-p 00000000 00:00 0 \n"
                               "2000-4000 rw-p 00000000 00:00 0 \n"
                               "garbage\n"
                               "500-600 rw-p 00000000 00:00 0 \n"
                               "4000-5000 r--p 00000000 00:00 0";
    struct maps maps;

    (void)state;
    maps_parse(&maps, text, sizeof(text) - 1);
    assert_int_equal(maps.count, 2);
    assert_int_equal(maps.mappings[1].start, 0x4000);
    assert_string_equal(maps.mappings[1].path, "");
    maps_release(&maps);
}

static void test_limit(void **state)
{
    size_t lines = MAPS_LIMIT + 5, used = 0, size = lines * 48;
    char *text = malloc(size);
    struct maps maps;

    (void)state;
    for (size_t i = 0; i < lines; i++)
        used +=
            (size_t)snprintf(text + used, size - used, "%zx-%zx r--p 00000000 00:00 0 \n",
                             (i + 1) * 4096, (i + 2) * 4096);
    maps_parse(&maps, text, used);
    assert_int_equal(maps.count, MAPS_LIMIT);
    assert_true(maps.cut);
    maps_release(&maps);
    free(text);
}

/* Our own map: a function, a variable and a local stand where they should. */
static void test_live(void **state)
{
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    const struct mapping *mapping;
    struct maps maps;
    struct err err;

    (void)state;
    assert_int_equal(maps_read(&maps, fd, &err), 0);
    mapping = maps_find(&maps, raddr_of((uint64_t)(uintptr_t)&test_live));
    assert_non_null(mapping);
    assert_true(mapping->is_executable);
    mapping = maps_find(&maps, raddr_of((uint64_t)(uintptr_t)&fd));
    assert_non_null(mapping);
    assert_true(mapping_is_anonymous(mapping));
    maps_release(&maps);
    /* The descriptor is kept: it is read again from its beginning. */
    assert_int_equal(maps_read(&maps, fd, &err), 0);
    assert_true(maps.count > 5);
    maps_release(&maps);
    close(fd);
    assert_int_equal(maps_read(&maps, fd, &err), -1);
    maps_release(&maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),      cmocka_unit_test(test_find),
        cmocka_unit_test(test_anonymous),  cmocka_unit_test(test_nonsense),
        cmocka_unit_test(test_skips_torn), cmocka_unit_test(test_limit),
        cmocka_unit_test(test_live),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
