/*
 * replay_cache.h - what a replay has read of older samples: another jump needs mostly the
 * same ones, and neither unpacks nor asks the file for them again.
 *
 * Bounded, whatever the length of the recording. Belongs to one replay.
 */
#ifndef HEAPTOP_RECORDING_REPLAY_CACHE_H
#define HEAPTOP_RECORDING_REPLAY_CACHE_H

#include "model/history.h"
#include "recording/recording.h"

struct replay_cache;

struct replay_cache *replay_cache_new(void);
void replay_cache_free(struct replay_cache *cache);

/* As recording_snapshot() and recording_point() give them; NULL when it is lost. Borrowed
 * until the next call. */
const struct snapshot *replay_cache_snapshot(struct replay_cache *cache,
                                             struct recording *recording, size_t at);
const struct history_point *replay_cache_point(struct replay_cache *cache,
                                               struct recording *recording, size_t at);

#endif
