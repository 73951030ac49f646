/*
 * Drawing of a table: which columns have room, how wide they are, headings,
 * rows, the row "(n more)" and the fixed rows.
 */
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "tui/glyphs.h"
#include "tui/table_private.h"
#include "util/strbuf.h"
#include "util/utf8.h"

#define NAME_LEAST  8  /* columns that are left to a name when all else is gone */
#define NAME_NARROW 16 /* and while the screen is narrow, before columns are dropped */
#define NARROW      60
#define NAME_MOST   44 /* names that are short do not push the numbers away */

static const char *heading_of(const struct table *table, size_t column)
{
    if (table->columns[column].is_delta && table->delta_heading[0])
        return table->delta_heading;
    return table->columns[column].heading;
}

/* Fits any width, and is as wide as its column says. */
static bool is_picture(const struct column *column)
{
    return column->type == VALUE_SHADES || column->type == VALUE_SPARK;
}

static int natural_width(const struct table *table, size_t column)
{
    int width = table->columns[column].width;
    int heading = utf8_columns(heading_of(table, column));

    if (column == table_name_column(table) && width > NAME_NARROW &&
        table->drawn.width < NARROW)
        width = NAME_NARROW;
    if (column == table->sort_column)
        heading += 2;
    /* A word column takes no more than its words, but never more than its width. */
    if (table->columns[column].type == VALUE_TEXT && column != table_name_column(table) &&
        table->needed[column] > 0 && table->needed[column] < width)
        width = table->needed[column];
    if (table->columns[column].type != VALUE_TEXT &&
        !is_picture(&table->columns[column]) && table->needed[column] > width)
        width = table->needed[column];
    return heading > width ? heading : width;
}

/* All that are shown, without those scrolled away. */
static int place_all(struct table *table)
{
    size_t skipped = 0;
    int total = 1;

    for (size_t i = 0; i < table->n_columns; i++) {
        struct column_place *place = &table->places[i];

        place->drawn = table_column_visible(table, i);
        if (place->drawn && i > 0 && skipped < table->skipped) {
            place->drawn = false;
            skipped++;
        }
        place->width = natural_width(table, i);
        if (place->drawn)
            total += place->width + 1;
    }
    return total - 1;
}

/* Drops the column of the smallest weight, the rightmost of equals: its width. */
static int drop_one(struct table *table)
{
    size_t chosen = table->n_columns;

    for (size_t i = 0; i < table->n_columns; i++) {
        int weight = table->columns[i].weight;

        if (!table->places[i].drawn || weight == 0)
            continue;
        if (chosen == table->n_columns || weight <= table->columns[chosen].weight)
            chosen = i;
    }
    if (chosen == table->n_columns)
        return 0;
    table->places[chosen].drawn = false;
    table->has_more_columns = true;
    return table->places[chosen].width + 1;
}

static int most_of(const struct table *table, size_t column)
{
    int most = table->needed[column];

    if (table->columns[column].type == VALUE_BAR)
        return 40;
    if (table->columns[column].type == VALUE_SHADES)
        return most;
    return most > NAME_MOST ? most : NAME_MOST;
}

/* Gives spare columns to those that grow, by their shares and up to their need. */
static int grow(struct table *table, int spare)
{
    bool has_grown = true;

    while (spare > 0 && has_grown) {
        has_grown = false;
        for (size_t i = 0; i < table->n_columns; i++) {
            struct column_place *place = &table->places[i];
            int share = table->columns[i].grow;

            if (!place->drawn || !share || place->width >= most_of(table, i))
                continue;
            if (share > spare)
                share = spare;
            place->width += share;
            spare -= share;
            has_grown = share > 0;
        }
    }
    return spare;
}

/* What is still spare sets the numbers apart: at most two columns each. */
static void set_apart(struct table *table, int spare)
{
    for (int round = 0; round < 2; round++)
        for (size_t i = 1; i < table->n_columns && spare > 0; i++) {
            enum value_type type = table->columns[i].type;

            if (!table->places[i].drawn || type == VALUE_TEXT || type == VALUE_BAR ||
                is_picture(&table->columns[i]))
                continue;
            table->places[i].width++;
            spare--;
        }
}

