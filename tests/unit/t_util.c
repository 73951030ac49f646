/* Text, numbers as text, and memory: src/util. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "heaptop/err.h"
#include "heaptop/units.h"
#include "util/arena.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/window.h"

static void assert_clean(const char *raw, size_t length, const char *expected)
{
    struct strbuf out = STRBUF_INIT;

    utf8_clean(&out, raw, length);
    assert_string_equal(strbuf_text(&out), expected);
    strbuf_release(&out);
}

static void test_clean_keeps_text(void **state)
{
    (void)state;
    assert_clean("app.Größe", strlen("app.Größe"), "app.Größe");
    assert_clean("漢字", strlen("漢字"), "漢字");
    assert_clean("", 0, "");
}

static void test_clean_escapes_what_a_terminal_obeys(void **state)
{
    (void)state;
    assert_clean("a\033[2Jb", 6, "a\\x1b[2Jb");
    assert_clean("\xc2\x9b", 2, "\\xc2\\x9b");          /* C1 CSI */
    assert_clean("\xe2\x80\xae", 3, "\\xe2\\x80\\xae"); /* reorders the line */
    assert_clean("a\nb\0c", 5, "a\\x0ab\\x00c");
    assert_clean("\xff\xc0\xaf", 3, "\\xff\\xc0\\xaf"); /* never valid, overlong */
    assert_clean("\xed\xa0\x80", 3, "\\xed\\xa0\\x80"); /* a surrogate */
    assert_clean("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80"); /* beyond U+10FFFF */
    assert_clean("\xe6\xbc", 2, "\\xe6\\xbc");                   /* cut in the middle */
}

static void test_encode_is_the_inverse_of_decode(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10ffff; c += c < 0x3000 ? 1 : 97) {
        char bytes[4];
        size_t used, length = utf8_encode(bytes, c);
        uint32_t back = utf8_decode(bytes, length, &used);

        if (c >= 0xd800 && c <= 0xdfff)
            assert_int_equal(back, UTF8_INVALID);
        else
            assert_true(back == c && used == length);
    }
}

static void test_columns_and_cut(void **state)
{
    static const struct {
        const char *text;
        int columns;
        const char *cut;
    } cases[] = {
        {"abc", 3, "abc"},  {"abcd", 3, "ab~"}, {"漢字", 4, "漢字"},
        {"漢字", 3, "漢~"}, {"漢字", 2, " ~"},  {"e\xcc\x81x", 2, "e\xcc\x81x"},
        {"abc", 2, "a~"},   {"", 5, ""},
    };
    (void)state;

    assert_int_equal(utf8_columns("漢a"), 3);
    assert_int_equal(utf8_columns("e\xcc\x81"), 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct strbuf out = STRBUF_INIT;

        utf8_cut(&out, cases[i].text, cases[i].columns);
        assert_string_equal(strbuf_text(&out), cases[i].cut);
        strbuf_release(&out);
    }
}

static void test_bytes(void **state)
{
    static const struct {
        int64_t bytes;
        const char *text, *delta;
    } cases[] = {
        {0, "0", "+0"},
        {1023, "1023", "+1023"},
        {1024, "1.0K", "+1.0K"},
        {-432, "-432", "-432"},
        {1258291, "1.2M", "+1.2M"},
        {642147942, "612.4M", "+612.4M"},
        {2061584302, "1.92G", "+1.92G"},
        {1048575, "1.0M", "+1.0M"},
        {INT64_MIN, "-8.00E", "-8.00E"},
    };
    char text[UNITS_MAX];
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading = reading_exact(cases[i].bytes);

        assert_string_equal(units_bytes(text, reading), cases[i].text);
        assert_string_equal(units_bytes_delta(text, reading), cases[i].delta);
    }
}

static void test_certainty_is_shown(void **state)
{
    char text[UNITS_MAX];
    (void)state;

    assert_string_equal(units_bytes(text, reading_unknown()), "-");
    assert_string_equal(units_count(text, (struct reading){1204, READING_TORN}),
                        "1,204?");
    assert_string_equal(units_count(text, (struct reading){12, READING_ESTIMATE}), "~12");
    assert_string_equal(units_percent(text, reading_exact(33149)), "33.1");
}

static void test_counts_and_durations(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {0, "0.0us"},
        {38000, "38us"},
        {4100000, "4.1ms"},
        {41000000, "41ms"},
        {380000000, "0.38s"},
        {1810000000, "1.8s"},
        {41 * NS_PER_S, "41s"},
        {130 * NS_PER_S, "2m10s"},
        {(6 * 24 + 4) * 3600 * NS_PER_S, "6d04h"},
        {-1, "-"},
    };
    char text[UNITS_MAX];
    (void)state;

    assert_string_equal(units_count(text, reading_exact(2410882)), "2,410,882");
    assert_string_equal(units_count(text, reading_exact(-999)), "-999");
    assert_string_equal(units_count_delta(text, reading_exact(1204)), "+1,204");
    assert_string_equal(units_count_delta(text, reading_exact(0)), "+0");
    assert_string_equal(units_count_rate(text, reading_exact(0)), "+0");
    assert_string_equal(units_count_rate(text, reading_exact(17)), "+0.017");
    assert_string_equal(units_count_rate(text, reading_exact(-400)), "-0.4");
    assert_string_equal(units_count_rate(text, reading_exact(9949)), "+9.9");
    assert_string_equal(units_count_rate(text, reading_exact(9950)), "+10");
    assert_string_equal(units_count_rate(text, reading_exact(1204499)), "+1,204");
    assert_string_equal(units_bytes_rate(text, reading_exact(2500)), "+2.5");
    assert_string_equal(units_bytes_rate(text, reading_exact(-2048000)), "-2.0K");
    assert_string_equal(units_bytes_rate(text, reading_unknown()), "-");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_string_equal(units_duration(text, reading_exact(cases[i].ns)),
                            cases[i].text);
    assert_string_equal(units_iso8601(text, 1795269751120 * NS_PER_MS),
                        "2026-11-21T14:02:31.120Z");
}

