/*
 * gil_layout.h - who holds the GIL, seen from outside.
 */
#ifndef HEAPTOP_LAYOUT_GIL_LAYOUT_H
#define HEAPTOP_LAYOUT_GIL_LAYOUT_H

#include <stdbool.h>

#include "target/target.h"

struct layout_gil {
    struct raddr state; /* struct _gil_runtime_state of the main interpreter */
    uint64_t interpreter;
};

/* False when it is not found, or there is none (free threading). */
bool layout_find_gil(struct target *target, struct layout_gil *gil);

/* The number of the thread that holds it, as the target sees it; 0: none does, -1: that
 * is not known. */
int64_t layout_gil_holder(struct target *target, const struct layout_gil *gil);

#endif
