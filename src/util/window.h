/*
 * window.h - large memory into which a target's memory is copied, used in turn.
 *
 * A walk, an account and a dry run each need some of a MiB, one after the other: what one
 * gives back the next one takes, so that its pages are there already. Only a few are
 * kept; the memory of others is the system's again.
 *
 * Any thread. What is in a window is not defined when it is taken.
 */
#ifndef HEAPTOP_UTIL_WINDOW_H
#define HEAPTOP_UTIL_WINDOW_H

#include <stddef.h>
#include <stdint.h>

#define WINDOWS_KEPT 2

/* NULL when out of memory. Ends with window_give() and the same size. */
uint8_t *window_take(size_t bytes);
void window_give(uint8_t *window, size_t bytes); /* NULL: none */

/* How many are kept for the next one, for tests. */
size_t windows_kept(void);

#endif
