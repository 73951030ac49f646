#include "recording/database.h"

#include <config.h> /* PACKAGE_VERSION */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "recording/shape.h"
#include "util/strbuf.h"

#define LENGTH_MAX (64 << 20) /* of a row */
/* Five samples of 2,000 kinds: in the usual 4096, of which each has two, a quarter of the
 * file is empty, and twice as many pages are written. */
#define PAGE_BYTES 8192

static const char schema[] =
    "CREATE TABLE about(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE sheets(sheet INTEGER PRIMARY KEY, name TEXT NOT NULL);"
    "CREATE TABLE columns(sheet INTEGER, place INTEGER, name TEXT, type TEXT,"
    " PRIMARY KEY(sheet, place)) WITHOUT ROWID;"
    "CREATE TABLE names(name INTEGER PRIMARY KEY, text TEXT NOT NULL,"
    " checksum INTEGER NOT NULL);"
    "CREATE TABLE data(sample INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE events(sample INTEGER, place INTEGER, wall_ns INTEGER, type TEXT,"
    " words TEXT, checksum INTEGER NOT NULL, PRIMARY KEY(sample, place)) WITHOUT ROWID;"
    "CREATE TABLE marks(number INTEGER PRIMARY KEY, sample INTEGER, seq INTEGER,"
    " is_automatic INTEGER,"
    " name TEXT, checksum INTEGER NOT NULL);";

static const char *const series_columns[SERIES_COUNT] = {
    [SERIES_RES] = "res_bytes",
    [SERIES_VIRT] = "virt_bytes",
    [SERIES_PYMALLOC] = "arena_bytes",
    [SERIES_LIVE] = "block_bytes",
    [SERIES_OBJECTS] = "objects",
    [SERIES_MEMORY] = "object_bytes",
    [SERIES_PAUSES] = "gc_pause_ns",
    [SERIES_GARBAGE] = "garbage_bytes",
    [SERIES_USS] = "uss_bytes",
    [SERIES_SWAP] = "swap_bytes",
    [SERIES_FILES] = "file_bytes",
    [SERIES_SHARED] = "shmem_bytes",
    [SERIES_MALLOC_USED] = "malloc_used_bytes",
    [SERIES_MALLOC_FREE] = "malloc_free_bytes",
};

const char *headline_column(enum history_series series)
{
    return series_columns[series];
}

/* FNV-1a: against flipped bits, not against people. */
static uint64_t checksum_add(uint64_t sum, const void *bytes, size_t length)
{
    const uint8_t *byte = bytes;

    for (size_t i = 0; i < length; i++)
        sum = (sum ^ byte[i]) * UINT64_C(0x100000001b3);
    return sum;
}

static uint64_t checksum_number(uint64_t sum, int64_t number)
{
    return checksum_add(sum, &number, sizeof(number));
}

#define CHECKSUM_BEGIN UINT64_C(0xcbf29ce484222325)

void headline_of(struct headline *headline, const struct snapshot *snapshot,
                 int64_t sample, bool is_key)
{
    struct history_point point;

    history_numbers(snapshot, &point);
    memset(headline, 0, sizeof(*headline)); /* it is sent as it lies in memory */
    headline->sample = sample;
    headline->seq = (int64_t)snapshot->seq;
    headline->wall_ns = snapshot->wall_ns;
    headline->mono_ns = snapshot->mono_ns;
    headline->is_key = is_key;
    memcpy(headline->values, point.values, sizeof(headline->values));
}

uint64_t headline_checksum(const struct headline *headline)
{
    uint64_t sum = checksum_number(CHECKSUM_BEGIN, headline->sample);

    sum = checksum_number(sum, headline->seq);
    sum = checksum_number(sum, headline->wall_ns);
    sum = checksum_number(sum, headline->mono_ns);
    sum = checksum_number(sum, headline->is_key);
    for (size_t i = 0; i < SERIES_COUNT; i++) {
        sum = checksum_number(sum, reading_is_known(headline->values[i]));
        sum = checksum_number(sum, headline->values[i].value);
    }
    return sum;
}

uint64_t name_checksum(int64_t number, const char *text, size_t length)
{
    return checksum_add(checksum_number(CHECKSUM_BEGIN, number), text, length);
}

uint64_t event_checksum(int64_t sample, int64_t place, int64_t wall_ns, const char *type,
                        const char *words, size_t length)
{
    uint64_t sum = checksum_number(CHECKSUM_BEGIN, sample);

    sum = checksum_number(sum, place);
    sum = checksum_number(sum, wall_ns);
    sum = checksum_add(sum, type, strlen(type) + 1);
    return checksum_add(sum, words, length);
}

