/*
 * safepoint.h - may this stopped thread be borrowed?
 *
 * The stack is copied once and unwound (unwinder.h). Where unwind tables end before the
 * outermost frame, a scan of the copied stack decides. Injector child only.
 */
#ifndef HEAPTOP_ATTACH_SAFEPOINT_H
#define HEAPTOP_ATTACH_SAFEPOINT_H

#include "attach/arch.h"
#include "attach/scene.h"

struct safepoint;

struct safepoint *safepoint_new(struct scene *scene);
void safepoint_free(struct safepoint *safepoint);

/* NULL when it may, else static words about where the thread is: "malloc". The
 * main thread needs no frame of Python's when its stack was unwound to the end:
 * that of a program that embeds Python may never have one while it waits. */
extern const char safepoint_no_python[]; /* nothing of Python's was met on the way */
const char *safepoint_objection(struct safepoint *safepoint,
                                const struct arch_registers *registers, bool is_main);

/* Judges a thread that waits, and forgets the verdict: what is read of code, tables and
 * libunwind for the first time is not read while a thread stands still. In place of one
 * that computes, another one that waits, and steps out of functions that are on nearly
 * all stacks. `tid` may be one that there is not. */
void safepoint_rehearse(struct safepoint *safepoint, pid_t tid);

/* Start and size of the function around the address, from the unwind table. */
bool safepoint_function(struct safepoint *safepoint, uint64_t address, uint64_t *start,
                        uint64_t *end);

#endif
