/*
 * threads_layout.h - the thread states of the main interpreter.
 */
#ifndef HEAPTOP_LAYOUT_THREADS_LAYOUT_H
#define HEAPTOP_LAYOUT_THREADS_LAYOUT_H

#include <stdint.h>

#include "target/target.h"

/* How many were ever made, the first included; -1 before 3.13, which does not say where
 * it counts them, and when it cannot be read. */
int64_t layout_threads_made(struct target *target);

#endif
