/*
 * --holders, --born: one question about the objects, its answer, and the end.
 */
#include "batch/batch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "heaptop/units.h"
#include "model/born.h"
#include "model/holders.h"
#include "model/kind.h"
#include "sink/json_inquiry.h"
#include "util/clock.h"
#include "util/plural.h"

#define MARK         1 /* the only one */
#define ROWS_OF_TEXT 30

#define NOW 2 /* SIGUSR1 came: wait no longer */

/* Waits for what comes next; 1: leave, as asked; NOW; -1: it failed. */
static int next_message(struct batch *batch, int64_t deadline_mono_ns,
                        struct sampler_message *message, struct err *err)
{
    for (;;) {
        switch (batch_next(batch, deadline_mono_ns, message, err)) {
        case BATCH_FAILED:
            return -1;
        case BATCH_SIGNAL:
            return 1;
        case BATCH_TIMEOUT:
            message->type = SAMPLER_SNAPSHOT;
            message->snapshot = NULL;
            return 0;
        case BATCH_MARK:
            return NOW;
        case BATCH_MESSAGE:
            break;
        }
        if (message->type != SAMPLER_ENDED)
            return 0;
        *err = message->err;
        return -1;
    }
}

/* 0 with the answer; 1 or -1 as above. */
static int ask(struct batch *batch, const struct inquiry *inquiry, struct answer **answer,
               struct err *err)
{
    struct sampler_message message;
    int status;

    sampler_ask(batch->sampler, inquiry);
    while (!(status = next_message(batch, INT64_MAX, &message, err)) || status == NOW) {
        if (status == NOW)
            continue;
        if (message.type == SAMPLER_SNAPSHOT)
            snapshot_unref(message.snapshot);
        if (message.type != SAMPLER_ANSWER)
            continue;
        *answer = message.answer;
        *err = message.err;
        return *answer ? 0 : -1;
    }
    return status;
}

/* Samples go by meanwhile; SIGUSR1 ends it. */
static int wait_for(struct batch *batch, int64_t ns, struct err *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + ns;
    struct sampler_message message;
    int status = 0;

    while (!status && clock_monotonic_ns() < deadline_ns) {
        status = next_message(batch, deadline_ns, &message, err);
        if (!status && message.type == SAMPLER_SNAPSHOT)
            snapshot_unref(message.snapshot);
    }
    return status == NOW ? 0 : status;
}

static void print_walk(const struct walk_facts *walk)
{
    char seconds[UNITS_MAX], bytes[UNITS_MAX];

    printf("found out in %s, %s read%s\n",
           units_duration(seconds, reading_exact(walk->wall_ns)),
           units_bytes(bytes, reading_exact((int64_t)walk->read_bytes)),
           walk->complete ? "" : "; not complete");
}

/* ---- --holders ---- */

static void print_holders(const struct holders *holders, size_t rows)
{
    char a[UNITS_MAX], b[UNITS_MAX];

    printf("%s: %s object%s, %s of them held by objects\n", holders->of,
           units_count(a, reading_exact((int64_t)holders->objects)),
           plural((int64_t)holders->objects),
           units_count(b, reading_exact((int64_t)holders->held)));
    print_walk(&holders->answer.walk);
    printf("%12s %12s  %s\n", "REFERENCES", "HOLDERS", "HELD BY");
    for (size_t i = 0; i < holders->n_rows && i < rows; i++)
        printf("%12s %12s  %s\n",
               units_count(a, reading_exact((int64_t)holders->rows[i].references)),
               units_count(b, reading_exact((int64_t)holders->rows[i].holders)),
               holders->rows[i].label);
    if (holders->n_rows > rows)
        printf("(%s more)\n",
               units_count(a, reading_exact((int64_t)(holders->n_rows - rows))));
}

