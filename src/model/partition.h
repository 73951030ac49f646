/*
 * partition.h - the rows of a table of kinds: grouped, compared, sorted, cut.
 *
 * Pure: (section, section to compare with, options) -> rows. Used by panes and
 * by exporters alike, so the screen, text and JSON cannot disagree.
 */
#ifndef HEAPTOP_MODEL_PARTITION_H
#define HEAPTOP_MODEL_PARTITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/snapshot.h"

enum partition_sort {
    PARTITION_BY_MEMORY = 0,
    PARTITION_BY_SIZE,
    PARTITION_BY_COUNT,
    PARTITION_BY_KIND,
    PARTITION_BY_COUNT_DELTA,
    PARTITION_BY_MEMORY_DELTA,
};

struct partition_row {
    struct kind_row now; /* zero counts when the kind is gone since the mark */
    int64_t count_delta, size_delta_bytes, memory_delta_bytes; /* 0 without older */
    int64_t share_milli_percent;                               /* of all memory */
    int64_t cumulated_milli_percent;
};

struct partition_options {
    enum partition_sort sort;
    bool ascending;
    const char *filter; /* substring, smart case; NULL or "" = all */
};

struct partition {
    struct partition_row *rows;
    size_t count;
    uint64_t total_memory_bytes;
    bool has_deltas;
};

/* `older` may be NULL. Equal keys are ordered by kind name, so rows do not
 * jump about between samples. -1 when out of memory. */
int partition_make(struct partition *partition, const struct objects_section *now,
                   const struct objects_section *older,
                   const struct partition_options *options);
/* Only the kinds that changed, those that lost most memory first. */
int partition_changes(struct partition *partition, const struct objects_section *now,
                      const struct objects_section *older, const char *filter);
void partition_release(struct partition *partition);

/* Substring with smart case: case matters when the pattern has a capital. */
bool pattern_matches(const char *pattern, const char *text);

#endif
