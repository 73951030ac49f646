/*
 * units.h - how quantities look as text, the same on the screen and in batch.
 *
 * Every function writes into the caller's buffer of UNITS_MAX bytes and
 * returns it, so calls can stand inside an argument list. Numbers are in the C
 * locale. An unknown reading is "-", a torn one ends in "?", an estimate
 * begins with "~".
 */
#ifndef HEAPTOP_UNITS_H
#define HEAPTOP_UNITS_H

#include <stdint.h>

#include "heaptop/reading.h"

#define UNITS_MAX 32

/* 612.4M: binary units K M G T P, at most 7 columns; below 1024 plain digits. */
char *units_bytes(char buffer[UNITS_MAX], struct reading bytes);

/* As units_bytes with a sign always: +1.2M, +0, -432. */
char *units_bytes_delta(char buffer[UNITS_MAX], struct reading bytes);

/* 2,410,882: thousands separated by commas. */
char *units_count(char buffer[UNITS_MAX], struct reading count);

/* +1,204, +0, -14. */
char *units_count_delta(char buffer[UNITS_MAX], struct reading count);

/* Changes per second, given in thousandths: +1,204, and below ten +0.4, +0.017. */
char *units_count_rate(char buffer[UNITS_MAX], struct reading milli);
char *units_bytes_rate(char buffer[UNITS_MAX], struct reading milli_bytes);

/* 38us, 4.1ms, 0.38s, 41s, 2m10s, 6d04h: the shortest that keeps two digits. */
char *units_duration(char buffer[UNITS_MAX], struct reading duration_ns);

/* 33.1: per cent with one decimal, from per mille of per cent (33100 -> 33.1). */
char *units_percent(char buffer[UNITS_MAX], struct reading milli_percent);

/* 14:02:31, local time. */
char *units_clock(char buffer[UNITS_MAX], int64_t wall_ns);

/* 2026-11-21T14:02:31.120Z. */
char *units_iso8601(char buffer[UNITS_MAX], int64_t wall_ns);

#endif
