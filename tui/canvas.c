#include "tui/canvas.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "tui/glyphs.h"
#include "util/utf8.h"
#include "util/xalloc.h"

static struct cell *cell_at(const struct canvas *canvas, int y, int x)
{
    if (y < 0 || y >= canvas->height || x < 0 || x >= canvas->width)
        return NULL;
    return &canvas->cells[(size_t)y * (size_t)canvas->width + (size_t)x];
}

static void cell_blank(struct cell *cell, enum role role)
{
    memset(cell, 0, sizeof(*cell));
    cell->columns = 1;
    cell->role = (uint8_t)role;
}

void canvas_init(struct canvas *canvas, int height, int width, bool use_unicode)
{
    memset(canvas, 0, sizeof(*canvas));
    canvas->height = height > 0 ? height : 0;
    canvas->width = width > 0 ? width : 0;
    canvas->use_unicode = use_unicode;
    /* One spare cell, so that an empty canvas is not a special case. */
    canvas->cells = xcalloc((size_t)canvas->height * (size_t)canvas->width + 1,
                            sizeof(*canvas->cells));
    canvas_clear(canvas);
}

void canvas_release(struct canvas *canvas)
{
    free(canvas->cells);
    memset(canvas, 0, sizeof(*canvas));
}

void canvas_clear(struct canvas *canvas)
{
    size_t count = (size_t)canvas->height * (size_t)canvas->width;

    for (size_t i = 0; i < count; i++)
        cell_blank(&canvas->cells[i], ROLE_NORMAL);
    canvas->cursor_y = canvas->cursor_x = -1;
}

/* A wide character of which one half is overwritten may not keep the other. */
static void free_neighbours(struct canvas *canvas, int y, int x)
{
    struct cell *cell = cell_at(canvas, y, x);
    struct cell *left = cell_at(canvas, y, x - 1);
    struct cell *right = cell_at(canvas, y, x + 1);

    if (cell->columns == 0 && left && left->columns == 2)
        cell_blank(left, left->role);
    if (cell->columns == 2 && right && right->columns == 0)
        cell_blank(right, right->role);
}

static void put(struct canvas *canvas, int y, int x, enum role role, const char *text,
                size_t length, int columns)
{
    struct cell *cell = cell_at(canvas, y, x);

    if (!cell || length >= sizeof(cell->text))
        return;
    free_neighbours(canvas, y, x);
    cell_blank(cell, role);
    memcpy(cell->text, text, length);
    if (columns < 2)
        return;

    struct cell *half = cell_at(canvas, y, x + 1);
    if (!half) { /* there is no room for the second half */
        cell_blank(cell, role);
        return;
    }
    free_neighbours(canvas, y, x + 1);
    cell_blank(half, role);
    half->columns = 0;
    cell->columns = 2;
}

/* Adds a combining mark to the character before; too many of them are dropped. */
static void combine(struct canvas *canvas, int y, int x, const char *text, size_t length)
{
    struct cell *cell = cell_at(canvas, y, x);

    if (cell && cell->columns == 0)
        cell = cell_at(canvas, y, x - 1);
    if (!cell || cell->text[0] == '\0')
        return;

    size_t used = strlen(cell->text);
    if (length < sizeof(cell->text) - used)
        memcpy(cell->text + used, text, length);
}

static void draw_character(struct canvas *canvas, int y, int x, enum role role,
                           uint32_t character, const char *bytes, size_t length)
{
    int columns = utf8_char_columns(character);

    /* Text is clean by contract; a control character would move the terminal's cursor,
     * so the last place before the grid does not trust that. */
    bool is_plain = character != UTF8_INVALID && character >= 0x20 &&
                    !(character >= 0x7f && character <= 0x9f);
    if (is_plain && (character < 0x80 || canvas->use_unicode)) {
        put(canvas, y, x, role, bytes, length, columns);
        return;
    }
    for (int i = 0; i < columns; i++)
        put(canvas, y, x + i, role, "?", 1, 1);
}

int canvas_text(struct canvas *canvas, int y, int x, int width, enum role role,
                const char *text)
{
    int used = 0;

    if (x >= canvas->width || y < 0 || y >= canvas->height)
        return 0;
    if (width > canvas->width - x)
        width = canvas->width - x;
    if (width <= 0)
        return 0;

    bool is_cut = utf8_columns(text) > width;
    int limit = is_cut ? width - 1 : width;
    size_t left = strlen(text), taken;
    for (; left > 0; text += taken, left -= taken) {
        uint32_t character = utf8_decode(text, left, &taken);
        int columns = utf8_char_columns(character);

        if (columns > limit - used)
            break;
        if (columns > 0)
            draw_character(canvas, y, x + used, role, character, text, taken);
        else if (used > 0 && canvas->use_unicode)
            combine(canvas, y, x + used - 1, text, taken);
        used += columns;
    }
    if (is_cut)
        put(canvas, y, x + used++, role, "~", 1, 1);
    return used;
}

int canvas_textf(struct canvas *canvas, int y, int x, int width, enum role role,
                 const char *format, ...)
{
    struct strbuf text = STRBUF_INIT;
    va_list arguments;

    va_start(arguments, format);
    strbuf_addv(&text, format, arguments);
    va_end(arguments);

    int used = canvas_text(canvas, y, x, width, role, strbuf_text(&text));
    strbuf_release(&text);
    return used;
}

