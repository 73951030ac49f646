/* OpenMetrics of a tree of processes: each sample is an exposition of its own. */
#include <errno.h>
#include <stdlib.h>

#include "sink/fleet_sink.h"
#include "sink/metrics.h"
#include "util/xalloc.h"

struct openmetrics_fleet {
    FILE *out;
    struct metrics_options options;
    struct exposition exposition;
};

static int openmetrics_fleet_open(const struct sink_options *options, void **state,
                                  struct err *err)
{
    struct openmetrics_fleet *sink;
    struct metrics_options metrics;

    if (metrics_options_from(options, &metrics, err))
        return -1;
    sink = xcalloc(1, sizeof(*sink));
    sink->out = options->out;
    sink->options = metrics;
    *state = sink;
    return 0;
}

static int openmetrics_fleet_sample(void *state, const struct fleet_sample *sample,
                                    struct err *err)
{
    struct openmetrics_fleet *sink = state;

    exposition_reset(&sink->exposition);
    metrics_add_fleet(&sink->exposition, sample, &sink->options);
    errno = 0;
    if (exposition_print(&sink->exposition, EXPOSITION_OPENMETRICS, sink->out))
        return err_set(err, ERR_FAILED,
                       "that is too much for one exposition, it was cut");
    if (fflush(sink->out) || ferror(sink->out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write OpenMetrics");
    return 0;
}

static void openmetrics_fleet_close(void *state)
{
    struct openmetrics_fleet *sink = state;

    exposition_release(&sink->exposition);
    free(sink);
}

const struct fleet_sink_ops fleet_sink_openmetrics = {
    .name = "openmetrics",
    .open = openmetrics_fleet_open,
    .sample = openmetrics_fleet_sample,
    .close = openmetrics_fleet_close,
};
