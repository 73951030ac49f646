/* The line editor: whole characters, limits, and what it tells its owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tui/prompt.h"

static enum prompt_result press(struct prompt *prompt, const char *bytes)
{
    struct keys keys = {{0}, 0, false, false};
    struct key key;
    enum prompt_result result = PROMPT_SAME;

    keys_put(&keys, bytes, strlen(bytes));
    for (int turn = 0; turn < 2; turn++) {
        while (keys_next(&keys, &key))
            result = prompt_key(prompt, &key);
        keys_flush(&keys);
    }
    return result;
}

static void test_editing(void **state)
{
    struct prompt prompt;
    (void)state;

    prompt_init(&prompt, "Find: ", "abc");
    assert_int_equal(press(&prompt, "d"), PROMPT_EDITED);
    assert_string_equal(prompt.text, "abcd");
    assert_int_equal(press(&prompt, "\x1b[D\x1b[D"), PROMPT_SAME);
    press(&prompt, "x ");
    assert_string_equal(prompt.text, "abx cd");
    press(&prompt, "\x1b[H\x1b[3~");
    assert_string_equal(prompt.text, "bx cd");
    press(&prompt, "\x1b[F\x17");
    assert_string_equal(prompt.text, "bx ");
    press(&prompt, "\x15");
    assert_string_equal(prompt.text, "");
    assert_int_equal(press(&prompt, "q\r"), PROMPT_KEPT);
    assert_int_equal(press(&prompt, "\x1b"), PROMPT_LEFT);
    press(&prompt, "\x7f");
    assert_int_equal(press(&prompt, "\x7f"), PROMPT_LEFT);
}

static void test_whole_characters(void **state)
{
    struct prompt prompt;
    (void)state;

    prompt_init(&prompt, "Find: ", "\u6f22e\u0301");
    assert_int_equal(press(&prompt, "\x7f"), PROMPT_EDITED);
    assert_string_equal(prompt.text, "\u6f22");
    press(&prompt, "\u5b57\x1b[D\x1b[D\x1b[3~");
    assert_string_equal(prompt.text, "\u5b57");
}

static void test_full(void **state)
{
    struct prompt prompt;
    (void)state;

    prompt_init(&prompt, "Find: ", "");
    for (int i = 0; i < 2 * PROMPT_TEXT_BYTES; i++)
        press(&prompt, "\u6f22");
    assert_true(strlen(prompt.text) < PROMPT_TEXT_BYTES);
    assert_int_equal(strlen(prompt.text) % 3, 0);
    assert_int_equal(press(&prompt, "\u6f22"), PROMPT_SAME);
}

static void test_drawing(void **state)
{
    struct prompt prompt;
    struct canvas canvas;
    (void)state;

    prompt_init(&prompt, "Find: ", "abcdefghijklmnopqrstuvwxyz");
    for (int width = 1; width < 40; width++) {
        canvas_init(&canvas, 2, width, true);
        prompt_draw(&prompt, &canvas, 1);
        assert_int_equal(canvas.cursor_y, 1);
        assert_true(canvas.cursor_x >= 0 && canvas.cursor_x < width);
        if (width > 1) /* the character before the cursor is seen */
            assert_string_equal(canvas.cells[width + canvas.cursor_x - 1].text, "z");
        canvas_release(&canvas);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_editing),
        cmocka_unit_test(test_whole_characters),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_drawing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
