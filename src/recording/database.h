/*
 * database.h - a recording is an SQLite file: its tables, and what keeps a damaged or
 * hostile one from doing harm.
 *
 *   about(key, value)              who wrote it, and how much; see struct totals
 *   sheets, columns                what the samples' bytes hold; see shape.h
 *   names(name, text)              the texts of all samples, kinds among them
 *   samples(sample, seq, wall_ns, mono_ns, is_key, res_bytes ...)
 *                                  the headline numbers as columns, NULL = unknown
 *   data(sample, bytes)            the packed sample; apart, so that reading all
 *                                  headline numbers does not read these
 *   events(sample, place, wall_ns, type, words)
 *   marks(number, sample, seq, is_automatic, name)
 *                                  set before this sample, of the one with this seq
 *
 * Every row of samples, names, events and marks has a checksum over its other columns,
 * the bytes have zstd's, and about has one over what the file says of itself, and how
 * many rows there are: SQLite by itself does not notice a bit that flips. user_version is
 * the version of the format; RECORDING_FORMAT and older ones are read.
 */
#ifndef HEAPTOP_RECORDING_DATABASE_H
#define HEAPTOP_RECORDING_DATABASE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "model/history.h"

#define RECORDING_FORMAT      1
#define RECORDING_APPLICATION 0x68656170 /* "heap" */

/* The headline numbers of a sample. */
struct headline {
    int64_t sample; /* 1, 2, ... in the file */
    int64_t seq, wall_ns, mono_ns;
    bool is_key;
    struct reading values[SERIES_COUNT]; /* as history_numbers() gives them */
};

void headline_of(struct headline *headline, const struct snapshot *snapshot,
                 int64_t sample, bool is_key);
uint64_t headline_checksum(const struct headline *headline);
uint64_t name_checksum(int64_t number, const char *text, size_t length);
uint64_t event_checksum(int64_t sample, int64_t place, int64_t wall_ns, const char *type,
                        const char *words, size_t length);
uint64_t mark_checksum(int64_t number, int64_t sample, int64_t seq, bool is_automatic,
                       const char *name, size_t length);

/* How much there is, in about('end') of a recording that was ended: rows that a damaged
 * table does not have any more are missed. */
struct totals {
    int64_t samples, names, events, marks; /* samples: the number of the last one */
};
#define TOTALS_MAX 128
/* As text, with a checksum. */
void totals_words(const struct totals *totals, char words[TOTALS_MAX]);
/* False: that is not such a text. */
bool totals_parse(struct totals *totals, const char *words);

/* Over all sheets (type ""), then all columns; about('description') has the sum. */
uint64_t description_begin(void);
uint64_t description_add(uint64_t sum, int64_t sheet, const char *name, const char *type);

/* Creates the file with mode 0600, for one writer; -1 when it exists. */
int database_create(const char *path, sqlite3 **database, struct err *err);
/* Ends a recording: one plain file stays. */
void database_finish(sqlite3 *database);
/* Was it copied while it was written, without the file that has its newest samples? */
bool database_lacks_log(const char *path);
/* For reading only; also while it is written, or from where nothing can be written. */
int database_open(const char *path, sqlite3 **database, struct err *err);

/* "cannot write /var/x: database or disk is full". Returns -1. */
int database_error(sqlite3 *database, struct err *err, enum err_code code,
                   const char *format, const char *path);
/* -1 with a sentence when the text is not SQL that fits. */
int database_run(sqlite3 *database, const char *sql);

/* The column of a series in the table of samples. */
const char *headline_column(enum history_series series);

#endif
