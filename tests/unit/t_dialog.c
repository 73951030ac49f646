/* The dialogs: Cancel is the default, y collects, the button is seen at every size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tui/dialog.h"
#include "tui/menu.h"

static struct key named(const char *name)
{
    struct key key;

    memset(&key, 0, sizeof(key));
    snprintf(key.name, sizeof(key.name), "%s", name);
    if (name[1] == '\0')
        snprintf(key.text, sizeof(key.text), "%s", name);
    return key;
}

static enum dialog_result press(struct dialog *dialog, const char *name)
{
    struct key key = named(name);

    return dialog_key(dialog, &key);
}

static void begin(struct dialog *dialog)
{
    dialog_ask(dialog, "Run gc.collect() in 4242 (worker)?", "Run");
    dialog_add_choices(dialog, "Generation", 3, 2, "full");
    dialog_say(dialog,
               "Runs Python code in the target.\nLast full collection took 41ms.");
}

static void begin_fields(struct dialog *dialog)
{
    dialog_ask(dialog, "Run gc.set_threshold() in 4242 (worker)?", "Run");
    dialog_add_field(dialog, "Generation 0", 700);
    dialog_add_field(dialog, "Generation 1", 10);
    dialog_add_field(dialog, "Generation 2", -1);
    dialog_say(dialog, "They are 700, 10, 10 now.");
}

static void test_cancel_is_the_default(void **state)
{
    struct dialog dialog;
    (void)state;

    begin(&dialog);
    assert_int_equal(press(&dialog, "Enter"), DIALOG_CLOSED);
    begin(&dialog);
    assert_int_equal(press(&dialog, "Esc"), DIALOG_CLOSED);
    begin(&dialog);
    assert_int_equal(press(&dialog, "x"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "c"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "y"), DIALOG_ACCEPTED);
    assert_int_equal(dialog.choice, 2);
}

static void test_moving(void **state)
{
    struct dialog dialog;
    (void)state;

    begin(&dialog);
    assert_int_equal(press(&dialog, "Tab"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "Enter"), DIALOG_ACCEPTED);
    begin(&dialog);
    press(&dialog, "Up");
    assert_int_equal(press(&dialog, "Left"), DIALOG_CHANGED);
    assert_int_equal(dialog.choice, 1);
    /* Enter on the generation only chooses: the next one is Cancel. */
    assert_int_equal(press(&dialog, "Enter"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "Enter"), DIALOG_CLOSED);
    begin(&dialog);
    assert_int_equal(press(&dialog, "0"), DIALOG_CHANGED);
    press(&dialog, "Right");
    assert_int_equal(press(&dialog, "Space"), DIALOG_ACCEPTED);
    assert_int_equal(dialog.choice, 0);
    assert_int_equal(press(&dialog, "9"), DIALOG_OPEN);
    assert_int_equal(dialog.choice, 0);
}

static void test_notice(void **state)
{
    struct dialog dialog;
    (void)state;

    dialog_notice(&dialog, "Cannot", "it is not possible", "do this");
    assert_int_equal(press(&dialog, "y"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "Tab"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "Enter"), DIALOG_CLOSED);
}

static void type(struct dialog *dialog, const char *digits)
{
    for (; *digits; digits++) {
        const char name[2] = {*digits, '\0'};

        assert_int_equal(press(dialog, name), DIALOG_CHANGED);
    }
}

static void test_numbers(void **state)
{
    struct dialog dialog;
    (void)state;

    begin_fields(&dialog);
    assert_int_equal(dialog_number(&dialog, 0), 700);
    assert_int_equal(dialog_number(&dialog, 2), -1);
    assert_int_equal(dialog_number(&dialog, 3), -1);
    /* The first digit replaces, the others follow, Enter goes on. */
    type(&dialog, "1234");
    assert_int_equal(dialog_number(&dialog, 0), 1234);
    press(&dialog, "Backspace");
    assert_int_equal(dialog_number(&dialog, 0), 123);
    assert_int_equal(press(&dialog, "Enter"), DIALOG_OPEN);
    type(&dialog, "0");
    assert_int_equal(dialog_number(&dialog, 1), 0);
    press(&dialog, "Tab");
    press(&dialog, "Backspace");
    press(&dialog, "Backspace");
    assert_int_equal(dialog_number(&dialog, 2), -1);
    type(&dialog, "9");
    press(&dialog, "^U");
    assert_int_equal(dialog_number(&dialog, 2), -1);
    /* Too long a number is not taken, letters never are. */
    type(&dialog, "999999999999999999999999");
    assert_int_equal(dialog_number(&dialog, 2), INT64_C(99999999999));
    assert_int_equal(press(&dialog, "x"), DIALOG_OPEN);
    /* Behind the numbers stands the safe button. */
    assert_int_equal(press(&dialog, "Enter"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "Enter"), DIALOG_CLOSED);
    begin_fields(&dialog);
    assert_int_equal(press(&dialog, "y"), DIALOG_ACCEPTED);
    dialog_complain(&dialog, "too large");
    assert_int_equal(press(&dialog, "Tab"), DIALOG_OPEN);
    assert_string_equal(dialog.complaint, "");
    begin_fields(&dialog);
    assert_int_equal(press(&dialog, "q"), DIALOG_CLOSED);
}

