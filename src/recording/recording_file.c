#include "recording/recording_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/xalloc.h"

#define SAMPLES_MAX (1u << 24)

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

static void add_columns(struct strbuf *sql)
{
    strbuf_add_text(sql, "SELECT sample, seq, wall_ns, mono_ns, is_key, checksum");
    for (int i = 0; i < SERIES_COUNT; i++)
        strbuf_addf(sql, ", %s", headline_column((enum history_series)i));
    strbuf_add_text(sql, " FROM samples");
}

/* False: it does not fit its checksum. */
static bool take_headline(sqlite3_stmt *statement, struct headline *headline)
{
    memset(headline, 0, sizeof(*headline));
    headline->sample = sqlite3_column_int64(statement, 0);
    headline->seq = sqlite3_column_int64(statement, 1);
    headline->wall_ns = sqlite3_column_int64(statement, 2);
    headline->mono_ns = sqlite3_column_int64(statement, 3);
    headline->is_key = sqlite3_column_int(statement, 4) != 0;
    for (int i = 0; i < SERIES_COUNT; i++)
        if (sqlite3_column_type(statement, 6 + i) == SQLITE_INTEGER)
            headline->values[i] = reading_exact(sqlite3_column_int64(statement, 6 + i));
    return headline_checksum(headline) == (uint64_t)sqlite3_column_int64(statement, 5);
}

/* Samples are numbered without a gap by who writes them; time may go back. */
static void add_entry(struct recording_file *file, const struct headline *headline)
{
    const struct entry *last =
        file->n_entries ? &file->entries[file->n_entries - 1] : NULL;
    int64_t expected = last ? last->sample + 1 : 1;

    if (headline->sample < expected || file->n_entries == SAMPLES_MAX)
        return;
    file->n_missing += (size_t)(headline->sample - expected);
    if (file->n_entries == file->capacity) {
        file->capacity = file->capacity ? 2 * file->capacity : 1024;
        file->entries =
            xreallocarray(file->entries, file->capacity, sizeof(*file->entries));
    }
    file->entries[file->n_entries++] = (struct entry){.sample = headline->sample,
                                                      .wall_ns = headline->wall_ns,
                                                      .mono_ns = headline->mono_ns,
                                                      .seq = (uint64_t)headline->seq,
                                                      .is_key = headline->is_key};
}

static int64_t last_sample(const struct recording_file *file)
{
    return file->n_entries ? file->entries[file->n_entries - 1].sample : 0;
}

static size_t read_index(struct recording_file *file)
{
    size_t before = file->n_entries;
    struct strbuf sql = STRBUF_INIT;
    struct headline headline;
    sqlite3_stmt *statement;

    add_columns(&sql);
    strbuf_add_text(&sql, " WHERE sample > ? ORDER BY sample");
    statement = recording_file_prepare(file, strbuf_text(&sql));
    strbuf_release(&sql);
    if (statement)
        sqlite3_bind_int64(statement, 1, last_sample(file));
    while (recording_file_next_row(file, statement)) {
        if (take_headline(statement, &headline))
            add_entry(file, &headline);
        else
            file->is_broken = true;
    }
    sqlite3_finalize(statement);
    return file->n_entries - before;
}

static int64_t count_of(struct recording_file *file, const char *sql)
{
    sqlite3_stmt *statement = recording_file_prepare(file, sql);
    int64_t count =
        recording_file_next_row(file, statement) ? sqlite3_column_int64(statement, 0) : 0;

    sqlite3_finalize(statement);
    return count;
}

/* A recording that was ended says how much there is: what its tables do not have any more
 * is missing. */
static void check_totals(struct recording_file *file)
{
    sqlite3_stmt *statement =
        recording_file_prepare(file, "SELECT value FROM about WHERE key = 'end'");
    struct totals totals;
    bool has_end = recording_file_next_row(file, statement);

    if (has_end && !totals_parse(&totals, recording_file_text(statement, 0)))
        file->is_broken = true;
    else if (has_end) {
        recording_file_refresh(file); /* it may have ended just now */
        file->lacks_log = false;      /* all of it had been moved into the file */
        if (totals.samples > last_sample(file))
            file->n_missing += (size_t)(totals.samples - last_sample(file));
        if (totals.names != count_of(file, "SELECT count(*) FROM names") ||
            totals.events != count_of(file, "SELECT count(*) FROM events") ||
            totals.marks != count_of(file, "SELECT count(*) FROM marks"))
            file->is_broken = true;
    }
    sqlite3_finalize(statement);
}

static void prepare_reading(struct recording_file *file)
{
    struct strbuf sql = STRBUF_INIT;

    file->read_data =
        recording_file_prepare(file, "SELECT bytes FROM data WHERE sample = ?");
    file->read_events = recording_file_prepare(
        file, "SELECT sample, wall_ns, type, words, checksum, place FROM events"
              " WHERE sample = ? ORDER BY place");
    file->read_range = recording_file_prepare(
        file, "SELECT * FROM (SELECT sample, wall_ns, type, words, checksum, place"
              " FROM events WHERE sample BETWEEN ? AND ? ORDER BY sample DESC,"
              " place DESC LIMIT 512) ORDER BY sample, place");
    add_columns(&sql);
    strbuf_add_text(&sql, " WHERE sample = ?");
    file->read_headline = recording_file_prepare(file, strbuf_text(&sql));
    strbuf_release(&sql);
}

