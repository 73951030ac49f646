#include "recording/recording.h"

#include <config.h> /* PACKAGE_VERSION */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording/database.h"
#include "recording/decoder.h"
#include "recording/shape.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#define SAMPLES_MAX    (1u << 24)
#define MARKS_MAX_READ 4096
#define EVENTS_MAX     512 /* of a sample */

struct entry {
    int64_t sample, wall_ns, mono_ns;
    uint64_t seq;
    bool is_key, is_lost;
};

struct recording {
    sqlite3 *database;
    sqlite3_stmt *read_data, *read_events, *read_headline;
    struct decoder *decoder;
    struct entry *entries;
    size_t n_entries, capacity;
    int64_t last_name;
    size_t decoded; /* 1 + the entry that the decoder took last; 0: none */
    size_t n_missing, n_lost;
    bool is_broken; /* SQLite could not read all of it */
    struct recorded_mark *marks;
    size_t n_marks;
};

static sqlite3_stmt *prepare(struct recording *recording, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(recording->database, sql, -1, &statement, NULL) != SQLITE_OK)
        recording->is_broken = true;
    return statement;
}

/* Steps; what is not a row and not the end is damage. */
static bool next_row(struct recording *recording, sqlite3_stmt *statement)
{
    int result = statement ? sqlite3_step(statement) : SQLITE_ERROR;

    if (result != SQLITE_ROW && result != SQLITE_DONE && result != SQLITE_BUSY)
        recording->is_broken = true;
    return result == SQLITE_ROW;
}

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const unsigned char *text = sqlite3_column_text(statement, column);

    return text ? (const char *)text : "";
}

/* What the file says of itself, into the decoder. */
static uint64_t read_description(struct recording *recording)
{
    uint64_t sum = description_begin();
    sqlite3_stmt *statement =
        prepare(recording, "SELECT sheet, name FROM sheets ORDER BY sheet");

    while (next_row(recording, statement)) {
        decoder_add_sheet(recording->decoder, text_of(statement, 1));
        sum = description_add(sum, sqlite3_column_int64(statement, 0),
                              text_of(statement, 1), "");
    }
    sqlite3_finalize(statement);
    statement =
        prepare(recording, "SELECT sheet, name, type FROM columns ORDER BY sheet, place");
    while (next_row(recording, statement)) {
        int64_t sheet = sqlite3_column_int64(statement, 0);
        const char *name = text_of(statement, 1), *type = text_of(statement, 2);

        decoder_add_column(recording->decoder, (size_t)sheet, name, type);
        sum = description_add(sum, sheet, name, type);
    }
    sqlite3_finalize(statement);
    return sum;
}

static void describe_ourselves(struct decoder *decoder)
{
    for (size_t i = 0; i < SHEETS; i++)
        decoder_add_sheet(decoder, sheet_shapes[i].name);
    for (size_t i = 0; i < SHEETS; i++)
        for (size_t k = 0; k < sheet_shapes[i].n_fields; k++)
            decoder_add_column(decoder, i, sheet_shapes[i].fields[k].name,
                               field_type_name(sheet_shapes[i].fields[k].type));
}

static bool has_about(struct recording *recording, const char *sql, const char *expected)
{
    sqlite3_stmt *statement = prepare(recording, sql);
    bool is_so =
        next_row(recording, statement) && !strcmp(text_of(statement, 0), expected);

    sqlite3_finalize(statement);
    return is_so;
}

/* Where the description is damaged and we wrote the file, we know what it was. */
static int read_sheets(struct recording *recording, struct err *err)
{
    char sum[32];

    snprintf(sum, sizeof(sum), "%" PRId64, (int64_t)read_description(recording));
    if (has_about(recording, "SELECT value FROM about WHERE key = 'description'", sum))
        return 0;
    recording->is_broken = true;
    if (!has_about(recording, "SELECT value FROM about WHERE key = 'heaptop'",
                   PACKAGE_VERSION))
        return err_set(err, ERR_DAMAGED, "what the recording says of itself is damaged");
    decoder_free(recording->decoder);
    recording->decoder = decoder_new();
    describe_ourselves(recording->decoder);
    return 0;
}

/* A name that does not fit its checksum stays lost. */
static void read_names(struct recording *recording)
{
    sqlite3_stmt *statement =
        prepare(recording, "SELECT name, text, checksum FROM names WHERE name > ?");

    if (statement)
        sqlite3_bind_int64(statement, 1, recording->last_name);
    while (next_row(recording, statement)) {
        int64_t number = sqlite3_column_int64(statement, 0);
        const char *text = text_of(statement, 1);
        size_t length = (size_t)sqlite3_column_bytes(statement, 1);

        recording->last_name = number;
        if (text_checksum(number, 0, text, length) ==
            (uint64_t)sqlite3_column_int64(statement, 2))
            decoder_add_name(recording->decoder, (uint64_t)number, text, length);
        else
            recording->is_broken = true;
    }
    sqlite3_finalize(statement);
}