uint64_t mark_checksum(int64_t number, int64_t sample, int64_t seq, bool is_automatic,
                       const char *name, size_t length)
{
    uint64_t sum = checksum_number(CHECKSUM_BEGIN, number);

    sum = checksum_number(sum, sample);
    sum = checksum_number(sum, seq);
    sum = checksum_number(sum, is_automatic);
    return checksum_add(sum, name, length);
}

static uint64_t totals_checksum(const struct totals *totals)
{
    uint64_t sum = checksum_number(CHECKSUM_BEGIN, totals->samples);

    sum = checksum_number(sum, totals->names);
    sum = checksum_number(sum, totals->events);
    return checksum_number(sum, totals->marks);
}

void totals_words(const struct totals *totals, char words[TOTALS_MAX])
{
    snprintf(words, TOTALS_MAX,
             "samples %" PRId64 " names %" PRId64 " events %" PRId64 " marks %" PRId64
             " checksum %" PRIx64,
             totals->samples, totals->names, totals->events, totals->marks,
             totals_checksum(totals));
}

bool totals_parse(struct totals *totals, const char *words)
{
    uint64_t checksum;

    return sscanf(words,
                  "samples %" SCNd64 " names %" SCNd64 " events %" SCNd64
                  " marks %" SCNd64 " checksum %" SCNx64,
                  &totals->samples, &totals->names, &totals->events, &totals->marks,
                  &checksum) == 5 &&
           checksum == totals_checksum(totals);
}

int database_error(sqlite3 *database, struct err *err, enum err_code code,
                   const char *format, const char *path)
{
    char what[280];

    snprintf(what, sizeof(what), "%s %.240s", format, path);
    return err_set(err, code, "%s: %s", what,
                   database ? sqlite3_errmsg(database) : "out of memory");
}

int database_run(sqlite3 *database, const char *sql)
{
    return sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static void add_samples_table(struct strbuf *sql)
{
    strbuf_add_text(sql, "CREATE TABLE samples(sample INTEGER PRIMARY KEY, seq INTEGER,"
                         " wall_ns INTEGER, mono_ns INTEGER, is_key INTEGER");
    for (int i = 0; i < SERIES_COUNT; i++)
        strbuf_addf(sql, ", %s INTEGER", series_columns[i]);
    strbuf_add_text(sql, ", checksum INTEGER NOT NULL);");
}

uint64_t description_begin(void)
{
    return CHECKSUM_BEGIN;
}

uint64_t description_add(uint64_t sum, int64_t sheet, const char *name, const char *type)
{
    sum = checksum_number(sum, sheet);
    sum = checksum_add(sum, name, strlen(name) + 1);
    return checksum_add(sum, type, strlen(type) + 1);
}

/* Sheets first, then columns, as they are read. */
static void add_shapes(struct strbuf *sql)
{
    uint64_t sum = description_begin();

    for (int i = 0; i < SHEETS; i++) {
        strbuf_addf(sql, "INSERT INTO sheets VALUES(%d, '%s');", i, sheet_shapes[i].name);
        sum = description_add(sum, i, sheet_shapes[i].name, "");
    }
    for (int i = 0; i < SHEETS; i++) {
        const struct sheet_shape *shape = &sheet_shapes[i];

        for (size_t k = 0; k < shape->n_fields; k++) {
            const char *type = field_type_name(shape->fields[k].type);

            strbuf_addf(sql, "INSERT INTO columns VALUES(%d, %zu, '%s', '%s');", i, k,
                        shape->fields[k].name, type);
            sum = description_add(sum, i, shape->fields[k].name, type);
        }
    }
    strbuf_addf(sql, "INSERT INTO about VALUES('description', %lld);", (long long)sum);
}

static int write_schema(sqlite3 *database)
{
    struct strbuf sql = STRBUF_INIT;
    int result;

    strbuf_addf(&sql, "PRAGMA page_size = %d;", PAGE_BYTES);
    strbuf_addf(&sql, "BEGIN; PRAGMA application_id = %d; PRAGMA user_version = %d;",
                RECORDING_APPLICATION, RECORDING_FORMAT);
    strbuf_add_text(&sql, schema);
    add_samples_table(&sql);
    add_shapes(&sql);
    strbuf_addf(&sql, "INSERT INTO about VALUES('heaptop', '%s'); COMMIT;",
                PACKAGE_VERSION);
    result = database_run(database, strbuf_text(&sql));
    strbuf_release(&sql);
    return result;
}

/* SQLite itself would make it for everybody to read. */
static int make_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0) {
        close(fd);
        return 0;
    }
    err_set_errno(err, ERR_FAILED, errno, "cannot make the recording %.200s", path);
    if (errno == EEXIST)
        return err_remedy(err, "a recording is never written over: give another name, "
                               "or a folder");
    return err_remedy(err, "give a file in a folder that can be written");
}

