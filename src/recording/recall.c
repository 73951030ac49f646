#include "recording/recall.h"

#include <stdlib.h>
#include <string.h>

#include "recording/decoder.h"
#include "recording/message.h"
#include "util/xalloc.h"

struct noted {
    uint64_t seq;
    int64_t sample, wall_ns;
    uint64_t file;
    bool is_key;
};

struct recall {
    struct noted *noted;
    size_t count, capacity;
    struct decoder *decoders[RECALL_FILES_MAX]; /* by file: each has names of its own */
    uint64_t file;                              /* that is written: 1, 2, ... */
};

struct recall *recall_new(void)
{
    return xcalloc(1, sizeof(struct recall));
}

static struct decoder **decoder_of(struct recall *recall, uint64_t file)
{
    return &recall->decoders[file % RECALL_FILES_MAX];
}

void recall_restart(struct recall *recall)
{
    for (size_t i = 0; i < RECALL_FILES_MAX; i++) {
        decoder_free(recall->decoders[i]);
        recall->decoders[i] = NULL;
    }
    recall->count = 0;
}

void recall_free(struct recall *recall)
{
    if (!recall)
        return;
    recall_restart(recall);
    free(recall->noted);
    free(recall);
}

/* The samples of this file and those before. */
static void forget_file(struct recall *recall, uint64_t file)
{
    size_t gone = 0;

    while (gone < recall->count && recall->noted[gone].file <= file)
        gone++;
    if (!gone)
        return;
    recall->count -= gone;
    memmove(recall->noted, recall->noted + gone, recall->count * sizeof(*recall->noted));
}

void recall_begin_file(struct recall *recall)
{
    struct decoder **decoder = decoder_of(recall, ++recall->file);

    if (recall->file > RECALL_FILES_MAX)
        forget_file(recall, recall->file - RECALL_FILES_MAX);
    decoder_free(*decoder);
    *decoder = decoder_new();
    decoder_add_ours(*decoder);
}

void recall_note(struct recall *recall, const struct headline *headline,
                 const struct encoded_sample *sample)
{
    if (recall->count == recall->capacity) {
        recall->capacity = recall->capacity ? 2 * recall->capacity : 256;
        recall->noted =
            xreallocarray(recall->noted, recall->capacity, sizeof(*recall->noted));
    }
    recall->noted[recall->count++] = (struct noted){
        .seq = (uint64_t)headline->seq,
        .sample = headline->sample,
        .wall_ns = headline->wall_ns,
        .file = recall->file,
        .is_key = headline->is_key,
    };
    for (size_t i = 0; i < sample->n_names; i++)
        decoder_add_name(*decoder_of(recall, recall->file), sample->names[i].number,
                         sample->names[i].text, strlen(sample->names[i].text));
}

/* The first place whose seq is greater. */
static size_t place_after(const struct recall *recall, uint64_t seq)
{
    size_t low = 0, high = recall->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (recall->noted[middle].seq <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

uint64_t recall_before(const struct recall *recall, uint64_t seq)
{
    size_t place = seq ? place_after(recall, seq - 1) : 0;

    return place ? recall->noted[place - 1].seq : 0;
}

uint64_t recall_after(const struct recall *recall, uint64_t seq)
{
    size_t place = place_after(recall, seq);

    return place < recall->count ? recall->noted[place].seq : 0;
}

uint64_t recall_at_time(const struct recall *recall, int64_t wall_ns)
{
    for (size_t i = recall->count; i > 0; i--)
        if (recall->noted[i - 1].wall_ns <= wall_ns)
            return recall->noted[i - 1].seq;
    return 0;
}

/* NULL: it is not noted. */
static const struct noted *noted_of(const struct recall *recall, uint64_t seq)
{
    size_t after = place_after(recall, seq);

    return after && recall->noted[after - 1].seq == seq ? &recall->noted[after - 1]
                                                        : NULL;
}

bool recall_needs(const struct recall *recall, uint64_t seq,
                  struct message_recall *wanted)
{
    const struct noted *noted = noted_of(recall, seq);

    if (!noted)
        return false;
    memset(wanted, 0, sizeof(*wanted)); /* it is sent as it lies in memory */
    wanted->first = wanted->last = noted->sample;
    wanted->files_back = (uint32_t)(recall->file - noted->file);
    while (noted > recall->noted && !noted->is_key)
        wanted->first = (--noted)->sample;
    return true;
}

/* Takes one sample off the bytes. */
static int unpack_one(struct decoder *decoder, const uint8_t **at, size_t *left,
                      bool is_key, struct err *err)
{
    struct message_recalled head;
    int result;

    if (*left < sizeof(head))
        return err_set(err, ERR_FAILED, "the recording does not have all of this sample");
    memcpy(&head, *at, sizeof(head));
    *at += sizeof(head);
    *left -= sizeof(head);
    if (head.length > *left)
        return err_set(err, ERR_FAILED, "the recorder gave half a sample");
    result = decoder_take(decoder, *at, head.length, is_key, err);
    *at += head.length;
    *left -= head.length;
    return result;
}

const struct snapshot *recall_unpack(struct recall *recall, uint64_t seq,
                                     const void *bytes, size_t length, struct err *err)
{
    const struct snapshot *snapshot;
    struct message_recall wanted;
    const uint8_t *at = bytes;
    struct decoder *decoder;

    if (!recall_needs(recall, seq, &wanted)) {
        err_set(err, ERR_FAILED, "this sample is not in the recording");
        return NULL;
    }
    decoder = *decoder_of(recall, recall->file - wanted.files_back);
    for (int64_t sample = wanted.first; sample <= wanted.last; sample++)
        if (unpack_one(decoder, &at, &length, sample == wanted.first, err))
            return NULL;
    snapshot = decoder_snapshot(decoder, NULL, 0);
    if (snapshot && snapshot->seq == seq)
        return snapshot;
    snapshot_unref(snapshot);
    err_set(err, ERR_FAILED, "the recorder gave another sample");
    return NULL;
}
