#include "attach/visit.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <time.h>

#include "attach/mend.h"
#include "attach/threads.h"
#include "util/clock.h"

#define STOP_WAIT_NS    (200 * NS_PER_MS)
#define STARVED_WAIT_NS (5 * NS_PER_S)
#define SIGNAL_WAIT_NS  (5 * NS_PER_MS)
#define SIGNALS_MAX     16

enum stop visit_interrupt(struct scene *scene, pid_t tid)
{
    int64_t deadline = clock_monotonic_ns() + STARVED_WAIT_NS;
    enum stop stop = stops_interrupt(tid, STOP_WAIT_NS);

    while (stop == STOP_NOT_YET && !threads_is_uninterruptible(scene->target, tid) &&
           clock_monotonic_ns() < deadline)
        stop = stops_await(tid, STOP_WAIT_NS);
    return stop;
}

void visit_mend(struct scene *scene, pid_t tid, struct arch_registers *registers,
                struct borrowed *borrowed)
{
    if (mend_call(scene, tid, registers, borrowed))
        arch_set(tid, registers);
}

void visit_let_go(struct scene *scene, pid_t tid, struct arch_registers *registers,
                  struct borrowed *borrowed)
{
    visit_mend(scene, tid, registers, borrowed);
    ptrace(PTRACE_DETACH, tid, NULL, NULL);
}

/* Signals for the whole process that no thread has taken yet. The thread stands still, so
 * that the kernel tells them in one call; /proc would have it write a page of text. */
static uint64_t shared_pending(pid_t tid)
{
    struct __ptrace_peeksiginfo_args from = {
        .off = 0, .flags = PTRACE_PEEKSIGINFO_SHARED, .nr = SIGNALS_MAX};
    siginfo_t signals[SIGNALS_MAX];
    long n = ptrace(PTRACE_PEEKSIGINFO, tid, &from, signals);
    uint64_t pending = 0;

    for (long i = 0; i < n; i++)
        pending |= UINT64_C(1) << ((signals[i].si_signo - 1) & 63);
    return pending;
}

void visit_yield_signals(struct scene *scene, pid_t tid, uint64_t mask)
{
    int64_t deadline = clock_monotonic_ns() + SIGNAL_WAIT_NS;
    const struct timespec nap = {0, 20000};

    if (tid == scene->target->pid)
        return;
    while (shared_pending(tid) & ~mask) {
        if (clock_monotonic_ns() > deadline)
            return;
        nanosleep(&nap, NULL);
    }
}
