/*
 * layout.h - where the parts of the screen stand. Pure: from the size and what
 * there is to show to rectangles; nothing is refused, down to one cell. What
 * has no room has height 0.
 */
#ifndef HEAPTOP_TUI_LAYOUT_H
#define HEAPTOP_TUI_LAYOUT_H

#include "tui/canvas.h"

enum layout_form {
    LAYOUT_FULL = 0, /* five or six lines of header */
    LAYOUT_SHORT,    /* two lines */
    LAYOUT_TINY,     /* pid, VIRT, RES, pymalloc below each other; no pane */
    LAYOUT_RES,      /* RES only */
};

struct layout {
    enum layout_form form;
    struct rect header, tabs, body, status, bar;
};

/* `header_lines`: what the full header would take; 0 = hidden by the user. */
void layout_make(struct layout *layout, int height, int width, int header_lines);

#endif
