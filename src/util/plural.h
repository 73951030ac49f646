/* plural.h - what ends the noun after a number: "1 arena", "2 arenas". Pure. */
#ifndef HEAPTOP_UTIL_PLURAL_H
#define HEAPTOP_UTIL_PLURAL_H

#include <stdint.h>

static inline const char *plural(int64_t number)
{
    return number == 1 ? "" : "s";
}

#endif
