#include "recording/writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/clock.h"
#include "util/xalloc.h"

/* A commit costs as much as all else that SQLite does for a sample: several share one,
 * as far as it may be lost with a recorder that is killed. */
#define COMMIT_SAMPLES 4
#define COMMIT_NS      (4 * NS_PER_S)

#define READ_DATA "SELECT bytes FROM data WHERE sample BETWEEN ? AND ? ORDER BY sample"

struct waiting_name {
    uint32_t number;
    char *text;
    size_t length;
};

struct writer {
    sqlite3 *database;
    char *path, *log_path; /* the log is SQLite's, beside it */
    sqlite3_stmt *begin, *commit;
    sqlite3_stmt *add_sample, *add_data, *add_name, *add_event, *add_mark, *read_data;
    struct waiting_name *names;
    size_t n_names, names_capacity;
    struct event *events;
    size_t n_events, events_capacity;
    struct message_mark *marks;
    size_t n_marks, marks_capacity;
    /* What of them is in the open transaction. */
    size_t put_names, put_events, put_marks;
    size_t n_open; /* samples in it */
    int64_t last_sample, committed_ns;
    bool is_at_once;
    struct totals totals; /* that were committed */
};

static sqlite3_stmt *prepare(sqlite3 *database, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
    return statement;
}

static sqlite3_stmt *prepare_sample(sqlite3 *database)
{
    struct strbuf sql = STRBUF_INIT;
    sqlite3_stmt *statement;

    strbuf_add_text(&sql, "INSERT INTO samples VALUES(?, ?, ?, ?, ?");
    for (int i = 0; i < SERIES_COUNT; i++)
        strbuf_add_text(&sql, ", ?");
    strbuf_add_text(&sql, ", ?)");
    statement = prepare(database, strbuf_text(&sql));
    strbuf_release(&sql);
    return statement;
}

static char *log_path_of(const char *path)
{
    struct strbuf log = STRBUF_INIT;
    char *text;

    strbuf_addf(&log, "%s-wal", path);
    text = xstrdup(strbuf_text(&log));
    strbuf_release(&log);
    return text;
}

int writer_open(const char *path, struct writer **opened, struct err *err)
{
    struct writer *writer = xcalloc(1, sizeof(*writer));

    if (database_create(path, &writer->database, err)) {
        free(writer);
        return -1;
    }
    writer->path = xstrdup(path);
    writer->log_path = log_path_of(path);
    writer->begin = prepare(writer->database, "BEGIN");
    writer->commit = prepare(writer->database, "COMMIT");
    writer->add_sample = prepare_sample(writer->database);
    writer->add_data = prepare(writer->database, "INSERT INTO data VALUES(?, ?)");
    writer->add_name = prepare(writer->database, "INSERT INTO names VALUES(?, ?, ?)");
    writer->add_event =
        prepare(writer->database, "INSERT INTO events VALUES(?, ?, ?, ?, ?, ?)");
    writer->add_mark =
        prepare(writer->database, "INSERT INTO marks VALUES(?, ?, ?, ?, ?, ?)");
    writer->read_data = prepare(writer->database, READ_DATA);
    *opened = writer;
    return 0;
}

/* Room for one more of what waits. */
static void *grown(void *items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity ? 2 * *capacity : 16;
    return xreallocarray(items, *capacity, size);
}

void writer_name(struct writer *writer, uint32_t number, const char *text, size_t length)
{
    struct waiting_name *name;

    writer->names = grown(writer->names, writer->n_names, &writer->names_capacity,
                          sizeof(*writer->names));
    name = &writer->names[writer->n_names++];
    name->number = number;
    name->length = length;
    name->text = xcalloc(length + 1, 1);
    memcpy(name->text, text, length);
}

void writer_event(struct writer *writer, const struct event *event)
{
    writer->events = grown(writer->events, writer->n_events, &writer->events_capacity,
                           sizeof(*writer->events));
    writer->events[writer->n_events++] = *event;
}

void writer_mark(struct writer *writer, const struct message_mark *mark)
{
    writer->marks = grown(writer->marks, writer->n_marks, &writer->marks_capacity,
                          sizeof(*writer->marks));
    writer->marks[writer->n_marks++] = *mark;
}

static void bind_reading(sqlite3_stmt *statement, int at, struct reading reading)
{
    if (reading_is_known(reading))
        sqlite3_bind_int64(statement, at, reading.value);
    else
        sqlite3_bind_null(statement, at);
}

