#include "sink/difference.h"

#include <errno.h>

#include "heaptop/units.h"
#include "sink/json_value.h"
#include "util/clock.h"
#include "util/utf8.h"

#define ROWS_OF_TEXT  20
#define NAME_COLUMNS  23
#define COUNT_COLUMNS 10

/* ---- JSON ---- */

static const struct {
    const char *table, *name, *heading; /* of the table, of a row, in text */
} tables[DIFFERENCE_TABLES] = {
    [DIFFERENCE_SERIES] = {"series", "series", "HEADLINE NUMBERS"},
    [DIFFERENCE_PARTS] = {"parts", "part", "PARTS OF RES"},
    [DIFFERENCE_CLASSES] = {"size_classes", "block_size", "BLOCKS IN USE BY SIZE"},
    [DIFFERENCE_KINDS] = {"kinds", "kind", "MEMORY OF KINDS"},
};

static json_t *json_place(const struct difference_place *place)
{
    const struct snapshot *snapshot = place->snapshot;
    json_t *object = json_object();

    json_add_text(object, "recording", place->recording);
    json_add_count(object, "seq", snapshot->seq);
    json_add_time(object, "time", snapshot->wall_ns);
    json_add_count(object, "pid", (uint64_t)snapshot->target.pid);
    json_add_time(object, "start_time", snapshot->target.start_wall_ns);
    json_add_text(object, "command", snapshot->target.command);
    json_add_text(object, "python", snapshot->target.python);
    json_add_seconds(object, "growth_window_s", reading_exact(place->window_ns));
    return object;
}

static json_t *json_row(const char *name, const struct difference_row *row)
{
    json_t *object = json_object();

    if (row->name)
        json_add_text(object, name, row->name);
    else
        json_add_count(object, name, row->block_bytes);
    json_add_reading(object, "before_bytes", row->before.bytes);
    json_add_reading(object, "after_bytes", row->after.bytes);
    json_add_reading(object, "change_bytes", difference_bytes(row));
    json_add_reading(object, "before_count", row->before.count);
    json_add_reading(object, "after_count", row->after.count);
    json_add_reading(object, "change_count", difference_count(row));
    json_add_reading(object, "before_per_minute_bytes", row->before.bytes_per_minute);
    json_add_reading(object, "after_per_minute_bytes", row->after.bytes_per_minute);
    json_add_reading(object, "before_per_minute_count", row->before.count_per_minute);
    json_add_reading(object, "after_per_minute_count", row->after.count_per_minute);
    return object;
}

static json_t *json_table(const struct difference_report *report,
                          enum difference_table_id id)
{
    const struct difference_row *rows = report->difference->tables[id].rows;
    size_t count = report->difference->tables[id].n_rows;
    json_t *array;

    if (!rows)
        return json_null();
    array = json_array();
    if (id == DIFFERENCE_KINDS && report->rows && count > report->rows)
        count = report->rows;
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_row(tables[id].name, &rows[i]));
    return array;
}

static int64_t elapsed_ns(const struct difference_report *report)
{
    return report->after.snapshot->wall_ns - report->before.snapshot->wall_ns;
}

int difference_write_json(FILE *out, const struct difference_report *report,
                          struct err *err)
{
    json_t *object = json_object();

    json_add_text(object, "schema", "heaptop.difference/1");
    json_add(object, "before", json_place(&report->before));
    json_add(object, "after", json_place(&report->after));
    json_add(object, "same_process",
             json_boolean(difference_is_within_one(report->before.snapshot,
                                                   report->after.snapshot)));
    json_add_seconds(object, "elapsed_s", reading_exact(elapsed_ns(report)));
    for (int i = 0; i < DIFFERENCE_TABLES; i++)
        json_add(object, tables[i].table,
                 json_table(report, (enum difference_table_id)i));
    json_add_text(object, "why_no_kinds", report->difference->why_no_kinds);
    return json_write_line(out, object, err);
}

/* ---- text ---- */

static void print_place(FILE *out, const char *word, const struct difference_place *place)
{
    const struct snapshot *snapshot = place->snapshot;
    char time[UNITS_MAX];

    fprintf(out, "%-7s %.19sZ  PID %d  %s\n        %s, Python %s\n", word,
            units_iso8601(time, snapshot->wall_ns), (int)snapshot->target.pid,
            snapshot->target.command, place->recording,
            *snapshot->target.python ? snapshot->target.python : "-");
}

