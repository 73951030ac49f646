#include "tui/line.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

void line_init(struct line *line)
{
    memset(line, 0, sizeof(*line));
}

struct part *line_part(struct line *line, int priority)
{
    int at = line->n_parts < LINE_PARTS ? line->n_parts++ : LINE_PARTS - 1;

    line->parts[at].priority = priority;
    return &line->parts[at];
}

void part_add(struct part *part, enum role role, const char *format, ...)
{
    va_list arguments;

    if (part->n_pieces == PART_PIECES)
        return;
    struct piece *piece = &part->pieces[part->n_pieces++];
    piece->role = role;
    va_start(arguments, format);
    vsnprintf(piece->text, sizeof(piece->text), format, arguments);
    va_end(arguments);
}

#define NARROW 60 /* then one column between parts will do */

static int natural_width(const struct part *part)
{
    int width = part->n_spark;

    for (int i = 0; i < part->n_pieces; i++)
        width += utf8_columns(part->pieces[i].text) + (width > 0);
    return width;
}

/* Columns of all parts, flexible ones at their least. */
static int least_width(struct line *line, int gap)
{
    int total = 0;

    for (int i = 0; i < line->n_parts; i++) {
        struct part *part = &line->parts[i];

        if (part->is_dropped)
            continue;
        part->width = natural_width(part);
        if (part->least && part->width > part->least)
            part->width = part->least;
        total += part->width + (total > 0 ? gap : 0);
    }
    return total;
}

static bool drop_one(struct line *line)
{
    struct part *chosen = NULL;
    int left = 0;

    for (int i = 0; i < line->n_parts; i++) {
        struct part *part = &line->parts[i];

        if (part->is_dropped)
            continue;
        left++;
        if (!chosen || part->priority >= chosen->priority)
            chosen = part;
    }
    if (left < 2)
        return false;
    chosen->is_dropped = true;
    return true;
}

/* Gives the spare columns to the flexible parts in turn. */
static int stretch(struct line *line, int spare)
{
    for (int i = 0; i < line->n_parts && spare > 0; i++) {
        struct part *part = &line->parts[i];
        int more = natural_width(part) - part->width;

        if (part->is_dropped || more <= 0)
            continue;
        if (more > spare)
            more = spare;
        part->width += more;
        spare -= more;
    }
    return spare;
}

static void part_draw(const struct part *part, struct canvas *canvas, int y, int x)
{
    int used = 0;

    if (part->n_spark) {
        canvas_spark(canvas, y, x, part->n_spark, ROLE_GRAPH, part->spark, part->n_spark);
        used = part->n_spark;
    }
    for (int i = 0; i < part->n_pieces && used < part->width; i++) {
        used += used > 0;
        used += canvas_text(canvas, y, x + used, part->width - used, part->pieces[i].role,
                            part->pieces[i].text);
    }
}

/* Would a part that may be cut be cut, with this many columns to spare? */
static bool is_cut(const struct line *line, int spare)
{
    int more = 0;

    for (int i = 0; i < line->n_parts; i++)
        if (line->parts[i].least)
            more += natural_width(&line->parts[i]) - line->parts[i].width;
    return more > 0 && spare < more;
}

void line_draw(struct line *line, struct canvas *canvas, int y, int x, int width)
{
    int gap = 3, total;

    if (is_cut(line, width - least_width(line, gap)))
        gap = 2;
    while ((total = least_width(line, gap)) > width) {
        if (gap > 1 && least_width(line, gap - 1) <= width && (gap > 2 || width < NARROW))
            gap--;
        else if (!drop_one(line))
            break;
    }

    int spare = total < width ? stretch(line, width - total) : 0;
    for (int i = 0; i < line->n_parts; i++) {
        struct part *part = &line->parts[i];

        if (part->is_dropped)
            continue;
        if (part->is_right) { /* it and all that follow stand at the right edge */
            x += spare;
            spare = 0;
        }
        if (part->width > width)
            part->width = width;
        part_draw(part, canvas, y, x);
        x += part->width + gap;
    }
}
