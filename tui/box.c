#include "tui/box.h"

#include <string.h>

#include "util/strbuf.h"
#include "util/utf8.h"

struct frame {
    const char *horizontal, *vertical;
    const char *corners[4]; /* top left, top right, bottom left, bottom right */
};

static const struct frame *frame_of(const struct canvas *canvas)
{
    static const struct frame unicode = {
        "\u2500", "\u2502", {"\u250c", "\u2510", "\u2514", "\u2518"}};
    static const struct frame ascii = {"-", "|", {"+", "+", "+", "+"}};

    return canvas->use_unicode ? &unicode : &ascii;
}

static void draw_edge(struct canvas *canvas, struct rect rect, bool is_top)
{
    const struct frame *frame = frame_of(canvas);
    int y = is_top ? rect.y : rect.y + rect.height - 1;
    const char *const *corners = frame->corners + (is_top ? 0 : 2);

    canvas_text(canvas, y, rect.x, 1, ROLE_DIALOG, corners[0]);
    for (int x = 1; x < rect.width - 1; x++)
        canvas_text(canvas, y, rect.x + x, 1, ROLE_DIALOG, frame->horizontal);
    canvas_text(canvas, y, rect.x + rect.width - 1, 1, ROLE_DIALOG, corners[1]);
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static bool has_room_for_frame(const struct canvas *canvas)
{
    return canvas->height >= 5 && canvas->width >= 16;
}

int box_width(const struct canvas *canvas, int wanted)
{
    int room = has_room_for_frame(canvas) ? canvas->width - 4 : canvas->width;

    return smaller(wanted, room > 0 ? room : 1);
}

struct rect box_draw(struct canvas *canvas, int height, int width, const char *title)
{
    bool has_frame = has_room_for_frame(canvas);
    int edge = has_frame ? 1 : 0, margin = has_frame ? 2 : 0;
    struct rect outer;

    outer.height = smaller(height + 2 * edge, canvas->height);
    outer.width = smaller(width + 2 * margin, canvas->width);
    outer.y = (canvas->height - outer.height) / 2;
    outer.x = (canvas->width - outer.width) / 2;
    canvas_fill(canvas, outer, ROLE_DIALOG);
    if (!has_frame)
        return outer;

    draw_edge(canvas, outer, true);
    draw_edge(canvas, outer, false);
    for (int y = 1; y < outer.height - 1; y++) {
        canvas_text(canvas, outer.y + y, outer.x, 1, ROLE_DIALOG,
                    frame_of(canvas)->vertical);
        canvas_text(canvas, outer.y + y, outer.x + outer.width - 1, 1, ROLE_DIALOG,
                    frame_of(canvas)->vertical);
    }
    if (*title && outer.width > 10) {
        int used =
            canvas_text(canvas, outer.y, outer.x + 4, outer.width - 8, ROLE_VALUE, title);

        canvas_text(canvas, outer.y, outer.x + 3, 1, ROLE_DIALOG, " ");
        canvas_text(canvas, outer.y, outer.x + 4 + used, 1, ROLE_DIALOG, " ");
    }
    return (struct rect){outer.y + edge, outer.x + margin, outer.height - 2 * edge,
                         outer.width - 2 * margin};
}

/* Bytes of `text` that fit on one line, the blank where it is broken not included. */
static size_t line_bytes(const char *text, int width)
{
    size_t at = 0, last_blank = 0, length = strlen(text), used;

    for (int columns = 0; at < length && text[at] != '\n'; at += used) {
        columns += utf8_char_columns(utf8_decode(text + at, length - at, &used));
        if (text[at] == ' ' && columns <= width + 1)
            last_blank = at;
        if (columns > width)
            return last_blank > 0 ? last_blank : at > 0 ? at : used;
    }
    return at;
}

int box_text(struct canvas *canvas, struct rect rect, enum role role, const char *text)
{
    int lines = 0;

    if (rect.width <= 0)
        return 0;
    while (*text) {
        size_t bytes = line_bytes(text, rect.width);

        if (canvas && lines < rect.height) {
            struct strbuf line = STRBUF_INIT;

            strbuf_add(&line, text, bytes);
            canvas_text(canvas, rect.y + lines, rect.x, rect.width, role,
                        strbuf_text(&line));
            strbuf_release(&line);
        }
        lines++;
        text += bytes;
        if (*text == ' ' || *text == '\n')
            text++;
    }
    return lines;
}
