#include "util/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK_BYTES ((size_t)16 << 10)

struct arena_chunk {
    struct arena_chunk *next;
    size_t used_bytes, size_bytes;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct arena_chunk *newest;
    size_t used_bytes, max_bytes;
};

struct arena *arena_new(size_t max_bytes)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (arena)
        arena->max_bytes = max_bytes;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    while (arena->newest) {
        struct arena_chunk *next = arena->newest->next;

        free(arena->newest);
        arena->newest = next;
    }
    free(arena);
}

static struct arena_chunk *arena_grow(struct arena *arena, size_t bytes)
{
    size_t size = bytes > ARENA_CHUNK_BYTES ? bytes : ARENA_CHUNK_BYTES;
    struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);

    if (!chunk)
        return NULL;
    chunk->size_bytes = size;
    chunk->next = arena->newest;
    arena->newest = chunk;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct arena_chunk *chunk = arena->newest;
    size_t bytes;

    if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - align)
        return NULL;
    bytes = (bytes + align - 1) & ~(align - 1);
    if (bytes > arena->max_bytes - arena->used_bytes)
        return NULL;
    if (!chunk || bytes > chunk->size_bytes - chunk->used_bytes)
        chunk = arena_grow(arena, bytes);
    if (!chunk)
        return NULL;
    chunk->used_bytes += bytes;
    arena->used_bytes += bytes;
    return chunk->bytes + chunk->used_bytes - bytes;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    size_t bytes = strlen(text) + 1;
    char *copy = arena_alloc(arena, bytes, 1);

    if (copy)
        memcpy(copy, text, bytes);
    return copy;
}
