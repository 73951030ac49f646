#include "recording/recording_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/strbuf.h"
#include "util/xalloc.h"

#define SAMPLES_MAX (1u << 24)

sqlite3_stmt *recording_prepare(struct recording *recording, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(recording->database, sql, -1, &statement, NULL) != SQLITE_OK)
        recording->is_broken = true;
    return statement;
}

bool recording_next_row(struct recording *recording, sqlite3_stmt *statement)
{
    int result = statement ? sqlite3_step(statement) : SQLITE_ERROR;

    if (result != SQLITE_ROW && result != SQLITE_DONE && result != SQLITE_BUSY)
        recording->is_broken = true;
    return result == SQLITE_ROW;
}

const char *recording_text(sqlite3_stmt *statement, int column)
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
static void add_entry(struct recording *recording, const struct headline *headline)
{
    const struct entry *last =
        recording->n_entries ? &recording->entries[recording->n_entries - 1] : NULL;
    int64_t expected = last ? last->sample + 1 : 1;

    if (headline->sample < expected || recording->n_entries == SAMPLES_MAX)
        return;
    recording->n_missing += (size_t)(headline->sample - expected);
    if (recording->n_entries == recording->capacity) {
        recording->capacity = recording->capacity ? 2 * recording->capacity : 1024;
        recording->entries = xreallocarray(recording->entries, recording->capacity,
                                           sizeof(*recording->entries));
    }
    recording->entries[recording->n_entries++] =
        (struct entry){.sample = headline->sample,
                       .wall_ns = headline->wall_ns,
                       .mono_ns = headline->mono_ns,
                       .seq = (uint64_t)headline->seq,
                       .is_key = headline->is_key};
}

static int64_t last_sample(const struct recording *recording)
{
    return recording->n_entries ? recording->entries[recording->n_entries - 1].sample : 0;
}

static size_t read_index(struct recording *recording)
{
    size_t before = recording->n_entries;
    struct strbuf sql = STRBUF_INIT;
    struct headline headline;
    sqlite3_stmt *statement;

    add_columns(&sql);
    strbuf_add_text(&sql, " WHERE sample > ? ORDER BY sample");
    statement = recording_prepare(recording, strbuf_text(&sql));
    strbuf_release(&sql);
    if (statement)
        sqlite3_bind_int64(statement, 1, last_sample(recording));
    while (recording_next_row(recording, statement)) {
        if (take_headline(statement, &headline))
            add_entry(recording, &headline);
        else
            recording->is_broken = true;
    }
    sqlite3_finalize(statement);
    return recording->n_entries - before;
}

static int64_t count_of(struct recording *recording, const char *sql)
{
    sqlite3_stmt *statement = recording_prepare(recording, sql);
    int64_t count =
        recording_next_row(recording, statement) ? sqlite3_column_int64(statement, 0) : 0;

    sqlite3_finalize(statement);
    return count;
}

/* A recording that was ended says how much there is: what its tables do not have any more
 * is missing. */
static void check_totals(struct recording *recording)
{
    sqlite3_stmt *statement =
        recording_prepare(recording, "SELECT value FROM about WHERE key = 'end'");
    struct totals totals;
    bool has_end = recording_next_row(recording, statement);

    if (has_end && !totals_parse(&totals, recording_text(statement, 0)))
        recording->is_broken = true;
    else if (has_end) {
        recording_refresh(recording); /* it may have ended just now */
        if (totals.samples > last_sample(recording))
            recording->n_missing += (size_t)(totals.samples - last_sample(recording));
        if (totals.names != count_of(recording, "SELECT count(*) FROM names") ||
            totals.events != count_of(recording, "SELECT count(*) FROM events") ||
            totals.marks != count_of(recording, "SELECT count(*) FROM marks"))
            recording->is_broken = true;
    }
    sqlite3_finalize(statement);
}