static void test_cut_middle(void **state)
{
    static const struct {
        const char *text;
        int columns;
        const char *cut;
    } cases[] = {
        {"app.cache.Entry", 15, "app.cache.Entry"},
        {"app.models.cache.Entry", 13, "app.~he.Entry"},
        {"app.models.cache.Entry", 3, "~ry"},
        {"app.models.cache.Entry", 2, "a~"},
        {"app.models.cache.Entry", 0, ""},
        {"module.\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 7, "mo~\xe5\xad\x97\xe6\xbc\xa2"},
        {"module.\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 6, "m~\xe5\xad\x97\xe6\xbc\xa2"},
        {"module.\xe6\xbc\xa2\xe5\xad\x97\xe6\xbc\xa2", 5, "m~\xe6\xbc\xa2"},
    };
    struct strbuf out = STRBUF_INIT;
    (void)state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        strbuf_reset(&out);
        utf8_cut_middle(&out, cases[i].text, cases[i].columns);
        assert_string_equal(strbuf_text(&out), cases[i].cut);
    }
    strbuf_release(&out);
}

static void test_reading_difference(void **state)
{
    struct reading torn = {10, READING_TORN};
    (void)state;

    assert_int_equal(reading_difference(torn, reading_exact(3)).value, 7);
    assert_int_equal(reading_difference(torn, reading_exact(3)).state, READING_TORN);
    assert_false(reading_is_known(reading_difference(torn, reading_unknown())));
}

static void test_arena_is_bounded_and_zeroed(void **state)
{
    struct arena *arena = arena_new(100000);
    unsigned char *bytes;
    (void)state;

    bytes = arena_alloc(arena, 50000, 1);
    assert_non_null(bytes);
    for (int i = 0; i < 50000; i++)
        assert_int_equal(bytes[i], 0);
    assert_null(arena_alloc(arena, 60000, 1));
    assert_null(arena_alloc(arena, SIZE_MAX / 2, 4));
    assert_string_equal(arena_strdup(arena, "kept"), "kept");
    arena_free(arena);
}

static void test_errors_are_sentences(void **state)
{
    struct err err = ERR_INIT;
    (void)state;

    assert_int_equal(err_set_errno(&err, ERR_DENIED, 13, "cannot open %s", "maps"), -1);
    assert_string_equal(err.text, "cannot open maps: Permission denied");
    err_remedy(&err, "run as %s", "root");
    err_prefix(&err, "process %d", 7);
    assert_string_equal(err.text, "process 7: cannot open maps: Permission denied");
    assert_string_equal(err.remedy, "run as root");
}

/* What one gives the next one takes, when it is as large; the others are not kept. */
static void test_windows_are_used_in_turn(void **state)
{
    const size_t bytes = 1 << 16;
    uint8_t *windows[WINDOWS_KEPT + 2], *again;
    (void)state;

    for (size_t i = 0; i < WINDOWS_KEPT + 2; i++) {
        windows[i] = window_take(bytes);
        assert_non_null(windows[i]);
        memset(windows[i], (int)i, bytes);
    }
    assert_int_equal(windows_kept(), 0);
    for (size_t i = 0; i < WINDOWS_KEPT + 2; i++)
        window_give(windows[i], bytes);
    window_give(NULL, bytes);
    assert_int_equal(windows_kept(), WINDOWS_KEPT);
    again = window_take(bytes * 2);
    assert_int_equal(windows_kept(), WINDOWS_KEPT);
    window_give(again, bytes * 2);
    again = window_take(bytes);
    assert_ptr_equal(again, windows[0]);
    assert_int_equal(windows_kept(), WINDOWS_KEPT - 1);
    window_give(again, bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_keeps_text),
        cmocka_unit_test(test_clean_escapes_what_a_terminal_obeys),
        cmocka_unit_test(test_encode_is_the_inverse_of_decode),
        cmocka_unit_test(test_columns_and_cut),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_certainty_is_shown),
        cmocka_unit_test(test_counts_and_durations),
        cmocka_unit_test(test_cut_middle),
        cmocka_unit_test(test_reading_difference),
        cmocka_unit_test(test_arena_is_bounded_and_zeroed),
        cmocka_unit_test(test_errors_are_sentences),
        cmocka_unit_test(test_windows_are_used_in_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
