#include "recording/recall.h"

#include <stdlib.h>
#include <string.h>

#include "recording/decoder.h"
#include "recording/message.h"
#include "util/xalloc.h"

struct noted {
    uint64_t seq;
    int64_t sample, wall_ns;
    bool is_key;
};

struct recall {
    struct noted *noted;
    size_t count, capacity;
    struct decoder *decoder;
};

struct recall *recall_new(void)
{
    return xcalloc(1, sizeof(struct recall));
}

void recall_free(struct recall *recall)
{
    if (!recall)
        return;
    decoder_free(recall->decoder);
    free(recall->noted);
    free(recall);
}

static void restart(struct recall *recall)
{
    recall->count = 0;
    decoder_free(recall->decoder);
    recall->decoder = decoder_new();
    decoder_add_ours(recall->decoder);
}

void recall_note(struct recall *recall, const struct headline *headline,
                 const struct encoded_sample *sample)
{
    if (headline->sample == 1)
        restart(recall);
    if (recall->count == recall->capacity) {
        recall->capacity = recall->capacity ? 2 * recall->capacity : 256;
        recall->noted =
            xreallocarray(recall->noted, recall->capacity, sizeof(*recall->noted));
    }
    recall->noted[recall->count++] = (struct noted){
        .seq = (uint64_t)headline->seq,
        .sample = headline->sample,
        .wall_ns = headline->wall_ns,
        .is_key = headline->is_key,
    };
    for (size_t i = 0; i < sample->n_names; i++)
        decoder_add_name(recall->decoder, sample->names[i].number, sample->names[i].text,
                         strlen(sample->names[i].text));
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

bool recall_needs(const struct recall *recall, uint64_t seq, int64_t *first,
                  int64_t *last)
{
    size_t at = place_after(recall, seq);

    if (!at || recall->noted[--at].seq != seq)
        return false;
    *first = *last = recall->noted[at].sample;
    while (at > 0 && !recall->noted[at].is_key)
        *first = recall->noted[--at].sample;
    return true;
}

/* Takes one sample off the bytes. */
static int unpack_one(struct recall *recall, const uint8_t **at, size_t *left,
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
    result = decoder_take(recall->decoder, *at, head.length, is_key, err);
    *at += head.length;
    *left -= head.length;
    return result;
}

const struct snapshot *recall_unpack(struct recall *recall, uint64_t seq,
                                     const void *bytes, size_t length, struct err *err)
{
    const struct snapshot *snapshot;
    const uint8_t *at = bytes;
    int64_t first, last;

    if (!recall_needs(recall, seq, &first, &last)) {
        err_set(err, ERR_FAILED, "this sample is not in the recording");
        return NULL;
    }
    for (int64_t sample = first; sample <= last; sample++)
        if (unpack_one(recall, &at, &length, sample == first, err))
            return NULL;
    snapshot = decoder_snapshot(recall->decoder, NULL, 0);
    if (snapshot && snapshot->seq == seq)
        return snapshot;
    snapshot_unref(snapshot);
    err_set(err, ERR_FAILED, "the recorder gave another sample");
    return NULL;
}