static void prepare_reading(struct recording *recording)
{
    struct strbuf sql = STRBUF_INIT;

    recording->read_data =
        recording_prepare(recording, "SELECT bytes FROM data WHERE sample = ?");
    recording->read_events = recording_prepare(
        recording, "SELECT sample, wall_ns, type, words, checksum, place FROM events"
                   " WHERE sample = ? ORDER BY place");
    recording->read_range = recording_prepare(
        recording, "SELECT * FROM (SELECT sample, wall_ns, type, words, checksum, place"
                   " FROM events WHERE sample BETWEEN ? AND ? ORDER BY sample DESC,"
                   " place DESC LIMIT 512) ORDER BY sample, place");
    add_columns(&sql);
    strbuf_add_text(&sql, " WHERE sample = ?");
    recording->read_headline = recording_prepare(recording, strbuf_text(&sql));
    strbuf_release(&sql);
}

int recording_open(const char *path, struct recording **opened, struct err *err)
{
    struct recording *recording = xcalloc(1, sizeof(*recording));

    recording->lacks_log = database_lacks_log(path);
    if (database_open(path, &recording->database, err)) {
        free(recording);
        return -1;
    }
    recording->decoder = decoder_new();
    if (recording_read_description(recording, err)) {
        recording_close(recording);
        return -1;
    }
    prepare_reading(recording);
    recording_refresh(recording);
    check_totals(recording);
    if (!recording->n_entries) {
        err_set(err, ERR_DAMAGED, "no sample can be read from %.200s", path);
        err_remedy(err, "%s",
                   recording->is_broken ? "the file is damaged; is there a copy?"
                   : recording->lacks_log
                       ? "they stood in its -wal file, which is not here"
                       : "nothing was recorded yet");
        recording_close(recording);
        return -1;
    }
    *opened = recording;
    return 0;
}

void recording_close(struct recording *recording)
{
    if (!recording)
        return;
    sqlite3_finalize(recording->read_data);
    sqlite3_finalize(recording->read_events);
    sqlite3_finalize(recording->read_range);
    sqlite3_finalize(recording->read_headline);
    sqlite3_close(recording->database);
    decoder_free(recording->decoder);
    free(recording->entries);
    free(recording->marks);
    free(recording);
}

size_t recording_count(const struct recording *recording)
{
    return recording->n_entries;
}

int64_t recording_wall_ns(const struct recording *recording, size_t at)
{
    return at < recording->n_entries ? recording->entries[at].wall_ns : 0;
}

uint64_t recording_seq(const struct recording *recording, size_t at)
{
    return at < recording->n_entries ? recording->entries[at].seq : 0;
}

int64_t recording_number(const struct recording *recording, size_t at)
{
    return at < recording->n_entries ? recording->entries[at].sample : 0;
}

static int64_t time_of(const struct entry *entry)
{
    return entry->wall_ns;
}

static int64_t seq_of(const struct entry *entry)
{
    return (int64_t)entry->seq;
}

