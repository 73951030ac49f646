#include "util/utf8.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* Bytes that a lead byte announces; 0 for a byte that cannot lead. */
static size_t utf8_announced(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead <= 0xdf)
        return 2;
    if (lead >= 0xe0 && lead <= 0xef)
        return 3;
    if (lead >= 0xf0 && lead <= 0xf4)
        return 4;
    return 0;
}

static bool utf8_is_wellformed(uint32_t character, size_t bytes)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    return character >= least[bytes] && character <= 0x10ffff &&
           !(character >= 0xd800 && character <= 0xdfff);
}

uint32_t utf8_decode(const char *text, size_t length, size_t *used)
{
    static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *bytes = (const unsigned char *)text;
    size_t announced = length ? utf8_announced(bytes[0]) : 0;
    uint32_t character;

    *used = 1;
    if (!announced || announced > length)
        return UTF8_INVALID;
    character = bytes[0] & lead_mask[announced];
    for (size_t i = 1; i < announced; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return UTF8_INVALID;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    if (!utf8_is_wellformed(character, announced))
        return UTF8_INVALID;
    *used = announced;
    return character;
}

size_t utf8_encode(char out[4], uint32_t character)
{
    size_t bytes = character < 0x80      ? 1
                   : character < 0x800   ? 2
                   : character < 0x10000 ? 3
                                         : 4;
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = bytes - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    out[0] = (char)(lead[bytes] | character);
    return bytes;
}

/*
 * What must not reach a terminal: controls, and the invisible characters that
 * reorder or break a line (bidirectional controls, separators, byte order mark).
 */
static bool utf8_is_unsafe(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f) ||
           (character >= 0x200b && character <= 0x200f) ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2060 && character <= 0x206f) || character == 0x061c ||
           character == 0xfeff || (character >= 0xfff9 && character <= 0xfffb) ||
           (character >= 0xe0000 && character <= 0xe0fff);
}

/* Most texts are nothing but these: they are taken over at once. */
static size_t plain_characters(const char *text, size_t length)
{
    size_t count = 0;

    while (count < length && text[count] >= ' ' && text[count] <= '~')
        count++;
    return count;
}

void utf8_clean(struct strbuf *out, const char *raw, size_t length)
{
    for (size_t at = 0, used; at < length; at += used) {
        size_t plain = plain_characters(raw + at, length - at);
        uint32_t character;

        strbuf_add(out, raw + at, plain);
        at += plain;
        if (at == length)
            break;
        character = utf8_decode(raw + at, length - at, &used);
        if (character != UTF8_INVALID && !utf8_is_unsafe(character)) {
            strbuf_add(out, raw + at, used);
            continue;
        }
        for (size_t i = 0; i < used; i++)
            strbuf_addf(out, "\\x%02x", (unsigned char)raw[at + i]);
    }
}

/* A text that was cut may end in the middle of a character. */
static void drop_split_character(char *text)
{
    size_t length = strlen(text), first = length, used;

    while (first && ((unsigned char)text[first - 1] & 0xc0) == 0x80)
        first--;
    if (!first)
        return;
    first--;
    if (utf8_decode(text + first, length - first, &used) == UTF8_INVALID)
        text[first] = '\0';
}

void utf8_clean_copy(char *out, size_t size, const char *raw, size_t length)
{
    struct strbuf clean = STRBUF_INIT;

    utf8_clean(&clean, raw, length);
    snprintf(out, size, "%s", strbuf_text(&clean));
    if (clean.length >= size)
        drop_split_character(out);
    strbuf_release(&clean);
}

/* East Asian wide and emoji, where the C library's table is missing or "C". */
static bool utf8_is_wide(uint32_t character)
{
    static const struct {
        uint32_t first, last;
    } wide[] = {
        {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
        {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97c},
        {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
        {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
        {0x20000, 0x2fffd}, {0x30000, 0x3fffd},
    };

    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (character >= wide[i].first && character <= wide[i].last)
            return true;
    return false;
}

static bool utf8_is_combining(uint32_t character)
{
    return (character >= 0x0300 && character <= 0x036f) ||
           (character >= 0x1ab0 && character <= 0x1aff) ||
           (character >= 0x1dc0 && character <= 0x1dff) ||
           (character >= 0x20d0 && character <= 0x20ff) ||
           (character >= 0xfe00 && character <= 0xfe0f) ||
           (character >= 0xfe20 && character <= 0xfe2f) || character == 0x200d;
}

int utf8_char_columns(uint32_t character)
{
    int columns;

    if (character < 0x80)
        return 1;
    if (utf8_is_combining(character))
        return 0;
    if (utf8_is_wide(character))
        return 2;
    columns = wcwidth((wchar_t)character);
    return columns < 0 ? 1 : columns;
}

int utf8_columns(const char *text)
{
    size_t length = strlen(text);
    int columns = 0;

    for (size_t at = 0, used; at < length; at += used) {
        uint32_t character = utf8_decode(text + at, length - at, &used);

        columns += character == UTF8_INVALID ? 1 : utf8_char_columns(character);
    }
    return columns;
}

static int utf8_columns_of_first(const char *text)
{
    size_t used;
    uint32_t character = utf8_decode(text, strlen(text), &used);

    return character == UTF8_INVALID ? 1 : utf8_char_columns(character);
}

/* How many bytes fit into `room` columns; *taken gets the columns. */
static size_t utf8_fitting(const char *text, int room, int *taken)
{
    size_t length = strlen(text), at = 0, used;

    for (*taken = 0; at < length; at += used) {
        uint32_t character = utf8_decode(text + at, length - at, &used);
        int wide = character == UTF8_INVALID ? 1 : utf8_char_columns(character);

        if (wide > room - *taken)
            break;
        *taken += wide;
    }
    return at;
}

void utf8_cut(struct strbuf *out, const char *text, int columns)
{
    int taken;

    if (columns <= 0)
        return;
    if (utf8_columns(text) <= columns) {
        strbuf_add_text(out, text);
        return;
    }
    strbuf_add(out, text, utf8_fitting(text, columns - 1, &taken));
    strbuf_add_repeated(out, ' ', (size_t)(columns - 1 - taken));
    strbuf_add_char(out, '~');
}

void utf8_cut_middle(struct strbuf *out, const char *text, int columns)
{
    int all = utf8_columns(text), taken, skipped;

    if (all <= columns || columns < 3) {
        utf8_cut(out, text, columns);
        return;
    }
    size_t head = utf8_fitting(text, (columns - 1) / 3, &taken);
    size_t tail = utf8_fitting(text, all - (columns - 1 - taken), &skipped);
    int wide = all - skipped;

    /* Half of a wide character is left out, and so are marks on what is left out. */
    while (wide > columns - 1 - taken ||
           (text[tail] && utf8_columns_of_first(text + tail) == 0)) {
        size_t used;

        wide -= utf8_columns_of_first(text + tail);
        utf8_decode(text + tail, strlen(text + tail), &used);
        tail += used;
    }
    strbuf_add(out, text, head);
    strbuf_add_char(out, '~');
    strbuf_add_text(out, text + tail);
}
