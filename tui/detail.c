#include "tui/detail.h"

#include <stdarg.h>
#include <string.h>

#include "util/utf8.h"

#define NAME_COLUMNS 18

void detail_init(struct detail *detail, struct canvas *canvas, struct rect rect)
{
    detail->canvas = canvas;
    detail->rect = rect;
    detail->y = rect.y;
}

static bool has_room(const struct detail *detail)
{
    return detail->y < detail->rect.y + detail->rect.height;
}

static void add(struct detail *detail, int x, enum role role, const struct strbuf *text)
{
    canvas_text(detail->canvas, detail->y, detail->rect.x + x, detail->rect.width - x,
                role, strbuf_text(text));
}

void detail_line(struct detail *detail, const char *name, const char *format, ...)
{
    struct strbuf text = STRBUF_INIT;
    va_list arguments;

    if (!has_room(detail))
        return;
    va_start(arguments, format);
    strbuf_addv(&text, format, arguments);
    va_end(arguments);
    canvas_text(detail->canvas, detail->y, detail->rect.x + 1,
                detail->rect.width - 1 < NAME_COLUMNS ? detail->rect.width - 1
                                                      : NAME_COLUMNS,
                ROLE_DIM, name);
    add(detail, NAME_COLUMNS + 2, ROLE_NORMAL, &text);
    strbuf_release(&text);
    detail->y++;
}

void detail_heading(struct detail *detail, const char *format, ...)
{
    struct strbuf text = STRBUF_INIT;
    va_list arguments;

    if (!has_room(detail))
        return;
    va_start(arguments, format);
    strbuf_addv(&text, format, arguments);
    va_end(arguments);
    canvas_fill(detail->canvas,
                (struct rect){detail->y, detail->rect.x, 1, detail->rect.width},
                ROLE_HEADING);
    add(detail, 1, ROLE_HEADING, &text);
    strbuf_release(&text);
    detail->y++;
}

/* Bytes of the text that fit the columns: to the last blank, else as many as do. */
static size_t line_bytes(const char *text, int columns)
{
    size_t length = strlen(text), at = 0, blank = 0, used;
    int taken = 0;

    for (; at < length; at += used) {
        uint32_t character = utf8_decode(text + at, length - at, &used);
        int wide = character == UTF8_INVALID ? 1 : utf8_char_columns(character);

        if (wide > columns - taken)
            return blank ? blank : at ? at : used;
        if (character == ' ')
            blank = at;
        taken += wide;
    }
    return length;
}

void detail_paragraph(struct detail *detail, const char *text)
{
    while (*text && has_room(detail)) {
        size_t bytes = line_bytes(text, detail->rect.width - 2);
        struct strbuf line = STRBUF_INIT;

        strbuf_add(&line, text, bytes);
        add(detail, 1, ROLE_NORMAL, &line);
        strbuf_release(&line);
        detail->y++;
        text += bytes;
        text += strspn(text, " ");
    }
}

void detail_text(struct detail *detail, const char *name, const char *text)
{
    int columns = detail->rect.width - NAME_COLUMNS - 3;

    for (; *text && columns > 0; name = "") {
        size_t bytes = line_bytes(text, columns);

        detail_line(detail, name, "%.*s", (int)bytes, text);
        text += bytes;
        text += strspn(text, " ");
    }
}

void detail_gap(struct detail *detail)
{
    if (has_room(detail))
        detail->y++;
}

struct rect detail_rest(const struct detail *detail)
{
    struct rect rest = detail->rect;

    rest.y = detail->y;
    rest.height = detail->rect.y + detail->rect.height - detail->y;
    return rest;
}
