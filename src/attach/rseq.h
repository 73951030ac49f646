/*
 * rseq.h - the restartable sequence that a stopped thread may be in.
 *
 * The injector's thread that traces it asks; where the kernel does not tell (before Linux
 * 5.13), there is none.
 */
#ifndef HEAPTOP_ATTACH_RSEQ_H
#define HEAPTOP_ATTACH_RSEQ_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/scene.h"

/* The thread's struct rseq; 0 when it has none, or the kernel does not tell. */
uint64_t rseq_address(pid_t tid);

/* A thread inside a restartable sequence must not find its pc changed. */
bool rseq_is_inside(struct scene *scene, pid_t tid);

#endif
