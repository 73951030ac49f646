/* Bytes to key names: sequences of several terminals, halves, mouse, paste, rubbish. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tui/command.h"
#include "tui/keys.h"
#include "util/strbuf.h"

/* All keys of the bytes as names, separated by blanks. */
static void assert_keys(const char *bytes, const char *expected)
{
    struct keys keys = {{0}, 0, false, false};
    struct strbuf names = STRBUF_INIT;
    struct key key;

    assert_int_equal(keys_put(&keys, bytes, strlen(bytes)), strlen(bytes));
    for (int turn = 0; turn < 2; turn++) {
        while (keys_next(&keys, &key))
            strbuf_addf(&names, "%s%s", names.length ? " " : "", key.name);
        keys_flush(&keys);
    }
    assert_int_equal(keys.length, 0);
    assert_string_equal(strbuf_text(&names), expected);
    strbuf_release(&names);
}

static void test_plain(void **state)
{
    (void)state;
    assert_keys("q/\\ +", "q / \\ Space +");
    assert_keys("\t\r\n\x7f\b\f\x1a\x03", "Tab Enter Enter Backspace Backspace ^L ^Z ^C");
    assert_keys("\u00e9\u6f22", "\u00e9 \u6f22");
    assert_keys("a\xc3(\xff"
                "b",
                "a ( b");
    assert_keys("\xe2\x80\xae"
                "x",
                "x"); /* right-to-left override */
}

static void test_sequences(void **state)
{
    (void)state;
    assert_keys("\x1b[A\x1bOB\x1b[1;5C\x1b[D", "Up Down Right Left");
    assert_keys("\x1b[H\x1b[F\x1b[1~\x1b[4~\x1b[7~\x1bOF", "Home End Home End Home End");
    assert_keys("\x1b[5~\x1b[6~\x1b[3~\x1b[2~", "PgUp PgDn Delete Insert");
    assert_keys("\x1bOP\x1b[11~\x1b[[A\x1b[20~\x1b[21~\x1b[24~", "F1 F1 F1 F9 F10 F12");
    assert_keys("\x1b[Z", "BackTab");
}

static void test_escape(void **state)
{
    (void)state;
    assert_keys("\x1b", "Esc");
    assert_keys("\x1b\x1b", "Esc Esc");
    assert_keys("\x1bq", "Esc q");
    /* Unknown and half sequences are never letters. */
    assert_keys("\x1b[99~\x1b[?1;2c\x1b[>0q-", "-");
    assert_keys("\x1b[12", "");
    assert_keys("\x1b[1\x03", "^C");
    assert_keys("\x1b[9999999999999999999999~x", "x");
}

static void test_halves_wait(void **state)
{
    struct keys keys = {{0}, 0, false, false};
    struct key key;
    (void)state;

    keys_put(&keys, "\x1b", 1);
    assert_false(keys_next(&keys, &key));
    assert_true(keys_wait_ms(&keys) > 0);
    keys_put(&keys, "[5", 2);
    assert_false(keys_next(&keys, &key));
    keys_put(&keys, "~\xe6\xbc", 3);
    assert_true(keys_next(&keys, &key));
    assert_string_equal(key.name, "PgUp");
    assert_false(keys_next(&keys, &key));
    keys_put(&keys, "\xa2", 1);
    assert_true(keys_next(&keys, &key));
    assert_string_equal(key.text, "\u6f22");
    assert_int_equal(keys_wait_ms(&keys), -1);
}

static struct key only_key(const char *bytes)
{
    struct keys keys = {{0}, 0, false, false};
    struct key key;

    memset(&key, 0, sizeof(key));
    keys_put(&keys, bytes, strlen(bytes));
    if (!keys_next(&keys, &key))
        memset(&key, 0, sizeof(key));
    return key;
}

static void test_mouse(void **state)
{
    (void)state;
    struct key key = only_key("\x1b[<0;12;5M");
    assert_int_equal(key.mouse, KEY_MOUSE_LEFT);
    assert_int_equal(key.x, 11);
    assert_int_equal(key.y, 4);
    assert_int_equal(only_key("\x1b[<64;1;1M").mouse, KEY_MOUSE_WHEEL_UP);
    assert_int_equal(only_key("\x1b[<65;1;1M").mouse, KEY_MOUSE_WHEEL_DOWN);
    assert_int_equal(only_key("\x1b[<0;12;5m").mouse, KEY_MOUSE_NONE);
    assert_int_equal(only_key("\x1b[<35;12;5M").mouse, KEY_MOUSE_NONE);
    assert_int_equal(only_key("\x1b[<0;0;5M").mouse, KEY_MOUSE_NONE);
    key = only_key("\x1b[M !\"");
    assert_int_equal(key.mouse, KEY_MOUSE_LEFT);
    assert_int_equal(key.y, 1);
}

static void test_paste(void **state)
{
    struct keys keys = {{0}, 0, false, false};
    struct key key;
    (void)state;

    keys_put(&keys, "\x1b[200~c\x1b[201~y", 14);
    assert_true(keys_next(&keys, &key));
    assert_string_equal(key.name, "c");
    assert_true(key.is_pasted);
    assert_true(keys_next(&keys, &key));
    assert_string_equal(key.name, "y");
    assert_false(key.is_pasted);
    keys_put(&keys, "\x1b[200~", 6);
    assert_false(keys_next(&keys, &key));
    /* A paste whose end is lost does not hold the keys for ever. */
    keys_flush(&keys);
    keys_put(&keys, "q", 1);
    assert_true(keys_next(&keys, &key));
    assert_false(key.is_pasted);
}

static void test_rubbish(void **state)
{
    struct keys keys = {{0}, 0, false, false};
    struct key key;
    unsigned seed = 1;
    (void)state;

    for (int turn = 0; turn < 200000; turn++) {
        seed = seed * 1103515245u + 12345u;
        unsigned char byte = (unsigned char)(seed >> 16);

        if (seed & 0x1000)
            byte = (unsigned char)"\x1b[<;M~O09"[byte % 9];
        assert_int_equal(keys_put(&keys, &byte, 1), 1);
        while (keys_next(&keys, &key)) {
            assert_true(strlen(key.name) < sizeof(key.name));
            assert_true(strlen(key.text) < sizeof(key.text));
            assert_true(key.mouse == KEY_MOUSE_NONE || (key.x >= 0 && key.y >= 0));
        }
        assert_true(keys.length < sizeof(keys.bytes));
        if (turn % 97 == 0)
            keys_flush(&keys);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),   cmocka_unit_test(test_sequences),
        cmocka_unit_test(test_escape),  cmocka_unit_test(test_halves_wait),
        cmocka_unit_test(test_mouse),   cmocka_unit_test(test_paste),
        cmocka_unit_test(test_rubbish),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
