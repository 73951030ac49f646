/*
 * attach_driver PID [ROUNDS]: attaches with a session and answers lines on its
 * input, one line of JSON each:
 *   open | sample | collect N | pauses | state | beat MS | endcopy | close | quit
 * or a command of src/agent/commands.def in small letters with its arguments.
 * With ROUNDS it attaches, samples and leaves that often, and prints a summary; see
 * attach_times.h.
 * `attach_driver --faultpoints [remote]` lists the moments at which HEAPTOP_FAULT can let
 * it die, by the way in that HEAPTOP_VIA names: see attach_fault.h.
 */
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "attach/session.h"
#include "attach/ways.h"
#include "attach_fault.h"
#include "attach_times.h"
#include "model/builder.h"
#include "source/objects_agent.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/xalloc.h"

static const char *const states[] = {"attaching", "waiting", "ready", "failed", "lost"};

static void print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    json_decref(object);
}

static void print_err(const struct err *err)
{
    print_json(json_pack("{s:b, s:i, s:s, s:s}", "ok", 0, "code", err->code, "error",
                         err->text, "remedy", err->remedy));
}

static void nap(int64_t ns)
{
    const struct timespec pause = {ns / NS_PER_S, ns % NS_PER_S};

    nanosleep(&pause, NULL);
}

static void wait_step(const struct session *session)
{
    struct pollfd fd = {.fd = session_fd(session), .events = POLLIN};
    const struct timespec limit = {0, fd.fd < 0 ? NS_PER_MS / 5 : 100 * NS_PER_MS};

    ppoll(&fd, 1, &limit, NULL);
}

/* Opens a session and waits until it is ready. */
static struct session *open_session(struct target *target, struct err *err,
                                    int64_t *taken_ns)
{
    int64_t began = clock_monotonic_ns();
    struct session *session;
    enum session_state state;

    if (session_open(target, &session, err) != 0)
        return NULL;
    while ((state = session_step(session)) < SESSION_READY &&
           clock_monotonic_ns() - began < 20 * NS_PER_S)
        wait_step(session);
    *taken_ns = clock_monotonic_ns() - began;
    if (state == SESSION_READY)
        return session;
    *err = *session_err(session);
    if (state < SESSION_READY)
        err_set(err, ERR_FAILED, "not ready after 20 s: %s", states[state]);
    struct err ignored = ERR_INIT;
    session_close(session, &ignored);
    return NULL;
}

static json_t *counters_json(const struct agent_counters *counters)
{
    json_t *rows = json_array();

    for (int i = 0; i < AGENT_GENERATIONS; i++) {
        const struct agent_generation *row = &counters->generations[i];

        json_array_append_new(
            rows, json_pack("{s:I, s:I, s:I, s:I, s:I}", "count", row->count, "threshold",
                            row->threshold, "collections", row->collections, "collected",
                            row->collected, "uncollectable", row->uncollectable));
    }
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:b, s:o}", "ok", 1,
                     "blocks", counters->allocated_blocks, "enabled",
                     counters->gc_enabled, "frozen", counters->gc_frozen, "gil_wait_ns",
                     counters->gil_wait_ns, "gil_held_ns", counters->gil_held_ns,
                     "allocator", counters->allocator, "version", counters->version,
                     "interpreter", counters->interpreter != 0, "generations", rows);
}

static void run_sample(struct session *session)
{
    struct err err = ERR_INIT;
    struct agent_answer answer;
    struct agent_counters counters;

    if (session_ask(session, AGENT_SAMPLE, NULL, &err) != 0)
        print_err(&err);
    else if (!session_answer(session, 10 * NS_PER_S, &answer) ||
             !session_counters(session, &counters)) {
        err_set(&err, ERR_FAILED, "no answer");
        print_err(&err);
    } else {
        print_json(counters_json(&counters));
    }
}

static void run_collect(struct session *session, int64_t generation)
{
    const int64_t arguments[AGENT_ARGUMENTS] = {generation, -1, -1};
    struct err err = ERR_INIT;
    struct agent_answer answer;

    if (session_ask(session, AGENT_COLLECT, arguments, &err) != 0) {
        print_err(&err);
        return;
    }
    if (!session_answer(session, 30 * NS_PER_S, &answer)) {
        err_set(&err, ERR_FAILED, "no answer");
        print_err(&err);
        return;
    }
    print_json(json_pack("{s:b, s:i, s:I, s:I, s:I}", "ok", 1, "status", answer.status,
                         "unreachable", answer.value, "uncollectable",
                         answer.uncollectable, "elapsed_ns", answer.elapsed_ns));
}

/* "enable", "trim" ...: the agent's words in small letters, then the arguments. */
static int command_of(const char *word)
{
    static const char *const names[] = {
#define AGENT_COMMAND(name, function) [AGENT_##name] = #name,
#include "agent/commands.def"
#undef AGENT_COMMAND
    };

    for (size_t i = AGENT_NOTHING + 1; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcasecmp(names[i], word))
            return (int)i;
    return AGENT_NOTHING;
}

