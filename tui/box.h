/*
 * box.h - a framed area over the screen: for menus and dialogs.
 *
 * Smaller than wanted when the screen is small; at very small sizes there is no
 * frame and the inside is all there is.
 */
#ifndef HEAPTOP_TUI_BOX_H
#define HEAPTOP_TUI_BOX_H

#include "tui/canvas.h"

/* Draws a frame around `height` x `width` cells in the middle of the canvas, with the
 * title in its upper edge, and returns the inside. */
struct rect box_draw(struct canvas *canvas, int height, int width, const char *title);

/* The columns that the inside of a box has at most, of those wanted. */
int box_width(const struct canvas *canvas, int wanted);

/* Splits text into lines of at most `width` columns at blanks and draws them; returns
 * how many lines it takes. With a NULL canvas it only counts. */
int box_text(struct canvas *canvas, struct rect rect, enum role role, const char *text);

#endif
