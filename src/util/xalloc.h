/*
 * xalloc.h - allocation that does not return NULL.
 *
 * For the small structures of the program itself: when they cannot be had the
 * program ends with a sentence. What is sized by the target (copies of its
 * memory, tables of its kinds) is allocated with plain calloc and checked, so
 * that a huge heap cannot end the monitor.
 */
#ifndef HEAPTOP_UTIL_XALLOC_H
#define HEAPTOP_UTIL_XALLOC_H

#include <stddef.h>

void *xcalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *xreallocarray(void *old, size_t count, size_t size)
    __attribute__((returns_nonnull));
char *xstrdup(const char *text) __attribute__((malloc, returns_nonnull));

/* Zeroed memory that begins where a large page may, for what is written once from one end
 * to the other: a page that is touched for the first time costs more than its copy.
 * Given back by munmap(). */
void *xmap_large(size_t size) __attribute__((returns_nonnull));

#endif
