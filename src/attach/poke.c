#include "attach/poke.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

#include "agent/region.h"
#include "attach/threads.h"
#include "util/clock.h"

#define PATIENCE_NS (200 * NS_PER_MS)

int poke_stopped(pid_t tid, uint64_t address, const void *bytes, size_t length)
{
    const char *from = bytes;

    for (size_t i = 0; i < length; i += sizeof(long)) {
        size_t part = length - i < sizeof(long) ? length - i : sizeof(long);
        void *at = (void *)(uintptr_t)(address + i);
        long word = 0;

        errno = 0;
        if (part < sizeof(long))
            word = ptrace(PTRACE_PEEKDATA, tid, at, NULL);
        if (errno)
            return -1;
        memcpy(&word, from + i, part);
        if (ptrace(PTRACE_POKEDATA, tid, at, (void *)word) != 0)
            return -1;
    }
    return 0;
}

/* It blocks all signals, so nothing else than our interrupt stops it. The injector's
 * ticking ends a wait that is too long. */
static int stop(pid_t tid)
{
    int64_t deadline = clock_monotonic_ns() + PATIENCE_NS;
    int status;

    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0 ||
        ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0)
        return -1;
    while (waitpid(tid, &status, __WALL) != tid)
        if (errno != EINTR || clock_monotonic_ns() > deadline)
            return -1;
    return WIFSTOPPED(status) ? 0 : -1;
}

int poke_by_agent(struct scene *scene, uint64_t region, uint64_t address,
                  const void *bytes, size_t length)
{
    int64_t deadline = clock_monotonic_ns() + PATIENCE_NS;
    const struct timespec nap = {0, 100000};
    pid_t tid = scene->agent_tid;
    int status;

    while (tid <= 0 && clock_monotonic_ns() < deadline) {
        tid = threads_find_waiting(scene->target, region, region + REGION_BYTES);
        nanosleep(&nap, NULL);
    }
    scene->agent_tid = tid;
    if (tid <= 0 || stop(tid) != 0)
        return -1;
    status = poke_stopped(tid, address, bytes, length);
    ptrace(PTRACE_DETACH, tid, NULL, NULL);
    return status;
}
