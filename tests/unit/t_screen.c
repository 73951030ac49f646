/* The screen as a whole: any size, tabs, pause, marks, deltas, details, clicks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model/builder.h"
#include "tests/lib/fixture.h"
#include "tui/header.h"
#include "tui/screen.h"

struct shown {
    struct history *history;
    struct screen *screen;
    struct strbuf lines;
};

static void open_shown(struct shown *shown, enum fixture fixture)
{
    memset(shown, 0, sizeof(*shown));
    shown->history = fixture_history(fixture);
    shown->screen = screen_new(shown->history);
}

static void close_shown(struct shown *shown)
{
    screen_free(shown->screen);
    history_free(shown->history);
    strbuf_release(&shown->lines);
}

static const char *drawn(struct shown *shown, int height, int width)
{
    struct canvas canvas;

    canvas_init(&canvas, height, width, false);
    screen_draw(shown->screen, &canvas);
    strbuf_reset(&shown->lines);
    canvas_lines(&canvas, &shown->lines);
    canvas_release(&canvas);
    return strbuf_text(&shown->lines);
}

static bool shows(struct shown *shown, const char *text)
{
    return strstr(drawn(shown, 24, 80), text) != NULL;
}

static void test_any_size(void **state)
{
    static const enum command_id doings[] = {COMMAND_ENTER, COMMAND_BACK, COMMAND_BOTTOM,
                                             COMMAND_RIGHT, COMMAND_DELTA};
    (void)state;

    for (int fixture = FIXTURE_SERVICE; fixture <= FIXTURE_EMPTY; fixture++) {
        struct shown shown;

        open_shown(&shown, (enum fixture)fixture);
        for (int height = 0; height < 50; height += height < 12 ? 1 : 7)
            for (int width = 0; width < 150; width += width < 12 ? 1 : 11) {
                drawn(&shown, height, width);
                screen_command(shown.screen, COMMAND_TAB_NEXT);
                screen_command(shown.screen, doings[(height + width) % 5]);
            }
        close_shown(&shown);
    }
}

static void test_tabs(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    assert_true(shows(&shown, "[1 Overview]"));
    assert_true(screen_command(shown.screen, COMMAND_TAB_3));
    assert_true(shows(&shown, "[3 Sizes]"));
    assert_true(screen_command(shown.screen, COMMAND_TAB_9));
    assert_true(shows(&shown, "[9 V"));
    assert_true(screen_command(shown.screen, COMMAND_TAB_3));
    screen_command(shown.screen, COMMAND_TAB_PREVIOUS);
    assert_true(shows(&shown, "[2 Types]"));
    assert_false(screen_show_pane(shown.screen, "nothing"));
    assert_true(screen_show_pane(shown.screen, "log"));
    assert_true(shows(&shown, "[8 Log]"));
    assert_false(screen_command(shown.screen, COMMAND_COLLECT));
    close_shown(&shown);
}

/* Behind the numbered tabs, whichever way they are gone to. */
static void test_tabs_of_plugins(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_PLUGINS);
    assert_true(shows(&shown, "[1 Overview]"));
    assert_true(shows(&shown, " 0 example  0 hang"));
    screen_command(shown.screen, COMMAND_TAB_PREVIOUS);
    assert_true(shows(&shown, "[0 hang]"));
    assert_true(shows(&shown, "it did not answer for 5 s and was ended"));
    screen_command(shown.screen, COMMAND_TAB_0);
    assert_true(shows(&shown, "[0 example] 0 hang"));
    assert_true(shows(&shown, "/usr/bin/python3.11"));
    screen_command(shown.screen, COMMAND_TAB_0);
    screen_command(shown.screen, COMMAND_TAB_NEXT);
    assert_true(shows(&shown, "[1 Overview]"));
    screen_command(shown.screen, COMMAND_TAB_4);
    screen_command(shown.screen, COMMAND_TAB_0);
    screen_command(shown.screen, COMMAND_BACK);
    assert_true(shows(&shown, "[Plugins] > those that were found"));
    screen_command(shown.screen, COMMAND_BACK);
    assert_true(shows(&shown, "[4 GC]"));
    close_shown(&shown);
    open_shown(&shown, FIXTURE_SERVICE);
    screen_command(shown.screen, COMMAND_TAB_0);
    assert_true(shows(&shown, "[Plugins]"));
    close_shown(&shown);
}

static void test_detail_and_back(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    screen_command(shown.screen, COMMAND_DOWN);
    screen_command(shown.screen, COMMAND_ENTER); /* from the overview to the kind */
    assert_true(shows(&shown, "[2 Types] > str"));
    assert_true(shows(&shown, "since last walk    +3 objects, +462, in 10s"));
    screen_command(shown.screen, COMMAND_BACK);
    assert_true(shows(&shown, "[2 Types] 3 Sizes"));
    close_shown(&shown);
}

