/*
 * encoder.h - snapshots become the packed bytes of samples.
 *
 * What a sample says is laid out in planes (plane.h), of which only the differences to
 * the sample before are kept, packed by zstd with a checksum. Every KEY_EVERY samples
 * comes a key, from which on the following ones can be read. Texts become numbers; new
 * ones are to be kept beside the sample. Belongs to one thread.
 */
#ifndef HEAPTOP_RECORDING_ENCODER_H
#define HEAPTOP_RECORDING_ENCODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"

#define ENCODER_KEY_EVERY 64

struct encoder;

struct encoded_name {
    uint32_t number; /* 1, 2, ...; 0 is the empty text and never written */
    const char *text;
};

/* Borrowed from the encoder until its next call. */
struct encoded_sample {
    bool is_key;
    const void *bytes;
    size_t length;
    const struct encoded_name *names; /* that no sample before had */
    size_t n_names;
};

struct encoder *encoder_new(void);
void encoder_free(struct encoder *encoder);

/* A new file begins: nothing was written yet. */
void encoder_restart(struct encoder *encoder);
/* The last sample was not kept: the next one must be a key. */
void encoder_make_key(struct encoder *encoder);
int encoder_add(struct encoder *encoder, const struct snapshot *snapshot,
                struct encoded_sample *sample, struct err *err);

#endif
