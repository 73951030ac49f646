#include "tui/detail.h"

#include <stdarg.h>

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