static void shrink_names(struct table *table, int excess)
{
    for (size_t i = 0; i < table->n_columns && excess > 0; i++) {
        struct column_place *place = &table->places[i];
        int less = place->width - NAME_LEAST;

        if (!place->drawn || table->columns[i].type != VALUE_TEXT || less <= 0)
            continue;
        if (less > excess)
            less = excess;
        place->width -= less;
        excess -= less;
    }
}

static void place_columns(struct table *table, struct rect rect)
{
    table->has_more_columns = false;
    int total = place_all(table), x = rect.x + 1;

    while (total > rect.width) {
        int freed = drop_one(table);

        if (!freed)
            break;
        total -= freed;
    }
    if (total > rect.width)
        shrink_names(table, total - rect.width);
    else
        set_apart(table, grow(table, rect.width - total));
    for (size_t i = 0; i < table->n_columns; i++) {
        struct column_place *place = &table->places[i];
        int right = rect.x + rect.width;

        if (!place->drawn)
            continue;
        place->x = x;
        x += place->width + 1;
        if (place->x + place->width > right)
            place->width = right > place->x ? right - place->x : 0;
    }
}

static bool is_left(const struct column *column)
{
    return column->type == VALUE_TEXT || column->type == VALUE_BAR || is_picture(column);
}

static void draw_heading(const struct table *table, struct canvas *canvas, int visible)
{
    const struct rect *rect = &table->drawn;
    char text[96], shown[UNITS_MAX], all[UNITS_MAX];

    canvas_fill(canvas, (struct rect){rect->y, rect->x, 1, rect->width}, ROLE_HEADING);
    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column_place *place = &table->places[i];
        bool is_sorted = i == table->sort_column;
        const char *mark = !is_sorted ? "" : table->ascending ? " ^" : " v";
        enum role role = is_sorted ? ROLE_HEADING_SORT : ROLE_HEADING;

        if (!place->drawn)
            continue;
        snprintf(text, sizeof(text), "%s%s", heading_of(table, i), mark);
        if (table->counts_shown && i == table_name_column(table) &&
            (size_t)visible < table->n_ordinary) {
            units_count(shown, reading_exact(visible));
            units_count(all, reading_exact((int64_t)table->n_ordinary));
            snprintf(text, sizeof(text), "%s (%s of %s)%s", heading_of(table, i), shown,
                     all, mark);
            if (utf8_columns(text) > place->width)
                snprintf(text, sizeof(text), "%s%s", heading_of(table, i), mark);
        }
        if (is_left(&table->columns[i]))
            canvas_text(canvas, rect->y, place->x, place->width, role, text);
        else
            canvas_text_right(canvas, rect->y, place->x, place->width, role, text);
    }
}

static enum role cell_role(const struct table *table, size_t column,
                           const struct value *value, enum role row_role)
{
    const struct column *what = &table->columns[column];

    if (row_role != ROLE_NORMAL)
        return row_role;
    if (what->type == VALUE_COUNT_DELTA || what->type == VALUE_BYTES_DELTA) {
        if (!reading_is_known(value->number) || value->number.value == 0)
            return ROLE_DIM;
        return value->number.value > 0 ? ROLE_GROWTH : ROLE_SHRINK;
    }
    if (column == table->sort_column && table->is_strong)
        return ROLE_HEADING_SORT;
    return column == table_name_column(table) ? ROLE_KIND : ROLE_NORMAL;
}

static void draw_bar(struct canvas *canvas, int y, const struct column_place *place,
                     struct reading share)
{
    if (!reading_is_known(share))
        return;
    if (place->width < 8) {
        canvas_bar(canvas, y, place->x, place->width, ROLE_GRAPH, (int)share.value);
        return;
    }
    canvas_text(canvas, y, place->x, 1, ROLE_DIM, "[");
    canvas_bar(canvas, y, place->x + 1, place->width - 2, ROLE_GRAPH, (int)share.value);
    canvas_text(canvas, y, place->x + place->width - 1, 1, ROLE_DIM, "]");
}

static void draw_name(struct canvas *canvas, int y, const struct column_place *place,
                      enum role role, const char *text)
{
    struct strbuf name = STRBUF_INIT;

    utf8_cut_middle(&name, text, place->width);
    canvas_text(canvas, y, place->x, place->width, role, strbuf_text(&name));
    strbuf_release(&name);
}

