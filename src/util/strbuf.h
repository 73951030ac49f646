/*
 * strbuf.h - a growing byte string that is always NUL-terminated.
 *
 * Initialise with STRBUF_INIT, end with strbuf_release(). Every buffer has a
 * maximum (default STRBUF_MAX_BYTES): what would grow beyond it is dropped and
 * `cut` is set, so hostile input cannot eat the memory. Allocation failure
 * ends the program (see xalloc.h).
 */
#ifndef HEAPTOP_UTIL_STRBUF_H
#define HEAPTOP_UTIL_STRBUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#define STRBUF_MAX_BYTES ((size_t)64 << 20)

struct strbuf {
    char *text; /* never NULL after the first add; see strbuf_text() */
    size_t length;
    size_t capacity;
    bool cut;
};

#define STRBUF_INIT       \
    {                     \
        NULL, 0, 0, false \
    }

void strbuf_release(struct strbuf *buffer);
void strbuf_reset(struct strbuf *buffer);
void strbuf_add(struct strbuf *buffer, const void *bytes, size_t length);
void strbuf_add_text(struct strbuf *buffer, const char *text);
void strbuf_add_char(struct strbuf *buffer, char c);
void strbuf_add_repeated(struct strbuf *buffer, char c, size_t times);
void strbuf_addf(struct strbuf *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void strbuf_addv(struct strbuf *buffer, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));

/* The text; "" when nothing was added. Borrowed until the next change. */
const char *strbuf_text(const struct strbuf *buffer);

/* Gives the text to the caller, who frees it; the buffer is empty after. */
char *strbuf_detach(struct strbuf *buffer);

#endif
