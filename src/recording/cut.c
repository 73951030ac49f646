#include "recording/cut.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "recording/encoder.h"
#include "recording/writer.h"
#include "util/xalloc.h"

struct cut {
    struct recording *recording;
    size_t first, last;
    struct encoder *encoder;
    struct writer *writer;
    int64_t n_marks;
    size_t samples;
    uint64_t *seqs; /* of the samples that were put, from `first` on; 0: it is lost */
    uint64_t last_seq, added;
};

static void put_names(const struct cut *cut, const struct encoded_sample *sample)
{
    for (size_t i = 0; i < sample->n_names; i++)
        writer_name(cut->writer, sample->names[i].number, sample->names[i].text,
                    strlen(sample->names[i].text));
}

/* Those that were set with this sample. */
static void put_marks(struct cut *cut, size_t at)
{
    const struct recorded_mark *marks;
    size_t count = recording_marks(cut->recording, &marks);

    for (size_t i = 0; i < count; i++) {
        struct message_mark mark = {.is_automatic = marks[i].is_automatic};

        if (marks[i].set_at != at || marks[i].at < cut->first || marks[i].at > at ||
            !cut->seqs[marks[i].at - cut->first])
            continue;
        mark.number = ++cut->n_marks;
        mark.seq = (int64_t)cut->seqs[marks[i].at - cut->first];
        memcpy(mark.name, marks[i].name, sizeof(mark.name));
        writer_mark(cut->writer, &mark);
    }
}

/* Of a folder it may be several runs, which each count from 1: in one file seq grows. */
static uint64_t next_seq(struct cut *cut, uint64_t seq)
{
    if (seq + cut->added <= cut->last_seq)
        cut->added = cut->last_seq + 1 - seq;
    cut->last_seq = seq + cut->added;
    return cut->last_seq;
}

static int put_sample(struct cut *cut, size_t at, const struct snapshot *snapshot,
                      struct err *err)
{
    int64_t before = recording_number(cut->recording, cut->first) - 1;
    struct headline headline;
    struct encoded_sample sample;

    if (encoder_add(cut->encoder, snapshot, &sample, err))
        return -1;
    put_names(cut, &sample);
    for (size_t i = 0; i < snapshot->n_events; i++)
        writer_event(cut->writer, &snapshot->events[i]);
    put_marks(cut, at);
    headline_of(&headline, snapshot, recording_number(cut->recording, at) - before,
                sample.is_key);
    cut->samples++;
    return writer_sample(cut->writer, &headline, sample.bytes, sample.length, err);
}

static int put_samples(struct cut *cut, struct err *err)
{
    for (size_t at = cut->first; at <= cut->last; at++) {
        struct err lost = ERR_INIT;
        const struct snapshot *snapshot = recording_snapshot(cut->recording, at, &lost);
        struct snapshot renumbered;
        int result;

        if (!snapshot) {
            encoder_make_key(cut->encoder);
            continue;
        }
        renumbered = *snapshot; /* its sections are borrowed */
        renumbered.seq = next_seq(cut, snapshot->seq);
        cut->seqs[at - cut->first] = renumbered.seq;
        result = put_sample(cut, at, &renumbered, err);
        snapshot_unref(snapshot);
        if (result)
            return -1;
    }
    return cut->samples
               ? 0
               : err_set(err, ERR_DAMAGED, "all samples between these times are lost");
}

int recording_cut(struct recording *recording, size_t first, size_t last,
                  const char *path, size_t *written, struct err *err)
{
    struct cut cut = {.recording = recording, .first = first, .last = last};
    int status;

    if (writer_open(path, &cut.writer, err))
        return -1;
    cut.encoder = encoder_new();
    cut.seqs = xcalloc(last - first + 1, sizeof(*cut.seqs));
    writer_at_once(cut.writer);
    status = put_samples(&cut, err) || writer_commit(cut.writer, err) ? -1 : 0;
    encoder_free(cut.encoder);
    free(cut.seqs);
    writer_close(cut.writer);
    if (status)
        unlink(path);
    *written = cut.samples;
    return status;
}
