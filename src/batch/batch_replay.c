/* A recording instead of a process: the same outputs, sample by sample. */
#include <stdio.h>

#include "batch/batch.h"
#include "batch/output.h"
#include "heaptop/units.h"
#include "recording/cut.h"
#include "recording/recording.h"
#include "recording/when.h"

/* What is lost is not passed over in silence: one line for all, and the exit status. */
static int tell_losses(const struct recording *recording, struct err *err)
{
    char words[256];

    if (!recording_lost(recording, words, sizeof(words)) && !words[0])
        return 0;
    err_set(err, ERR_DAMAGED, "%s", words);
    return err_remedy(err, "what can be had was given, and is right");
}

/* Which of a folder's recordings it is, where that may not be what was meant. */
static void tell_choice(const struct recording *recording)
{
    char words[160];

    if (recording_note(recording, words, sizeof(words)))
        fprintf(stderr, "heaptop: %s\n", words);
}

static enum output_result replay(struct batch_output *output, struct recording *recording,
                                 size_t first, size_t last, struct err *err)
{
    enum output_result result = OUTPUT_GOES_ON;

    for (size_t at = first; at <= last && result == OUTPUT_GOES_ON; at++) {
        struct err lost = ERR_INIT;
        const struct snapshot *snapshot = recording_snapshot(recording, at, &lost);

        if (!snapshot)
            continue;
        output->at = at;
        result = output_snapshot(output, snapshot, err);
        snapshot_unref(snapshot);
    }
    return result;
}

static int replay_range(const struct args *args, const struct sink_ops *sink,
                        struct recording *recording, struct err *err)
{
    struct batch_output output;
    enum output_result result;
    size_t first, last;

    if (when_range(recording, args->begin, args->end, &first, &last, err) ||
        output_open(&output, sink, args, err))
        return -1;
    output.mark_every_ns = 0; /* the recording has its own */
    output.recording = recording;
    result = replay(&output, recording, first, last, err);
    if (output_close(&output, err) || result == OUTPUT_FAILED)
        return -1;
    return tell_losses(recording, err);
}

int batch_replay(const struct args *args, const struct sink_ops *sink, struct err *err)
{
    struct recording *recording;
    int result;

    if (recording_open(args->read, &recording, err))
        return -1;
    tell_choice(recording);
    result = replay_range(args, sink, recording, err);
    recording_close(recording);
    return result;
}

static int cut_range(const struct args *args, struct recording *recording,
                     struct err *err)
{
    char span[UNITS_MAX];
    size_t first, last, written;

    if (when_range(recording, args->begin, args->end, &first, &last, err) ||
        recording_cut(recording, first, last, args->cut, &written, err))
        return -1;
    printf("%zu samples of %s were written into %s\n", written,
           units_duration(span, reading_exact(recording_wall_ns(recording, last) -
                                              recording_wall_ns(recording, first))),
           args->cut);
    return tell_losses(recording, err);
}

int batch_cut(const struct args *args, struct err *err)
{
    struct recording *recording;
    int result;

    if (recording_open(args->read, &recording, err))
        return -1;
    tell_choice(recording);
    result = cut_range(args, recording, err);
    recording_close(recording);
    return result;
}