static json_t *numbers_json(const int64_t *values)
{
    return json_pack("[I, I, I]", values[0], values[1], values[2]);
}

static void run_command(struct session *session, const char *line)
{
    int64_t arguments[AGENT_ARGUMENTS] = {-1, -1, -1};
    struct err err = ERR_INIT;
    struct agent_answer answer;
    char word[32] = "";

    sscanf(line, "%31s %" SCNd64 " %" SCNd64 " %" SCNd64, word, &arguments[0],
           &arguments[1], &arguments[2]);
    if (session_ask(session, (enum agent_command)command_of(word), arguments, &err) ||
        (!session_answer(session, 30 * NS_PER_S, &answer) &&
         err_set(&err, ERR_FAILED, "no answer"))) {
        print_err(&err);
        return;
    }
    print_json(json_pack("{s:b, s:i, s:I, s:I, s:I, s:I, s:o, s:o, s:s}", "ok", 1,
                         "status", answer.status, "value", answer.value, "elapsed_ns",
                         answer.elapsed_ns, "gil_held_ns", answer.gil_held_ns,
                         "uncollectable", answer.uncollectable, "before",
                         numbers_json(answer.before), "after", numbers_json(answer.after),
                         "other_malloc", session_other_malloc(session)));
}

static void run_pauses(struct session *session, uint32_t *seen)
{
    struct agent_pause pauses[AGENT_PAUSES];
    uint32_t n = session_pauses(session, seen, pauses, AGENT_PAUSES);
    json_t *rows = json_array();

    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(rows, json_pack("{s:I, s:I, s:I, s:i}", "ns",
                                              pauses[i].ended_ns - pauses[i].began_ns,
                                              "collected", pauses[i].collected,
                                              "uncollectable", pauses[i].uncollectable,
                                              "generation", pauses[i].generation));
    print_json(json_pack("{s:b, s:o}", "ok", 1, "pauses", rows));
}

/* As the walk does where the memory cannot be read. */
static void run_partition(struct session *session)
{
    struct agent_walk walk = {0};
    struct source_context context = {.session = session, .builder = builder_new(1)};
    const struct objects_section *objects;
    struct err err = ERR_INIT;
    enum source_result result;
    json_t *rows = json_object();

    do {
        context.deadline_mono_ns = clock_monotonic_ns() + 20 * NS_PER_MS;
        result = agent_walk_sample(&walk, &context, &err);
    } while (result == SOURCE_MORE);
    objects = context.builder->snapshot->objects;
    for (size_t i = 0; objects && i < objects->n_kinds; i++)
        json_object_set_new(rows, objects->kinds[i].kind->name,
                            json_pack("[I, I]", (json_int_t)objects->kinds[i].count,
                                      (json_int_t)objects->kinds[i].size_bytes));
    if (result == SOURCE_DONE)
        print_json(json_pack("{s:b, s:I, s:b, s:o}", "ok", 1, "stopped_ns",
                             objects->walk.stopped_ns, "cut", objects->walk.is_cut_short,
                             "kinds", rows));
    else
        print_err(&err);
    builder_drop(context.builder);
}

static void beat(struct session *session, int64_t ms)
{
    int64_t end = clock_monotonic_ns() + ms * NS_PER_MS;

    while (clock_monotonic_ns() < end) {
        session_step(session);
        nap(50 * NS_PER_MS);
    }
    print_json(json_pack("{s:b, s:s}", "ok", 1, "state", states[session_step(session)]));
}

static void end_copy(struct session *session)
{
    session_end_copy(session);
    print_json(json_pack("{s:b}", "ok", 1));
}

static void close_session(struct session **session)
{
    struct err err = ERR_INIT;
    int64_t began = clock_monotonic_ns();
    int status = session_close(*session, &err);

    *session = NULL;
    if (status != 0)
        print_err(&err);
    else
        print_json(json_pack("{s:b, s:I}", "ok", 1, "ns", clock_monotonic_ns() - began));
}

static void open_one(struct target *target, struct session **session)
{
    struct err err = ERR_INIT;
    int64_t taken_ns = 0;

    *session = open_session(target, &err, &taken_ns);
    if (!*session)
        print_err(&err);
    else
        print_json(json_pack("{s:b, s:I, s:I}", "ok", 1, "ns", taken_ns, "diverted_ns",
                             session_diverted_ns(*session)));
}

