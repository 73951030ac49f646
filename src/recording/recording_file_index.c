/* Which samples a file has, and when they were taken. */
#include <stdlib.h>
#include <string.h>

#include "recording/recording_file.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

#define SAMPLES_MAX (1u << 24)
#define CHUNK       256 /* entries that are read at once, where not all are */

/* Where a whole chunk of samples is missing. */
static struct entry nothing[CHUNK];

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

static sqlite3_stmt *prepare_headlines(struct recording_file *file, const char *which)
{
    struct strbuf sql = STRBUF_INIT;
    sqlite3_stmt *statement;

    add_columns(&sql);
    strbuf_add_text(&sql, which);
    statement = recording_file_prepare(file, strbuf_text(&sql));
    strbuf_release(&sql);
    return statement;
}

/* The next row that fits its checksum. False: there is none. */
static bool next_headline(struct recording_file *file, sqlite3_stmt *statement,
                          struct headline *headline)
{
    while (recording_file_next_row(file, statement)) {
        if (take_headline(statement, headline))
            return true;
        file->is_broken = true;
    }
    return false;
}

static struct entry entry_of(const struct headline *headline)
{
    return (struct entry){.sample = headline->sample,
                          .wall_ns = headline->wall_ns,
                          .mono_ns = headline->mono_ns,
                          .seq = (uint64_t)headline->seq,
                          .is_key = headline->is_key,
                          .is_there = true};
}

static void set_count(struct recording_file *file, size_t count)
{
    size_t chunks = (count + CHUNK - 1) / CHUNK;

    if (chunks > file->n_chunks) {
        file->chunks = xreallocarray(file->chunks, chunks, sizeof(*file->chunks));
        memset(file->chunks + file->n_chunks, 0,
               (chunks - file->n_chunks) * sizeof(*file->chunks));
        file->n_chunks = chunks;
    }
    file->n_entries = count;
}

/* Within the count. */
static void put_entry(struct recording_file *file, const struct entry *entry)
{
    size_t at = (size_t)(entry->sample - file->first.sample);
    struct entry **chunk = &file->chunks[at / CHUNK];

    if (!*chunk || *chunk == nothing)
        *chunk = xcalloc(CHUNK, sizeof(**chunk));
    file->n_there += !(*chunk)[at % CHUNK].is_there;
    (*chunk)[at % CHUNK] = *entry;
}

/* Samples are numbered without a gap by who writes them; time may go back. */
static void add_entry(struct recording_file *file, const struct entry *entry)
{
    int64_t first = file->n_entries ? file->first.sample : entry->sample;

    if (entry->sample < 1 || (file->n_entries && entry->sample <= file->last.sample) ||
        entry->sample - first >= SAMPLES_MAX)
        return;
    if (!file->n_entries)
        file->first = *entry;
    file->last = *entry;
    set_count(file, (size_t)(entry->sample - first) + 1);
    put_entry(file, entry);
}

size_t recording_file_read_index(struct recording_file *file)
{
    sqlite3_stmt *statement =
        prepare_headlines(file, " WHERE sample > ? ORDER BY sample");
    size_t before = file->n_entries;
    struct headline headline;

    if (statement)
        sqlite3_bind_int64(statement, 1, before ? file->last.sample : 0);
    while (next_headline(file, statement, &headline)) {
        struct entry entry = entry_of(&headline);

        add_entry(file, &entry);
    }
    sqlite3_finalize(statement);
    file->is_index_whole = true;
    return file->n_entries - before;
}

/* The first sample that can be read in this order. */
static struct entry read_end(struct recording_file *file, const char *order)
{
    sqlite3_stmt *statement = prepare_headlines(file, order);
    struct entry entry = {.is_there = false};
    struct headline headline;

    if (next_headline(file, statement, &headline))
        entry = entry_of(&headline);
    sqlite3_finalize(statement);
    return entry;
}

void recording_file_read_bounds(struct recording_file *file)
{
    struct entry first = read_end(file, " WHERE sample > 0 ORDER BY sample LIMIT 100");
    struct entry last =
        read_end(file, " WHERE sample > 0 ORDER BY sample DESC LIMIT 100");

    if (!first.is_there || !last.is_there || last.sample - first.sample >= SAMPLES_MAX) {
        recording_file_read_index(file);
        return;
    }
    file->first = first;
    file->last = last;
    set_count(file, (size_t)(last.sample - first.sample) + 1);
}

static struct entry *read_chunk(struct recording_file *file, size_t number)
{
    int64_t first = file->first.sample + (int64_t)number * CHUNK;
    size_t left = file->n_entries - number * CHUNK, there = file->n_there;
    struct headline headline;

