/*
 * candidates.h - every CPython process of the machine, for the picker.
 *
 * The list of processes comes from libproc2; each new (PID, start time) pair is
 * identified once by its maps and remembered, so a refresh is cheap. Nothing
 * is attached while listing.
 */
#ifndef HEAPTOP_TARGET_CANDIDATES_H
#define HEAPTOP_TARGET_CANDIDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/err.h"
#include "heaptop/reading.h"

struct candidate {
    pid_t pid;
    pid_t parent; /* the nearest ancestor that is a candidate too, or 0 */
    int depth;    /* under that ancestor; 0 at the top */
    uint64_t start_ticks;
    char user[33];
    struct reading virt_bytes, res_bytes, uptime_ns;
    struct reading cpu_milli_percent; /* of one core; unknown at the first listing */
    char python[16];                  /* "3.11.7", or "-" */
    char allocator[24]; /* "pymalloc", "malloc", "mimalloc", with "_debug"; or "-" */
    bool can_read;      /* ptrace-read permission, checked by opening, not by guessing */
    char access[16];    /* "yes", or the reason in a word: "uid", "Yama", "stopped" */
    char access_why[256]; /* the sentence and the remedy; "" when yes */
    char *command;        /* clean text; owned by the list */
};

struct candidates {
    struct candidate *rows; /* parents before children, children in PID order */
    size_t count;
    void *memory; /* identification cache; private */
};

#define CANDIDATES_INIT \
    {                   \
        NULL, 0, NULL   \
    }

/* Lists again. A process that ends meanwhile is left out. */
int candidates_refresh(struct candidates *list, struct err *err);

/* Keeps only rows whose PID text or command contains the pattern (smart case) -
 * their ancestors stay. For `heaptop PATTERN`; NULL or "" keeps all. */
void candidates_filter(struct candidates *list, const char *pattern);

void candidates_release(struct candidates *list);

#endif
