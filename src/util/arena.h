/*
 * arena.h - memory that dies in one step.
 *
 * (An arena here is heaptop's own memory for one snapshot; pymalloc's arenas
 * are `struct pymalloc_arena`.) Everything handed out is zeroed, aligned for
 * any type, and freed by arena_free(). Grows by chunks; arena_alloc returns
 * NULL only when the process is out of memory or beyond the maximum given.
 */
#ifndef HEAPTOP_UTIL_ARENA_H
#define HEAPTOP_UTIL_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(size_t max_bytes);
void arena_free(struct arena *arena);
void *arena_alloc(struct arena *arena, size_t count, size_t size);
char *arena_strdup(struct arena *arena, const char *text);

#endif
