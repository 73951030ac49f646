#include "attach/visit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <time.h>

#include "attach/mend.h"
#include "attach/threads.h"
#include "target/procfs.h"
#include "util/clock.h"

#define STOP_WAIT_NS    (200 * NS_PER_MS)
#define STARVED_WAIT_NS (5 * NS_PER_S)
#define SIGNAL_WAIT_NS  (5 * NS_PER_MS)

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

/* Signals for the whole process that no thread has taken yet. */
static uint64_t shared_pending(const struct target *target)
{
    char text[PROCFS_TEXT_BYTES];
    const char *line;

    if (procfs_read(target->fds.status, text, sizeof(text)) <= 0)
        return 0;
    line = strstr(text, "\nShdPnd:");
    return line ? strtoull(line + strlen("\nShdPnd:"), NULL, 16) : 0;
}

void visit_yield_signals(struct scene *scene, pid_t tid, uint64_t mask)
{
    int64_t deadline = clock_monotonic_ns() + SIGNAL_WAIT_NS;
    const struct timespec nap = {0, 20000};

    if (tid == scene->target->pid)
        return;
    while (shared_pending(scene->target) & ~mask) {
        if (clock_monotonic_ns() > deadline)
            return;
        nanosleep(&nap, NULL);
    }
}
