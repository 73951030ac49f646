/*
 * visit.h - one thread of the target is stopped for a moment, and let go as if nothing
 * had been. Borrowing one (borrow.h) begins so; who only looks (witness.h) does no more.
 *
 * Injector and witness only: whenever that process dies in here, the kernel lets the
 * thread go.
 */
#ifndef HEAPTOP_ATTACH_VISIT_H
#define HEAPTOP_ATTACH_VISIT_H

#include "attach/arch.h"
#include "attach/borrow.h"
#include "attach/scene.h"
#include "attach/stops.h"

/* Stops a thread that was seized. What only waits for a processor will stop; and its call
 * was interrupted already, so that whoever went away now would leave it cut short. */
enum stop visit_interrupt(struct scene *scene, pid_t tid);

/* What the stop has done to the call that the thread was in is undone. */
void visit_mend(struct scene *scene, pid_t tid, struct arch_registers *registers,
                struct borrowed *borrowed);

/*
 * A signal that came meanwhile woke the main thread, as always. A thread that is let go
 * before the main thread had its turn would take the signal away from it, and Python's
 * handler, which runs only in the main thread, would not run until that wakes for some
 * other reason. `mask`: of the thread's blocked signals, 0 where it was not asked for.
 */
void visit_yield_signals(struct scene *scene, pid_t tid, uint64_t mask);

/* Mends, and lets it run. */
void visit_let_go(struct scene *scene, pid_t tid, struct arch_registers *registers,
                  struct borrowed *borrowed);

#endif
