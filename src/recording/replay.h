/*
 * replay.h - a history as it was at any sample of a recording.
 *
 * One step on adds a sample to the history, as a live one would come. Any other jump
 * makes a new history: the last HISTORY_RECENT samples and some older ones whole, and of
 * the rest the headline numbers and events, so that a jump in a week's recording costs as
 * little as in an hour's. Marks stay. Belongs to one thread.
 */
#ifndef HEAPTOP_RECORDING_REPLAY_H
#define HEAPTOP_RECORDING_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "model/history.h"
#include "recording/recording.h"

struct replay;

/* Stands on the first sample between these times; both may be NULL. */
int replay_open(const char *path, const char *begin, const char *end,
                struct replay **replay, struct err *err);
void replay_close(struct replay *replay);

/* Never NULL; another one after a jump. */
struct history *replay_history(const struct replay *replay);
/* Where it stands, counted from the first sample between the times, and how many. */
size_t replay_at(const struct replay *replay);
size_t replay_count(const struct replay *replay);
/* Beyond the last sample is the last one. */
void replay_seek(struct replay *replay, size_t at);
/* Goes to the first complete sample, where it comes soon after the first one, else to the
 * first one. */
void replay_seek_complete(struct replay *replay);
/* Goes to the end. One reference to the last complete sample; NULL: there is none. */
const struct snapshot *replay_last_complete(struct replay *replay);
/* The last sample that is not later. */
size_t replay_find(const struct replay *replay, int64_t wall_ns);
int64_t replay_wall_ns(const struct replay *replay, size_t at);
/* Samples that were recorded since; how many. Not when an end was given. */
size_t replay_refresh(struct replay *replay);
/* As recording_note() and recording_lost(). */
void replay_note(const struct replay *replay, char *words, size_t size);
size_t replay_lost(const struct replay *replay, char *words, size_t size);

#endif
