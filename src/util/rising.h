/*
 * rising.h - search in a list of small numbers that rise: offsets of what is in a piece
 * of memory. Pure.
 */
#ifndef HEAPTOP_UTIL_RISING_H
#define HEAPTOP_UTIL_RISING_H

#include <stdint.h>

/* The index of the first number that is not below the wanted one; count: all are. */
static inline uint32_t rising_from(const uint16_t *numbers, uint32_t count,
                                   uint64_t wanted)
{
    uint32_t low = 0, high = count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (numbers[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

#endif
