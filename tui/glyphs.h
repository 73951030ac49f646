/*
 * glyphs.h - the drawing characters, each with its ASCII form.
 *
 * Static text; any thread. Nothing fails.
 */
#ifndef HEAPTOP_TUI_GLYPHS_H
#define HEAPTOP_TUI_GLYPHS_H

#include <stdbool.h>

#define GLYPHS_EIGHTHS      8
#define GLYPHS_SPARK_LEVELS 8

/* One cell of a horizontal bar, filled by 0 to 8 eighths; ASCII knows full and empty. */
const char *glyphs_bar(bool use_unicode, int eighths);

/* One cell of a sparkline, level 0 (lowest) to GLYPHS_SPARK_LEVELS - 1. */
const char *glyphs_spark(bool use_unicode, int level);

/* One pool, or several folded into one cell. As text in a table's row: '0' + shade. */
enum shade {
    SHADE_TORN = 0,
    SHADE_UNTOUCHED, /* never carved */
    SHADE_FREE,
    SHADE_LOW, /* under a third in use */
    SHADE_HALF,
    SHADE_MOST,
    SHADE_FULL,
    SHADES,
};

const char *glyphs_shade(bool use_unicode, int shade);

#endif