static int finish(sqlite3_stmt *statement)
{
    int result = sqlite3_step(statement);

    sqlite3_reset(statement);
    return result == SQLITE_DONE ? 0 : -1;
}

static int write_headline(struct writer *writer, const struct headline *headline)
{
    sqlite3_stmt *statement = writer->add_sample;
    int at = 1;

    sqlite3_bind_int64(statement, at++, headline->sample);
    sqlite3_bind_int64(statement, at++, headline->seq);
    sqlite3_bind_int64(statement, at++, headline->wall_ns);
    sqlite3_bind_int64(statement, at++, headline->mono_ns);
    sqlite3_bind_int(statement, at++, headline->is_key);
    for (int i = 0; i < SERIES_COUNT; i++)
        bind_reading(statement, at++, headline->values[i]);
    sqlite3_bind_int64(statement, at, (int64_t)headline_checksum(headline));
    return finish(statement);
}

static int write_data(struct writer *writer, int64_t sample, const void *bytes,
                      size_t length)
{
    sqlite3_bind_int64(writer->add_data, 1, sample);
    sqlite3_bind_blob64(writer->add_data, 2, bytes, length, SQLITE_STATIC);
    return finish(writer->add_data);
}

static int write_names(struct writer *writer)
{
    for (size_t i = writer->put_names; i < writer->n_names; i++) {
        const struct waiting_name *name = &writer->names[i];
        uint64_t sum = name_checksum(name->number, name->text, name->length);

        sqlite3_bind_int64(writer->add_name, 1, name->number);
        sqlite3_bind_text64(writer->add_name, 2, name->text, name->length, SQLITE_STATIC,
                            SQLITE_UTF8);
        sqlite3_bind_int64(writer->add_name, 3, (int64_t)sum);
        if (finish(writer->add_name))
            return -1;
    }
    return 0;
}

static int write_events(struct writer *writer, int64_t sample)
{
    for (size_t i = writer->put_events; i < writer->n_events; i++) {
        const struct event *event = &writer->events[i];
        size_t length = strlen(event->words);
        const char *type = event_type_name(event->type);
        int64_t place = (int64_t)(i - writer->put_events);
        uint64_t sum =
            event_checksum(sample, place, event->wall_ns, type, event->words, length);

        sqlite3_bind_int64(writer->add_event, 1, sample);
        sqlite3_bind_int64(writer->add_event, 2, place);
        sqlite3_bind_int64(writer->add_event, 3, event->wall_ns);
        sqlite3_bind_text(writer->add_event, 4, type, -1, SQLITE_STATIC);
        sqlite3_bind_text64(writer->add_event, 5, event->words, length, SQLITE_STATIC,
                            SQLITE_UTF8);
        sqlite3_bind_int64(writer->add_event, 6, (int64_t)sum);
        if (finish(writer->add_event))
            return -1;
    }
    return 0;
}

static int write_marks(struct writer *writer, int64_t sample)
{
    for (size_t i = writer->put_marks; i < writer->n_marks; i++) {
        const struct message_mark *mark = &writer->marks[i];
        uint64_t sum = mark_checksum(mark->number, sample, mark->seq, mark->is_automatic,
                                     mark->name, strlen(mark->name));

        sqlite3_bind_int64(writer->add_mark, 1, mark->number);
        sqlite3_bind_int64(writer->add_mark, 2, sample);
        sqlite3_bind_int64(writer->add_mark, 3, mark->seq);
        sqlite3_bind_int(writer->add_mark, 4, mark->is_automatic);
        sqlite3_bind_text(writer->add_mark, 5, mark->name, -1, SQLITE_STATIC);
        sqlite3_bind_int64(writer->add_mark, 6, (int64_t)sum);
        if (finish(writer->add_mark))
            return -1;
    }
    return 0;
}

static void forget_waiting(struct writer *writer)
{
    for (size_t i = 0; i < writer->n_names; i++)
        free(writer->names[i].text);
    writer->n_names = writer->n_events = writer->n_marks = 0;
    writer->n_open = writer->put_names = writer->put_events = writer->put_marks = 0;
}

/* What comes beside samples is kept for the next one, as later ones need the names. */
static int lose_open(struct writer *writer, struct err *err)
{
    database_error(writer->database, err, ERR_FAILED, "cannot write", writer->path);
    database_run(writer->database, "ROLLBACK");
    writer->n_open = writer->put_names = writer->put_events = writer->put_marks = 0;
    return -1;
}

