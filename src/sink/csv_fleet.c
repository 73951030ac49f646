/*
 * CSV of a tree of processes: as of one (csv.c), with the process in a column of its own,
 * by its name among the others; the name of a line is its PID. Lines of the whole tree
 * have none.
 */
#include <errno.h>
#include <stdlib.h>

#include "sink/csv.h"
#include "sink/fleet_sink.h"
#include "sink/json_fleet.h"
#include "util/strbuf.h"
#include "util/xalloc.h"

struct csv_fleet {
    FILE *out;
};

static int csv_fleet_open(const struct sink_options *options, void **state,
                          struct err *err)
{
    struct csv_fleet *sink = xcalloc(1, sizeof(*sink));

    (void)err;
    sink->out = options->out;
    fputs("time,process,section,name,member,value\n", sink->out);
    *state = sink;
    return 0;
}

static void print_part(FILE *out, const char *time, const char *process, json_t *object,
                       const char *but)
{
    struct strbuf head = STRBUF_INIT, name = STRBUF_INIT;
    const json_t *pid = json_object_get(object, "pid");
    struct csv_place place;

    strbuf_addf(&head, "%s,%s", time, process);
    if (pid)
        strbuf_addf(&name, "%" JSON_INTEGER_FORMAT, json_integer_value(pid));
    place =
        (struct csv_place){strbuf_text(&head), pid ? "process" : "", strbuf_text(&name)};
    csv_print_object(out, &place, object, but);
    strbuf_release(&head);
    strbuf_release(&name);
}

static int csv_fleet_sample(void *state, const struct fleet_sample *sample,
                            struct err *err)
{
    struct csv_fleet *sink = state;
    json_t *object = json_fleet(sample);
    json_t *processes = json_incref(json_object_get(object, "processes"));
    const char *time = json_string_value(json_object_get(object, "time"));
    json_t *row;
    size_t i;

    errno = 0;
    json_object_del(object, "processes");
    print_part(sink->out, time, "", object, "time");
    json_array_foreach(processes, i, row) print_part(
        sink->out, time, json_string_value(json_object_get(row, "name")), row, "name");
    json_decref(processes);
    json_decref(object);
    if (fflush(sink->out) || ferror(sink->out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write CSV");
    return 0;
}

static void csv_fleet_close(void *state)
{
    free(state);
}

const struct fleet_sink_ops fleet_sink_csv = {
    .name = "csv",
    .open = csv_fleet_open,
    .sample = csv_fleet_sample,
    .close = csv_fleet_close,
};
