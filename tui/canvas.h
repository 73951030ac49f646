/*
 * canvas.h - a grid of cells: what panes draw on.
 *
 * Panes, dialogs and the header draw only here; canvas_curses.c sends the grid
 * to the terminal, canvas_text() gives it as lines for batch mode and golden
 * tests. Text must be clean (util/utf8.h). Everything outside the grid or the
 * given width is dropped silently, so drawing code needs no bounds of its own.
 */
#ifndef HEAPTOP_TUI_CANVAS_H
#define HEAPTOP_TUI_CANVAS_H

#include <stdbool.h>
#include <stdint.h>

#include "util/strbuf.h"

/* What a cell means; the theme decides how it looks. Never colour alone. */
enum role {
    ROLE_NORMAL = 0,
    ROLE_HEADER, /* the lines on top */
    ROLE_VALUE,  /* an important number */
    ROLE_DIM,
    ROLE_TAB,
    ROLE_TAB_ACTIVE,
    ROLE_HEADING,      /* column headings */
    ROLE_HEADING_SORT, /* the sort column's heading */
    ROLE_SELECTED,
    ROLE_KIND,
    ROLE_GROWTH, /* +: a delta up */
    ROLE_SHRINK, /* -: a delta down */
    ROLE_WARNING,
    ROLE_BAR, /* the bottom bar's labels */
    ROLE_BAR_KEY,
    ROLE_GRAPH,
    ROLE_DIALOG,
    ROLE_BUTTON,
    ROLE_BUTTON_FOCUS,
    ROLE_COUNT,
};

struct cell {
    char text[16];   /* one character and its combining marks, UTF-8; "" = blank */
    uint8_t columns; /* 0 for the second half of a wide character */
    uint8_t role;
};

struct canvas {
    int height, width;
    struct cell *cells;
    bool use_unicode;
    int cursor_y, cursor_x; /* where the terminal's cursor rests; -1 = nowhere */
};

struct rect {
    int y, x, height, width;
};

void canvas_init(struct canvas *canvas, int height, int width, bool use_unicode);
void canvas_release(struct canvas *canvas);
void canvas_clear(struct canvas *canvas);

/* Draws at most `width` columns, cut with `~`; returns the columns used. */
int canvas_text(struct canvas *canvas, int y, int x, int width, enum role role,
                const char *text);
int canvas_textf(struct canvas *canvas, int y, int x, int width, enum role role,
                 const char *format, ...) __attribute__((format(printf, 6, 7)));
/* Right-aligned within `width`. */
void canvas_text_right(struct canvas *canvas, int y, int x, int width, enum role role,
                       const char *text);
void canvas_fill(struct canvas *canvas, struct rect rect, enum role role);
/* Changes the role of cells that are drawn already (selection). */
void canvas_paint(struct canvas *canvas, struct rect rect, enum role role);
/* A horizontal bar of share/1000 of the width: eighth blocks, or '#' in ASCII. */
void canvas_bar(struct canvas *canvas, int y, int x, int width, enum role role,
                int share_per_mille);
/* A sparkline of the last `width` values, scaled to their minimum and maximum;
 * unknown values (INT64_MIN) leave a gap. */
void canvas_spark(struct canvas *canvas, int y, int x, int width, enum role role,
                  const int64_t *values, int count);
void canvas_cursor(struct canvas *canvas, int y, int x);

/* The grid as lines without trailing blanks. */
void canvas_lines(const struct canvas *canvas, struct strbuf *out);

#endif
