/*
 * agent_image.h - the agent's ELF object, built into heaptop, laid out for the
 * address that it gets in the target.
 */
#ifndef HEAPTOP_ATTACH_AGENT_IMAGE_H
#define HEAPTOP_ATTACH_AGENT_IMAGE_H

#include <stdint.h>

#include "agent/protocol.h"
#include "heaptop/err.h"

#define AGENT_IMAGE_BYTES_MAX 65536

struct agent_image {
    uint8_t bytes[AGENT_IMAGE_BYTES_MAX];
    uint64_t length;                  /* whole pages */
    uint64_t data_offset, data_bytes; /* the writable part, whole pages */
    uint64_t filled_bytes;            /* behind them there are zeroes */
    uint64_t entry;                   /* offset of the first instruction */
    uint64_t place;                   /* offset of agent_place */
};

/* The image is zeroed memory. */
int agent_image_build(struct agent_image *image, struct err *err);

#endif