/* What was committed a killed writer cannot take back. From the write-ahead log it is
 * moved into the file itself 256 pages at a time: that waits for the disk, and costs ten
 * times what writing a sample costs. */
int database_create(const char *path, sqlite3 **database, struct err *err)
{
    if (make_file(path, err))
        return -1;
    if (sqlite3_open_v2(path, database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK ||
        write_schema(*database) ||
        database_run(*database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                                "PRAGMA wal_autocheckpoint=256;")) {
        database_error(*database, err, ERR_FAILED, "cannot write", path);
        sqlite3_close(*database);
        unlink(path);
        return -1;
    }
    return 0;
}

void database_finish(sqlite3 *database)
{
    database_run(database, "PRAGMA journal_mode=DELETE");
    sqlite3_close(database);
}

static int check_format(sqlite3 *database, const char *path, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int application = 0, format = 0;
    bool is_read = sqlite3_prepare_v2(database,
                                      "SELECT a.application_id, u.user_version FROM"
                                      " pragma_application_id a, pragma_user_version u",
                                      -1, &statement, NULL) == SQLITE_OK &&
                   sqlite3_step(statement) == SQLITE_ROW;

    if (is_read) {
        application = sqlite3_column_int(statement, 0);
        format = sqlite3_column_int(statement, 1);
    }
    sqlite3_finalize(statement);
    if (!is_read)
        return database_error(database, err, ERR_DAMAGED, "cannot read the recording",
                              path);
    if (application != RECORDING_APPLICATION)
        return err_set(err, ERR_DAMAGED, "%.200s is not a recording of heaptop", path);
    if (format > RECORDING_FORMAT) {
        err_set(err, ERR_DAMAGED, "%.200s has format %d, this heaptop reads up to %d",
                path, format, RECORDING_FORMAT);
        return err_remedy(err, "read it with the heaptop that wrote it, or a newer one");
    }
    return 0;
}

static void defend(sqlite3 *database)
{
    sqlite3_limit(database, SQLITE_LIMIT_LENGTH, LENGTH_MAX);
    sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    database_run(database, "PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;"
                           "PRAGMA query_only=ON");
    sqlite3_busy_timeout(database, 2000);
}

/* '?' and '%' would mean something in a URI. */
static void add_uri(struct strbuf *uri, const char *path, const char *parameters)
{
    strbuf_add_text(uri, "file:");
    for (; *path; path++) {
        if (*path == '?' || *path == '%' || *path == '#')
            strbuf_addf(uri, "%%%02x", *path);
        else
            strbuf_add_char(uri, *path);
    }
    strbuf_add_text(uri, parameters);
}

static int try_open(const char *path, const char *parameters, sqlite3 **database,
                    struct err *err)
{
    struct strbuf uri = STRBUF_INIT;
    int result = 0;

    add_uri(&uri, path, parameters);
    if (sqlite3_open_v2(strbuf_text(&uri), database,
                        SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK)
        result = database_error(*database, err, ERR_DAMAGED, "cannot open the recording",
                                path);
    strbuf_release(&uri);
    if (!result) {
        defend(*database);
        result = check_format(*database, path, err);
    }
    if (result) {
        sqlite3_close(*database);
        *database = NULL;
    }
    return result;
}

/* https://www.sqlite.org/fileformat.html, 1.3: the number at 18 is 2 while there is a
 * write-ahead log. */
bool database_lacks_log(const char *path)
{
    struct strbuf log = STRBUF_INIT;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    uint8_t way = 0;
    bool has_log;

    strbuf_addf(&log, "%s-wal", path);
    has_log = access(strbuf_text(&log), F_OK) == 0;
    strbuf_release(&log);
    if (fd < 0)
        return false;
    if (pread(fd, &way, 1, 18) != 1)
        way = 0;
    close(fd);
    return way == 2 && !has_log;
}

/* Where nothing can be written beside it, the file is taken as it stands. */
int database_open(const char *path, sqlite3 **database, struct err *err)
{
    struct stat status;

    if (stat(path, &status) != 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot read the recording %.200s",
                             path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_USAGE, "%.200s is not a file", path);
    if (try_open(path, "", database, err) == 0)
        return 0;
    return try_open(path, "?immutable=1", database, err);
}
