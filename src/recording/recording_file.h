/*
 * recording_file.h - one file of a recording, whose samples are numbered from 0 in their
 * order. recording.h puts those of a folder one behind the other, and is what all others
 * ask.
 *
 * recording_file.c has the index and the samples, recording_file_texts.c what else is in
 * the file: its description, names, marks, events. Belongs to one thread.
 */
#ifndef HEAPTOP_RECORDING_RECORDING_FILE_H
#define HEAPTOP_RECORDING_RECORDING_FILE_H

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

struct recording_file_mark {
    uint64_t seq;   /* of the sample that is marked; it may be in a file before */
    int64_t sample; /* the number of the one with which it was set */
    bool is_automatic;
    char name[48];
};

struct recording_file {
    sqlite3 *database;
    sqlite3_stmt *read_data, *read_events, *read_range, *read_headline;
    struct decoder *decoder;
    struct entry *entries; /* read by recording.c, too */
    size_t n_entries, capacity;
    int64_t last_name;
    size_t decoded; /* 1 + the entry that the decoder took last; 0: none */
    size_t n_missing, n_lost;
    bool is_broken; /* SQLite could not read all of it */
    bool lacks_log; /* it was not ended, and the file that has the newest is not there */
    struct recording_file_mark *marks;
    size_t n_marks;
};

/* As their namesakes of recording.h, of this file. */
int recording_file_open(const char *path, struct recording_file **file, struct err *err);
void recording_file_close(struct recording_file *file);
size_t recording_file_refresh(struct recording_file *file);
void recording_file_hold(struct recording_file *file);
void recording_file_let_go(struct recording_file *file);
size_t recording_file_at_time(const struct recording_file *file, int64_t wall_ns);
const struct snapshot *recording_file_snapshot(struct recording_file *file, size_t at,
                                               struct err *err);
int recording_file_point(struct recording_file *file, size_t at,
                         struct history_point *point);
void recording_file_add_events(struct recording_file *file, size_t from, size_t to,
                               struct history *history);
/* False: there is no such sample; `*at` is where it would be. */
enum entry_number { ENTRY_SEQ, ENTRY_SAMPLE };
bool recording_file_find(const struct recording_file *file, enum entry_number which,
                         uint64_t number, size_t *at);

struct recording_losses {
    size_t lost, total;        /* samples */
    bool is_broken, lacks_log; /* as in struct recording_file */
};

void recording_file_add_losses(const struct recording_file *file,
                               struct recording_losses *losses);

/* The rest is for recording_file*.c only. */

/* NULL, and the file is broken, where that cannot be asked. */
sqlite3_stmt *recording_file_prepare(struct recording_file *file, const char *sql);
/* Steps; what is not a row and not the end is damage. */
bool recording_file_next_row(struct recording_file *file, sqlite3_stmt *statement);
/* "" for NULL. */
const char *recording_file_text(sqlite3_stmt *statement, int column);
/* What the file says of itself, into the decoder; -1: that is damaged. */
int recording_file_read_description(struct recording_file *file, struct err *err);
/* Those that are new. */
void recording_file_read_names(struct recording_file *file);
/* All of them. */
void recording_file_read_marks(struct recording_file *file);
/* Of one sample; how many. */
size_t recording_file_read_events(struct recording_file *file, int64_t sample,
                                  struct event events[EVENTS_MAX]);

#endif