static void test_progress(void **state)
{
    struct dialog dialog;
    (void)state;

    dialog_progress(&dialog, "gc.collect(2) runs in 4242", "Stop waiting");
    assert_int_equal(press(&dialog, "y"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "Esc"), DIALOG_CLOSED);
}

static void test_sketch(void **state)
{
    struct dialog dialog;
    struct canvas canvas;
    struct strbuf lines = STRBUF_INIT;
    (void)state;

    begin(&dialog);
    canvas_init(&canvas, 9, 74, false);
    dialog_draw(&dialog, &canvas);
    canvas_lines(&canvas, &lines);
    assert_non_null(strstr(strbuf_text(&lines), "Run gc.collect() in 4242 (worker)?"));
    assert_non_null(strstr(strbuf_text(&lines), "Generation  ( ) 0  ( ) 1  (*) 2 full"));
    assert_non_null(strstr(strbuf_text(&lines), "Last full collection took 41ms."));
    assert_non_null(strstr(strbuf_text(&lines), "[ Cancel ]    [ Run ]   y = Run"));
    strbuf_release(&lines);
    canvas_release(&canvas);
}

static void test_every_size(void **state)
{
    struct dialog dialog;
    struct canvas canvas;
    (void)state;

    for (int height = 1; height < 30; height++) {
        for (int width = 1; width < 100; width += 3) {
            struct strbuf lines = STRBUF_INIT;

            if (height % 3)
                begin(&dialog);
            else
                begin_fields(&dialog);
            canvas_init(&canvas, height, width, height % 2);
            dialog_draw(&dialog, &canvas);
            canvas_lines(&canvas, &lines);
            if (width >= 10)
                assert_non_null(strstr(strbuf_text(&lines), "[ Cancel ]"));
            assert_true(canvas.cursor_y >= 0);
            if (height % 3)
                assert_int_equal(canvas.cursor_y, dialog.buttons[0].y);
            strbuf_release(&lines);
            canvas_release(&canvas);
        }
    }
}

static void test_menu(void **state)
{
    struct menu menu;
    struct canvas canvas;
    char label[16];
    (void)state;

    menu_init(&menu, "Menu", "hint", true);
    for (int i = 0; i < 20; i++) {
        snprintf(label, sizeof(label), "item %d", i);
        menu_add(&menu, i, i == 3, label, "what it is");
    }
    struct key down = named("Down"), end = named("End"), space = named("Space");
    for (int height = 1; height < 30; height++) {
        for (int width = 1; width < 60; width += 7) {
            menu.selected = 0;
            canvas_init(&canvas, height, width, false);
            menu_draw(&menu, &canvas);
            for (int i = 0; i < 12; i++)
                assert_int_equal(menu_key(&menu, &down), MENU_OPEN);
            menu_draw(&menu, &canvas);
            assert_int_equal(menu.selected, 12);
            assert_true(canvas.cursor_y >= 0); /* the selected item is seen */
            menu_key(&menu, &end);
            canvas_release(&canvas);
        }
    }
    assert_int_equal(menu.selected, 19);
    assert_int_equal(menu_key(&menu, &space), MENU_TOGGLED);
    menu_release(&menu);
}

static void test_menu_letters(void **state)
{
    struct key trim = named("t"), other = named("z"), up = named("k");
    struct menu menu;
    (void)state;

    menu_init(&menu, "Menu", "hint", false);
    menu_add(&menu, 0, false, "c  collect", "");
    menu_set_key(&menu, 'c', false);
    menu_add(&menu, 1, false, "t  trim", "");
    menu_set_key(&menu, 't', true);
    assert_int_equal(menu_key(&menu, &other), MENU_OPEN);
    assert_int_equal(menu.selected, 0);
    /* What is dimmed may be chosen: its owner says why it has no effect. */
    assert_int_equal(menu_key(&menu, &trim), MENU_CHOSEN);
    assert_int_equal(menu.selected, 1);
    assert_int_equal(menu_key(&menu, &up), MENU_OPEN);
    assert_int_equal(menu.selected, 0);
    menu_release(&menu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_is_the_default),
        cmocka_unit_test(test_moving),
        cmocka_unit_test(test_notice),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_sketch),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_menu),
        cmocka_unit_test(test_menu_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
