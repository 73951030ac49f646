/*
 * CSV in long form: a line for each number and text of a sample, by what the JSON calls
 * them; doc/json.md says what they are. So there is one list of members, not two.
 */
#include "heaptop/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sink/csv.h"
#include "sink/json.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

struct csv_sink {
    FILE *out;
    void *json; /* the state of sink_json, which makes the sample */
};

static int csv_open(const struct sink_options *options, void **state, struct err *err)
{
    struct csv_sink *sink;
    void *json;

    if (sink_json.open(options, &json, err))
        return -1;
    sink = xcalloc(1, sizeof(*sink));
    sink->out = options->out;
    sink->json = json;
    fputs("time,section,name,member,value\n", sink->out);
    *state = sink;
    return 0;
}

/* RFC 4180, but for the end of a line. */
static void print_text(FILE *out, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Unknown is an empty field. */
static void print_value(FILE *out, const json_t *value)
{
    if (json_is_integer(value))
        fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        fprintf(out, "%.15g", json_real_value(value));
    else if (json_is_boolean(value))
        fputs(json_is_true(value) ? "true" : "false", out);
    else if (json_is_string(value))
        print_text(out, json_string_value(value));
}

static void print_line(FILE *out, const struct csv_place *place, const char *member,
                       const json_t *value)
{
    fprintf(out, "%s,%s,", place->head, place->section);
    print_text(out, place->name);
    fprintf(out, ",%s,", member);
    print_value(out, value);
    fputc('\n', out);
}

/* Lists whose first member alone does not tell their rows apart, and the one that does.
 */
static const char *second_name(const char *section)
{
    static const char *const rows[][2] = {{"free_lists", "length"},
                                          {"malloc.tops", "address"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (!strcmp(rows[i][0], section))
            return rows[i][1];
    return NULL;
}

static void add_name(struct strbuf *name, const json_t *value)
{
    if (!value || json_is_null(value))
        return;
    if (name->length)
        strbuf_add_char(name, '/');
    if (json_is_integer(value))
        strbuf_addf(name, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_string(value))
        strbuf_add_text(name, json_string_value(value));
}

/* A row is called by its first member, after the row in which it is. */
static void print_row(FILE *out, const struct csv_place *place, json_t *row)
{
    const char *first = json_object_iter_key(json_object_iter(row));
    const char *second = second_name(place->section);
    struct strbuf name = STRBUF_INIT;
    struct csv_place inside = *place;

    strbuf_add_text(&name, place->name);
    add_name(&name, json_object_get(row, first));
    if (second)
        add_name(&name, json_object_get(row, second));
    inside.name = strbuf_text(&name);
    csv_print_object(out, &inside, row, first);
    strbuf_release(&name);
}

static void print_array(FILE *out, const struct csv_place *place, const char *member,
                        const json_t *array)
{
    struct strbuf section = STRBUF_INIT;
    struct csv_place inside = *place;
    json_t *value;
    size_t i;

    strbuf_addf(&section, "%s%s%s", place->section, *place->section ? "." : "", member);
    inside.section = strbuf_text(&section);
    json_array_foreach(array, i, value)
    {
        if (json_is_object(value))
            print_row(out, &inside, value);
        else
            print_line(out, place, member, value);
    }
    strbuf_release(&section);
}

void csv_print_object(FILE *out, const struct csv_place *place, json_t *object,
                      const char *but)
{
    const char *member;
    json_t *value;

    json_object_foreach(object, member, value)
    {
        if (but && !strcmp(member, but))
            continue;
        if (json_is_array(value)) {
            print_array(out, place, member, value);
        } else if (json_is_object(value)) {
            struct strbuf section = STRBUF_INIT;
            struct csv_place inside = *place;

            strbuf_addf(&section, "%s%s%s", place->section, *place->section ? "." : "",
                        member);
            inside.section = strbuf_text(&section);
            csv_print_object(out, &inside, value, NULL);
            strbuf_release(&section);
        } else {
            print_line(out, place, member, value);
        }
    }
}

static int csv_snapshot(void *state, const struct snapshot *snapshot,
                        const struct history *history, struct err *err)
{
    struct csv_sink *sink = state;
    json_t *sample = json_sample(sink->json, snapshot, history);
    json_t *time = json_object_get(sample, "time");
    struct csv_place place = {json_string_value(time), "", ""};

    errno = 0;
    csv_print_object(sink->out, &place, sample, "time");
    json_decref(sample);
    if (fflush(sink->out) || ferror(sink->out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write CSV");
    return 0;
}

static int csv_close(void *state, struct err *err)
{
    struct csv_sink *sink = state;
    int result = sink_json.close(sink->json, err);

    free(sink);
    return result;
}

const struct sink_ops sink_csv = {
    .name = "csv",
    .open = csv_open,
    .snapshot = csv_snapshot,
    .close = csv_close,
};
