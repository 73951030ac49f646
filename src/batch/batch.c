#include "batch/batch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "attach/launch.h"
#include "batch/output.h"
#include "model/cause.h"
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
    batch->asked = (struct inquiry){0};
    batch->launch = args->sampler.launch;
    batch->outlives_terminal = beside_is_wanted(args);
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

/* Not all signals mean to leave. A program that heaptop started is to get those that do;
 * what the terminal sends comes to it by itself. False: nothing came of it. */
static bool take_signal(const struct batch *batch, enum batch_event *event)
{
    struct signalfd_siginfo info;

    *event = BATCH_SIGNAL;
    if (read(batch->signal_fd, &info, sizeof(info)) != sizeof(info))
        return true;
    if (info.ssi_signo == SIGHUP && batch->outlives_terminal)
        return false;
    if (info.ssi_signo == SIGUSR1)
        *event = BATCH_MARK;
    else if (batch->launch && info.ssi_code != SI_KERNEL)
        launch_pass_on(batch->launch, (int)info.ssi_signo);
    return true;
}

bool batch_takes_leave(int signal_fd)
{
    const struct batch batch = {.signal_fd = signal_fd};
    enum batch_event event;

    return take_signal(&batch, &event) && event == BATCH_SIGNAL;
}

enum batch_event batch_next(struct batch *batch, int64_t deadline_mono_ns,
                            struct sampler_message *message, struct err *err)
{
    while (!sampler_next(batch->sampler, message)) {
        enum batch_event event;

        if (batch_wait(batch, deadline_mono_ns) && take_signal(batch, &event))
            return event;
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

/* An agent that is still on its way out is worth a sentence, not a failure. */
void batch_close(struct batch *batch)
{
    struct err err = ERR_INIT;

    if (batch->sampler && sampler_stop(batch->sampler, &err))
        fprintf(stderr, "heaptop: %s\n", err.text);
}

/* Plugins that are sinks get it too. */
static void hand_on(struct batch *batch, struct feed *feed,
                    const struct batch_output *output, const struct snapshot *snapshot)
{
    char *text = feed_text(feed, snapshot, output->history);

    if (text)
        sampler_hand(batch->sampler, text);
}

/* Who holds what grows. */
static void ask_for_cause(struct batch *batch, const struct batch_output *output)
{
    struct inquiry wanted;

    if (!cause_wants(output->history, &wanted) || inquiry_is_same(&wanted, &batch->asked))
        return;
    batch->asked = wanted;
    sampler_ask(batch->sampler, &wanted);
}

static int batch_loop(struct batch *batch, struct batch_output *output, struct err *err)
{
    struct sampler_message message;
    enum batch_event event;
    enum output_result result;

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
        if (message.type == SAMPLER_ANSWER) {
            cause_take(output->history, &message.inquiry, message.answer);
            answer_free(message.answer);
            batch->asked = (struct inquiry){0};
        }
        if (message.type != SAMPLER_SNAPSHOT)
            continue;
        result = output_snapshot(output, message.snapshot, err);
        hand_on(batch, &output->feed, output, message.snapshot);
        snapshot_unref(message.snapshot);
        ask_for_cause(batch, output);
        if (result != OUTPUT_GOES_ON)
            return result == OUTPUT_FAILED ? -1 : 0;
    }
}

int batch_write(const struct args *args, const struct sink_ops *sink,
                const struct snapshot *snapshot, struct err *err)
{
    struct batch_output output;
    enum output_result result;

    if (output_open(&output, sink, args, err))
        return -1;
    result = output_snapshot(&output, snapshot, err);
    return output_close(&output, err) || result == OUTPUT_FAILED ? -1 : 0;
}

int batch_run(const struct args *args, const struct sink_ops *sink, struct beside *beside,
              int signal_fd, struct err *err)
{
    struct batch_output output;
    struct batch batch;
    int result;

    if (output_open(&output, sink, args, err))
        return -1;
    output.beside = beside;
    result = beside_open(beside, args, &output.options, err);
    if (!result && !(result = batch_open(&batch, args, signal_fd, err))) {
        result = batch_loop(&batch, &output, err);
        batch_close(&batch);
    }
    if (output_close(&output, err))
        result = -1;
    return result;
}
