#include "util/strbuf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/xalloc.h"

void strbuf_release(struct strbuf *buffer)
{
    free(buffer->text);
    *buffer = (struct strbuf)STRBUF_INIT;
}

void strbuf_reset(struct strbuf *buffer)
{
    buffer->length = 0;
    buffer->cut = false;
    if (buffer->text)
        buffer->text[0] = '\0';
}

/* Makes room for `extra` bytes and the NUL; gives how many of them fit. */
static size_t strbuf_room(struct strbuf *buffer, size_t extra)
{
    size_t wanted;

    if (extra > STRBUF_MAX_BYTES - buffer->length) {
        extra = STRBUF_MAX_BYTES - buffer->length;
        buffer->cut = true;
    }
    wanted = buffer->length + extra + 1;
    if (wanted > buffer->capacity) {
        buffer->capacity = wanted < 64 ? 64 : wanted + wanted / 2;
        buffer->text = xreallocarray(buffer->text, buffer->capacity, 1);
    }
    return extra;
}

void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length)
{
    length = strbuf_room(buffer, length);
    if (length)
        memcpy(buffer->text + buffer->length, bytes, length);
    buffer->length += length;
    buffer->text[buffer->length] = '\0';
}

void strbuf_add_text(struct strbuf *buffer, const char *text)
{
    strbuf_add(buffer, text, strlen(text));
}

void strbuf_add_char(struct strbuf *buffer, char c)
{
    strbuf_add(buffer, &c, 1);
}

void strbuf_add_repeated(struct strbuf *buffer, char c, size_t times)
{
    times = strbuf_room(buffer, times);
    memset(buffer->text + buffer->length, c, times);
    buffer->length += times;
    buffer->text[buffer->length] = '\0';
}

void strbuf_addv(struct strbuf *buffer, const char *format, va_list arguments)
{
    va_list again;
    char *text;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0)
        return;
    text = xcalloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    strbuf_add(buffer, text, (size_t)length);
    free(text);
}

void strbuf_addf(struct strbuf *buffer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    strbuf_addv(buffer, format, arguments);
    va_end(arguments);
}

const char *strbuf_text(const struct strbuf *buffer)
{
    return buffer->text ? buffer->text : "";
}

char *strbuf_detach(struct strbuf *buffer)
{
    char *text = buffer->text ? buffer->text : xstrdup("");

    *buffer = (struct strbuf)STRBUF_INIT;
    return text;
}
