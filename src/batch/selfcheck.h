/*
 * selfcheck.h - what the files of --selfcheck share: the lines that it prints, and the
 * checks of a snapshot against itself. One thread.
 */
#ifndef HEAPTOP_BATCH_SELFCHECK_H
#define HEAPTOP_BATCH_SELFCHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "attach/session.h"
#include "heaptop/snapshot.h"
#include "layout/layout.h"

struct selfcheck {
    struct target *target;
    struct layout layout;
    bool has_layout;
    struct session *session;
    int signal_fd;
    bool is_at_rest; /* it used no processor while its sections were read */
    int n_checks, n_failed, n_skipped;
};

/* One line: "ok", "FAIL" or "skip", and what was checked. */
void selfcheck_line(struct selfcheck *check, const char *verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void selfcheck_that(struct selfcheck *check, bool holds, const char *words);
void selfcheck_equal(struct selfcheck *check, const char *words, uint64_t a, uint64_t b);

/* The invariants of each section, and of sections with each other. */
void selfcheck_sections(struct selfcheck *check, const struct snapshot *snapshot);

#endif
