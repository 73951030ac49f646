#include "batch/output.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

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

void output_options(struct sink_options *options, const struct args *args)
{
    *options = (struct sink_options){
        .out = stdout,
        .pane = args->pane,
        .sort = args->sort,
        .filter = args->filter,
        .rows = args->rows,
        .columns = terminal_columns(),
        .use_unicode = args->use_unicode,
        .target = args->name,
        .metric_sets = args->metric_sets,
        .label_pid = args->label_pid,
        .has_past = args->read != NULL,
    };
}

int output_open(struct batch_output *output, const struct sink_ops *sink,
                const struct args *args, struct err *err)
{
    memset(output, 0, sizeof(*output));
    output_options(&output->options, args);
    output->n_wanted = args->iterations;
    output->until = args->has_until ? &args->until : NULL;
    output->mark_every_ns = args->mark_every_ns;
    output->sink = sink;
    if (sink && sink->open(&output->options, &output->state, err))
        return -1;
    output->history = history_new();
    return 0;
}

int output_close(struct batch_output *output, struct err *err)
{
    history_free(output->history);
    feed_release(&output->feed);
    return output->sink ? output->sink->close(output->state, err) : 0;
}

void output_mark(struct batch_output *output, bool is_automatic, const char *why)
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

bool output_reader_is_gone(void)
{
    struct pollfd output = {.fd = STDOUT_FILENO, .events = 0};

    return poll(&output, 1, 0) == 1 && (output.revents & POLLERR);
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

/* The first samples lack what takes longer to read; they are history, not output. */
static int write_snapshot(struct batch_output *output, const struct snapshot *snapshot,
                          struct err *err)
{
    history_add(output->history, snapshot);
    if (snapshot->is_complete)
        output_mark_by_clock(output, snapshot->mono_ns);
    if (output->recording)
        recording_restore_marks(output->recording, output->at, output->history);
    if (output->beside)
        beside_add(output->beside, snapshot, output->history);
    if (!snapshot->is_complete)
        return 0;
    output->n_written++;
    if (!output->sink)
        return 0;
    return output->sink->snapshot(output->state, snapshot, output->history, err);
}

enum output_result output_snapshot(struct batch_output *output,
                                   const struct snapshot *snapshot, struct err *err)
{
    if (write_snapshot(output, snapshot, err))
        return output_reader_is_gone() ? OUTPUT_DONE : OUTPUT_FAILED;
    if (is_over(output, err))
        return OUTPUT_FAILED;
    return output->n_wanted && output->n_written >= output->n_wanted ? OUTPUT_DONE
                                                                     : OUTPUT_GOES_ON;
}
