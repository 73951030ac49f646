/*
 * recall.h - samples back from a recording while it is written.
 *
 * Who looks back further than the history keeps asks the recorder, which alone may read
 * the file: it gives packed bytes, which are unpacked here, in the process that parses
 * foreign memory anyway. What was handed over is known here, so that a sample is found
 * without asking, also in the files of a folder before the one that is written: in the
 * newest RECALL_FILES_MAX. Belongs to one recorder (recorder.h) and its thread.
 */
#ifndef HEAPTOP_RECORDING_RECALL_H
#define HEAPTOP_RECORDING_RECALL_H

#include "heaptop/err.h"
#include "recording/database.h"
#include "recording/encoder.h"
#include "recording/message.h"

#define RECALL_FILES_MAX 16

struct recall;

struct recall *recall_new(void);
void recall_free(struct recall *recall);

/* A recording begins: nothing of one before can be had any more. */
void recall_restart(struct recall *recall);
/* Its first or next file begins. */
void recall_begin_file(struct recall *recall);
/* A sample that is handed over. */
void recall_note(struct recall *recall, const struct headline *headline,
                 const struct encoded_sample *sample);

/* The noted sample that is the last before this seq, the first after it, the last that is
 * not later than this time: its seq, or 0. */
uint64_t recall_before(const struct recall *recall, uint64_t seq);
uint64_t recall_after(const struct recall *recall, uint64_t seq);
uint64_t recall_at_time(const struct recall *recall, int64_t wall_ns);

/* The samples whose bytes are needed for this one; false: not noted. */
bool recall_needs(const struct recall *recall, uint64_t seq,
                  struct message_recall *wanted);
/* From these bytes, as add_recalled() in recorder_process.c makes them. One reference. */
const struct snapshot *recall_unpack(struct recall *recall, uint64_t seq,
                                     const void *bytes, size_t length, struct err *err);

#endif
