#include "batch/batch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "attach/launch.h"
#include "heaptop/sink.h"
#include "model/history.h"
#include "util/clock.h"

int batch_block_signals(struct err *err)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigset_t signals;
    int fd;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR1);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    sigaction(SIGPIPE, &ignore, NULL); /* a write says EPIPE instead */
    fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot watch for signals");
    return fd;
}

int batch_open(struct batch *batch, const struct args *args, int signal_fd,
               struct err *err)
{
    struct target *target;

    batch->signal_fd = signal_fd;
    batch->sampler = NULL;
    batch->launch = args->sampler.launch;
    if (target_open(args->pid, &target, err))
        return -1;
    return sampler_start(target, &args->sampler, &batch->sampler, err);
}

/* At most a second: then it is asked whether the sampler is stuck. */
static int batch_wait(struct batch *batch, int64_t deadline_mono_ns)
{
    struct pollfd fds[2] = {
        {.fd = batch->signal_fd, .events = POLLIN},
        {.fd = sampler_fd(batch->sampler), .events = POLLIN},
    };
    int64_t left_ns = deadline_mono_ns - clock_monotonic_ns();
    struct timespec wait;

    if (left_ns < 0)
        left_ns = 0;
    if (left_ns > NS_PER_S)
        left_ns = NS_PER_S;
    wait.tv_sec = left_ns / NS_PER_S;
    wait.tv_nsec = left_ns % NS_PER_S;
    ppoll(fds, 2, &wait, NULL);
    return fds[0].revents & POLLIN;
}

/* Only one signal does not mean to leave. A program that heaptop started is to get the
 * others too; what the terminal sends comes to it by itself. */
static enum batch_event take_signal(const struct batch *batch)
{
    struct signalfd_siginfo info;

    if (read(batch->signal_fd, &info, sizeof(info)) != sizeof(info))
        return BATCH_SIGNAL;
    if (info.ssi_signo == SIGUSR1)
        return BATCH_MARK;
    if (batch->launch && info.ssi_code != SI_KERNEL)
        launch_pass_on(batch->launch, (int)info.ssi_signo);
    return BATCH_SIGNAL;
}

enum batch_event batch_next(struct batch *batch, int64_t deadline_mono_ns,
                            struct sampler_message *message, struct err *err)
{
    while (!sampler_next(batch->sampler, message)) {
        if (batch_wait(batch, deadline_mono_ns))
            return take_signal(batch);
        if (sampler_next(batch->sampler, message))
            break;
        if (clock_monotonic_ns() >= deadline_mono_ns)
            return BATCH_TIMEOUT;
        if (sampler_is_stuck(batch->sampler, err))
            return BATCH_FAILED;
    }
    if (message->type != SAMPLER_FAILED)
        return BATCH_MESSAGE;
    *err = message->err;
    return BATCH_FAILED;
}

/* Who reads our output has gone: not an error, just the end. */
static bool is_reader_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = 0};

    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
}

/* An agent that is still on its way out is worth a sentence, not a failure. */
void batch_close(struct batch *batch)
{
    struct err err = ERR_INIT;

    if (batch->sampler && sampler_stop(batch->sampler, &err))
        fprintf(stderr, "heaptop: %s\n", err.text);
}

struct batch_output {
    const struct sink_ops *sink;
    void *state;
    struct history *history;
    int64_t n_written, n_wanted;        /* wanted 0: without end */
    const struct condition *until;      /* NULL: none */
    int64_t mark_every_ns, mark_due_ns; /* 0: no marks by the clock */
};