static int run_holders(struct batch *batch, const struct args *args, struct err *err)
{
    struct inquiry inquiry = {.topic = INQUIRY_HOLDERS,
                              .kind = kind_intern(args->holders, strlen(args->holders))};
    size_t rows = args->rows > 0 ? (size_t)args->rows : ROWS_OF_TEXT;
    struct answer *answer = NULL;
    int status;

    /* "0x7f..." is one object. */
    if (!strncmp(args->holders, "0x", 2) &&
        sscanf(args->holders + 2, "%" SCNx64, &inquiry.address) == 1)
        inquiry.kind = NULL;
    status = ask(batch, &inquiry, &answer, err);
    if (status)
        return status;
    if (!strcmp(args->output, "json"))
        status =
            json_write_holders(stdout, (const struct holders *)answer, args->rows, err);
    else
        print_holders((const struct holders *)answer, rows);
    answer_free(answer);
    return status;
}

/* ---- --born ---- */

static void print_born_row(const struct born_row *row, const char *name)
{
    char born[UNITS_MAX], inferred[UNITS_MAX], bytes[UNITS_MAX], gone[UNITS_MAX];

    printf("%12s %12s %9s %12s  %s\n",
           units_count(born, reading_exact((int64_t)row->born)),
           units_count(inferred, reading_exact((int64_t)row->born_inferred)),
           units_bytes(bytes, reading_exact((int64_t)row->born_bytes)),
           units_count(gone, reading_exact((int64_t)row->gone)), name);
}

/* So that whoever waits knows from when on. */
static void say_remembered(const struct remembered *remembered)
{
    char a[UNITS_MAX], b[UNITS_MAX], c[UNITS_MAX];

    fprintf(stderr,
            "heaptop: %s objects are remembered in %s, %s; SIGUSR1 compares now\n",
            units_count(a, reading_exact((int64_t)remembered->count)),
            units_bytes(b, reading_exact((int64_t)remembered->bytes)),
            units_duration(c, reading_exact(remembered->answer.walk.wall_ns)));
}

static void print_born(const struct born *born, size_t rows)
{
    print_walk(&born->answer.walk);
    printf("%12s %12s %9s %12s  %s\n", "BORN", "INFERRED", "BYTES", "GONE", "KIND");
    for (size_t i = 0; i < born->n_rows && i < rows; i++)
        if (born->rows[i].born || born->rows[i].gone)
            print_born_row(&born->rows[i], born->rows[i].kind->name);
    print_born_row(&born->sum, "(all kinds)");
}

static int run_born(struct batch *batch, const struct args *args, struct err *err)
{
    struct inquiry inquiry = {.topic = INQUIRY_REMEMBER, .mark = MARK};
    size_t rows = args->rows > 0 ? (size_t)args->rows : ROWS_OF_TEXT;
    struct answer *remembered = NULL, *born = NULL;
    int status = ask(batch, &inquiry, &remembered, err);

    if (!status)
        say_remembered((const struct remembered *)remembered);
    if (!status)
        status = wait_for(batch, args->born_ns, err);
    inquiry.topic = INQUIRY_BORN;
    if (!status)
        status = ask(batch, &inquiry, &born, err);
    if (!status && !strcmp(args->output, "json"))
        status = json_write_born(stdout, (const struct born *)born,
                                 (const struct remembered *)remembered, args->filter,
                                 args->rows, err);
    else if (!status)
        print_born((const struct born *)born, rows);
    answer_free(remembered);
    answer_free(born);
    return status;
}

int batch_objects(const struct args *args, int signal_fd, struct err *err)
{
    struct args quiet = *args;
    struct batch batch;
    int status;

    quiet.sampler.walk_interval_ns = WALK_OFF; /* the inquiry looks for itself */
    status = batch_open(&batch, &quiet, signal_fd, err);
    if (!status) {
        status =
            args->holders ? run_holders(&batch, args, err) : run_born(&batch, args, err);
        batch_close(&batch);
    }
    return status < 0 ? -1 : 0;
}
