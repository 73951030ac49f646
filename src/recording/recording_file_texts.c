/* What is in a recording beside its samples: its description, names, marks, events. */
#include "recording/recording_file.h"

#include <config.h> /* PACKAGE_VERSION */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/utf8.h"
#include "util/xalloc.h"

#define MARKS_MAX_READ 4096

/* What the file says of itself, into the decoder. */
static uint64_t read_description(struct recording_file *file)
{
    uint64_t sum = description_begin();
    sqlite3_stmt *statement =
        recording_file_prepare(file, "SELECT sheet, name FROM sheets ORDER BY sheet");

    while (recording_file_next_row(file, statement)) {
        decoder_add_sheet(file->decoder, recording_file_text(statement, 1));
        sum = description_add(sum, sqlite3_column_int64(statement, 0),
                              recording_file_text(statement, 1), "");
    }
    sqlite3_finalize(statement);
    statement = recording_file_prepare(
        file, "SELECT sheet, name, type FROM columns ORDER BY sheet, place");
    while (recording_file_next_row(file, statement)) {
        int64_t sheet = sqlite3_column_int64(statement, 0);
        const char *name = recording_file_text(statement, 1),
                   *type = recording_file_text(statement, 2);

        decoder_add_column(file->decoder, (size_t)sheet, name, type);
        sum = description_add(sum, sheet, name, type);
    }
    sqlite3_finalize(statement);
    return sum;
}

static bool has_about(struct recording_file *file, const char *sql, const char *expected)
{
    sqlite3_stmt *statement = recording_file_prepare(file, sql);
    bool is_so = recording_file_next_row(file, statement) &&
                 !strcmp(recording_file_text(statement, 0), expected);

    sqlite3_finalize(statement);
    return is_so;
}

/* Where the description is damaged and we wrote the file, we know what it was. */
int recording_file_read_description(struct recording_file *file, struct err *err)
{
    char sum[32];

    snprintf(sum, sizeof(sum), "%" PRId64, (int64_t)read_description(file));
    if (has_about(file, "SELECT value FROM about WHERE key = 'description'", sum))
        return 0;
    file->is_broken = true;
    if (!has_about(file, "SELECT value FROM about WHERE key = 'heaptop'",
                   PACKAGE_VERSION))
        return err_set(err, ERR_DAMAGED, "what the recording says of itself is damaged");
    decoder_free(file->decoder);
    file->decoder = decoder_new();
    decoder_add_ours(file->decoder);
    return 0;
}

/* A name that does not fit its checksum stays lost. */
void recording_file_read_names(struct recording_file *file)
{
    sqlite3_stmt *statement = recording_file_prepare(
        file, "SELECT name, text, checksum FROM names WHERE name > ?");

    if (statement)
        sqlite3_bind_int64(statement, 1, file->last_name);
    while (recording_file_next_row(file, statement)) {
        int64_t number = sqlite3_column_int64(statement, 0);
        const char *text = recording_file_text(statement, 1);
        size_t length = (size_t)sqlite3_column_bytes(statement, 1);

        file->last_name = number;
        if (name_checksum(number, text, length) ==
            (uint64_t)sqlite3_column_int64(statement, 2))
            decoder_add_name(file->decoder, (uint64_t)number, text, length);
        else
            file->is_broken = true;
    }
    sqlite3_finalize(statement);
}

void recording_file_read_marks(struct recording_file *file)
{
    sqlite3_stmt *statement = recording_file_prepare(
        file, "SELECT number, seq, is_automatic, name, checksum, sample FROM marks");

    file->n_marks = 0;
    while (recording_file_next_row(file, statement) && file->n_marks < MARKS_MAX_READ) {
        struct recording_file_mark *mark;
        const char *name = recording_file_text(statement, 3);
        size_t length = (size_t)sqlite3_column_bytes(statement, 3);

        if (mark_checksum(
                sqlite3_column_int64(statement, 0), sqlite3_column_int64(statement, 5),
                sqlite3_column_int64(statement, 1), sqlite3_column_int(statement, 2),
                name, length) != (uint64_t)sqlite3_column_int64(statement, 4)) {
            file->is_broken = true;
            continue;
        }
        file->marks = xreallocarray(file->marks, file->n_marks + 1, sizeof(*file->marks));
        mark = &file->marks[file->n_marks++];
        mark->seq = (uint64_t)sqlite3_column_int64(statement, 1);
        mark->sample = sqlite3_column_int64(statement, 5);
        mark->is_automatic = sqlite3_column_int(statement, 2) != 0;
        utf8_clean_copy(mark->name, sizeof(mark->name), name, length);
    }
    sqlite3_finalize(statement);
}

static enum event_type type_of(const char *name)
{
    for (int i = 0; i <= EVENT_ACTION; i++)
        if (!strcmp(event_type_name((enum event_type)i), name))
            return (enum event_type)i;
    return EVENT_NOTE;
}

/* False: it does not fit its checksum. */
static bool take_event(struct recording_file *file, sqlite3_stmt *statement,
                       struct event *event)
{
    const char *words = recording_file_text(statement, 3);
    size_t length = (size_t)sqlite3_column_bytes(statement, 3);

    event->wall_ns = sqlite3_column_int64(statement, 1);
    event->type = type_of(recording_file_text(statement, 2));
    utf8_clean_copy(event->words, sizeof(event->words), words, length);
    if (event_checksum(sqlite3_column_int64(statement, 0),
                       sqlite3_column_int64(statement, 5), event->wall_ns,
                       recording_file_text(statement, 2), words,
                       length) == (uint64_t)sqlite3_column_int64(statement, 4))
        return true;
    file->is_broken = true;
    return false;
}

size_t recording_file_read_events(struct recording_file *file, int64_t sample,
                                  struct event events[EVENTS_MAX])
{
    sqlite3_stmt *statement = file->read_events;
    size_t count = 0;

    if (!statement)
        return 0;
    sqlite3_bind_int64(statement, 1, sample);
    while (count < EVENTS_MAX && recording_file_next_row(file, statement))
        count += take_event(file, statement, &events[count]);
    sqlite3_reset(statement);
    return count;
}

void recording_file_add_events(struct recording_file *file, size_t from, size_t to,
                               struct history *history)
{
    struct event event;

    if (from >= to || to > file->n_entries ||
        (file->has_ended && !file->totals.events && !file->is_broken))
        return;
    if (!file->read_range)
        file->read_range = recording_file_prepare(
            file, "SELECT * FROM (SELECT sample, wall_ns, type, words, checksum, place"
                  " FROM events WHERE sample BETWEEN ? AND ? ORDER BY sample DESC,"
                  " place DESC LIMIT 512) ORDER BY sample, place");
    if (!file->read_range)
        return;
    sqlite3_bind_int64(file->read_range, 1, file->first.sample + (int64_t)from);
    sqlite3_bind_int64(file->read_range, 2, file->first.sample + (int64_t)to - 1);
    while (recording_file_next_row(file, file->read_range))
        if (take_event(file, file->read_range, &event))
            history_add_event(history, &event);
    sqlite3_reset(file->read_range);
}
