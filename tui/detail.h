/*
 * detail.h - lines of "name  words" for what opens in place of a table.
 */
#ifndef HEAPTOP_TUI_DETAIL_H
#define HEAPTOP_TUI_DETAIL_H

#include "tui/canvas.h"

struct detail {
    struct canvas *canvas;
    struct rect rect;
    int y; /* the next line */
};

void detail_init(struct detail *detail, struct canvas *canvas, struct rect rect);
void detail_line(struct detail *detail, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void detail_heading(struct detail *detail, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* As detail_line, over as many lines as the text needs. */
void detail_text(struct detail *detail, const char *name, const char *text);
/* A text of its own over as many lines as it needs, broken at blanks. */
void detail_paragraph(struct detail *detail, const char *text);
void detail_gap(struct detail *detail);
/* What is left below. */
struct rect detail_rest(const struct detail *detail);

#endif
