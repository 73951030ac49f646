/* Tables: what is dropped, order, unknown values, selection by identity, find, clicks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tui/table.h"
#include "tui/table_private.h"

enum {
    NAME,
    COUNT,
    DELTA,
    BYTES,
    CUMULATED,
};

static const struct column columns[] = {
    {.name = "name",
     .heading = "ROW",
     .type = VALUE_TEXT,
     .width = 12,
     .grow = 1,
     .ascending_first = true,
     .sort_key = 'A'},
    {.name = "count",
     .heading = "COUNT",
     .type = VALUE_COUNT,
     .width = 7,
     .weight = 2,
     .sort_key = 'O',
     .is_summed = true},
    {.name = "delta",
     .heading = "D",
     .type = VALUE_COUNT_DELTA,
     .width = 6,
     .weight = 3,
     .is_delta = true,
     .is_summed = true},
    {.name = "bytes",
     .heading = "BYTES",
     .type = VALUE_BYTES,
     .width = 8,
     .sort_key = 'B',
     .is_summed = true},
    {.name = "cumulated",
     .heading = "CUM%",
     .type = VALUE_PERCENT,
     .width = 6,
     .weight = 1,
     .cumulates = BYTES + 1},
};

static struct table_row row_of(uint64_t identity, const char *name, struct reading count,
                               int64_t bytes)
{
    struct table_row row;

    memset(&row, 0, sizeof(row));
    row.identity = identity;
    row.values[NAME].text = name;
    row.values[COUNT].number = count;
    row.values[DELTA].number = reading_exact(-(int64_t)identity);
    row.values[BYTES].number = reading_exact(bytes);
    return row;
}

static struct table *filled(void)
{
    struct table *table = table_new(columns, 5, BYTES);
    const struct table_row rows[] = {
        row_of(1, "alpha", reading_exact(10), 100),
        row_of(2, "Beta", reading_unknown(), 400),
        row_of(3, "gamma", (struct reading){30, READING_TORN}, 300),
        row_of(4, "delta", (struct reading){20, READING_ESTIMATE}, 200),
    };

    table_set_rows(table, rows, 4);
    return table;
}

static void assert_drawn(struct table *table, int height, int width, const char *expected)
{
    struct strbuf lines = STRBUF_INIT;
    struct canvas canvas;

    canvas_init(&canvas, height, width, false);
    table_draw(table, &canvas, (struct rect){0, 0, height, width}, true);
    canvas_lines(&canvas, &lines);
    assert_string_equal(strbuf_text(&lines), expected);
    strbuf_release(&lines);
    canvas_release(&canvas);
}

static void test_values_and_marks(void **state)
{
    struct table *table = filled();
    (void)state;

    assert_drawn(table, 5, 37,
                 " ROW            COUNT  BYTES v   CUM%\n"
                 ">Beta               -      400   40.0\n"
                 " gamma            30?      300   70.0\n"
                 " delta            ~20      200   90.0\n"
                 " alpha             10      100  100.0\n");
    table_free(table);
}

/* Times are summed, too: six of today are more than 64 bits hold. */
static void test_sums_have_an_end(void **state)
{
    struct table *table = table_new(columns, 5, BYTES);
    struct table_row rows[8];
    (void)state;

    assert_int_equal(table_sum(INT64_MAX - 1, 2), INT64_MAX);
    assert_int_equal(table_sum(INT64_MIN + 1, -2), INT64_MIN);
    assert_int_equal(table_sum(INT64_MAX, -INT64_MAX), 0);
    for (int i = 0; i < 8; i++)
        rows[i] = row_of((uint64_t)i + 1, "r", reading_exact(i), INT64_MAX / 2);
    table_set_rows(table, rows, 8);
    table_show_rest(table, true);
    assert_drawn(table, 4, 37,
                 " ROW            COUNT  BYTES v   CUM%\n"
                 ">r                  0    4.00E   50.0\n"
                 " r                  1    4.00E  100.0\n"
                 " (6 more)          27    8.00E  100.0\n");
    table_free(table);
}

static void test_narrow_drops_by_weight(void **state)
{
    struct table *table = filled();
    (void)state;

    table_show_deltas(table, true, "D MARK");
    assert_drawn(table, 2, 37,
                 " ROW            COUNT D MARK  BYTES v\n"
                 ">Beta               -     -2      400\n");
    assert_drawn(table, 2, 29,
                 " ROW          D MARK  BYTES v\n>Beta             -2      400\n");
    assert_drawn(table, 2, 22, " ROW           BYTES v\n>Beta              400\n");
    /* Nothing left to drop: the name gives way, then the edge cuts. */
    assert_drawn(table, 2, 18, " ROW       BYTES v\n>Beta          400\n");
    table_free(table);
}