/* The pools of one cell as one shade: how much of them is in use, on the whole; when
 * none is, what there is most of. Something is never drawn as nothing. */
static int fold_shades(const char *text, int count)
{
    int kinds[SHADES] = {0}, sum = 0, used;

    for (int i = 0; i < count; i++) {
        int shade = text[i] - '0';

        if (shade < 0 || shade >= SHADES)
            continue;
        kinds[shade]++;
        if (shade > SHADE_FREE)
            sum += shade - SHADE_FREE;
    }
    used = kinds[SHADE_LOW] + kinds[SHADE_HALF] + kinds[SHADE_MOST] + kinds[SHADE_FULL];
    if (used)
        return SHADE_FREE + (sum + count - 1) / count;
    if (kinds[SHADE_TORN])
        return SHADE_TORN;
    return kinds[SHADE_FREE] >= kinds[SHADE_UNTOUCHED] ? SHADE_FREE : SHADE_UNTOUCHED;
}

static void draw_shades(struct canvas *canvas, int y, const struct column_place *place,
                        const char *text)
{
    int length = text ? (int)strlen(text) : 0;

    if (length <= 0 || place->width <= 0)
        return;
    int folded = (length + place->width - 1) / place->width;
    for (int i = 0; i * folded < length; i++) {
        int count = length - i * folded < folded ? length - i * folded : folded;

        canvas_text(
            canvas, y, place->x + i, 1, ROLE_GRAPH,
            glyphs_shade(canvas->use_unicode, fold_shades(text + i * folded, count)));
    }
}

static void draw_levels(struct canvas *canvas, int y, const struct column_place *place,
                        const char *text)
{
    int length = text ? (int)strlen(text) : 0;
    int first = length > place->width ? length - place->width : 0;

    for (int i = first; i < length; i++)
        if (text[i] != ' ')
            canvas_text(canvas, y, place->x + i - first, 1, ROLE_GRAPH,
                        glyphs_spark(canvas->use_unicode, text[i] - '0'));
}

static bool draw_picture(struct canvas *canvas, int y, const struct column *column,
                         const struct column_place *place, const struct value *value)
{
    if (column->type == VALUE_BAR)
        draw_bar(canvas, y, place, value->number);
    else if (column->type == VALUE_SHADES)
        draw_shades(canvas, y, place, value->text);
    else if (column->type == VALUE_SPARK)
        draw_levels(canvas, y, place, value->text);
    else
        return false;
    return true;
}

static void draw_values(const struct table *table, struct canvas *canvas, int y,
                        const struct value *values, enum role role)
{
    char buffer[64];

    for (size_t i = 0; i < table->n_columns; i++) {
        const struct column *column = &table->columns[i];
        const struct column_place *place = &table->places[i];

        if (!place->drawn)
            continue;
        if (draw_picture(canvas, y, column, place, &values[i]))
            continue;
        const char *text = table_format(table, i, &values[i], buffer);
        enum role cell = cell_role(table, i, &values[i], role);
        if (column->cuts_middle)
            draw_name(canvas, y, place, cell, text);
        else if (is_left(column))
            canvas_text(canvas, y, place->x, place->width, cell, text);
        else
            canvas_text_right(canvas, y, place->x, place->width, cell, text);
    }
}

static void draw_row(const struct table *table, struct canvas *canvas, int y, size_t row)
{
    draw_values(table, canvas, y, table_value(table, row, 0),
                (enum role)table->heads[row].role);
}

static void draw_selection(const struct table *table, struct canvas *canvas, int y)
{
    struct rect line = {y, table->drawn.x, 1, table->drawn.width};

    canvas_paint(canvas, line, ROLE_SELECTED);
    canvas_text(canvas, y, line.x, 1, ROLE_SELECTED, ">");
    /* Braille displays and screen readers follow the terminal's cursor. */
    canvas_cursor(canvas, y, line.x + 1);
}

/* Per mille for a bar, milli per cent for a number. */
static void add_share_of_sums(const struct column *column, const struct value *sums,
                              struct value *share)
{
    int64_t scale = column->type == VALUE_BAR ? 1000 : 100000;

