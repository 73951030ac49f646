/*
 * residency.h - which bytes of the whole target are in memory, at one instant.
 *
 * One pass over /proc/PID/pagemap (PAGEMAP_SCAN since Linux 6.7, else the words of each
 * page) gives the stretches of pages that are in memory or swapped out; afterwards any
 * range can be asked. What was never touched takes no room here, so the price follows
 * RES and not VIRT. The kernel's shared page of zeros is not in RES and counts as absent
 * where the kernel tells it apart.
 *
 * Belongs to one thread. Questions in ascending order are cheapest.
 */
#ifndef HEAPTOP_TARGET_RESIDENCY_H
#define HEAPTOP_TARGET_RESIDENCY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "target/maps.h"

#define RESIDENCY_RUNS_MAX (UINT64_C(2) << 20) /* more are cut, and `is_cut` is set */

/* Neighbouring pages of the same sort. */
struct residency_run {
    uint64_t start, end;
    uint64_t resident_before, swapped_before, file_before; /* of all runs in front */
    bool is_swapped;                                       /* else in memory */
    bool is_file;                                          /* a file's, or shared */
};

struct residency {
    struct residency_run *runs; /* sorted by address */
    size_t count, capacity;
    size_t hint; /* the run that was asked last */
    bool is_cut;
    uint64_t resident_bytes, swapped_bytes, file_bytes; /* of all runs */
};

struct residency_bytes {
    uint64_t resident, swapped;
    uint64_t file; /* of resident: of files or shared */
};

/* -1 when pagemap cannot be read. The mappings say where to look. */
int residency_scan(struct residency *residency, int pagemap_fd, const struct maps *maps,
                   struct err *err);
void residency_release(struct residency *residency);

/* Adds pages behind all others: for the scan, and for tests. False: no room. */
bool residency_add(struct residency *residency, uint64_t start, uint64_t end,
                   bool is_swapped, bool is_file);

/* What of [start, end) is in memory, and what is swapped out. */
struct residency_bytes residency_of(struct residency *residency, uint64_t start,
                                    uint64_t end);

/* Words that tables in it can have together, with room for what is made meanwhile. */
uint64_t residency_words(const struct residency *residency);

/* Bytes from the address on, at most `length`, that are all in memory or all not. */
uint64_t residency_stretch(struct residency *residency, uint64_t address, uint64_t length,
                           bool *is_resident);

#endif