int writer_commit(struct writer *writer, struct err *err)
{
    if (!writer->n_open)
        return 0;
    writer->committed_ns = clock_monotonic_ns();
    if (finish(writer->commit))
        return lose_open(writer, err);
    writer->totals.samples = writer->last_sample;
    writer->totals.names += (int64_t)writer->n_names;
    writer->totals.events += (int64_t)writer->n_events;
    writer->totals.marks += (int64_t)writer->n_marks;
    forget_waiting(writer);
    return 0;
}

static int put_sample(struct writer *writer, const struct headline *headline,
                      const void *bytes, size_t length)
{
    if ((!writer->n_open && finish(writer->begin)) || write_names(writer) ||
        write_data(writer, headline->sample, bytes, length) ||
        write_events(writer, headline->sample) || write_marks(writer, headline->sample) ||
        write_headline(writer, headline))
        return -1;
    writer->put_names = writer->n_names;
    writer->put_events = writer->n_events;
    writer->put_marks = writer->n_marks;
    writer->last_sample = headline->sample;
    writer->n_open++;
    return 0;
}

int writer_sample(struct writer *writer, const struct headline *headline,
                  const void *bytes, size_t length, struct err *err)
{
    if (put_sample(writer, headline, bytes, length))
        return lose_open(writer, err);
    if (writer->is_at_once ||
        (writer->n_open < COMMIT_SAMPLES && clock_monotonic_ns() < writer_due_ns(writer)))
        return 0;
    return writer_commit(writer, err);
}

int64_t writer_due_ns(const struct writer *writer)
{
    return writer->n_open && !writer->is_at_once ? writer->committed_ns + COMMIT_NS
                                                 : INT64_MAX;
}

size_t writer_open_samples(const struct writer *writer)
{
    return writer->n_open;
}

void writer_at_once(struct writer *writer)
{
    writer->is_at_once = true;
}

static int read_samples(sqlite3_stmt *statement, int64_t first, int64_t last,
                        struct strbuf *bytes)
{
    int result;

    sqlite3_bind_int64(statement, 1, first);
    sqlite3_bind_int64(statement, 2, last);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
        struct message_recalled head = {(uint32_t)sqlite3_column_bytes(statement, 0)};

        strbuf_add(bytes, &head, sizeof(head));
        strbuf_add(bytes, sqlite3_column_blob(statement, 0), head.length);
    }
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? 0 : -1;
}

int writer_read(struct writer *writer, int64_t first, int64_t last, struct strbuf *bytes,
                struct err *err)
{
    if (read_samples(writer->read_data, first, last, bytes) == 0)
        return 0;
    return database_error(writer->database, err, ERR_FAILED, "cannot read", writer->path);
}

int writer_read_ended(const char *path, int64_t first, int64_t last, struct strbuf *bytes,
                      struct err *err)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    int result;

    if (database_open(path, &database, err))
        return -1;
    statement = prepare(database, READ_DATA);
    result = statement ? read_samples(statement, first, last, bytes) : -1;
    if (result)
        database_error(database, err, ERR_FAILED, "cannot read", path);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return result;
}

static int64_t file_bytes(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (int64_t)status.st_size : 0;
}

/* The newest samples stand in the log. */
int64_t writer_bytes(const struct writer *writer)
{
    return file_bytes(writer->path) + file_bytes(writer->log_path);
}

static void write_totals(struct writer *writer)
{
    sqlite3_stmt *statement =
        prepare(writer->database, "INSERT INTO about VALUES('end', ?)");
    char words[TOTALS_MAX];

    totals_words(&writer->totals, words);
    if (statement) {
        sqlite3_bind_text(statement, 1, words, -1, SQLITE_STATIC);
        sqlite3_step(statement);
    }
    sqlite3_finalize(statement);
}

void writer_close(struct writer *writer)
{
    struct err err = ERR_INIT;

    writer_commit(writer, &err);
    write_totals(writer);
    sqlite3_finalize(writer->begin);
    sqlite3_finalize(writer->commit);
    sqlite3_finalize(writer->add_sample);
    sqlite3_finalize(writer->add_data);
    sqlite3_finalize(writer->add_name);
    sqlite3_finalize(writer->add_event);
    sqlite3_finalize(writer->add_mark);
    sqlite3_finalize(writer->read_data);
    database_finish(writer->database);
    forget_waiting(writer);
    free(writer->names);
    free(writer->events);
    free(writer->marks);
    free(writer->path);
    free(writer->log_path);
    free(writer);
}
