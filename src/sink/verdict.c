/* --verdict: the sentences on the last sample, and nothing else. */
#include "heaptop/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "heaptop/units.h"
#include "model/verdict.h"
#include "util/xalloc.h"

struct verdict_sink {
    FILE *out;
    struct verdicts verdicts;
    bool is_known;
};

static int verdict_sink_open(const struct sink_options *options, void **state,
                             struct err *err)
{
    struct verdict_sink *sink = xcalloc(1, sizeof(*sink));

    (void)err;
    sink->out = options->out;
    *state = sink;
    return 0;
}

static int verdict_sink_snapshot(void *state, const struct snapshot *snapshot,
                                 const struct history *history, struct err *err)
{
    struct verdict_sink *sink = state;

    (void)snapshot;
    (void)err;
    sink->is_known = verdict_judge(history, &sink->verdicts);
    return 0;
}

static void print_counter(FILE *out, const struct verdict_counter *counter)
{
    char text[UNITS_MAX];

    fprintf(out, "        %-8s %s\n",
            counter->unit == HISTORY_BYTES ? units_bytes(text, counter->value)
                                           : units_count(text, counter->value),
            counter->name);
}

static void print_one(FILE *out, const struct verdict *verdict)
{
    char gain[UNITS_MAX];

    fprintf(out, "%s %s\n    %s", verdict->rule, verdict->words, verdict->remedy);
    if (reading_is_known(verdict->gain_bytes))
        fprintf(out, ": %s", units_bytes(gain, verdict->gain_bytes));
    fputc('\n', out);
    for (size_t i = 0; i < verdict->n_advice; i++)
        fprintf(out, "    %s\n", verdict->advice[i]);
    for (size_t i = 0; i < verdict->n_counters; i++)
        print_counter(out, &verdict->counters[i]);
}

static int verdict_sink_close(void *state, struct err *err)
{
    struct verdict_sink *sink = state;
    FILE *out = sink->out;

    for (size_t i = 0; sink->is_known && i < sink->verdicts.count; i++)
        print_one(out, &sink->verdicts.items[i]);
    for (size_t i = 0; sink->is_known && i < sink->verdicts.n_gaps; i++)
        fprintf(out, "%s not judged: not known here: %s\n", sink->verdicts.gaps[i].rule,
                sink->verdicts.gaps[i].counter);
    free(sink);
    if (fflush(out))
        return err_set_errno(err, ERR_FAILED, errno, "cannot write the verdict");
    return 0;
}

const struct sink_ops sink_verdict = {
    .name = "verdict",
    .open = verdict_sink_open,
    .snapshot = verdict_sink_snapshot,
    .close = verdict_sink_close,
};
