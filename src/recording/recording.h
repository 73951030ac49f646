/*
 * recording.h - reads a recording, also while it is written: a file, or the files that
 * one process has in a folder, one behind the other.
 *
 * The samples are numbered from 0 in their order, those that are missing between others
 * as well. Any of them can be asked for; the one after the last is had for a tenth of the
 * price. What is damaged is skipped, counted and put into words as it is met; nothing
 * wrong is given for right, as everything has a checksum. Of a folder's older files only
 * the first and the last sample are read until another one is asked for.
 * Belongs to one thread.
 */
#ifndef HEAPTOP_RECORDING_RECORDING_H
#define HEAPTOP_RECORDING_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"
#include "model/history.h"

struct recording;

#define RECORDING_FILES_MAX 500 /* of a folder: the newest; each takes a descriptor */

/* `path`: a file, a folder (its newest file says of which process), or the beginning of
 * the names in one, "DIR/heaptop-PID". */
int recording_open(const char *path, struct recording **recording, struct err *err);
void recording_close(struct recording *recording);

size_t recording_count(const struct recording *recording);
size_t recording_files(const struct recording *recording);
/* Of a sample that was recorded; 0 beyond the end. */
int64_t recording_wall_ns(const struct recording *recording, size_t at);
/* Its number, which shows what is missing before it; 0 beyond the end. */
int64_t recording_number(const struct recording *recording, size_t at);
/* The last sample that is not later; 0 when all are. */
size_t recording_at_time(const struct recording *recording, int64_t wall_ns);
/* The newest key of [least, at], else `at`: the cheapest sample to have. */
size_t recording_key_before(const struct recording *recording, size_t at, size_t least);
/* Looks for samples that were added since; how many. */
size_t recording_refresh(struct recording *recording);

/* Who asks for many samples holds the file meanwhile: asking costs a third then. Briefly,
 * as its writer cannot tidy up before it is let go. */
void recording_hold(struct recording *recording);
void recording_let_go(struct recording *recording);

/* One reference; NULL when it is lost, and `err` says so. */
const struct snapshot *recording_snapshot(struct recording *recording, size_t at,
                                          struct err *err);
/* Only the headline numbers, as a point of a history. */
int recording_point(struct recording *recording, size_t at, struct history_point *point);

/* The events of samples [from, to), which are not had whole, into the history; only as
 * many as it keeps. */
void recording_add_events(struct recording *recording, size_t from, size_t to,
                          struct history *history);

struct recorded_mark {
    size_t at;     /* the sample that is marked */
    size_t set_at; /* the one with which it was set */
    bool is_automatic;
    char name[48];
};
/* In their order. Borrowed. */
size_t recording_marks(const struct recording *recording,
                       const struct recorded_mark **marks);

/* For who takes sample after sample: the marks that were set with this one, which is the
 * newest of the history. */
void recording_restore_marks(const struct recording *recording, size_t at,
                             struct history *history);

/* Of a folder: how many files these are, and what of it is left out; "" for a file. True:
 * something is left out. */
bool recording_note(const struct recording *recording, char *words, size_t size);
/* What is missing or damaged, as far as it was met: how many samples, and a sentence
 * ("" when nothing is). */
size_t recording_lost(const struct recording *recording, char *words, size_t size);

#endif
