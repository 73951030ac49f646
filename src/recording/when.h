/*
 * when.h - a time as people name it: "14:02", "14:02:31", "2026-11-21 14:02",
 * "2026-11-21T14:02:31Z", "5m ago", "-90s", "2 h ago".
 *
 * A clock without a date is the first such time from `first_ns` on, if there is one up to
 * `last_ns`; "ago" counts back from last_ns. Local time, except with Z.
 */
#ifndef HEAPTOP_RECORDING_WHEN_H
#define HEAPTOP_RECORDING_WHEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "recording/recording.h"

bool when_parse(const char *text, int64_t first_ns, int64_t last_ns, int64_t *wall_ns);

/* The samples from --begin to --end; NULL is the first and the last one. */
int when_range(const struct recording *recording, const char *begin, const char *end,
               size_t *first, size_t *last, struct err *err);

#endif
