/*
 * writer.h - samples go into the file of a recording, a few in one transaction.
 *
 * A sample is committed within four seconds, or with the fourth that was not yet: so
 * much is lost when the recorder itself is killed, and until then only who writes sees
 * it. A sample that comes later than that is committed at once.
 *
 * Used by the recorder's own process (recorder.h) only. What the samples say comes from
 * a process that reads foreign memory: it is stored, never looked at.
 */
#ifndef HEAPTOP_RECORDING_WRITER_H
#define HEAPTOP_RECORDING_WRITER_H

#include "recording/database.h"
#include "recording/message.h"
#include "util/strbuf.h"

struct writer;

int writer_open(const char *path, struct writer **writer, struct err *err);
/* Keeps the name for the next sample; it is copied. */
void writer_name(struct writer *writer, uint32_t number, const char *text, size_t length);
void writer_event(struct writer *writer, const struct event *event);
void writer_mark(struct writer *writer, const struct message_mark *mark);
/* All samples until writer_commit() in one transaction: much quicker, and all or none. */
void writer_at_once(struct writer *writer);
/* With it go the names, events and marks since the last one. When it fails, all samples
 * that are not committed are lost; what goes with them waits for the next. */
int writer_sample(struct writer *writer, const struct headline *headline,
                  const void *bytes, size_t length, struct err *err);
/* Samples that are not committed; by when they have to be, on the monotonic clock. */
size_t writer_open_samples(const struct writer *writer);
int64_t writer_due_ns(const struct writer *writer);
/* Fails as writer_sample() does. */
int writer_commit(struct writer *writer, struct err *err);
/* Adds the packed bytes of these samples, each behind a struct message_recalled. */
int writer_read(struct writer *writer, int64_t first, int64_t last, struct strbuf *bytes,
                struct err *err);
/* The same, of a file that was ended. */
int writer_read_ended(const char *path, int64_t first, int64_t last, struct strbuf *bytes,
                      struct err *err);
int64_t writer_bytes(const struct writer *writer);
/* Commits what is left; who wants to know of failures does so before. */
void writer_close(struct writer *writer);

#endif
