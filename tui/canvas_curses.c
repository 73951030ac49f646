#include "tui/canvas_curses.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <ncurses.h>

#include "tui/theme.h"

/* A pair for each role, so that no table of pairs is needed. Pair 0 is the default. */
static short pair_of_role(enum role role)
{
    return (short)(role + 1);
}

bool canvas_curses_init(bool use_color)
{
    if (!use_color || !has_colors() || start_color() == ERR)
        return false;
    if (use_default_colors() == ERR || COLORS < 8 || COLOR_PAIRS <= ROLE_COUNT)
        return false;
    for (enum role role = 0; role < ROLE_COUNT; role++) {
        struct style style = theme_style(role, true);

        init_pair(pair_of_role(role), style.foreground, style.background);
    }
    return true;
}

static attr_t attributes_of(struct style style)
{
    attr_t attributes = A_NORMAL;

    if (style.is_bold)
        attributes |= A_BOLD;
    if (style.is_dim)
        attributes |= A_DIM;
    if (style.is_reverse)
        attributes |= A_REVERSE;
    if (style.is_underline)
        attributes |= A_UNDERLINE;
    return attributes;
}

/* The characters of a cell; false when the C library and the grid do not agree on
 * its columns, or it cannot be shown in this locale. */
static bool to_wide(const struct cell *cell, wchar_t wide[CCHARW_MAX + 1])
{
    mbstate_t state;
    const char *text = cell->text;

    memset(&state, 0, sizeof(state));
    size_t count = mbsrtowcs(wide, &text, CCHARW_MAX, &state);
    if (count == (size_t)-1 || count == 0)
        return false;
    wide[count < CCHARW_MAX ? count : CCHARW_MAX] = L'\0';
    if (wcwidth(wide[0]) != cell->columns)
        return false;
    for (size_t i = 1; wide[i]; i++) {
        if (wcwidth(wide[i]) != 0) {
            wide[i] = L'\0';
            break;
        }
    }
    return true;
}

static void show_cell(int y, int x, const struct cell *cell, bool use_color)
{
    attr_t attributes = attributes_of(theme_style(cell->role, use_color));
    short pair = use_color ? pair_of_role(cell->role) : 0;
    wchar_t wide[CCHARW_MAX + 1] = L" ";
    cchar_t character;

    if (cell->text[0] != '\0' && !to_wide(cell, wide)) {
        wmemcpy(wide, L"?", 2);
        if (cell->columns == 2) {
            setcchar(&character, L" ", attributes, pair, NULL);
            mvadd_wch(y, x + 1, &character);
        }
    }
    setcchar(&character, wide, attributes, pair, NULL);
    mvadd_wch(y, x, &character);
}

/* curses fills the last corner by pushing a character from its left neighbour, and
 * sends rubbish where there is none. */
static bool is_lost_corner(int y, int x)
{
    return COLS == 1 && x == 0 && y == LINES - 1;
}

void canvas_curses_show(const struct canvas *canvas, bool use_color)
{
    int height = canvas->height < LINES ? canvas->height : LINES;
    int width = canvas->width < COLS ? canvas->width : COLS;

    erase();
    for (int y = 0; y < height; y++) {
        const struct cell *row = canvas->cells + (size_t)y * (size_t)canvas->width;

        for (int x = 0; x < width; x++)
            if (row[x].columns > 0 && !is_lost_corner(y, x))
                show_cell(y, x, &row[x], use_color);
    }
    bool is_placed = canvas->cursor_y >= 0 && canvas->cursor_y < height &&
                     canvas->cursor_x >= 0 && canvas->cursor_x < width;
    if (is_placed)
        move(canvas->cursor_y, canvas->cursor_x);
    else if (height > 0 && width > 0)
        move(height - 1, width - 1);
    refresh();
}
