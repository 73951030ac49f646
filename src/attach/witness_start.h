/*
 * witness_start.h - who forks the witness, and receiving what it saw.
 *
 * As with the injector (injector_start.h): this process, or the privileged helper when
 * this one has given its rights up; the helper's witness opens and identifies the target
 * anew. The helper has one witness at a time. Nothing here waits. Belongs to the
 * sampler's thread.
 */
#ifndef HEAPTOP_ATTACH_WITNESS_START_H
#define HEAPTOP_ATTACH_WITNESS_START_H

#include <stdbool.h>
#include <stddef.h>

#include "guard/helper.h"
#include "heaptop/err.h"
#include "target/target.h"

struct witness_call;

/* `stops`: threads that run are stopped, one after the other. NULL with a sentence. */
struct witness_call *witness_start(struct target *target, bool stops, struct err *err);

/* 1: the text (witness.h) is whole, and borrowed until the end. 0: not yet. -1: a
 * sentence; it did not answer within some seconds, or could not look. */
int witness_step(struct witness_call *call, const char **text, struct err *err);

/* Ends it if it still runs; that is harmless at any moment. NULL is allowed. */
void witness_end(struct witness_call *call);

/* For the helper's list of services. */
extern const struct helper_service witness_start_service;

#endif
