/*
 * remote.h - the way in by remote execution (PEP 768, CPython 3.14+).
 *
 * A script's path and a flag are written into the state of the target's main thread;
 * nothing is stopped. The script loads the agent's loader from a memory file of its own.
 * A main thread that stays in C never gets there: then the request is taken back.
 *
 * Injector child only.
 */
#ifndef HEAPTOP_ATTACH_REMOTE_H
#define HEAPTOP_ATTACH_REMOTE_H

#include "attach/agent_image.h"
#include "attach/scene.h"

/* The address of the agent's region: its thread has been started. At most 2 s. */
int remote_load(struct scene *scene, struct agent_image *image, uint64_t *region,
                struct err *err);

#endif
