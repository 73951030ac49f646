/*
 * theme.h - how each role looks. Static tables; knows nothing of curses.
 *
 * Only the 16 standard colours are used, and a colour stands either on the
 * terminal's own background and is readable on light and dark, or comes with its
 * own background. What a colour says is also said by a sign, a word or a place.
 */
#ifndef HEAPTOP_TUI_THEME_H
#define HEAPTOP_TUI_THEME_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/canvas.h"

#define THEME_DEFAULT (-1) /* the terminal's own colour */

struct style {
    int8_t foreground, background; /* 0 to 7 in the order of ANSI, or THEME_DEFAULT */
    bool is_bold, is_dim, is_reverse, is_underline;
};

struct style theme_style(enum role role, bool use_color);

#endif
