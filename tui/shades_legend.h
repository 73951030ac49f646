/*
 * shades_legend.h - one line that says what each shade of a picture means.
 */
#ifndef HEAPTOP_TUI_SHADES_LEGEND_H
#define HEAPTOP_TUI_SHADES_LEGEND_H

#include "tui/canvas.h"
#include "tui/glyphs.h"

/* Words by shade; NULL: the picture does not have it. The fullest stands first, and stays
 * longest when there is little room. */
void shades_legend_draw(const char *const words[SHADES], struct canvas *canvas, int y,
                        int x, int width);

#endif
