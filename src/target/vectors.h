/*
 * vectors.h - scattered reads of a process by another one that still may.
 *
 * heaptop that has given its rights up reads through a kept descriptor, which takes one
 * place a call. A child of the privileged helper takes a thousand: addresses and bytes
 * go through memory that both share. It reads one process only, may make the system calls
 * of syscalls.def only, which open nothing for writing, and ends with its client or when
 * the target has left the memory it was opened with.
 *
 * Belongs to a live reader, whose threads may call at once.
 */
#ifndef HEAPTOP_TARGET_VECTORS_H
#define HEAPTOP_TARGET_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/helper.h"
#include "target/reader.h"

#define VECTORS_FEWEST 12 /* of fewer pieces a call is dearer than it is worth */

struct vectors;

/* NULL where that is not to be had. */
struct vectors *vectors_open(pid_t pid, uint64_t start_ticks);
void vectors_close(struct vectors *vectors);

/* Reads pieces from the first on. Marks those that were read; returns how many are
 * settled, done or not: 0 when it cannot help, as when another thread is being served. */
size_t vectors_read(struct vectors *vectors, struct piece *pieces, size_t count);

/* For the helper's list of services. */
extern const struct helper_service vectors_service;

#endif
