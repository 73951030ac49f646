/* --tree without a screen: a sample of all members at each interval. */
#include "batch/batch.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "batch/output.h"
#include "fleet/fleet.h"
#include "util/clock.h"

struct batch_fleet {
    const struct args *args;
    const struct fleet_sink_ops *sink; /* NULL: nothing is printed */
    struct beside *beside;
    void *state;
    struct fleet *fleet;
    int signal_fd;
    int64_t next_ns, n_written;
};

/* Of any member; those that ended meant something once, but not any more. */
static bool is_met(const struct batch_fleet *batch, const struct fleet_sample *sample,
                   struct err *err)
{
    const struct condition *until = &batch->args->until;
    struct reading value;
    char words[300];

    for (size_t i = 0; batch->args->has_until && i < sample->count; i++) {
        const struct fleet_row *row = &sample->rows[i];
        const struct history *history = fleet_history(batch->fleet, row->pid);

        if (row->state == MEMBER_ENDED || !history ||
            !condition_is_met(until, history, &value))
            continue;
        condition_words(until, value, words, sizeof(words));
        err_set(err, ERR_MET, "%d: %.280s", (int)row->pid, words);
        return true;
    }
    return false;
}

static enum output_result put_sample(struct batch_fleet *batch, struct err *err)
{
    const struct fleet_sample *sample = fleet_look(batch->fleet);

    beside_add_fleet(batch->beside, sample);
    if (batch->sink && batch->sink->sample(batch->state, sample, err))
        return output_reader_is_gone() ? OUTPUT_DONE : OUTPUT_FAILED;
    batch->n_written++;
    if (is_met(batch, sample, err))
        return OUTPUT_FAILED;
    if (fleet_is_over(batch->fleet)) {
        err_set(err, ERR_GONE, "all processes have ended");
        return OUTPUT_FAILED;
    }
    return batch->args->iterations && batch->n_written >= batch->args->iterations
               ? OUTPUT_DONE
               : OUTPUT_GOES_ON;
}

/* True: leave, as asked. */
static bool wait_for_news(const struct batch_fleet *batch)
{
    struct pollfd fds[1 + FLEET_FDS_MAX] = {{.fd = batch->signal_fd, .events = POLLIN}};
    size_t count = 1 + fleet_fds(batch->fleet, fds + 1);
    int64_t due_ns = fleet_due_ns(batch->fleet), left_ns;
    struct timespec wait;

    if (batch->n_written && due_ns > batch->next_ns)
        due_ns = batch->next_ns;
    left_ns = due_ns - clock_monotonic_ns();
    left_ns = left_ns < 0 ? 0 : left_ns > NS_PER_S ? NS_PER_S : left_ns;
    wait.tv_sec = left_ns / NS_PER_S;
    wait.tv_nsec = left_ns % NS_PER_S;
    ppoll(fds, count, &wait, NULL);
    return fds[0].revents & POLLIN && batch_takes_leave(batch->signal_fd);
}

/* The first sample waits until each member was looked at, all others for their time. */
static int run_loop(struct batch_fleet *batch, struct err *err)
{
    int64_t interval_ns = batch->args->sampler.interval_ns;
    enum output_result result = OUTPUT_GOES_ON;

    while (result == OUTPUT_GOES_ON) {
        if (wait_for_news(batch))
            return 0;
        fleet_step(batch->fleet);
        if (clock_monotonic_ns() < batch->next_ns ||
            (!batch->n_written && !fleet_is_complete(batch->fleet)))
            continue;
        result = put_sample(batch, err);
        batch->next_ns = clock_monotonic_ns() + interval_ns;
    }
    return result == OUTPUT_FAILED ? -1 : 0;
}

int batch_fleet(const struct args *args, const struct fleet_sink_ops *sink,
                struct beside *beside, int signal_fd, struct err *err)
{
    struct fleet_options options = {
        .root = args->pid, .pattern = args->pattern, .sampler = args->sampler};
    struct sink_options sink_options;
    struct batch_fleet batch = {
        .args = args, .sink = sink, .beside = beside, .signal_fd = signal_fd};
    struct err close_err = ERR_INIT;
    int result = -1;

    output_options(&sink_options, args);
    if (beside_open(beside, args, &sink_options, err) ||
        (sink && sink->open(&sink_options, &batch.state, err)))
        return -1;
    if (!fleet_open(&options, &batch.fleet, err)) {
        result = run_loop(&batch, err);
        if (fleet_close(batch.fleet, &close_err))
            fprintf(stderr, "heaptop: %s\n", close_err.text);
    }
    if (sink)
        sink->close(batch.state);
    return result;
}