static void add_sample(struct shown *shown)
{
    const struct snapshot *latest = history_latest(shown->history);
    struct snapshot_builder *builder = builder_new(latest->seq + 1);

    builder->snapshot->mono_ns = latest->mono_ns + INT64_C(2000000000);
    builder->snapshot->wall_ns = latest->wall_ns + INT64_C(2000000000);
    builder_process(builder)->res_bytes = reading_exact(INT64_C(777) << 20);
    const struct snapshot *snapshot = snapshot_seal(builder);
    history_add(shown->history, snapshot);
    snapshot_unref(snapshot);
    screen_update(shown->screen);
}

static void test_pause(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    screen_command(shown.screen, COMMAND_PAUSE);
    add_sample(&shown);
    assert_true(shows(&shown, "PAUSED"));
    assert_true(shows(&shown, "RES 777.0M")); /* the header goes on */
    assert_true(shows(&shown, "app.cache.Entry"));
    screen_command(shown.screen, COMMAND_TAB_2);
    assert_true(shows(&shown, "app.cache.Entry"));
    screen_command(shown.screen, COMMAND_PAUSE);
    assert_false(shows(&shown, "PAUSED"));
    assert_true(shows(&shown, "no walk of the objects yet"));
    close_shown(&shown);
}

static void test_marks_and_deltas(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_TORN);
    assert_true(shows(&shown, "D PREV"));
    screen_command(shown.screen, COMMAND_MARK);
    assert_true(shows(&shown, "D MARK"));
    assert_true(shows(&shown, "mark #1"));
    screen_command(shown.screen, COMMAND_DELTA);
    assert_true(shows(&shown, "D /S"));
    screen_command(shown.screen, COMMAND_DELTA);
    assert_false(shows(&shown, "D /S"));
    assert_false(shows(&shown, "D PREV"));
    screen_command(shown.screen, COMMAND_DELTA);
    assert_true(shows(&shown, "D PREV"));
    close_shown(&shown);
}

/* An older sample in every tab, until one goes back. */
static void test_cursor_in_time(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    screen_show_pane(shown.screen, "history");
    assert_true(shows(&shown, "LIVE"));
    screen_command(shown.screen, COMMAND_RIGHT);
    assert_true(shows(&shown, "this is the newest sample"));
    screen_command(shown.screen, COMMAND_LEFT);
    screen_command(shown.screen, COMMAND_TIME_PREVIOUS);
    assert_true(shows(&shown, "HISTORY"));
    assert_false(shows(&shown, "LIVE"));
    uint64_t seq = screen_shown(shown.screen)->seq;
    assert_int_equal(seq, history_latest(shown.history)->seq - 2);
    add_sample(&shown); /* what comes does not move it */
    assert_int_equal(screen_shown(shown.screen)->seq, seq);
    screen_command(shown.screen, COMMAND_TAB_2);
    assert_true(shows(&shown, "HISTORY"));
    screen_show_time(shown.screen, 0);
    assert_int_equal(screen_shown(shown.screen)->seq, history_at(shown.history, 0)->seq);
    screen_command(shown.screen, COMMAND_TIME_PREVIOUS);
    assert_true(shows(&shown, "this is the oldest sample"));
    screen_command(shown.screen, COMMAND_TIME_LIVE);
    assert_true(shows(&shown, "LIVE"));
    assert_ptr_equal(screen_shown(shown.screen), history_latest(shown.history));
    close_shown(&shown);
}

/* The log of a sample of the past ends with it, and says what it does not list. */
static void test_log_of_the_past(void **state)
{
    const struct snapshot *shown_sample;
    struct event event = {.type = EVENT_NOTE, .words = "something came later"};
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    screen_show_pane(shown.screen, "log");
    event.wall_ns = history_latest(shown.history)->wall_ns;
    history_add_event(shown.history, &event);
    screen_update(shown.screen);
    assert_true(shows(&shown, "something came later"));
    assert_false(shows(&shown, "not listed"));
    screen_command(shown.screen, COMMAND_TIME_PREVIOUS);
    shown_sample = screen_shown(shown.screen);
    assert_true(shown_sample->wall_ns < event.wall_ns);
    assert_false(shows(&shown, "something came later"));
    assert_true(shows(&shown, "after this sample"));
    screen_command(shown.screen, COMMAND_TIME_LIVE);
    assert_true(shows(&shown, "something came later"));
    close_shown(&shown);
}

static void test_marks_of_the_past(void **state)
{
    const struct mark *marks;
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_TORN);
    screen_command(shown.screen, COMMAND_TIME_FIRST);
    screen_mark_here(shown.screen, NULL, "de\033ploy");
    assert_int_equal(history_marks(shown.history, &marks), 1);
    assert_string_equal(marks[0].name, "de\\x1bploy");
    assert_int_equal(marks[0].snapshot->seq, history_at(shown.history, 0)->seq);
    screen_command(shown.screen, COMMAND_TIME_LIVE);
    screen_command(shown.screen, COMMAND_MARK);
    assert_int_equal(history_marks(shown.history, &marks), 2);
    assert_true(shows(&shown, "mark #2"));
    screen_choose_mark(shown.screen, 1);
    assert_non_null(strstr(drawn(&shown, 45, 140), "since mark #1"));
    screen_show_delta(shown.screen, DELTA_PREVIOUS);
    assert_true(shows(&shown, "D PREV"));
    close_shown(&shown);
}

