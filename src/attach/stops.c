#include "attach/stops.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "util/clock.h"

#define TICK_US 20000

static void on_tick(int number)
{
    (void)number;
}

void stops_start_ticking(void)
{
    struct sigaction action = {.sa_handler = on_tick};
    struct itimerval tick = {{0, TICK_US}, {0, TICK_US}};
    sigset_t alarm_only;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &tick, NULL);
    sigemptyset(&alarm_only);
    sigaddset(&alarm_only, SIGALRM);
    sigprocmask(SIG_UNBLOCK, &alarm_only, NULL);
}

void stops_stop_ticking(void)
{
    const struct itimerval never = {{0, 0}, {0, 0}};

    setitimer(ITIMER_REAL, &never, NULL);
}

void stops_hurry(bool on)
{
    struct sched_param first = {.sched_priority = 1}, none = {.sched_priority = 0};

    if (on && sched_setscheduler(0, SCHED_FIFO, &first) != 0)
        setpriority(PRIO_PROCESS, 0, -20);
    if (!on && sched_setscheduler(0, SCHED_OTHER, &none) == 0)
        setpriority(PRIO_PROCESS, 0, 0);
}

enum stop stops_wait(pid_t tid, int64_t deadline, int *number)
{
    int status;

    for (;;) {
        pid_t got = waitpid(tid, &status, __WALL);

        if (got < 0 && errno == EINTR) {
            if (clock_monotonic_ns() > deadline)
                return STOP_NOT_YET;
            continue;
        }
        if (got < 0 || !WIFSTOPPED(status))
            return STOP_GONE;
        *number = WSTOPSIG(status);
        if (status >> 16 == PTRACE_EVENT_STOP)
            return *number == SIGTRAP ? STOP_TRAP : STOP_GROUP;
        return STOP_SIGNAL;
    }
}

enum stop stops_await(pid_t tid, int64_t limit_ns)
{
    int64_t deadline = clock_monotonic_ns() + limit_ns;
    enum stop stop;
    int number = 0;

    while ((stop = stops_wait(tid, deadline, &number)) == STOP_SIGNAL)
        ptrace(PTRACE_CONT, tid, NULL, (void *)(uintptr_t)number);
    return stop;
}

enum stop stops_interrupt(pid_t tid, int64_t limit_ns)
{
    if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) != 0)
        return STOP_GONE;
    return stops_await(tid, limit_ns);
}
