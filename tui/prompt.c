#include "tui/prompt.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

void prompt_init(struct prompt *prompt, const char *label, const char *text)
{
    size_t length = strlen(text);

    memset(prompt, 0, sizeof(*prompt));
    prompt->label = label;
    /* What is too long to edit is typed anew, not cut in the middle. */
    if (length < sizeof(prompt->text))
        memcpy(prompt->text, text, length);
    prompt->cursor = strlen(prompt->text);
}

/* The place of the character before `at`, its combining marks included. */
static size_t before(const struct prompt *prompt, size_t at)
{
    while (at > 0) {
        size_t used;

        do
            at--;
        while (at > 0 && ((unsigned char)prompt->text[at] & 0xc0) == 0x80);
        if (utf8_char_columns(
                utf8_decode(prompt->text + at, strlen(prompt->text + at), &used)) > 0)
            break;
    }
    return at;
}

/* The place behind the character at `at`, its combining marks included. */
static size_t behind(const struct prompt *prompt, size_t at)
{
    size_t length = strlen(prompt->text), used;

    if (at >= length)
        return length;
    utf8_decode(prompt->text + at, length - at, &used);
    at += used;
    while (at < length &&
           utf8_char_columns(utf8_decode(prompt->text + at, length - at, &used)) == 0)
        at += used;
    return at;
}

static enum prompt_result remove_range(struct prompt *prompt, size_t from, size_t to)
{
    if (from >= to)
        return PROMPT_SAME;
    memmove(prompt->text + from, prompt->text + to, strlen(prompt->text + to) + 1);
    prompt->cursor = from;
    return PROMPT_EDITED;
}

static enum prompt_result insert(struct prompt *prompt, const char *text)
{
    size_t length = strlen(prompt->text), added = strlen(text);

    if (added >= sizeof(prompt->text) - length)
        return PROMPT_SAME;
    memmove(prompt->text + prompt->cursor + added, prompt->text + prompt->cursor,
            length - prompt->cursor + 1);
    memcpy(prompt->text + prompt->cursor, text, added);
    prompt->cursor += added;
    return PROMPT_EDITED;
}

static size_t word_begin(const struct prompt *prompt)
{
    size_t at = prompt->cursor;

    while (at > 0 && prompt->text[at - 1] == ' ')
        at--;
    while (at > 0 && prompt->text[at - 1] != ' ')
        at--;
    return at;
}

static bool move_cursor(struct prompt *prompt, const char *name)
{
    if (strcmp(name, "Left") == 0 || strcmp(name, "^B") == 0)
        prompt->cursor = before(prompt, prompt->cursor);
    else if (strcmp(name, "Right") == 0 || strcmp(name, "^F") == 0)
        prompt->cursor = behind(prompt, prompt->cursor);
    else if (strcmp(name, "Home") == 0 || strcmp(name, "^A") == 0)
        prompt->cursor = 0;
    else if (strcmp(name, "End") == 0 || strcmp(name, "^E") == 0)
        prompt->cursor = strlen(prompt->text);
    else
        return false;
    return true;
}

enum prompt_result prompt_key(struct prompt *prompt, const struct key *key)
{
    const char *name = key->name;
    size_t cursor = prompt->cursor;

    if (key->text[0])
        return insert(prompt, key->text);
    if (strcmp(name, "Enter") == 0)
        return key->is_pasted ? PROMPT_SAME : PROMPT_KEPT;
    if (strcmp(name, "Esc") == 0)
        return PROMPT_LEFT;
    if (strcmp(name, "Backspace") == 0) {
        /* Nothing left to take away: leave, as in less. */
        if (prompt->text[0] == '\0')
            return PROMPT_LEFT;
        return remove_range(prompt, before(prompt, cursor), cursor);
    }
    if (strcmp(name, "Delete") == 0 || strcmp(name, "^D") == 0)
        return remove_range(prompt, cursor, behind(prompt, cursor));
    if (strcmp(name, "^U") == 0)
        return remove_range(prompt, 0, cursor);
    if (strcmp(name, "^K") == 0)
        return remove_range(prompt, cursor, strlen(prompt->text));
    if (strcmp(name, "^W") == 0)
        return remove_range(prompt, word_begin(prompt), cursor);
    move_cursor(prompt, name);
    return PROMPT_SAME;
}

static int columns_between(const struct prompt *prompt, size_t from, size_t to)
{
    struct strbuf part = STRBUF_INIT;

    strbuf_add(&part, prompt->text + from, to - from);
    int columns = utf8_columns(strbuf_text(&part));
    strbuf_release(&part);
    return columns;
}

void prompt_draw(const struct prompt *prompt, struct canvas *canvas, int y)
{
    size_t first = 0;

    canvas_fill(canvas, (struct rect){y, 0, 1, canvas->width}, ROLE_NORMAL);
    /* On a narrow screen the text matters more than what it is for. */
    int indent =
        utf8_columns(prompt->label) * 2 <= canvas->width
            ? canvas_text(canvas, y, 1, canvas->width - 1, ROLE_VALUE, prompt->label) + 1
            : 0;
    int width = canvas->width - indent;
    while (first < prompt->cursor &&
           columns_between(prompt, first, prompt->cursor) >= width)
        first = behind(prompt, first);
    canvas_text(canvas, y, indent, width, ROLE_NORMAL, prompt->text + first);
    canvas_cursor(canvas, y, indent + columns_between(prompt, first, prompt->cursor));
}