static void test_scroll_columns(void **state)
{
    struct table *table = filled();
    (void)state;

    assert_drawn(table, 2, 30,
                 " ROW            COUNT  BYTES v\n"
                 ">Beta               -      400\n");
    assert_true(table_command(table, COMMAND_RIGHT));
    assert_drawn(table, 2, 30,
                 " ROW            BYTES v   CUM%\n"
                 ">Beta               400   40.0\n");
    table_command(table, COMMAND_RIGHT); /* all that is left fits: no further */
    table_command(table, COMMAND_LEFT);
    assert_drawn(table, 2, 30,
                 " ROW            COUNT  BYTES v\n"
                 ">Beta               -      400\n");
    table_free(table);
}

static void assert_order(struct table *table, const uint64_t expected[4])
{
    table_command(table, COMMAND_TOP);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(table_selected(table)->identity, expected[i]);
        table_command(table, COMMAND_DOWN);
    }
}

static void test_order(void **state)
{
    static const uint64_t by_count[] = {3, 4, 1, 2}, by_count_up[] = {1, 4, 3, 2};
    static const uint64_t by_name[] = {2, 1, 4, 3};
    struct table *table = filled();
    bool ascending;
    (void)state;

    /* Unknown stands last in both directions. */
    assert_true(table_sort_key(table, 'O'));
    assert_order(table, by_count);
    assert_true(table_sort_key(table, 'O'));
    assert_order(table, by_count_up);
    assert_true(table_sort_by(table, "name"));
    assert_order(table, by_name);
    assert_true(table_sort_by(table, "-count"));
    assert_order(table, by_count);
    assert_true(table_command(table, COMMAND_REVERSE));
    assert_int_equal(table_sort_column(table, &ascending), COUNT);
    assert_true(ascending);
    /* Deltas are off, so the next column is BYTES. */
    table_command(table, COMMAND_SORT_NEXT);
    assert_int_equal(table_sort_column(table, NULL), BYTES);
    table_command(table, COMMAND_SORT_PREVIOUS);
    assert_int_equal(table_sort_column(table, NULL), COUNT);
    assert_false(table_sort_by(table, "nothing"));
    assert_false(table_sort_key(table, 'Z'));
    table_free(table);
}

static void test_selection_keeps_its_line(void **state)
{
    struct table *table = table_new(columns, 5, BYTES);
    struct table_row rows[40];
    struct canvas canvas;
    (void)state;

    for (int i = 0; i < 40; i++)
        rows[i] = row_of((uint64_t)i + 1, "row", reading_exact(i), 1000 - i);
    table_set_rows(table, rows, 40);
    canvas_init(&canvas, 11, 40, false);
    for (int i = 0; i < 20; i++)
        table_command(table, COMMAND_DOWN);
    table_draw(table, &canvas, (struct rect){0, 0, 11, 40}, true);
    assert_int_equal(table_selected(table)->identity, 21);
    int line = canvas.cursor_y;
    assert_string_equal(canvas.cells[line * 40].text, ">");

    /* Its row climbs five places: still selected, on the same line of the screen. */
    rows[20].values[BYTES].number = reading_exact(1000 - 15);
    table_set_rows(table, rows, 40);
    canvas_clear(&canvas);
    table_draw(table, &canvas, (struct rect){0, 0, 11, 40}, true);
    assert_int_equal(table_selected(table)->identity, 21);
    assert_int_equal(canvas.cursor_y, line);

    /* It goes: the selection stays within the rows. */
    table_set_rows(table, rows, 3);
    assert_non_null(table_selected(table));
    table_set_rows(table, rows, 0);
    assert_null(table_selected(table));
    table_draw(table, &canvas, (struct rect){0, 0, 11, 40}, true);
    canvas_release(&canvas);
    table_free(table);
}

