#include "recording/recording_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/xalloc.h"

sqlite3_stmt *recording_file_prepare(struct recording_file *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(file->database, sql, -1, &statement, NULL) != SQLITE_OK)
        file->is_broken = true;
    return statement;
}

bool recording_file_next_row(struct recording_file *file, sqlite3_stmt *statement)
{
    int result = statement ? sqlite3_step(statement) : SQLITE_ERROR;

    if (result != SQLITE_ROW && result != SQLITE_DONE && result != SQLITE_BUSY)
        file->is_broken = true;
    return result == SQLITE_ROW;
}

const char *recording_file_text(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? (const char *)text : "";
}

static int64_t count_of(struct recording_file *file, const char *sql)
{
    sqlite3_stmt *statement = recording_file_prepare(file, sql);
    int64_t count =
        recording_file_next_row(file, statement) ? sqlite3_column_int64(statement, 0) : 0;

    sqlite3_finalize(statement);
    return count;
}

/* A recording that was ended says how much there is. */
static void read_totals(struct recording_file *file)
{
    sqlite3_stmt *statement =
        recording_file_prepare(file, "SELECT value FROM about WHERE key = 'end'");

    file->has_ended = recording_file_next_row(file, statement);
    if (file->has_ended &&
        !totals_parse(&file->totals, recording_file_text(statement, 0)))
        file->is_broken = true;
    if (file->has_ended)
        file->lacks_log = false; /* all of it had been moved into the file */
    sqlite3_finalize(statement);
}

/* What its tables do not have any more is lost. */
static void check_texts(struct recording_file *file)
{
    if (file->totals.names != count_of(file, "SELECT count(*) FROM names") ||
        file->totals.events != count_of(file, "SELECT count(*) FROM events") ||
        file->totals.marks != count_of(file, "SELECT count(*) FROM marks"))
        file->is_broken = true;
}

/* What is needed once a sample is had whole. */
static int enter(struct recording_file *file, struct err *err)
{
    if (file->decoder)
        return 0;
    file->decoder = decoder_new();
    if (recording_file_read_description(file, err)) {
        decoder_free(file->decoder);
        file->decoder = NULL;
        return -1;
    }
    file->read_data =
        recording_file_prepare(file, "SELECT bytes FROM data WHERE sample = ?");
    file->read_events = recording_file_prepare(
        file, "SELECT sample, wall_ns, type, words, checksum, place FROM events"
              " WHERE sample = ? ORDER BY place");
    recording_file_read_names(file);
    if (file->has_ended)
        check_texts(file);
    return 0;
}

int recording_file_open(const char *path, bool is_whole, struct recording_file **opened,
                        struct err *err)
{
    struct recording_file *file = xcalloc(1, sizeof(*file));

    file->lacks_log = database_lacks_log(path);
    if (database_open(path, &file->database, err)) {
        free(file);
        return -1;
    }
    read_totals(file);
    if (is_whole && enter(file, err)) {
        recording_file_close(file);
        return -1;
    }
    if (is_whole)
        recording_file_refresh(file);
    else
        recording_file_read_bounds(file);
    recording_file_read_marks(file);
    *opened = file;
    return 0;
}

void recording_file_close(struct recording_file *file)
{
    if (!file)
        return;
    sqlite3_finalize(file->read_data);
    sqlite3_finalize(file->read_events);
    sqlite3_finalize(file->read_range);
    recording_file_free_index(file);
    sqlite3_close(file->database);
    decoder_free(file->decoder);
    free(file->marks);
    free(file);
}

size_t recording_file_refresh(struct recording_file *file)
{
    size_t more = recording_file_read_index(file);

    if (more && file->decoder)
        recording_file_read_names(file);
    if (more)
        recording_file_read_marks(file);
    return more;
}

void recording_file_hold(struct recording_file *file)
{
    database_run(file->database, "BEGIN");
}

