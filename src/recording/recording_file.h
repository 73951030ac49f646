/*
 * recording_file.h - one file of a recording, whose samples are numbered from 0 in their
 * order; those that are missing between others have a number, too. recording.h puts the
 * files of a folder one behind the other, and is what all others ask.
 *
 * A file can be opened for its first and last sample only: what else it has is read as it
 * is met. recording_file.c has the samples, recording_file_index.c which there are,
 * recording_file_texts.c what else is in the file: its description, names, marks, events.
 * Belongs to one thread.
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
    bool is_there; /* else it is missing, and its times are those of the one before it */
};

struct recording_file_mark {
    uint64_t seq;   /* of the sample that is marked; it may be in a file before */
    int64_t sample; /* the number of the one with which it was set */
    bool is_automatic;
    char name[48];
};

struct recording_file {
    sqlite3 *database;
    sqlite3_stmt *read_data, *read_events, *read_range, *read_headline, *read_chunk;
    struct decoder *decoder; /* NULL: no sample was had whole yet */
    struct entry first, last;
    struct entry **chunks; /* of entries; NULL: not read yet */
    size_t n_chunks, n_entries, n_there;
    size_t n_gaps; /* missing ones that were met */
    bool is_index_whole;
    int64_t last_name;
    size_t decoded; /* 1 + the entry that the decoder took last; 0: none */
    size_t n_lost;
    bool is_broken; /* SQLite could not read all of it */
    bool lacks_log; /* it was not ended, and the file that has the newest is not there */
    bool has_ended;
    struct totals totals; /* if it has */
    struct recording_file_mark *marks;
    size_t n_marks;
};

/* As their namesakes of recording.h, of this file. Not whole: only as much as is needed
 * to know where it begins and ends. */
int recording_file_open(const char *path, bool is_whole, struct recording_file **file,
                        struct err *err);
void recording_file_close(struct recording_file *file);
size_t recording_file_refresh(struct recording_file *file);
void recording_file_hold(struct recording_file *file);
void recording_file_let_go(struct recording_file *file);
struct entry recording_file_entry(struct recording_file *file, size_t at);
size_t recording_file_at_time(struct recording_file *file, int64_t wall_ns);
const struct snapshot *recording_file_snapshot(struct recording_file *file, size_t at,
                                               struct err *err);
int recording_file_point(struct recording_file *file, size_t at,
                         struct history_point *point);
void recording_file_add_events(struct recording_file *file, size_t from, size_t to,
                               struct history *history);
/* False: there is no such sample. */
bool recording_file_find_seq(struct recording_file *file, uint64_t seq, size_t *at);
bool recording_file_find_sample(const struct recording_file *file, int64_t sample,
                                size_t *at);

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
/* Samples that came since; how many. From now on all are known. */
size_t recording_file_read_index(struct recording_file *file);
/* Instead: only the first and the last. */
void recording_file_read_bounds(struct recording_file *file);
void recording_file_free_index(struct recording_file *file);
/* How many are missing, as far as that is known. */
size_t recording_file_missing(const struct recording_file *file);
/* False: it is missing, or is known to be lost. */
bool recording_file_lose_entry(struct recording_file *file, size_t at);
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
