#include "tui/shades_legend.h"

#include "tui/line.h"

void shades_legend_draw(const char *const words[SHADES], struct canvas *canvas, int y,
                        int x, int width)
{
    struct line line;

    line_init(&line);
    for (int shade = SHADES - 1; shade >= 0; shade--) {
        struct part *part;

        if (!words[shade])
            continue;
        part = line_part(&line, SHADES - shade);
        part_add(part, ROLE_GRAPH, "%s", glyphs_shade(canvas->use_unicode, shade));
        part_add(part, ROLE_DIM, "%s", words[shade]);
    }
    line_draw(&line, canvas, y, x + 1, width - 1);
}