    if (!column->share_of || !column->share_in)
        return;
    struct reading part = sums[column->share_of - 1].number;
    struct reading all = sums[column->share_in - 1].number;
    if (reading_is_known(part) && all.value > 0)
        share->number = reading_exact(
            (int64_t)((double)part.value * (double)scale / (double)all.value + 0.5));
}

/* The sums of the rows from `first` on, as one row. */
static void draw_rest(const struct table *table, struct canvas *canvas, int y,
                      size_t first)
{
    struct value sums[TABLE_COLUMNS_MAX];
    char words[64], count[UNITS_MAX];

    memset(sums, 0, sizeof(sums));
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->columns[i].cumulates)
            sums[i] =
                *table_value(table, table->order[table->n_order - 1], i); /* all of it */
        for (size_t at = first; table->columns[i].is_summed && at < table->n_order;
             at++) {
            struct reading part = table_value(table, table->order[at], i)->number;

            if (!reading_is_known(part))
                continue;
            sums[i].number.value = table_sum(sums[i].number.value, part.value);
            if (part.state > sums[i].number.state)
                sums[i].number.state = part.state;
        }
    }
    for (size_t i = 0; i < table->n_columns; i++)
        add_share_of_sums(&table->columns[i], sums, &sums[i]);
    units_count(count, reading_exact((int64_t)(table->n_order - first)));
    snprintf(words, sizeof(words), "(%s more)", count);
    for (size_t i = 0; i < table->n_columns; i++)
        if (table->columns[i].type == VALUE_TEXT || table->columns[i].type == VALUE_LABEL)
            sums[i].text = i == table_name_column(table) ? words : "";
    draw_values(table, canvas, y, sums, ROLE_DIM);
}

/* How many rows have room; the last line is the rest's when more lie below. */
static size_t scroll(struct table *table, int lines)
{
    size_t room = lines > 0 ? (size_t)lines : 0;

    table->body_height = lines > 0 ? lines : 0;
    if (!room || !table->n_order)
        return 0;
    size_t last = table->n_order > room ? table->n_order - room : 0;
    if (table->top > last)
        table->top = last;
    if (table->cursor < table->top)
        table->top = table->cursor;
    bool has_rest = table->rest_shown && room > 2;
    if (has_rest && table->cursor + 2 > table->top + room && table->cursor < last + room)
        table->top = table->cursor + 2 - room;
    else if (table->cursor + 1 > table->top + room)
        table->top = table->cursor + 1 - room;
    if (table->top > last)
        table->top = last;
    size_t below = table->n_order - table->top;
    if (below <= room)
        return below;
    return has_rest ? room - 1 : room;
}

static void draw_no_match(const struct table *table, struct canvas *canvas, int y,
                          bool has_focus)
{
    canvas_textf(canvas, y, table->drawn.x + 1, table->drawn.width - 1, ROLE_DIM,
                 "no %s matches \"%.100s\"%s",
                 table->columns[table_name_column(table)].name, table->filter,
                 has_focus ? ": Esc clears the filter" : "");
}

void table_draw(struct table *table, struct canvas *canvas, struct rect rect,
                bool has_focus)
{
    table->drawn = rect;
    if (rect.height <= 0 || rect.width <= 0)
        return;
    place_columns(table, rect);

    int fixed = (int)table->n_fixed, lines = rect.height - 1;
    if (fixed > lines - 1)
        fixed = lines > 1 ? lines - 1 : 0;
    size_t visible = scroll(table, lines - fixed);
    draw_heading(table, canvas, (int)visible);
    for (size_t i = 0; i < visible; i++) {
        int y = rect.y + 1 + (int)i;

        draw_row(table, canvas, y, table->order[table->top + i]);
        if (has_focus && table->top + i == table->cursor)
            draw_selection(table, canvas, y);
    }

    int y = rect.y + 1 + (int)visible;
    if (!table->n_order && table->n_ordinary && lines > 0)
        draw_no_match(table, canvas, y++, has_focus);
    if (table->rest_shown && visible && table->top + visible < table->n_order &&
        visible < (size_t)(lines - fixed))
        draw_rest(table, canvas, y++, table->top + visible);
    table->body_height = (int)visible;
    for (int i = 0; i < fixed && y + i < rect.y + rect.height; i++)
        draw_row(table, canvas, y + i, table->fixed[i]);
}