static void read_marks(struct recording *recording)
{
    sqlite3_stmt *statement = prepare(
        recording, "SELECT number, seq, is_automatic, name, checksum, sample FROM marks");

    recording->n_marks = 0;
    while (next_row(recording, statement) && recording->n_marks < MARKS_MAX_READ) {
        struct recorded_mark *mark;
        const char *name = text_of(statement, 3);
        size_t length = (size_t)sqlite3_column_bytes(statement, 3);

        if (text_checksum(sqlite3_column_int64(statement, 0),
                          sqlite3_column_int64(statement, 1), name,
                          length) != (uint64_t)sqlite3_column_int64(statement, 4)) {
            recording->is_broken = true;
            continue;
        }
        recording->marks = xreallocarray(recording->marks, recording->n_marks + 1,
                                         sizeof(*recording->marks));
        mark = &recording->marks[recording->n_marks++];
        mark->seq = (uint64_t)sqlite3_column_int64(statement, 1);
        mark->sample = sqlite3_column_int64(statement, 5);
        mark->is_automatic = sqlite3_column_int(statement, 2) != 0;
        utf8_clean_copy(mark->name, sizeof(mark->name), name, length);
    }
    sqlite3_finalize(statement);
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
    statement = prepare(recording, strbuf_text(&sql));
    strbuf_release(&sql);
    if (statement)
        sqlite3_bind_int64(statement, 1, last_sample(recording));
    while (next_row(recording, statement)) {
        if (take_headline(statement, &headline))
            add_entry(recording, &headline);
        else
            recording->is_broken = true;
    }
    sqlite3_finalize(statement);
    return recording->n_entries - before;
}

static void prepare_reading(struct recording *recording)
{
    struct strbuf sql = STRBUF_INIT;

    recording->read_data = prepare(recording, "SELECT bytes FROM data WHERE sample = ?");
    recording->read_events =
        prepare(recording, "SELECT sample, wall_ns, type, words, checksum FROM events"
                           " WHERE sample = ? ORDER BY place");
    add_columns(&sql);
    strbuf_add_text(&sql, " WHERE sample = ?");
    recording->read_headline = prepare(recording, strbuf_text(&sql));
    strbuf_release(&sql);
}

int recording_open(const char *path, struct recording **opened, struct err *err)
{
    struct recording *recording = xcalloc(1, sizeof(*recording));

    if (database_open(path, &recording->database, err)) {
        free(recording);
        return -1;
    }
    recording->decoder = decoder_new();
    if (read_sheets(recording, err)) {
        recording_close(recording);
        return -1;
    }
    prepare_reading(recording);
    recording_refresh(recording);
    if (!recording->n_entries) {
        err_set(err, ERR_DAMAGED, "no sample can be read from %.200s", path);
        err_remedy(err, recording->is_broken ? "the file is damaged; is there a copy?"
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
        read_names(recording);
        read_marks(recording);
    }
    return more;
}

static enum event_type type_of(const char *name)
{
    for (int i = 0; i <= EVENT_ACTION; i++)
        if (!strcmp(event_type_name((enum event_type)i), name))
            return (enum event_type)i;
    return EVENT_NOTE;
}

/* False: it does not fit its checksum. */
static bool take_event(struct recording *recording, sqlite3_stmt *statement,
                       struct event *event)
{
    const char *words = text_of(statement, 3);
    size_t length = (size_t)sqlite3_column_bytes(statement, 3);

    event->wall_ns = sqlite3_column_int64(statement, 1);
    event->type = type_of(text_of(statement, 2));
    utf8_clean_copy(event->words, sizeof(event->words), words, length);
    if (text_checksum(sqlite3_column_int64(statement, 0), event->wall_ns, words,
                      length) == (uint64_t)sqlite3_column_int64(statement, 4))
        return true;
    recording->is_broken = true;
    return false;
}

static size_t read_events(struct recording *recording, int64_t sample,
                          struct event events[EVENTS_MAX])
{
    sqlite3_stmt *statement = recording->read_events;
    size_t count = 0;

    if (!statement)
        return 0;
    sqlite3_bind_int64(statement, 1, sample);
    while (count < EVENTS_MAX && next_row(recording, statement))
        count += take_event(recording, statement, &events[count]);
    sqlite3_reset(statement);
    return count;
}

void recording_add_events(struct recording *recording, size_t from, size_t to,
                          struct history *history)
{
    sqlite3_stmt *statement;
    struct event event;

    if (from >= to || to > recording->n_entries)
        return;
    statement = prepare(
        recording, "SELECT * FROM (SELECT sample, wall_ns, type, words, checksum, place"
                   " FROM events WHERE sample BETWEEN ? AND ? ORDER BY sample DESC,"
                   " place DESC LIMIT 512) ORDER BY sample, place");
    if (statement) {
        sqlite3_bind_int64(statement, 1, recording->entries[from].sample);
        sqlite3_bind_int64(statement, 2, recording->entries[to - 1].sample);
    }
    while (next_row(recording, statement))
        if (take_event(recording, statement, &event))
            history_add_event(history, &event);
    sqlite3_finalize(statement);
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
    if (next_row(recording, statement))
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
    snapshot =
        decoder_snapshot(recording->decoder, events,
                         read_events(recording, recording->entries[at].sample, events));
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
    if (next_row(recording, statement) && take_headline(statement, &headline)) {
        point->mono_ns = headline.mono_ns;
        point->wall_ns = headline.wall_ns;
        memcpy(point->values, headline.values, sizeof(point->values));
        result = 0;
    }
    sqlite3_reset(statement);
    return result;
}

size_t recording_marks(const struct recording *recording,
                       const struct recorded_mark **marks)
{
    *marks = recording->marks;
    return recording->n_marks;
}

static const struct snapshot *snapshot_of(const struct history *history, uint64_t seq)
{
    for (size_t i = history_count(history); i > 0; i--)
        if (history_at(history, i - 1)->seq == seq)
            return history_at(history, i - 1);
    return NULL;
}

void recording_restore_marks(const struct recording *recording, size_t at,
                             struct history *history)
{
    for (size_t i = 0; i < recording->n_marks; i++) {
        const struct recorded_mark *mark = &recording->marks[i];
        const struct snapshot *snapshot = mark->sample == recording->entries[at].sample
                                              ? snapshot_of(history, mark->seq)
                                              : NULL;

        if (snapshot)
            history_restore_mark(history, snapshot, mark->name, mark->is_automatic);
    }
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
    return lost;
}
