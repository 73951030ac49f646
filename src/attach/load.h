/*
 * load.h - the agent's code comes into the target: the new thread makes room, the
 * injector fills it, the thread goes there.
 *
 * Anonymous memory, written from outside, is the rule. Where a policy forbids anonymous
 * code it comes from a memory file of the target; where the kernel forbids writing
 * through /proc/PID/mem, by ptrace. Injector child only.
 */
#ifndef HEAPTOP_ATTACH_LOAD_H
#define HEAPTOP_ATTACH_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "agent/region.h"
#include "attach/agent_image.h"
#include "attach/scene.h"

/* From the new thread's first word until the agent runs; gives the image's address. */
int load_agent(struct scene *scene, struct agent_image *image, uint64_t region,
               uint64_t *address, struct err *err);

/* A word of the region at this address. */
int region_put(struct scene *scene, uint64_t region, uint64_t offset, uint64_t value,
               size_t bytes);
/* Waits until the region's state is at least `wanted`, and copies the region out. */
int region_wait(struct scene *scene, uint64_t region, uint32_t wanted,
                struct agent_region *copy, struct err *err);

/* A descriptor of the target's memory file with this number, proven to be one of the
 * agent's; -1 when it is not. The number is that of the thread `tid`, as the target calls
 * it, which has a table of its own; 0: of all threads. */
int load_open_file(struct scene *scene, int tid, int number);

#endif
