/*
 * What a recording's samples may hold: any values under a good checksum, which become a
 * snapshot that can be printed, or a sentence.
 *
 * The input is the samples as they are before they are packed, each after its length in
 * four bytes, the first a key.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <zstd.h>

#include "fuzz.h"
#include "heaptop/sink.h"
#include "recording/decoder.h"
#include "recording/encoder.h"
#include "tests/lib/fixture.h"

#define SAMPLES_MAX  8
#define SEED_SAMPLES 3

/* The texts that the seed's samples name by number. */
static struct {
    char **texts;
    size_t count;
} names;

static void demand(bool condition)
{
    if (!condition)
        abort();
}

static void print(const struct snapshot *snapshot)
{
    struct sink_options options = {0};
    struct err err = ERR_INIT;
    char *text = NULL;
    size_t length = 0;
    void *state = NULL;
    json_t *object;

    options.out = open_memstream(&text, &length);
    demand(options.out && !sink_json.open(&options, &state, &err));
    demand(!sink_json.snapshot(state, snapshot, NULL, &err));
    demand(!sink_json.close(state, &err));
    fclose(options.out);
    object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    demand(object != NULL);
    json_decref(object);
    free(text);
}

static void take(struct decoder *decoder, const uint8_t *raw, size_t length, bool is_key)
{
    size_t room = ZSTD_compressBound(length);
    void *packed = malloc(room);
    const struct snapshot *snapshot;
    struct err err = ERR_INIT;

    demand(packed != NULL);
    length = ZSTD_compress(packed, room, raw, length, 1);
    demand(!ZSTD_isError(length));
    if (decoder_take(decoder, packed, length, is_key, &err)) {
        demand(err.text[0]);
    } else {
        snapshot = decoder_snapshot(decoder, NULL, 0);
        demand(snapshot != NULL);
        print(snapshot);
        snapshot_unref(snapshot);
    }
    free(packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct decoder *decoder = decoder_new();
    uint32_t length;

    decoder_add_ours(decoder);
    for (size_t i = 0; i < names.count; i++)
        decoder_add_name(decoder, i + 1, names.texts[i], strlen(names.texts[i]));
    for (size_t i = 0; i < SAMPLES_MAX && size > sizeof(length); i++) {
        memcpy(&length, data, sizeof(length));
        data += sizeof(length);
        size -= sizeof(length);
        if (length > size)
            length = (uint32_t)size;
        take(decoder, data, length, i == 0);
        data += length;
        size -= length;
    }
    decoder_free(decoder);
    return 0;
}

static void keep_names(const struct encoded_sample *sample)
{
    for (size_t i = 0; i < sample->n_names; i++) {
        demand(sample->names[i].number == names.count + 1);
        names.texts = realloc(names.texts, (names.count + 1) * sizeof(*names.texts));
        demand(names.texts != NULL);
        names.texts[names.count++] = strdup(sample->names[i].text);
    }
}

/* Its bytes behind their length; what that took of the buffer. */
static size_t put(const struct encoded_sample *sample, uint8_t *buffer, size_t size)
{
    uint32_t length;
    size_t done;

    if (size <= sizeof(length))
        return 0;
    done = ZSTD_decompress(buffer + sizeof(length), size - sizeof(length), sample->bytes,
                           sample->length);
    if (ZSTD_isError(done))
        return 0;
    length = (uint32_t)done;
    memcpy(buffer, &length, sizeof(length));
    return sizeof(length) + done;
}

size_t fuzz_seed(uint8_t *buffer, size_t size)
{
    struct history *history = fixture_history(FIXTURE_PLUGINS);
    struct encoder *encoder = encoder_new();
    struct encoded_sample sample;
    struct err err = ERR_INIT;
    size_t used = 0;

    for (size_t i = 0; i < SEED_SAMPLES && i < history_count(history); i++) {
        demand(!encoder_add(encoder, history_at(history, i), &sample, &err));
        keep_names(&sample);
        used += put(&sample, buffer + used, size - used);
    }
    encoder_free(encoder);
    history_free(history);
    return used;
}
