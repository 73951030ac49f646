/*
 * recording_private.h - the inside of struct recording: recording.c has the index and the
 * samples, recording_texts.c what else is in the file: its description, names, marks,
 * events.
 */
#ifndef HEAPTOP_RECORDING_RECORDING_PRIVATE_H
#define HEAPTOP_RECORDING_RECORDING_PRIVATE_H

#include <stdbool.h>

#include "recording/database.h"
#include "recording/decoder.h"
#include "recording/recording.h"

#define EVENTS_MAX 512 /* of a sample */

struct entry {
    int64_t sample, wall_ns, mono_ns;
    uint64_t seq;
    bool is_key, is_lost;
};

struct recording {
    sqlite3 *database;
    sqlite3_stmt *read_data, *read_events, *read_range, *read_headline;
    struct decoder *decoder;
    struct entry *entries;
    size_t n_entries, capacity;
    int64_t last_name;
    size_t decoded; /* 1 + the entry that the decoder took last; 0: none */
    size_t n_missing, n_lost;
    bool is_broken; /* SQLite could not read all of it */
    bool lacks_log; /* it was not ended, and the file that has the newest is not there */
    struct recorded_mark *marks;
    size_t n_marks;
};

/* NULL, and the recording is broken, where that cannot be asked. */
sqlite3_stmt *recording_prepare(struct recording *recording, const char *sql);
/* Steps; what is not a row and not the end is damage. */
bool recording_next_row(struct recording *recording, sqlite3_stmt *statement);

/* "" for NULL. */
const char *recording_text(sqlite3_stmt *statement, int column);

/* What the file says of itself, into the decoder; -1: that is damaged. */
int recording_read_description(struct recording *recording, struct err *err);
/* Those that are new. */
void recording_read_names(struct recording *recording);
/* All of them. */
void recording_read_marks(struct recording *recording);
/* Of one sample; how many. */
size_t recording_read_events(struct recording *recording, int64_t sample,
                             struct event events[EVENTS_MAX]);

#endif
