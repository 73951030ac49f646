/*
 * bytes.h - little-endian words inside bytes that were copied from the target.
 *
 * No bounds: the caller knows that the word lies inside. Inline, because the walk asks
 * a few times per object. Any thread.
 */
#ifndef HEAPTOP_UTIL_BYTES_H
#define HEAPTOP_UTIL_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t u32_at(const uint8_t *bytes, size_t offset)
{
    uint32_t value;

    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

static inline uint64_t u64_at(const uint8_t *bytes, size_t offset)
{
    uint64_t value;

    memcpy(&value, bytes + offset, sizeof(value));
    return value;
}

#endif
