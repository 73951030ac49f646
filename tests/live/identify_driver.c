/*
 * identify_driver PID: opens the target and prints its facts as one line of JSON,
 * or the error. For tests that need the target layer alone. `--state` waits for
 * lines on its input and answers each with the state.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    json_t *object = json_pack(
        "{s:i, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:i, s:f}", "pid", facts->pid, "command",
        facts->command, "exe", facts->exe, "user", facts->user, "python", facts->python,
        "state", states[facts->state], "free_threaded", target->is_free_threaded, "memory",
        target->reader != NULL, "micro", target->version.micro, "open_ms",
        (double)open_ns / NS_PER_MS);

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

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct target *target;
    int64_t began_ns;

    if (argc < 2)
        return ERR_USAGE;
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