void canvas_text_right(struct canvas *canvas, int y, int x, int width, enum role role,
                       const char *text)
{
    int columns = utf8_columns(text);
    int indent = columns < width ? width - columns : 0;

    canvas_text(canvas, y, x + indent, width - indent, role, text);
}

static struct rect clip(const struct canvas *canvas, struct rect rect)
{
    int64_t bottom = (int64_t)rect.y + rect.height, right = (int64_t)rect.x + rect.width;

    if (bottom > canvas->height)
        bottom = canvas->height;
    if (right > canvas->width)
        right = canvas->width;
    rect.y = rect.y > 0 ? rect.y : 0;
    rect.x = rect.x > 0 ? rect.x : 0;
    rect.height = bottom > rect.y ? (int)(bottom - rect.y) : 0;
    rect.width = right > rect.x ? (int)(right - rect.x) : 0;
    return rect;
}

void canvas_fill(struct canvas *canvas, struct rect rect, enum role role)
{
    rect = clip(canvas, rect);
    for (int y = rect.y; y < rect.y + rect.height; y++)
        for (int x = rect.x; x < rect.x + rect.width; x++)
            put(canvas, y, x, role, "", 0, 1);
}

void canvas_paint(struct canvas *canvas, struct rect rect, enum role role)
{
    rect = clip(canvas, rect);
    for (int y = rect.y; y < rect.y + rect.height; y++)
        for (int x = rect.x; x < rect.x + rect.width; x++)
            cell_at(canvas, y, x)->role = (uint8_t)role;
}

void canvas_bar(struct canvas *canvas, int y, int x, int width, enum role role,
                int share_per_mille)
{
    if (width <= 0 || width > INT_MAX / GLYPHS_EIGHTHS)
        return;
    if (share_per_mille < 0)
        share_per_mille = 0;
    if (share_per_mille > 1000)
        share_per_mille = 1000;

    int64_t eighths = ((int64_t)width * GLYPHS_EIGHTHS * share_per_mille + 500) / 1000;
    /* Something is never drawn as nothing. */
    if (share_per_mille > 0 && eighths == 0)
        eighths = 1;
    if (share_per_mille > 0 && !canvas->use_unicode && eighths < GLYPHS_EIGHTHS / 2)
        eighths = GLYPHS_EIGHTHS / 2;
    for (int i = 0; i < width && x + i < canvas->width; i++) {
        int part = eighths > GLYPHS_EIGHTHS ? GLYPHS_EIGHTHS : (int)eighths;
        const char *glyph = glyphs_bar(canvas->use_unicode, part);

        put(canvas, y, x + i, role, glyph, strlen(glyph), 1);
        eighths -= part;
    }
}

/* INT64_MIN is the unknown value, so real values are always above it. */
static bool extremes(const int64_t *values, int count, int64_t *low, int64_t *high)
{
    bool is_known = false;

    for (int i = 0; i < count; i++) {
        if (values[i] == INT64_MIN)
            continue;
        if (!is_known || values[i] < *low)
            *low = values[i];
        if (!is_known || values[i] > *high)
            *high = values[i];
        is_known = true;
    }
    return is_known;
}

void canvas_spark(struct canvas *canvas, int y, int x, int width, enum role role,
                  const int64_t *values, int count)
{
    int64_t low = 0, high = 0;

    if (width > canvas->width - x)
        width = canvas->width - x;
    if (width <= 0 || count <= 0)
        return;
    if (count > width) {
        values += count - width;
        count = width;
    }
    if (!extremes(values, count, &low, &high))
        return;

    /* The newest value stands at the right edge, however few there are. */
    x += width - count;
    double span = (double)high - (double)low;
    for (int i = 0; i < count; i++) {
        if (values[i] == INT64_MIN)
            continue;
        double share = span > 0 ? ((double)values[i] - (double)low) / span : 0;
        int level = (int)(share * (GLYPHS_SPARK_LEVELS - 1) + 0.5);
        const char *glyph = glyphs_spark(canvas->use_unicode, level);

        put(canvas, y, x + i, role, glyph, strlen(glyph), 1);
    }
}

void canvas_cursor(struct canvas *canvas, int y, int x)
{
    if (!cell_at(canvas, y, x))
        y = x = -1;
    canvas->cursor_y = y;
    canvas->cursor_x = x;
}

static void add_line(const struct canvas *canvas, int y, struct strbuf *out)
{
    size_t blanks = 0;

    for (int x = 0; x < canvas->width; x++) {
        const struct cell *cell = cell_at(canvas, y, x);

        if (cell->columns == 0)
            continue;
        if (cell->text[0] == '\0' || strcmp(cell->text, " ") == 0) {
            blanks++;
            continue;
        }
        strbuf_add_repeated(out, ' ', blanks);
        strbuf_add_text(out, cell->text);
        blanks = 0;
    }
    strbuf_add_char(out, '\n');
}

void canvas_lines(const struct canvas *canvas, struct strbuf *out)
{
    for (int y = 0; y < canvas->height; y++)
        add_line(canvas, y, out);
}
