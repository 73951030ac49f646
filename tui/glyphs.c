#include "tui/glyphs.h"

static int clamp(int value, int low, int high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

const char *glyphs_bar(bool use_unicode, int eighths)
{
    static const char *const unicode[GLYPHS_EIGHTHS + 1] = {
        "",       "\u258f", "\u258e", "\u258d", "\u258c",
        "\u258b", "\u258a", "\u2589", "\u2588",
    };

    eighths = clamp(eighths, 0, GLYPHS_EIGHTHS);
    if (use_unicode)
        return unicode[eighths];
    return eighths >= GLYPHS_EIGHTHS / 2 ? "#" : "";
}

const char *glyphs_spark(bool use_unicode, int level)
{
    static const char *const unicode[GLYPHS_SPARK_LEVELS] = {
        "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588",
    };
    static const char *const ascii[GLYPHS_SPARK_LEVELS] = {"_", "_", ".", "-",
                                                           "-", "=", "^", "#"};

    level = clamp(level, 0, GLYPHS_SPARK_LEVELS - 1);
    return use_unicode ? unicode[level] : ascii[level];
}

const char *glyphs_shade(bool use_unicode, int shade)
{
    static const char *const unicode[SHADES] = {
        "?", "_", "\u00b7", "\u2591", "\u2592", "\u2593", "\u2588",
    };
    static const char *const ascii[SHADES] = {"?", "_", ".", "-", "+", "*", "#"};

    shade = clamp(shade, 0, SHADES - 1);
    return use_unicode ? unicode[shade] : ascii[shade];
}