static void test_filter_and_find(void **state)
{
    struct table *table = filled();
    size_t all;
    (void)state;

    assert_true(table_find(table, "ta", 1, true));
    assert_int_equal(table_selected(table)->identity, 2);
    assert_true(table_find(table, "ta", 1, false));
    assert_int_equal(table_selected(table)->identity, 4);
    assert_true(table_find(table, "ta", 1, false)); /* around the end */
    assert_int_equal(table_selected(table)->identity, 2);
    assert_true(table_find(table, "mm", -1, false));
    assert_int_equal(table_selected(table)->identity, 3);
    assert_false(table_find(table, "zeta", 1, true));
    assert_false(table_find(table, "", 1, true));
    table_set_filter(table, "ta");
    assert_int_equal(table_row_count(table, &all), 2);
    assert_int_equal(all, 4);
    table_set_filter(table, "none of them");
    assert_int_equal(table_row_count(table, NULL), 0);
    assert_false(table_find(table, "a", 1, true));
    table_set_filter(table, "");
    assert_int_equal(table_row_count(table, NULL), 4);
    table_free(table);
}

static void test_filter_gives_back(void **state)
{
    struct table *table = filled();
    (void)state;

    table_select(table, 3);
    table_set_filter(table, "ta");
    assert_int_not_equal(table_selected(table)->identity, 3);
    table_set_filter(table, "none of them");
    assert_drawn(table, 2, 60,
                 " ROW                                   COUNT  BYTES v   CUM%\n"
                 " no name matches \"none of them\": Esc clears the filter\n");
    table_set_filter(table, "");
    assert_int_equal(table_selected(table)->identity, 3);
    /* Who moves meanwhile stays where they went. */
    table_set_filter(table, "ta");
    table_command(table, COMMAND_BOTTOM);
    uint64_t chosen = table_selected(table)->identity;
    table_set_filter(table, "");
    assert_int_equal(table_selected(table)->identity, chosen);
    table_free(table);
}

static void test_rates(void **state)
{
    struct table *table = filled();
    (void)state;

    table_show_deltas(table, true, "D /S");
    table_show_rates(table, true);
    assert_drawn(table, 2, 29,
                 " ROW            D /S  BYTES v\n>Beta         -0.002      400\n");
    table_free(table);
}

/* What did not change stands last, whichever way the changes are sorted. */
static void test_order_of_changes(void **state)
{
    struct table *table = table_new(columns, 5, BYTES);
    struct table_row rows[4];
    static const int64_t changes[] = {0, 5, -7, 0};
    (void)state;

    for (int i = 0; i < 4; i++) {
        rows[i] = row_of((uint64_t)i + 1, "row", reading_exact(1), 100);
        rows[i].values[DELTA].number = reading_exact(changes[i]);
    }
    table_set_rows(table, rows, 4);
    table_show_deltas(table, true, "D");
    table_sort_index(table, DELTA, false);
    assert_int_equal(table_selected(table)->identity, 2);
    table_command(table, COMMAND_BOTTOM);
    assert_int_equal(table_selected(table)->identity, 4);
    table_sort_index(table, DELTA, true);
    table_command(table, COMMAND_TOP);
    assert_int_equal(table_selected(table)->identity, 3);
    table_command(table, COMMAND_BOTTOM);
    assert_int_equal(table_selected(table)->identity, 4);
    table_free(table);
}

static void test_rest_and_fixed_rows(void **state)
{
    struct table *table = filled();
    struct table_row rows[5];
    (void)state;

    table_show_rest(table, true);
    table_show_counts(table, true);
    assert_drawn(table, 4, 37,
                 " ROW (2 of 4)   COUNT  BYTES v   CUM%\n"
                 ">Beta               -      400   40.0\n"
                 " gamma            30?      300   70.0\n"
                 " (2 more)         ~30      300  100.0\n");
    table_command(table, COMMAND_BOTTOM);
    assert_drawn(table, 4, 37,
                 " ROW (3 of 4)   COUNT  BYTES v   CUM%\n"
                 " gamma            30?      300   70.0\n"
                 " delta            ~20      200   90.0\n"
                 ">alpha             10      100  100.0\n");
    for (int i = 0; i < 4; i++)
        rows[i] = row_of((uint64_t)i + 1, "r", reading_exact(i), i);
    rows[4] = row_of(0, "all", reading_exact(6), 6);
    rows[4].is_fixed = true;
    table_show_rest(table, false);
    table_set_rows(table, rows, 5);
    table_command(table, COMMAND_TOP);
    assert_drawn(table, 4, 37,
                 " ROW (2 of 4)   COUNT  BYTES v   CUM%\n"
                 ">r                  3        3   50.0\n"
                 " r                  2        2   83.3\n"
                 " all                6        6      -\n");
    table_free(table);
}

