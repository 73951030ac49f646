/*
 * utf8.h - text from the target is untrusted; this is where it is made clean.
 *
 * utf8_clean() runs once, when a name is interned or a command line is read:
 * invalid UTF-8, control characters (C0, C1, DEL), bidirectional overrides and
 * line separators become \xNN of their bytes. Nothing unclean reaches a
 * canvas, a file or a log. Columns are counted as a terminal counts them.
 */
#ifndef HEAPTOP_UTIL_UTF8_H
#define HEAPTOP_UTIL_UTF8_H

#include <stddef.h>
#include <stdint.h>

#include "util/strbuf.h"

#define UTF8_INVALID ((uint32_t)-1)

/* Decodes one character of at most `length` bytes; *used gets the bytes it took
 * (1 when invalid). Overlong forms, surrogates and > U+10FFFF are invalid. */
uint32_t utf8_decode(const char *text, size_t length, size_t *used);

/* Encodes into at most 4 bytes; returns how many. */
size_t utf8_encode(char out[4], uint32_t character);

/* Appends at most `length` raw bytes in clean form. */
void utf8_clean(struct strbuf *out, const char *raw, size_t length);

/* As utf8_clean() into a buffer. What does not fit is left out, whole characters. */
void utf8_clean_copy(char *out, size_t size, const char *raw, size_t length);

/* Columns of one character: 0 combining, 2 wide, else 1. Never negative. */
int utf8_char_columns(uint32_t character);

/* Columns of clean text. */
int utf8_columns(const char *text);

/* Appends `text` cut to `columns`, the last column being `~` when it was cut. */
void utf8_cut(struct strbuf *out, const char *text, int columns);

/* Appends `text` cut to `columns` with a `~` in it: a third of the room is for its
 * begin, the rest for its end, which tells dotted names apart. */
void utf8_cut_middle(struct strbuf *out, const char *text, int columns);

#endif
