/*
 * decoder.h - the packed bytes of samples become snapshots again.
 *
 * First the decoder is told what the file says of itself: its sheets, their columns, the
 * names. Sheets and columns that this heaptop does not know are skipped; what the file
 * lacks is unknown. Then samples are taken in their order, from a key on. All of it is
 * hostile: bounded, checked and cleaned here. Belongs to one thread.
 */
#ifndef HEAPTOP_RECORDING_DECODER_H
#define HEAPTOP_RECORDING_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "heaptop/snapshot.h"

struct decoder;

struct decoder *decoder_new(void);
void decoder_free(struct decoder *decoder);

/* Sheets and columns come in their order in the file. False: no more are taken. */
bool decoder_add_sheet(struct decoder *decoder, const char *name);
bool decoder_add_column(struct decoder *decoder, size_t sheet, const char *name,
                        const char *type);
/* All sheets and columns as this heaptop writes them. */
void decoder_add_ours(struct decoder *decoder);
void decoder_add_name(struct decoder *decoder, uint64_t number, const char *text,
                      size_t length);

/* After a failure the next one must be a key. */
int decoder_take(struct decoder *decoder, const void *bytes, size_t length, bool is_key,
                 struct err *err);
/* The sample that was taken last, with these events; one reference. NULL when out of
 * memory. Sections that did not change are shared with the one before. */
const struct snapshot *decoder_snapshot(struct decoder *decoder,
                                        const struct event *events, size_t n_events);

#endif
