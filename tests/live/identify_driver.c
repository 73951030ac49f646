/*
 * identify_driver PID: opens the target and prints its facts as one line of JSON,
 * or the error. For tests that need the target layer alone. `--state PID` then waits
 * for lines on its input and answers each with the state. `--list [PATTERN]` prints
 * the candidates, one a line; with lines on its input it lists again for each.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/candidates.h"
#include "target/target.h"
#include "util/clock.h"

static void print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(object);
}

static json_t *error_json(const struct err *err)
{
    return json_pack("{s:i, s:s, s:s}", "code", err->code, "text", err->text, "remedy",
                     err->remedy);
}

static json_t *target_json(const struct target *target, int64_t open_ns)
{
    const struct target_facts *facts = &target->facts;
    static const char *const states[] = {"live", "stopped", "ended"};
    json_t *object =
        json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:f}", "pid", facts->pid,
                  "command", facts->command, "exe", facts->exe, "user", facts->user,
                  "python", facts->python, "state", states[facts->state], "free_threaded",
                  target->is_free_threaded, "memory", target->reader != NULL, "micro",
                  target->version.micro, "open_ms", (double)open_ns / NS_PER_MS);

    json_object_set_new(object, "image", json_string(target->python.path));
    json_object_set_new(object, "runtime",
                        json_integer((json_int_t)target->runtime.value));
    json_object_set_new(object, "type_type",
                        json_integer((json_int_t)target->type_type.value));
    json_object_set_new(object, "start", json_real((double)facts->start_wall_ns / 1e9));
    if (!target->reader)
        json_object_set_new(object, "access", error_json(&target->access_why));
    return object;
}

static void answer_states(struct target *target)
{
    static const char *const states[] = {"live", "stopped", "ended"};
    char line[64];

    while (fgets(line, sizeof(line), stdin)) {
        puts(states[target_state(target)]);
        fflush(stdout);
    }
}

static json_t *reading_json(struct reading reading)
{
    return reading_is_known(reading) ? json_integer(reading.value) : json_null();
}

static json_t *row_json(const struct candidate *row)
{
    return json_pack(
        "{s:i, s:i, s:i, s:s, s:o, s:o, s:o, s:o, s:s, s:s, s:b, s:s, s:s, s:s}", "pid",
        row->pid, "parent", row->parent, "depth", row->depth, "user", row->user, "virt",
        reading_json(row->virt_bytes), "res", reading_json(row->res_bytes), "uptime_ns",
        reading_json(row->uptime_ns), "cpu", reading_json(row->cpu_milli_percent),
        "python", row->python, "allocator", row->allocator, "can_read", row->can_read,
        "access", row->access, "access_why", row->access_why, "command", row->command);
}

static int list_once(struct candidates *list, const char *pattern)
{
    int64_t began_ns = clock_monotonic_ns();
    struct err err = ERR_INIT;
    json_t *rows;

    if (candidates_refresh(list, &err)) {
        print_json(json_pack("{s:o}", "error", error_json(&err)));
        return (int)err.code;
    }
    candidates_filter(list, pattern);
    began_ns = clock_monotonic_ns() - began_ns;
    rows = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(rows, row_json(&list->rows[i]));
    print_json(
        json_pack("{s:f, s:o}", "list_ms", (double)began_ns / NS_PER_MS, "rows", rows));
    return 0;
}

static int list_candidates(const char *pattern)
{
    struct candidates list = CANDIDATES_INIT;
    char line[64];
    int result = list_once(&list, pattern);

    while (!result && fgets(line, sizeof(line), stdin))
        result = list_once(&list, pattern);
    candidates_release(&list);
    return result;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct target *target;
    int64_t began_ns;

    if (argc < 2)
        return ERR_USAGE;
    if (!strcmp(argv[1], "--list"))
        return list_candidates(argc > 2 ? argv[2] : NULL);
    began_ns = clock_monotonic_ns();
    if (target_open((pid_t)strtol(argv[argc - 1], NULL, 10), &target, &err)) {
        print_json(json_pack("{s:o}", "error", error_json(&err)));
        return (int)err.code;
    }
    print_json(target_json(target, clock_monotonic_ns() - began_ns));
    if (!strcmp(argv[1], "--state"))
        answer_states(target);
    target_close(target);
    return 0;
}
