#include "recording/cut.h"

#include <string.h>
#include <unistd.h>

#include "recording/encoder.h"
#include "recording/writer.h"

struct cut {
    struct recording *recording;
    size_t first, last;
    struct encoder *encoder;
    struct writer *writer;
    int64_t n_marks;
    size_t samples;
};

static void put_names(const struct cut *cut, const struct encoded_sample *sample)
{
    for (size_t i = 0; i < sample->n_names; i++)
        writer_name(cut->writer, sample->names[i].number, sample->names[i].text,
                    strlen(sample->names[i].text));
}

static bool has_seq(const struct cut *cut, uint64_t seq)
{
    size_t at = recording_at_seq(cut->recording, seq);

    return at >= cut->first && at <= cut->last &&
           recording_seq(cut->recording, at) == seq;
}

/* Those that were set with this sample. */
static void put_marks(struct cut *cut, size_t at)
{
    const struct recorded_mark *marks;
    size_t count = recording_marks(cut->recording, &marks);

    for (size_t i = 0; i < count; i++) {
        struct message_mark mark = {.seq = (int64_t)marks[i].seq,
                                    .is_automatic = marks[i].is_automatic};

        if (marks[i].sample != recording_number(cut->recording, at) ||
            !has_seq(cut, marks[i].seq))
            continue;
        mark.number = ++cut->n_marks;
        memcpy(mark.name, marks[i].name, sizeof(mark.name));
        writer_mark(cut->writer, &mark);
    }
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
        int result;

        if (!snapshot) {
            encoder_make_key(cut->encoder);
            continue;
        }
        result = put_sample(cut, at, snapshot, err);
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
    status = writer_begin(cut.writer, err) || put_samples(&cut, err) ||
                     writer_end(cut.writer, err)
                 ? -1
                 : 0;
    encoder_free(cut.encoder);
    writer_close(cut.writer);
    if (status)
        unlink(path);
    *written = cut.samples;
    return status;
}
