/* The grid of cells: widths, cuts, bars, sparklines, and that nothing leaves it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tui/canvas.h"

static void assert_lines(const struct canvas *canvas, const char *expected)
{
    struct strbuf lines = STRBUF_INIT;

    canvas_lines(canvas, &lines);
    assert_string_equal(strbuf_text(&lines), expected);
    strbuf_release(&lines);
}

static void test_text_is_cut(void **state)
{
    struct canvas canvas;
    (void)state;

    canvas_init(&canvas, 2, 10, true);
    assert_int_equal(canvas_text(&canvas, 0, 0, 5, ROLE_NORMAL, "abcde"), 5);
    assert_int_equal(canvas_text(&canvas, 1, 1, 4, ROLE_NORMAL, "abcde"), 4);
    assert_lines(&canvas, "abcde\n abc~\n");
    canvas_clear(&canvas);
    assert_int_equal(canvas_text(&canvas, 0, 7, 99, ROLE_NORMAL, "abcde"), 3);
    canvas_text_right(&canvas, 1, 0, 6, ROLE_NORMAL, "xyz");
    assert_lines(&canvas, "       ab~\n   xyz\n");
    canvas_release(&canvas);
}

static void test_wide_and_combining(void **state)
{
    struct canvas canvas;
    (void)state;

    canvas_init(&canvas, 1, 6, true);
    assert_int_equal(canvas_text(&canvas, 0, 0, 6, ROLE_NORMAL, "\u6f22\u5b57x"), 5);
    assert_int_equal(canvas.cells[0].columns, 2);
    assert_int_equal(canvas.cells[1].columns, 0);
    assert_lines(&canvas, "\u6f22\u5b57x\n");
    /* The second half of the first is overwritten: the first half goes too. */
    canvas_text(&canvas, 0, 1, 1, ROLE_NORMAL, "-");
    assert_lines(&canvas, " -\u5b57x\n");
    canvas_clear(&canvas);
    /* No room for half a character before the cut. */
    assert_int_equal(canvas_text(&canvas, 0, 0, 4, ROLE_NORMAL, "\u6f22\u5b57\u6f22"), 3);
    assert_lines(&canvas, "\u6f22~\n");
    canvas_clear(&canvas);
    assert_int_equal(canvas_text(&canvas, 0, 0, 6, ROLE_NORMAL, "e\u0301a"), 2);
    assert_string_equal(canvas.cells[0].text, "e\u0301");
    canvas_release(&canvas);
}

static void test_many_marks_are_dropped(void **state)
{
    struct canvas canvas;
    struct strbuf text = STRBUF_INIT;
    (void)state;

    strbuf_add_text(&text, "e");
    for (int i = 0; i < 100; i++)
        strbuf_add_text(&text, "\u0301");
    canvas_init(&canvas, 1, 4, true);
    assert_int_equal(canvas_text(&canvas, 0, 0, 4, ROLE_NORMAL, strbuf_text(&text)), 1);
    assert_true(strlen(canvas.cells[0].text) < sizeof(canvas.cells[0].text));
    canvas_release(&canvas);
    strbuf_release(&text);
}

static void test_ascii_form(void **state)
{
    struct canvas canvas;
    (void)state;

    canvas_init(&canvas, 1, 12, false);
    canvas_text(&canvas, 0, 0, 12, ROLE_NORMAL, "\u00e9 \u6f22 e\u0301\x1b[2J");
    assert_lines(&canvas, "? ?? e?[2J\n");
    canvas_release(&canvas);
}

static void test_bar(void **state)
{
    struct canvas canvas;
    (void)state;

    canvas_init(&canvas, 3, 4, true);
    canvas_bar(&canvas, 0, 0, 4, ROLE_GRAPH, 500);
    canvas_bar(&canvas, 1, 0, 4, ROLE_GRAPH, 1);
    canvas_bar(&canvas, 2, 0, 4, ROLE_GRAPH, 5000);
    assert_lines(&canvas, "\u2588\u2588\n\u258f\n\u2588\u2588\u2588\u2588\n");
    canvas_release(&canvas);
    canvas_init(&canvas, 3, 4, false);
    canvas_bar(&canvas, 0, 0, 4, ROLE_GRAPH, 500);
    canvas_bar(&canvas, 1, 0, 4, ROLE_GRAPH, 0);
    canvas_bar(&canvas, 2, 0, 4, ROLE_GRAPH, 1);
    assert_lines(&canvas, "##\n\n#\n");
    canvas_release(&canvas);
}

static void test_spark(void **state)
{
    static const int64_t values[] = {INT64_MAX, 0, INT64_MIN, 7, INT64_MIN + 1};
    struct canvas canvas;
    (void)state;

    canvas_init(&canvas, 2, 6, true);
    canvas_spark(&canvas, 0, 0, 6, ROLE_GRAPH, values + 1, 3);
    canvas_spark(&canvas, 1, 0, 2, ROLE_GRAPH, values, 5);
    assert_lines(&canvas, "   \u2581 \u2588\n\u2588\u2581\n");
    canvas_release(&canvas);
    canvas_init(&canvas, 1, 6, false);
    canvas_spark(&canvas, 0, 0, 6, ROLE_GRAPH, values, 2);
    assert_lines(&canvas, "    #_\n");
    canvas_release(&canvas);
}

static void test_nothing_leaves_the_grid(void **state)
{
    static const int64_t values[] = {1, 2, 3};
    struct canvas canvas;
    (void)state;

    for (int size = 0; size < 4; size++) {
        canvas_init(&canvas, size, size, true);
        for (int y = -2; y < 6; y++) {
            for (int x = -5; x < 6; x++) {
                canvas_text(&canvas, y, x, 9, ROLE_NORMAL, "\u6f22a\u0301\u5b57bcd");
                canvas_text_right(&canvas, y, x, 3, ROLE_NORMAL, "\u6f22");
                canvas_bar(&canvas, y, x, 5, ROLE_GRAPH, 700);
                canvas_spark(&canvas, y, x, 5, ROLE_GRAPH, values, 3);
                canvas_fill(&canvas, (struct rect){y, x, 3, 3}, ROLE_DIM);
                canvas_paint(&canvas, (struct rect){y, x, INT32_MAX, 3}, ROLE_SELECTED);
                canvas_cursor(&canvas, y, x);
            }
        }
        assert_true(canvas.cursor_y < size && canvas.cursor_x < size);
        canvas_release(&canvas);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_is_cut),
        cmocka_unit_test(test_wide_and_combining),
        cmocka_unit_test(test_many_marks_are_dropped),
        cmocka_unit_test(test_ascii_form),
        cmocka_unit_test(test_bar),
        cmocka_unit_test(test_spark),
        cmocka_unit_test(test_nothing_leaves_the_grid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
