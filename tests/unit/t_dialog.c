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
    static struct gc_section gc;
    static struct snapshot snapshot;

    gc.n_generations = 3;
    gc.pauses.last_generation = 2;
    gc.pauses.last_ns = reading_exact(41000000);
    snapshot.gc = &gc;
    snapshot.target.pid = 4242;
    snprintf(snapshot.target.command, sizeof(snapshot.target.command), "worker");
    dialog_collect(dialog, &snapshot);
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
    press(&dialog, "Left");
    assert_int_equal(dialog.choice, 1);
    /* Enter on the generation only chooses: the next one is Cancel. */
    assert_int_equal(press(&dialog, "Enter"), DIALOG_OPEN);
    assert_int_equal(press(&dialog, "Enter"), DIALOG_CLOSED);
    begin(&dialog);
    press(&dialog, "0");
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
    assert_non_null(strstr(strbuf_text(&lines), "[ Cancel ]    [ Collect ]   y = "));
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

            begin(&dialog);
            canvas_init(&canvas, height, width, height % 2);
            dialog_draw(&dialog, &canvas);
            canvas_lines(&canvas, &lines);
            if (width >= 10)
                assert_non_null(strstr(strbuf_text(&lines), "[ Cancel ]"));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cancel_is_the_default),
        cmocka_unit_test(test_moving),
        cmocka_unit_test(test_notice),
        cmocka_unit_test(test_sketch),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_menu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
