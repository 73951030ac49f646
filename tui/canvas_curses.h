/*
 * canvas_curses.h - sends the grid to the terminal that term.c has started.
 *
 * curses keeps what the terminal shows and sends only the cells that changed.
 * Main thread; between term_start() and term_stop() only.
 */
#ifndef HEAPTOP_TUI_CANVAS_CURSES_H
#define HEAPTOP_TUI_CANVAS_CURSES_H

#include <stdbool.h>

#include "tui/canvas.h"

/* After the start of curses: makes the colour pairs. False: none are available. */
bool canvas_curses_init(bool use_color);
void canvas_curses_show(const struct canvas *canvas, bool use_color);

#endif
