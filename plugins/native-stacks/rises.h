/*
 * rises.h - when RES rose, and what the threads were doing at the sample that saw it.
 *
 * It is compared with the least that it was within the last five minutes, so that slow
 * rises are seen as well as quick ones; after each, from anew. The last few are kept.
 * What a thread did when the memory was asked for is not known: the stacks are those at
 * the sample behind it.
 */
#ifndef HEAPTOP_PLUGINS_NATIVE_STACKS_RISES_H
#define HEAPTOP_PLUGINS_NATIVE_STACKS_RISES_H

#include <time.h>

#include "plugins/native-stacks/seen.h"

#define RISES_MAX     8
#define RISE_ROWS_MAX 100

struct rise {
    time_t when;
    int64_t bytes, interval_ns;
    char who[ROW_BYTES];
    struct row rows[RISE_ROWS_MAX];
    size_t n_rows;
};

/* The least RES within a stretch of time, and when it was that. */
struct trough {
    int64_t began_ns, at_ns, res_bytes;
};

#define TROUGHS      10
#define RISE_MINUTES 5

struct rises {
    int statm_fd;
    int64_t least_bytes;            /* a smaller one is none */
    int64_t res_bytes;              /* of the last look; -1: not known */
    struct trough troughs[TROUGHS]; /* the newest one last */
    size_t n_troughs;
    struct rise all[RISES_MAX]; /* the newest one last */
    size_t count;
    uint64_t n_ever, n_untold; /* those that the Log does not have */
    int64_t told_ns;
};

/* Opens what is read later: with the rights of who started heaptop. */
void rises_open(struct rises *rises, int pid, int64_t least_bytes);
void rises_close(struct rises *rises);

/* Reads RES. By how much it rose since the rise before, at most within RISE_MINUTES, and
 * within what time; 0: not by enough. */
int64_t rises_look(struct rises *rises, int64_t *interval_ns);
/* Keeps what was seen then, and tells the Log. */
void rises_add(const struct heaptop_host *host, struct rises *rises,
               const struct seen *seen, int64_t bytes, int64_t interval_ns);

/* "64.0M" */
const char *rises_bytes(char text[24], int64_t bytes);

#endif
