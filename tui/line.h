/*
 * line.h - one line made of parts that are dropped by priority when it is narrow.
 *
 * A part is a few pieces of text with their roles ("RES" dim, "612.4M" bright,
 * "+1.2M"), or a sparkline. Parts stand three columns apart, two when that is
 * needed to keep one more of them. Value type; nothing to release.
 */
#ifndef HEAPTOP_TUI_LINE_H
#define HEAPTOP_TUI_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "tui/canvas.h"

#define LINE_PARTS  16
#define PART_PIECES 5
#define PIECE_BYTES 560

struct piece {
    char text[PIECE_BYTES];
    enum role role;
};

struct part {
    struct piece pieces[PART_PIECES];
    int n_pieces;
    int priority; /* the greatest number goes first */
    int least;    /* > 0: may be cut to this many columns */
    bool is_right;
    const int64_t *spark; /* borrowed until line_draw() */
    int n_spark;
    bool is_dropped;
    int width; /* set by line_draw() */
};

struct line {
    struct part parts[LINE_PARTS];
    int n_parts;
};

void line_init(struct line *line);
/* Begins a part; what is beyond LINE_PARTS goes into the last one. */
struct part *line_part(struct line *line, int priority);
void part_add(struct part *part, enum role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* From x, within width. */
void line_draw(struct line *line, struct canvas *canvas, int y, int x, int width);

#endif