static void print_name(FILE *out, const struct difference_row *row, int columns)
{
    struct strbuf name = STRBUF_INIT;

    if (row->title)
        utf8_cut_middle(&name, row->title, columns);
    else
        strbuf_addf(&name, "%u", (unsigned)row->block_bytes);
    strbuf_add_repeated(&name, ' ', (size_t)(columns - utf8_columns(strbuf_text(&name))));
    fputs(strbuf_text(&name), out);
    strbuf_release(&name);
}

/* Tables of what is counted and has bytes show both. */
static bool has_counts(enum difference_table_id id)
{
    return id == DIFFERENCE_CLASSES || id == DIFFERENCE_KINDS;
}

static void print_row(FILE *out, const struct difference_row *row, bool with_counts)
{
    const struct difference_value *before = &row->before, *after = &row->after;
    struct reading count = difference_count(row);
    bool is_number = !with_counts && reading_is_known(count);
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX], d[UNITS_MAX], e[UNITS_MAX];

    print_name(out, row, with_counts ? NAME_COLUMNS : NAME_COLUMNS + COUNT_COLUMNS);
    fprintf(out, " %9s %9s %8s",
            is_number ? units_count(a, before->count) : units_bytes(a, before->bytes),
            is_number ? units_count(b, after->count) : units_bytes(b, after->bytes),
            is_number ? units_count_delta(c, count)
                      : units_bytes_delta(c, difference_bytes(row)));
    if (with_counts)
        fprintf(out, " %*s", COUNT_COLUMNS - 1, units_count_delta(c, count));
    fprintf(out, " %8s %8s\n",
            is_number ? units_count_delta(d, before->count_per_minute)
                      : units_bytes_delta(d, before->bytes_per_minute),
            is_number ? units_count_delta(e, after->count_per_minute)
                      : units_bytes_delta(e, after->bytes_per_minute));
}

static bool has_changed(const struct difference_row *row)
{
    struct reading bytes = difference_bytes(row), count = difference_count(row);

    return !reading_is_known(bytes) || bytes.value ||
           (reading_is_known(count) && count.value) ||
           reading_is_known(row->before.bytes_per_minute) ||
           reading_is_known(row->after.bytes_per_minute);
}

/* Of kinds and size classes only what changed. */
static void print_table(FILE *out, const struct difference_report *report,
                        enum difference_table_id id)
{
    size_t most = report->rows ? report->rows : ROWS_OF_TEXT, printed = 0, more = 0;
    const struct difference_row *rows = report->difference->tables[id].rows;

    fprintf(out, "\n%-*s %9s %9s %8s",
            has_counts(id) ? NAME_COLUMNS : NAME_COLUMNS + COUNT_COLUMNS,
            tables[id].heading, "BEFORE", "AFTER", "CHANGE");
    fprintf(out,
            has_counts(id) ? "     COUNT    B/MIN    A/MIN\n" : "    B/MIN    A/MIN\n");
    if (!rows)
        fprintf(out, "%s\n",
                id == DIFFERENCE_KINDS ? report->difference->why_no_kinds
                                       : "not known in one of the samples");
    for (size_t i = 0; rows && i < report->difference->tables[id].n_rows; i++) {
        if (id >= DIFFERENCE_CLASSES && !has_changed(&rows[i]))
            continue;
        if (id == DIFFERENCE_KINDS && printed == most) {
            more++;
            continue;
        }
        print_row(out, &rows[i], has_counts(id));
        printed++;
    }
    if (more)
        fprintf(out, "(%zu more)\n", more);
}

/* What B/MIN and A/MIN are; before may have none of its own. */
static void print_windows(FILE *out, const struct difference_report *report)
{
    char before[UNITS_MAX], after[UNITS_MAX];

    units_duration(after, reading_exact(report->after.window_ns));
    if (!report->before.window_ns)
        fprintf(out, "A/MIN   growth per minute in these %s\n", after);
    else
        fprintf(out, "B/MIN, A/MIN   growth per minute, before in %s and after in %s\n",
                units_duration(before, reading_exact(report->before.window_ns)), after);
}

int difference_write_text(FILE *out, const struct difference_report *report,
                          struct err *err)
{
    print_place(out, "before", &report->before);
    print_place(out, "after", &report->after);
    print_windows(out, report);
    for (int i = 0; i < DIFFERENCE_TABLES; i++)
        print_table(out, report, (enum difference_table_id)i);
    if (fflush(out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write the differences");
    return 0;
}