int recording_file_open(const char *path, struct recording_file **opened, struct err *err)
{
    struct recording_file *file = xcalloc(1, sizeof(*file));

    file->lacks_log = database_lacks_log(path);
    if (database_open(path, &file->database, err)) {
        free(file);
        return -1;
    }
    file->decoder = decoder_new();
    if (recording_file_read_description(file, err)) {
        recording_file_close(file);
        return -1;
    }
    prepare_reading(file);
    recording_file_refresh(file);
    check_totals(file);
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
    sqlite3_finalize(file->read_headline);
    sqlite3_close(file->database);
    decoder_free(file->decoder);
    free(file->entries);
    free(file->marks);
    free(file);
}

/* The last entry that is not later; 0 when all are. Time may go back. */
size_t recording_file_at_time(const struct recording_file *file, int64_t wall_ns)
{
    size_t low = 0, high = file->n_entries;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (file->entries[middle].wall_ns <= wall_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

/* Both numbers are compared without their signs: none below 0 is a sample's. */
static uint64_t number_of(const struct entry *entry, enum entry_number which)
{
    return which == ENTRY_SEQ ? entry->seq : (uint64_t)entry->sample;
}

bool recording_file_find(const struct recording_file *file, enum entry_number which,
                         uint64_t number, size_t *at)
{
    size_t low = 0, high = file->n_entries;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (number_of(&file->entries[middle], which) < number)
            low = middle + 1;
        else
            high = middle;
    }
    *at = low;
    return low < file->n_entries && number_of(&file->entries[low], which) == number;
}

size_t recording_file_refresh(struct recording_file *file)
{
    size_t more = read_index(file);

    if (more || !file->last_name) {
        recording_file_read_names(file);
        recording_file_read_marks(file);
    }
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
    struct entry *entry = &file->entries[at];

    file->n_lost += !entry->is_lost;
    entry->is_lost = true;
    file->decoded = 0;
    return err_prefix(err, "sample %" PRId64 " is lost", entry->sample);
}

static int take_sample(struct recording_file *file, size_t at, struct err *err)
{
    const struct entry *entry = &file->entries[at];
    sqlite3_stmt *statement = file->read_data;
    int result;

    if (!statement)
        return err_set(err, ERR_DAMAGED, "the table of samples cannot be read");
    sqlite3_bind_int64(statement, 1, entry->sample);
    if (recording_file_next_row(file, statement))
        result =
            decoder_take(file->decoder, sqlite3_column_blob(statement, 0),
                         (size_t)sqlite3_column_bytes(statement, 0), entry->is_key, err);
    else
        result = err_set(err, ERR_DAMAGED, "its bytes cannot be read");
    sqlite3_reset(statement);
    if (!result)
        file->decoded = at + 1;
    return result;
}

/* A sample builds on those back to the key; the decoder may stand on one of them. */
static size_t first_needed(const struct recording_file *file, size_t at)
{
    size_t first = at;

    while (first > 0 && !file->entries[first].is_key && file->decoded != first)
        first--;
    if (file->decoded == at + 1)
        return file->decoded;
    return first;
}

static bool follows(const struct recording_file *file, size_t at)
{
    return at == 0 || file->entries[at].is_key ||
           file->entries[at].sample == file->entries[at - 1].sample + 1;
}

static bool fits(const struct entry *entry, const struct snapshot *snapshot)
{
    return snapshot->seq == entry->seq && snapshot->wall_ns == entry->wall_ns &&
           snapshot->mono_ns == entry->mono_ns;
}

const struct snapshot *recording_file_snapshot(struct recording_file *file, size_t at,
                                               struct err *err)
{
    struct event events[EVENTS_MAX];
    const struct snapshot *snapshot;

    if (at >= file->n_entries) {
        err_set(err, ERR_FAILED, "there is no such sample");
        return NULL;
    }
    for (size_t i = first_needed(file, at); i <= at; i++) {
        if (!follows(file, i))
            err_set(err, ERR_DAMAGED, "it builds on one that is missing");
        else if (take_sample(file, i, err) == 0)
            continue;
        lose(file, at, err);
        return NULL;
    }
    snapshot = decoder_snapshot(
        file->decoder, events,
        recording_file_read_events(file, file->entries[at].sample, events));
    if (snapshot && fits(&file->entries[at], snapshot))
        return snapshot;
    snapshot_unref(snapshot);
    err_set(err, ERR_DAMAGED, "it is another one than the table says");
    lose(file, at, err);
    return NULL;
}

int recording_file_point(struct recording_file *file, size_t at,
                         struct history_point *point)
{
    sqlite3_stmt *statement = file->read_headline;
    struct headline headline;
    int result = -1;

    memset(point, 0, sizeof(*point));
    if (!statement || at >= file->n_entries)
        return -1;
    sqlite3_bind_int64(statement, 1, file->entries[at].sample);
    if (recording_file_next_row(file, statement) && take_headline(statement, &headline)) {
        point->mono_ns = headline.mono_ns;
        point->wall_ns = headline.wall_ns;
        memcpy(point->values, headline.values, sizeof(point->values));
        result = 0;
    }
    sqlite3_reset(statement);
    return result;
}

void recording_file_add_losses(const struct recording_file *file,
                               struct recording_losses *losses)
{
    losses->lost += file->n_missing + file->n_lost;
    losses->total += file->n_entries + file->n_missing;
    losses->is_broken |= file->is_broken;
    losses->lacks_log |= file->lacks_log;
}