static void test_clicks(void **state)
{
    struct table *table = filled();
    struct canvas canvas;
    bool on_selected, ascending;
    (void)state;

    canvas_init(&canvas, 8, 40, false);
    assert_false(table_click(table, 1, 1, &on_selected)); /* not drawn yet */
    table_draw(table, &canvas, (struct rect){2, 0, 6, 37}, true);
    assert_true(table_click(table, 2, 3, &on_selected)); /* the heading NAME */
    assert_int_equal(table_sort_column(table, &ascending), NAME);
    assert_true(ascending);
    assert_true(table_click(table, 2, 3, &on_selected));
    table_sort_column(table, &ascending);
    assert_false(ascending);
    table_draw(table, &canvas, (struct rect){2, 0, 6, 37}, true);
    assert_true(table_click(table, 4, 5, &on_selected));
    assert_false(on_selected);
    assert_int_equal(table_selected(table)->identity, 4);
    assert_true(table_click(table, 4, 5, &on_selected));
    assert_true(on_selected);
    assert_false(table_click(table, 7, 5, &on_selected)); /* below the last row */
    assert_false(table_click(table, 0, 5, &on_selected));
    canvas_release(&canvas);
    table_free(table);
}

static void test_hidden_columns(void **state)
{
    struct table *table = filled();
    (void)state;

    table_show_column(table, COUNT, false);
    assert_false(table_column_shown(table, COUNT));
    table_show_column(table, NAME, false); /* the name is always there */
    assert_true(table_column_shown(table, NAME));
    assert_drawn(table, 2, 30,
                 " ROW            BYTES v   CUM%\n"
                 ">Beta               400   40.0\n");
    table_free(table);
}

static void test_any_size(void **state)
{
    struct table *table = filled();
    (void)state;

    table_show_deltas(table, true, "D");
    table_show_rest(table, true);
    for (int height = 0; height < 8; height++)
        for (int width = 0; width < 60; width++) {
            struct canvas canvas;

            canvas_init(&canvas, height, width, true);
            table_draw(table, &canvas, (struct rect){0, 0, height, width}, true);
            table_draw(table, &canvas, (struct rect){1, 2, height, width}, true);
            table_command(table, height % 2 ? COMMAND_PAGE_DOWN : COMMAND_PAGE_UP);
            table_command(table, width % 2 ? COMMAND_RIGHT : COMMAND_LEFT);
            canvas_release(&canvas);
        }
    table_free(table);
}

/* A cell for each shade where there is room, folded where there is not. */
static void test_shades_and_sparks(void **state)
{
    static const struct column pictures[] = {
        {.name = "name", .heading = "N", .type = VALUE_TEXT, .width = 2},
        {.name = "pools", .heading = "POOLS", .type = VALUE_SHADES, .width = 8},
        {.name = "spark", .heading = "S", .type = VALUE_SPARK, .width = 3},
    };
    struct table *table = table_new(pictures, 3, 0);
    struct table_row row;
    struct strbuf lines = STRBUF_INIT;
    struct canvas canvas;
    (void)state;

    memset(&row, 0, sizeof(row));
    row.values[0].text = "a";
    row.values[1].text = "6543210661";
    row.values[2].text = "01 7";
    table_set_rows(table, &row, 1);
    canvas_init(&canvas, 2, 40, false);
    table_draw(table, &canvas, (struct rect){0, 0, 2, 40}, false);
    canvas_lines(&canvas, &lines);
    /* Two a cell, as much as is in use on the whole; of none what there is most of. */
    assert_non_null(strstr(strbuf_text(&lines), " a   #+.++    _ #"));
    strbuf_release(&lines);
    canvas_release(&canvas);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shades_and_sparks),
        cmocka_unit_test(test_values_and_marks),
        cmocka_unit_test(test_sums_have_an_end),
        cmocka_unit_test(test_narrow_drops_by_weight),
        cmocka_unit_test(test_scroll_columns),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_selection_keeps_its_line),
        cmocka_unit_test(test_filter_and_find),
        cmocka_unit_test(test_filter_gives_back),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_order_of_changes),
        cmocka_unit_test(test_rest_and_fixed_rows),
        cmocka_unit_test(test_clicks),
        cmocka_unit_test(test_hidden_columns),
        cmocka_unit_test(test_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