/* As top does: COLUMNS, else the terminal's width, else 0: what the sink likes. */
static int terminal_columns(void)
{
    const char *text = getenv("COLUMNS");
    struct winsize size;
    char *end;

    if (text && *text) {
        long columns = strtol(text, &end, 10);

        if (*end == '\0' && columns > 0 && columns <= 10000)
            return (int)columns;
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        return size.ws_col;
    return 0;
}

static int output_open(struct batch_output *output, const struct sink_ops *sink,
                       const struct args *args, struct err *err)
{
    struct sink_options options = {
        .out = stdout,
        .pane = args->pane,
        .sort = args->sort,
        .filter = args->filter,
        .rows = args->rows,
        .columns = terminal_columns(),
        .use_unicode = args->use_unicode,
    };

    memset(output, 0, sizeof(*output));
    output->n_wanted = args->iterations;
    output->until = args->has_until ? &args->until : NULL;
    output->mark_every_ns = args->mark_every_ns;
    output->sink = sink;
    if (output->sink->open(&options, &output->state, err))
        return -1;
    output->history = history_new();
    return 0;
}

static int output_close(struct batch_output *output, struct err *err)
{
    history_free(output->history);
    return output->sink->close(output->state, err);
}

/* The first samples lack what takes longer to read; they are history, not output. */
/* Marks become events; they show the sample that was the newest when they were set. */
static void output_mark(struct batch_output *output, bool is_automatic, const char *why)
{
    const struct snapshot *latest = history_latest(output->history);

    if (latest)
        history_mark_snapshot(output->history, latest, NULL, is_automatic, why);
}

static void output_mark_by_clock(struct batch_output *output, int64_t mono_ns)
{
    if (!output->mark_every_ns || mono_ns < output->mark_due_ns)
        return;
    if (output->mark_due_ns)
        output_mark(output, true, " by the clock");
    output->mark_due_ns = mono_ns + output->mark_every_ns;
}

static int output_snapshot(struct batch_output *output, const struct snapshot *snapshot,
                           struct err *err)
{
    history_add(output->history, snapshot);
    if (!snapshot->is_complete)
        return 0;
    output_mark_by_clock(output, snapshot->mono_ns);
    output->n_written++;
    return output->sink->snapshot(output->state, snapshot, output->history, err);
}

/* What --until waits for is looked for in samples that were written. */
static bool is_over(const struct batch_output *output, struct err *err)
{
    struct reading value;
    char words[320];

    if (!output->until || !output->n_written ||
        !condition_is_met(output->until, output->history, &value))
        return false;
    condition_words(output->until, value, words, sizeof(words));
    err_set(err, ERR_MET, "%.300s", words);
    return true;
}

static int batch_loop(struct batch *batch, struct batch_output *output, struct err *err)
{
    struct sampler_message message;
    enum batch_event event;
    int result;

    for (;;) {
        event = batch_next(batch, INT64_MAX, &message, err);
        if (event == BATCH_FAILED)
            return -1;
        if (event == BATCH_MARK) {
            output_mark(output, false, " by a signal");
            continue;
        }
        if (event != BATCH_MESSAGE)
            return 0;
        if (message.type == SAMPLER_ENDED) {
            *err = message.err;
            return -1;
        }
        if (message.type != SAMPLER_SNAPSHOT)
            continue;
        result = output_snapshot(output, message.snapshot, err);
        snapshot_unref(message.snapshot);
        if (result)
            return is_reader_gone() ? 0 : -1;
        if (is_over(output, err))
            return -1;
        if (output->n_wanted && output->n_written >= output->n_wanted)
            return 0;
    }
}

int batch_write(const struct args *args, const struct sink_ops *sink,
                const struct snapshot *snapshot, struct err *err)
{
    struct batch_output output;
    int result;

    if (output_open(&output, sink, args, err))
        return -1;
    result = output_snapshot(&output, snapshot, err);
    return output_close(&output, err) ? -1 : result;
}

int batch_run(const struct args *args, const struct sink_ops *sink, int signal_fd,
              struct err *err)
{
    struct batch_output output;
    struct batch batch;
    int result;

    if (output_open(&output, sink, args, err))
        return -1;
    result = batch_open(&batch, args, signal_fd, err);
    if (!result) {
        result = batch_loop(&batch, &output, err);
        batch_close(&batch);
    }
    if (output_close(&output, err))
        result = -1;
    return result;
}