static void serve(struct target *target)
{
    struct session *session = NULL;
    struct err none = ERR_INIT;
    uint32_t seen = 0;
    char line[128];

    err_set(&none, ERR_USAGE, "there is no session");
    while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4)) {
        if (!strncmp(line, "open", 4) && !session)
            open_one(target, &session);
        else if (!session)
            print_err(&none);
        else if (!strncmp(line, "sample", 6))
            run_sample(session);
        else if (!strncmp(line, "collect", 7))
            run_collect(session, strtol(line + 7, NULL, 10));
        else if (!strncmp(line, "pauses", 6))
            run_pauses(session, &seen);
        else if (!strncmp(line, "partition", 9))
            run_partition(session);
        else if (!strncmp(line, "beat", 4))
            beat(session, strtol(line + 4, NULL, 10));
        else if (!strncmp(line, "state", 5))
            print_json(json_pack("{s:b, s:s, s:s}", "ok", 1, "state",
                                 states[session_step(session)], "error",
                                 session_err(session)->text));
        else if (!strncmp(line, "endcopy", 7))
            end_copy(session);
        else if (!strncmp(line, "close", 5))
            close_session(&session);
        else
            run_command(session, line);
    }
    if (session)
        close_session(&session);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* What is measured in each round, in nanoseconds. */
enum measure {
    MEASURE_DIVERTED, /* how long a thread was away */
    MEASURE_ATTACH,   /* from the request to the agent's readiness */
    MEASURE_GIL,      /* how long a sample held the GIL */
    MEASURE_LEAVE,
    MEASURE_COUNT,
};

static const char *const measures[] = {"diverted", "attach", "gil", "leave"};

static int one_round(struct target *target, int64_t *ns[MEASURE_COUNT], long at)
{
    struct err err = ERR_INIT;
    struct session *session;
    struct agent_answer answer;
    struct agent_counters counters = {0};
    int64_t began;
    bool has_answer;

    attach_times_begin();
    session = open_session(target, &err, &ns[MEASURE_ATTACH][at]);
    if (!session) {
        print_err(&err);
        return -1;
    }
    ns[MEASURE_DIVERTED][at] = session_diverted_ns(session);
    has_answer = session_ask(session, AGENT_SAMPLE, NULL, &err) == 0 &&
                 session_answer(session, 10 * NS_PER_S, &answer);
    if (has_answer && session_counters(session, &counters))
        ns[MEASURE_GIL][at] = counters.gil_held_ns;
    began = clock_monotonic_ns();
    if (session_close(session, &err) == 0 && has_answer) {
        ns[MEASURE_LEAVE][at] = clock_monotonic_ns() - began;
        attach_times_end();
        return 0;
    }
    if (err.code == ERR_NONE)
        err_set(&err, ERR_FAILED, "no answer in round %ld", at);
    print_err(&err);
    return -1;
}

static void print_summary(int64_t *ns[MEASURE_COUNT], long done, bool is_whole)
{
    json_t *summary = json_pack("{s:b, s:I}", "ok", is_whole, "rounds", (json_int_t)done);
    json_t *moments;

    for (int i = 0; i < MEASURE_COUNT; i++) {
        char name[64];

        qsort(ns[i], (size_t)done, sizeof(int64_t), compare);
        snprintf(name, sizeof(name), "%s_median_ns", measures[i]);
        json_object_set_new(summary, name, json_integer(ns[i][done / 2]));
        snprintf(name, sizeof(name), "%s_p99_ns", measures[i]);
        json_object_set_new(summary, name, json_integer(ns[i][(done - 1) * 99 / 100]));
        snprintf(name, sizeof(name), "%s_max_ns", measures[i]);
        json_object_set_new(summary, name, json_integer(ns[i][done - 1]));
    }
    if ((moments = attach_times_json()))
        json_object_set_new(summary, "moments", moments);
    print_json(summary);
}

static int run_rounds(struct target *target, long rounds)
{
    int64_t *ns[MEASURE_COUNT];
    long done = 0;

    for (int i = 0; i < MEASURE_COUNT; i++)
        ns[i] = xcalloc((size_t)rounds, sizeof(int64_t));
    if (getenv("HEAPTOP_TIMES"))
        attach_times_arm(rounds);
    while (done < rounds && one_round(target, ns, done) == 0)
        done++;
    if (done > 0)
        print_summary(ns, done, done == rounds);
    for (int i = 0; i < MEASURE_COUNT; i++)
        free(ns[i]);
    return done == rounds ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct target *target;
    int status = 0;

    if (argc < 2)
        return 2;
    if (!strcmp(argv[1], "--faultpoints"))
        return attach_fault_list(argc > 2 && !strcmp(argv[2], "remote"));
    if (attach_fault_arm(getenv("HEAPTOP_FAULT")) != 0)
        return 2;
    if (getenv("HEAPTOP_VIA"))
        attach_choose_way(!strcmp(getenv("HEAPTOP_VIA"), "remote") ? ATTACH_REMOTE
                                                                   : ATTACH_PTRACE);
    if (target_open((pid_t)strtol(argv[1], NULL, 10), &target, &err) != 0) {
        print_err(&err);
        return 1;
    }
    if (argc > 2)
        status = run_rounds(target, strtol(argv[2], NULL, 10));
    else
        serve(target);
    target_close(target);
    return status;
}
