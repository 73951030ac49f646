/*
 * poke.h - writing code into the target by ptrace, where the kernel forbids it through
 * /proc/PID/mem (proc_mem.force_override). Injector child only.
 */
#ifndef HEAPTOP_ATTACH_POKE_H
#define HEAPTOP_ATTACH_POKE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach/scene.h"

/* The thread is traced and stands still. 0 or -1. */
int poke_stopped(pid_t tid, uint64_t address, const void *bytes, size_t length);

/* Stops the thread that waits in the region, the agent's own, for the time of writing:
 * nobody misses it. */
int poke_by_agent(struct scene *scene, uint64_t region, uint64_t address,
                  const void *bytes, size_t length);

#endif