static void test_filter_find_sort(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    screen_show_pane(shown.screen, "types");
    screen_set_filter(shown.screen, "entry");
    assert_string_equal(screen_filter(shown.screen), "entry");
    assert_true(shows(&shown, "filter: entry"));
    assert_false(shows(&shown, "\n str "));
    screen_command(shown.screen, COMMAND_BACK);
    assert_string_equal(screen_filter(shown.screen), "");
    assert_true(screen_find(shown.screen, "code", 1, true));
    assert_true(shows(&shown, "\n>code "));
    assert_true(screen_sort_by(shown.screen, "+kind"));
    assert_true(shows(&shown, "KIND"));
    assert_true(shows(&shown, "^"));
    assert_false(screen_sort_by(shown.screen, "shoe-size"));
    assert_true(screen_sort_key(shown.screen, 'B'));
    close_shown(&shown);
}

static void test_clicks(void **state)
{
    enum command_id command;
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    drawn(&shown, 24, 80);
    assert_int_equal(screen_click(shown.screen, 5, 14, &command), SCREEN_CLICK_HANDLED);
    const char *lines = drawn(&shown, 24, 80);
    assert_non_null(strstr(lines, "[2 Types]"));
    assert_int_equal(screen_click(shown.screen, 8, 3, &command), SCREEN_CLICK_HANDLED);
    assert_true(shows(&shown, "\n>str "));
    assert_int_equal(screen_click(shown.screen, 23, 2, &command), SCREEN_CLICK_COMMAND);
    assert_int_equal(command, COMMAND_HELP);
    assert_int_equal(screen_click(shown.screen, 0, 0, &command), SCREEN_CLICK_NOTHING);
    close_shown(&shown);
}

static void test_overview_focus(void **state)
{
    struct shown shown;
    enum command_id command;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    assert_true(shows(&shown, "\n>dict")); /* a kind */
    screen_command(shown.screen, COMMAND_RIGHT);
    assert_false(shows(&shown, "\n>dict"));
    assert_true(shows(&shown, "\n>      64 B"));
    screen_command(shown.screen, COMMAND_ENTER);
    assert_true(shows(&shown, "[3 Sizes]"));
    assert_true(shows(&shown, "\n>        64 B"));
    screen_command(shown.screen, COMMAND_TAB_1);
    screen_command(shown.screen, COMMAND_LEFT);
    assert_true(shows(&shown, "\n>dict"));
    drawn(&shown, 24, 80);
    screen_click(shown.screen, 18, 10, &command);
    assert_false(shows(&shown, "\n>dict"));
    /* Where there is no room for size classes the kinds have the focus. */
    drawn(&shown, 12, 80);
    assert_true(shows(&shown, "\n>dict"));
    close_shown(&shown);
}

static void test_short_command(void **state)
{
    static const char *const pairs[][2] = {
        {"/usr/bin/python3 /srv/shop/service.py --port 8000",
         "python3 service.py --port 8000"},
        {"python3 -X dev -u ../demo/service.py /etc/shop",
         "python3 -X dev -u service.py /etc/shop"},
        {"/usr/bin/python3 -m http.server /srv", "python3 -m http.server /srv"},
        {"gunicorn: worker [api]", "gunicorn: worker [api]"},
        {"python3 /srv/app/", "python3 /srv/app/"},
        {"", ""},
    };
    char text[64], tiny[9];
    (void)state;

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
        assert_string_equal(header_short_command(text, sizeof(text), pairs[i][0]),
                            pairs[i][1]);
    assert_string_equal(header_short_command(tiny, sizeof(tiny), pairs[0][0]),
                        "python3 ");
}

static void test_messages_pass(void **state)
{
    struct shown shown;
    (void)state;

    open_shown(&shown, FIXTURE_SERVICE);
    screen_message(shown.screen, ROLE_WARNING, "look at this");
    assert_true(shows(&shown, "look at this"));
    assert_non_null(strstr(drawn(&shown, 12, 40), "look at this"));
    for (int i = 0; i < 6; i++)
        add_sample(&shown);
    assert_false(shows(&shown, "look at this"));
    close_shown(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_size),
        cmocka_unit_test(test_tabs),
        cmocka_unit_test(test_tabs_of_plugins),
        cmocka_unit_test(test_detail_and_back),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_marks_and_deltas),
        cmocka_unit_test(test_filter_find_sort),
        cmocka_unit_test(test_overview_focus),
        cmocka_unit_test(test_short_command),
        cmocka_unit_test(test_cursor_in_time),
        cmocka_unit_test(test_log_of_the_past),
        cmocka_unit_test(test_marks_of_the_past),
        cmocka_unit_test(test_clicks),
        cmocka_unit_test(test_messages_pass),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
