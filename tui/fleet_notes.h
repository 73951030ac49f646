/*
 * fleet_notes.h - sentences on the processes of a service, below their table: why one
 * stands out or cannot be read, its verdict, what it shares, how old its figures are.
 * Part of the view of fleet_view.h.
 */
#ifndef HEAPTOP_TUI_FLEET_NOTES_H
#define HEAPTOP_TUI_FLEET_NOTES_H

#include "model/fleet.h"
#include "tui/canvas.h"

/* A sentence in at most `lines` lines, cut at blanks. How many it took. */
int fleet_draw_words(struct canvas *canvas, int y, int lines, enum role role,
                     const char *text);

/* All on the selected row; NULL is that of the sums. */
void fleet_draw_notes(struct canvas *canvas, int y, int lines,
                      const struct fleet_sample *sample, const struct fleet_row *row);

/* For text: a line for each that stands out or cannot be read, then what all share. */
int fleet_text_lines(const struct fleet_sample *sample, int columns);
void fleet_draw_text(struct canvas *canvas, int y, const struct fleet_sample *sample);

#endif
