/*
 * mend.h - the system call that a stop has met goes on as if nothing had happened.
 *
 * The kernel restarts most calls by itself; those that it would end with EINTR or with
 * a part of their work are mended here, in the registers that the thread goes on with.
 * Injector child only; the thread stands still.
 */
#ifndef HEAPTOP_ATTACH_MEND_H
#define HEAPTOP_ATTACH_MEND_H

#include "attach/arch.h"
#include "attach/borrow.h"

/* True when the registers were changed. The thread may then be in the stub for as long
 * as its write waits: borrowed->left_alone. */
bool mend_call(struct scene *scene, pid_t tid, struct arch_registers *registers,
               struct borrowed *borrowed);

#endif
