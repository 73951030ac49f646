/*
 * OpenMetrics on a file. Of a live process each sample is an exposition of its own, as a
 * scrape would get it. A recording becomes one, in which each number has its time: what
 * `promtool tsdb create-blocks-from openmetrics` takes.
 */
#include "heaptop/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "sink/columns.h"
#include "sink/exposition.h"
#include "sink/metrics.h"
#include "util/xalloc.h"

struct openmetrics_sink {
    FILE *out;
    bool has_past;
    struct metrics_options options;
    struct exposition exposition;
};

static int openmetrics_open(const struct sink_options *options, void **state,
                            struct err *err)
{
    struct metrics_options metrics;
    struct openmetrics_sink *sink;

    if (metrics_options_from(options, &metrics, err))
        return -1;
    sink = xcalloc(1, sizeof(*sink));
    sink->out = options->out;
    sink->has_past = options->has_past;
    sink->options = metrics;
    *state = sink;
    return 0;
}

static int print(struct openmetrics_sink *sink, struct err *err)
{
    errno = 0;
    if (exposition_print(&sink->exposition, EXPOSITION_OPENMETRICS, sink->out)) {
        err_set(err, ERR_FAILED, "that is too much for one exposition, it was cut");
        return err_remedy(err, "take a part of the recording with --begin and --end");
    }
    if (fflush(sink->out) || ferror(sink->out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write OpenMetrics");
    return 0;
}

static int openmetrics_snapshot(void *state, const struct snapshot *snapshot,
                                const struct history *history, struct err *err)
{
    struct openmetrics_sink *sink = state;

    if (sink->has_past)
        sink->exposition.wall_ns = snapshot->wall_ns;
    else
        exposition_reset(&sink->exposition);
    metrics_add(&sink->exposition, snapshot, history, &sink->options);
    return sink->has_past ? 0 : print(sink, err);
}

static int openmetrics_close(void *state, struct err *err)
{
    struct openmetrics_sink *sink = state;
    int result = sink->has_past ? print(sink, err) : 0;

    exposition_release(&sink->exposition);
    free(sink);
    return result;
}

const struct sink_ops sink_openmetrics = {
    .name = "openmetrics",
    .open = openmetrics_open,
    .snapshot = openmetrics_snapshot,
    .close = openmetrics_close,
};
