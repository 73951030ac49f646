/*
 * inspect.h - looks closely at one arena, on request: which blocks are in use, free or
 * never used, and which kinds live in them. About 1 MiB is copied; sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_INSPECT_H
#define HEAPTOP_SOURCE_INSPECT_H

#include "heaptop/err.h"
#include "layout/layout.h"
#include "model/inspection.h"
#include "target/target.h"

/* NULL with the reason when the arena is gone or cannot be read. The caller owns it. */
struct inspection *inspect_arena(struct target *target, const struct layout *layout,
                                 uint64_t arena, struct err *err);

#endif
