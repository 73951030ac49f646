/*
 * output.h - what a run without a screen does with its samples, be they taken or read
 * from a recording: the history, marks, the sink, the recorder, --until and -n.
 */
#ifndef HEAPTOP_BATCH_OUTPUT_H
#define HEAPTOP_BATCH_OUTPUT_H

#include "args.h"
#include "batch/beside.h"
#include "heaptop/sink.h"
#include "model/history.h"
#include "recording/recording.h"
#include "sink/feed.h"

struct batch_output {
    const struct sink_ops *sink; /* NULL: nothing is printed */
    void *state;
    struct history *history;
    struct sink_options options;
    struct feed feed;                   /* of sinks that are plugins */
    struct beside *beside;              /* borrowed; NULL: nobody else gets samples */
    const struct recording *recording;  /* borrowed: has the marks; NULL: live */
    size_t at;                          /* of the sample in the recording */
    int64_t n_written, n_wanted;        /* wanted 0: without end */
    const struct condition *until;      /* NULL: none */
    int64_t mark_every_ns, mark_due_ns; /* 0: no marks by the clock */
};

enum output_result {
    OUTPUT_GOES_ON = 0,
    OUTPUT_DONE,   /* all that was asked for, or nobody reads it any more */
    OUTPUT_FAILED, /* err is set; also when what --until waits for came true */
};

/* What the command line says of the output. */
void output_options(struct sink_options *options, const struct args *args);
/* Who reads our output has gone: not an error, just the end. */
bool output_reader_is_gone(void);

int output_open(struct batch_output *output, const struct sink_ops *sink,
                const struct args *args, struct err *err);
int output_close(struct batch_output *output, struct err *err);
enum output_result output_snapshot(struct batch_output *output,
                                   const struct snapshot *snapshot, struct err *err);
/* Marks become events; they show the sample that was the newest when they were set. */
void output_mark(struct batch_output *output, bool is_automatic, const char *why);

#endif
