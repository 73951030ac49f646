/*
 * gc_debug.h - the names of the flags of gc.get_debug(). Pure; any thread.
 */
#ifndef HEAPTOP_MODEL_GC_DEBUG_H
#define HEAPTOP_MODEL_GC_DEBUG_H

#include <stdint.h>

#include "heaptop/reading.h"

#define GC_DEBUG_SAVEALL   32
#define GC_DEBUG_NAMES_MAX 80

/* "DEBUG_STATS | DEBUG_SAVEALL", "none", or "-" when unknown; returns `text`. */
const char *gc_debug_names(char text[GC_DEBUG_NAMES_MAX], struct reading flags);

#endif
