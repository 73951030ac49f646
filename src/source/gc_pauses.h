/*
 * gc_pauses.h - the pauses that the agent saw, summed over its stay. Part of the gc
 * source. Sampler's thread.
 */
#ifndef HEAPTOP_SOURCE_GC_PAUSES_H
#define HEAPTOP_SOURCE_GC_PAUSES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent/protocol.h"
#include "heaptop/snapshot.h"

struct session;

#define GC_PAUSES_KEPT 1024 /* the newest, for the percentiles */

/* Zeroed at the beginning of a session. */
struct gc_pause_record {
    uint32_t seen; /* session_pauses()' own number: all pauses so far */
    bool has_missed;
    uint32_t n_kept; /* in all; the ring index is this modulo GC_PAUSES_KEPT */
    int64_t kept_ns[GC_PAUSES_KEPT];
    int64_t total_ns, max_ns;
    struct agent_pause last;
};

/* Adds pauses in the order in which they were; those that are not pauses are left out. */
void gc_pauses_add(struct gc_pause_record *record, const struct agent_pause *pauses,
                   uint32_t count);

/* Takes what is new from the session. */
void gc_pauses_take(struct gc_pause_record *record, struct session *session);

void gc_pauses_fill(const struct gc_pause_record *record, struct gc_pauses *pauses);

#endif
