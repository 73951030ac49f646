/*
 * witness.h - the child process that looks at the stacks of all threads.
 *
 * A thread that waits in the kernel is not touched: the kernel tells its pc and sp, and
 * its stack is copied. What other registers hold is not known then, so a stack may end
 * where one is needed. A thread that runs is only named, or, where that is wanted,
 * stopped for a fraction of a millisecond (visit.h). When all stacks are copied the
 * witness gives up its rights, and only then takes apart what was copied; it answers with
 * text and ends:
 *
 *   L threads <tab> stopped <tab> longest stop, ns <tab> duration, ns
 *   T number <tab> state, as of /proc <tab> stopped for, ns <tab> name
 *   N address <tab> file <tab> offset in it <tab> function <tab> offset in that
 *   E why the frames of this thread end here
 *
 * N and E belong to the T before, the innermost frame first. Or there is one line:
 *   ! a sentence
 */
#ifndef HEAPTOP_ATTACH_WITNESS_H
#define HEAPTOP_ATTACH_WITNESS_H

#include <stdbool.h>

#include "target/target.h"

#define WITNESS_TEXT_MAX 262144

/* Runs in the child and never returns. */
void witness_main(struct target *target, int socket, bool stops)
    __attribute__((noreturn));
/* Answers with the sentence only. */
void witness_refuse(int socket, const char *sentence) __attribute__((noreturn));

#endif