void recording_file_let_go(struct recording_file *file)
{
    database_run(file->database, "COMMIT");
}

/* Damage is counted once, however often the sample is asked for. */
static int lose(struct recording_file *file, size_t at, struct err *err)
{
    file->n_lost += recording_file_lose_entry(file, at);
    file->decoded = 0;
    return err_prefix(err, "sample %" PRId64 " is lost",
                      file->first.sample + (int64_t)at);
}

static int take_sample(struct recording_file *file, size_t at, struct err *err)
{
    struct entry entry = recording_file_entry(file, at);
    sqlite3_stmt *statement = file->read_data;
    int result;

    if (!entry.is_there)
        return err_set(err, ERR_DAMAGED, "it is missing");
    if (!statement)
        return err_set(err, ERR_DAMAGED, "the table of samples cannot be read");
    sqlite3_bind_int64(statement, 1, entry.sample);
    if (recording_file_next_row(file, statement))
        result =
            decoder_take(file->decoder, sqlite3_column_blob(statement, 0),
                         (size_t)sqlite3_column_bytes(statement, 0), entry.is_key, err);
    else
        result = err_set(err, ERR_DAMAGED, "its bytes cannot be read");
    sqlite3_reset(statement);
    if (!result)
        file->decoded = at + 1;
    return result;
}

/* A sample builds on those back to the key; the decoder may stand on one of them. */
static size_t first_needed(struct recording_file *file, size_t at)
{
    size_t first = at;

    while (first > 0 && file->decoded != first) {
        struct entry entry = recording_file_entry(file, first);

        if (entry.is_key || !entry.is_there)
            break;
        first--;
    }
    if (file->decoded == at + 1)
        return file->decoded;
    return first;
}

/* False: what it builds on is missing. */
static bool follows(struct recording_file *file, size_t at)
{
    return at == 0 || recording_file_entry(file, at).is_key ||
           recording_file_entry(file, at - 1).is_there;
}

static bool fits(const struct entry *entry, const struct snapshot *snapshot)
{
    return snapshot->seq == entry->seq && snapshot->wall_ns == entry->wall_ns &&
           snapshot->mono_ns == entry->mono_ns;
}

/* The decoder stands on the sample then. */
static int build(struct recording_file *file, size_t at, struct err *err)
{
    if (enter(file, err))
        return -1;
    for (size_t i = first_needed(file, at); i <= at; i++) {
        if (!follows(file, i))
            return err_set(err, ERR_DAMAGED, "it builds on one that is missing");
        if (take_sample(file, i, err))
            return -1;
    }
    return 0;
}

const struct snapshot *recording_file_snapshot(struct recording_file *file, size_t at,
                                               struct err *err)
{
    struct event events[EVENTS_MAX];
    const struct snapshot *snapshot;
    struct entry entry;

    if (at >= file->n_entries) {
        err_set(err, ERR_FAILED, "there is no such sample");
        return NULL;
    }
    if (build(file, at, err)) {
        lose(file, at, err);
        return NULL;
    }
    entry = recording_file_entry(file, at);
    snapshot = decoder_snapshot(file->decoder, events,
                                recording_file_read_events(file, entry.sample, events));
    if (snapshot && fits(&entry, snapshot))
        return snapshot;
    snapshot_unref(snapshot);
    err_set(err, ERR_DAMAGED, "it is another one than the table says");
    lose(file, at, err);
    return NULL;
}

void recording_file_add_losses(const struct recording_file *file,
                               struct recording_losses *losses)
{
    size_t missing = recording_file_missing(file);
    size_t outside = file->n_entries ? (size_t)(file->first.sample - 1) : 0;

    if (file->has_ended && file->totals.samples > file->last.sample)
        outside += (size_t)(file->totals.samples - file->last.sample);
    losses->lost += missing + outside + file->n_lost;
    losses->total += file->n_entries + outside;
    losses->is_broken |= file->is_broken;
    losses->lacks_log |= file->lacks_log;
}
