/*
 * cut.h - a part of a recording becomes a recording of its own, to keep or to send.
 *
 * It begins with a key, has only the names that its samples need, the events of its
 * samples, and the marks that were set in it of samples that it has. What is lost in the
 * one leaves a gap in the other, so it stays known. Belongs to one thread.
 */
#ifndef HEAPTOP_RECORDING_CUT_H
#define HEAPTOP_RECORDING_CUT_H

#include "recording/recording.h"

/* Samples [first, last] into a file that is not there yet, all that can be had of them
 * or nothing; *written gets how many. */
int recording_cut(struct recording *recording, size_t first, size_t last,
                  const char *path, size_t *written, struct err *err);

#endif
