#include "sink/answer.h"

#include <errno.h>
#include <string.h>

#include "heaptop/units.h"
#include "sink/json_value.h"

static const struct answer_sink *const sinks[] = {
    &answer_sink_kind,
    &answer_sink_duplicates,
};

static const struct answer_sink *sink_of(const struct answer *answer)
{
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++)
        if (!strcmp(sinks[i]->topic, answer->inquiry.topic))
            return sinks[i];
    return NULL;
}

static json_t *json_pass(const struct walk_facts *walk)
{
    json_t *object = json_object();

    json_add_text(object, "method", walk->method);
    json_add_seconds(object, "seconds", reading_exact(walk->wall_ns));
    json_add_seconds(object, "cpu_s", reading_exact(walk->cpu_ns));
    json_add_count(object, "read_bytes", walk->read_bytes);
    json_add(object, "complete", json_boolean(walk->complete));
    json_add_count(object, "torn", walk->torn_pools);
    return object;
}

static int write_json(FILE *out, const struct answer_sink *sink,
                      const struct answer *answer, pid_t pid, struct err *err)
{
    json_t *object = json_object();

    json_add_text(object, "schema", sink->schema);
    json_add_time(object, "time", answer->walk.ended_wall_ns);
    json_add_count(object, "pid", (uint64_t)pid);
    json_add_text(object, "kind",
                  answer->inquiry.kind ? answer->inquiry.kind->name : NULL);
    json_add(object, "pass", json_pass(&answer->walk));
    sink->json(object, answer);
    return json_write_line(out, object, err);
}

static void write_text(FILE *out, const struct answer_sink *sink,
                       const struct answer *answer)
{
    const struct walk_facts *walk = &answer->walk;
    char clock[UNITS_MAX], took[UNITS_MAX], bytes[UNITS_MAX];

    sink->text(out, answer);
    fprintf(out, "\nlooked at %s in %s, %s read%s%s\n",
            units_clock(clock, walk->ended_wall_ns),
            units_duration(took, reading_exact(walk->wall_ns)),
            units_bytes(bytes, reading_exact((int64_t)walk->read_bytes)),
            walk->complete ? "" : "; not complete",
            walk->tracked_only ? ": only what the collector tracks is seen" : "");
}

int answer_write(FILE *out, const struct answer *answer, pid_t pid, bool as_json,
                 struct err *err)
{
    const struct answer_sink *sink = sink_of(answer);

    if (!sink)
        return err_set(err, ERR_FAILED, "the answer cannot be written");
    if (as_json)
        return write_json(out, sink, answer, pid, err);
    write_text(out, sink, answer);
    if (fflush(out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write the answer");
    return 0;
}
