/* What the memory groups leave of memory, from files of both versions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/memory_room.h"

static char root[] = "/tmp/heaptop-room-XXXXXX";

static void put(const char *path, const char *text)
{
    char full[256];
    FILE *file;

    snprintf(full, sizeof(full), "%s/%s", root, path);
    file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void folder(const char *path)
{
    char full[256];

    snprintf(full, sizeof(full), "%s/%s", root, path);
    assert_int_equal(mkdir(full, 0700), 0);
}

static int begin(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    folder("a");
    folder("a/b");
    folder("memory");
    folder("memory/x");
    return 0;
}

static int end(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command);
}

/* The tightest of the group and those above it. */
static void test_version_2(void **state)
{
    struct memory_room room;

    (void)state;
    put("a/b/memory.max", "max\n");
    put("a/b/memory.current", "1000\n");
    room = memory_room_of_groups("0::/a/b\n", root);
    assert_false(reading_is_known(room.bytes));
    put("a/memory.max", "900000\n");
    put("a/memory.current", "800000\n");
    put("a/memory.stat", "anon 700000\ninactive_file 50000\nfile 60000\n");
    room = memory_room_of_groups("0::/a/b\n", root);
    assert_int_equal(room.bytes.value, 150000);
    assert_string_equal(room.who, "the memory group /a");
    put("a/b/memory.max", "2000\n");
    room = memory_room_of_groups("0::/a/b\n", root);
    assert_int_equal(room.bytes.value, 1000);
    assert_string_equal(room.who, "the memory group /a/b");
    put("a/b/memory.current", "3000\n"); /* over its limit */
    assert_int_equal(memory_room_of_groups("0::/a/b\n", root).bytes.value, 0);
}

static void test_version_1(void **state)
{
    struct memory_room room;

    (void)state;
    put("memory/memory.limit_in_bytes", "9223372036854771712\n"); /* no limit */
    put("memory/memory.usage_in_bytes", "500000\n");
    put("memory/x/memory.limit_in_bytes", "60000\n");
    put("memory/x/memory.usage_in_bytes", "50000\n");
    put("memory/x/memory.stat", "inactive_file 7\ntotal_inactive_file 4096\n");
    room = memory_room_of_groups("9:cpu,memory:/x\n3:pids:/y\n0::/\n", root);
    assert_int_equal(room.bytes.value, 14096);
    assert_string_equal(room.who, "the memory group /x");
}

static void test_nonsense(void **state)
{
    static const char *const texts[] = {"",           "0",       "0:",     "0::",
                                        "\n\n:::",    "x",       "0::a/b", "0::/../a",
                                        "1:memory:/", "9:memory"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_false(reading_is_known(memory_room_of_groups(texts[i], "/nowhere").bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version_2),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_nonsense),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