    if (!file->read_chunk)
        file->read_chunk =
            prepare_headlines(file, " WHERE sample BETWEEN ? AND ? ORDER BY sample");
    if (file->read_chunk) {
        sqlite3_bind_int64(file->read_chunk, 1, first);
        sqlite3_bind_int64(file->read_chunk, 2,
                           first + (int64_t)(left < CHUNK ? left : CHUNK) - 1);
    }
    while (next_headline(file, file->read_chunk, &headline)) {
        struct entry entry = entry_of(&headline);

        put_entry(file, &entry);
    }
    sqlite3_reset(file->read_chunk);
    file->n_gaps += (left < CHUNK ? left : CHUNK) - (file->n_there - there);
    if (!file->chunks[number])
        file->chunks[number] = nothing;
    return file->chunks[number];
}

static struct entry *chunk_of(struct recording_file *file, size_t at)
{
    struct entry *chunk = file->chunks[at / CHUNK];

    return chunk ? chunk : read_chunk(file, at / CHUNK);
}

/* What is missing has the times of the one before it. */
static struct entry missing_entry(struct recording_file *file, size_t at)
{
    struct entry entry = file->first;

    for (size_t i = at; i > 0; i--) {
        const struct entry *chunk = chunk_of(file, i - 1);

        if (chunk == nothing)
            i -= (i - 1) % CHUNK;
        else if (chunk[(i - 1) % CHUNK].is_there) {
            entry = chunk[(i - 1) % CHUNK];
            break;
        }
    }
    entry.sample = file->first.sample + (int64_t)at;
    entry.is_key = entry.is_there = false;
    return entry;
}

struct entry recording_file_entry(struct recording_file *file, size_t at)
{
    const struct entry *entry = &chunk_of(file, at)[at % CHUNK];

    return entry->is_there ? *entry : missing_entry(file, at);
}

bool recording_file_lose_entry(struct recording_file *file, size_t at)
{
    struct entry *entry = &chunk_of(file, at)[at % CHUNK];
    bool is_new = entry->is_there && !entry->is_lost;

    if (is_new)
        entry->is_lost = true;
    return is_new;
}

size_t recording_file_missing(const struct recording_file *file)
{
    return file->is_index_whole ? file->n_entries - file->n_there : file->n_gaps;
}

void recording_file_free_index(struct recording_file *file)
{
    for (size_t i = 0; i < file->n_chunks; i++)
        if (file->chunks[i] != nothing)
            free(file->chunks[i]);
    free(file->chunks);
    sqlite3_finalize(file->read_chunk);
    sqlite3_finalize(file->read_headline);
}

/* The last entry that is not later; 0 when all are. Time may go back. */
size_t recording_file_at_time(struct recording_file *file, int64_t wall_ns)
{
    size_t low = 0, high = file->n_entries;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (recording_file_entry(file, middle).wall_ns <= wall_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? low - 1 : 0;
}

/* Numbers are compared without their signs: none below 0 is a sample's. Where as many
 * were counted as there are samples, one need not be looked for. */
static size_t search_seq(struct recording_file *file, uint64_t seq)
{
    size_t low = 0, high = file->n_entries;

    if (file->last.seq - file->first.seq == file->n_entries - 1)
        return (size_t)(seq - file->first.seq);
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (recording_file_entry(file, middle).seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool recording_file_find_seq(struct recording_file *file, uint64_t seq, size_t *at)
{
    if (!file->n_entries || seq < file->first.seq || seq > file->last.seq)
        return false;
    *at = search_seq(file, seq);
    return *at < file->n_entries && recording_file_entry(file, *at).seq == seq;
}

bool recording_file_find_sample(const struct recording_file *file, int64_t sample,
                                size_t *at)
{
    if (!file->n_entries || sample < file->first.sample || sample > file->last.sample)
        return false;
    *at = (size_t)(sample - file->first.sample);
    return true;
}

int recording_file_point(struct recording_file *file, size_t at,
                         struct history_point *point)
{
    struct headline headline;
    sqlite3_stmt *statement;
    int result = -1;

    memset(point, 0, sizeof(*point));
    if (!file->read_headline)
        file->read_headline = prepare_headlines(file, " WHERE sample = ?");
    statement = file->read_headline;
    if (!statement || at >= file->n_entries)
        return -1;
    sqlite3_bind_int64(statement, 1, file->first.sample + (int64_t)at);
    if (recording_file_next_row(file, statement) && take_headline(statement, &headline)) {
        point->mono_ns = headline.mono_ns;
        point->wall_ns = headline.wall_ns;
        memcpy(point->values, headline.values, sizeof(point->values));
        result = 0;
    }
    sqlite3_reset(statement);
    return result;
}