/* The last entry whose key is not greater; 0 when all are. */
static size_t last_not_after(const struct recording *recording,
                             int64_t (*key_of)(const struct entry *), int64_t key)
{
    size_t low = 0, high = recording->n_entries;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (key_of(&recording->entries[middle]) <= key)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

size_t recording_at_time(const struct recording *recording, int64_t wall_ns)
{
    return last_not_after(recording, time_of, wall_ns);
}

size_t recording_at_seq(const struct recording *recording, uint64_t seq)
{
    return last_not_after(recording, seq_of, (int64_t)seq);
}

size_t recording_key_before(const struct recording *recording, size_t at, size_t least)
{
    for (size_t i = at + 1; i > least; i--)
        if (recording->entries[i - 1].is_key)
            return i - 1;
    return at;
}

size_t recording_refresh(struct recording *recording)
{
    size_t more = read_index(recording);

    if (more || !recording->last_name) {
        recording_read_names(recording);
        recording_read_marks(recording);
    }
    return more;
}

void recording_hold(struct recording *recording)
{
    database_run(recording->database, "BEGIN");
}

void recording_let_go(struct recording *recording)
{
    database_run(recording->database, "COMMIT");
}

/* Damage is counted once, however often the sample is asked for. */
static int lose(struct recording *recording, size_t at, struct err *err)
{
    struct entry *entry = &recording->entries[at];

    recording->n_lost += !entry->is_lost;
    entry->is_lost = true;
    recording->decoded = 0;
    return err_prefix(err, "sample %" PRId64 " is lost", entry->sample);
}

static int take_sample(struct recording *recording, size_t at, struct err *err)
{
    const struct entry *entry = &recording->entries[at];
    sqlite3_stmt *statement = recording->read_data;
    int result;

    if (!statement)
        return err_set(err, ERR_DAMAGED, "the table of samples cannot be read");
    sqlite3_bind_int64(statement, 1, entry->sample);
    if (recording_next_row(recording, statement))
        result =
            decoder_take(recording->decoder, sqlite3_column_blob(statement, 0),
                         (size_t)sqlite3_column_bytes(statement, 0), entry->is_key, err);
    else
        result = err_set(err, ERR_DAMAGED, "its bytes cannot be read");
    sqlite3_reset(statement);
    if (!result)
        recording->decoded = at + 1;
    return result;
}

/* A sample builds on those back to the key; the decoder may stand on one of them. */
static size_t first_needed(const struct recording *recording, size_t at)
{
    size_t first = at;

    while (first > 0 && !recording->entries[first].is_key && recording->decoded != first)
        first--;
    if (recording->decoded == at + 1)
        return recording->decoded;
    return first;
}

static bool follows(const struct recording *recording, size_t at)
{
    return at == 0 || recording->entries[at].is_key ||
           recording->entries[at].sample == recording->entries[at - 1].sample + 1;
}

static bool fits(const struct entry *entry, const struct snapshot *snapshot)
{
    return snapshot->seq == entry->seq && snapshot->wall_ns == entry->wall_ns &&
           snapshot->mono_ns == entry->mono_ns;
}

const struct snapshot *recording_snapshot(struct recording *recording, size_t at,
                                          struct err *err)
{
    struct event events[EVENTS_MAX];
    const struct snapshot *snapshot;

    if (at >= recording->n_entries) {
        err_set(err, ERR_FAILED, "there is no such sample");
        return NULL;
    }
    for (size_t i = first_needed(recording, at); i <= at; i++) {
        if (!follows(recording, i))
            err_set(err, ERR_DAMAGED, "it builds on one that is missing");
        else if (take_sample(recording, i, err) == 0)
            continue;
        lose(recording, at, err);
        return NULL;
    }
    snapshot = decoder_snapshot(
        recording->decoder, events,
        recording_read_events(recording, recording->entries[at].sample, events));
    if (snapshot && fits(&recording->entries[at], snapshot))
        return snapshot;
    snapshot_unref(snapshot);
    err_set(err, ERR_DAMAGED, "it is another one than the table says");
    lose(recording, at, err);
    return NULL;
}

int recording_point(struct recording *recording, size_t at, struct history_point *point)
{
    sqlite3_stmt *statement = recording->read_headline;
    struct headline headline;
    int result = -1;

    memset(point, 0, sizeof(*point));
    if (!statement || at >= recording->n_entries)
        return -1;
    sqlite3_bind_int64(statement, 1, recording->entries[at].sample);
    if (recording_next_row(recording, statement) && take_headline(statement, &headline)) {
        point->mono_ns = headline.mono_ns;
        point->wall_ns = headline.wall_ns;
        memcpy(point->values, headline.values, sizeof(point->values));
        result = 0;
    }
    sqlite3_reset(statement);
    return result;
}

size_t recording_lost(const struct recording *recording, char *words, size_t size)
{
    size_t lost = recording->n_missing + recording->n_lost;

    words[0] = '\0';
    if (lost)
        snprintf(words, size, "%zu of %zu samples of the recording are lost%s", lost,
                 recording->n_entries + recording->n_missing,
                 recording->is_broken ? ", the file is damaged" : "");
    else if (recording->is_broken)
        snprintf(words, size,
                 "the file is damaged: what follows the last sample, or a "
                 "part of its texts, is lost");
    else if (recording->lacks_log)
        snprintf(words, size,
                 "the recording was not ended and has no -wal file beside it: the newest "
                 "samples may be missing");
    return lost;
}
