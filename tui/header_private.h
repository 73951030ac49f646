/*
 * header_private.h - the header's lines that stand in header_objects.c.
 */
#ifndef HEAPTOP_TUI_HEADER_PRIVATE_H
#define HEAPTOP_TUI_HEADER_PRIVATE_H

#include "tui/header.h"
#include "tui/line.h"

void header_add_cpu(struct line *line, int priority, struct reading milli_percent);
/* CPU, threads, PSS and USS, faults, input and output. */
void header_draw_process(const struct header_input *input, struct canvas *canvas, int y,
                         int width);
/* Objects, the walk's age and price, the agent, the mark. Why there is no agent may
 * have a line of its own: has_reason. */
void header_draw_objects(const struct header_input *input, struct canvas *canvas, int y,
                         int width, bool has_reason);
/* Why the target is not read better than it is, and what to do. */
void header_draw_reason(const struct header_input *input, struct canvas *canvas, int y,
                        int width);
/* The second line of the short form. */
void header_draw_short(const struct header_input *input, struct canvas *canvas, int y,
                       int width);
/* What there is room for, one number a line; RES stays to the last. */
void header_draw_tiny(const struct header_input *input, struct canvas *canvas,
                      const struct rect *rect);

#endif
