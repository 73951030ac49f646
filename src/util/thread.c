#include "util/thread.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"

/*
 * Faults are not sent but happen in the thread, and a blocked one would end heaptop
 * before the screen's handler could put the terminal back.
 */
int thread_begin(pthread_t *thread, void *(*main)(void *given), void *given)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS};
    sigset_t all, old;
    int error_number;

    sigfillset(&all);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&all, faults[i]);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error_number = pthread_create(thread, NULL, main, given);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error_number;
}

bool thread_join_within(pthread_t thread, int seconds)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += seconds;
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

int thread_state_open(void)
{
    return open("/proc/thread-self/stat", O_RDONLY | O_CLOEXEC);
}

/* The state follows the name, which is in parentheses and may have some of its own. */
bool thread_is_blocked(int state_fd)
{
    char text[256];
    ssize_t got = state_fd < 0 ? -1 : pread(state_fd, text, sizeof(text) - 1, 0);
    const char *name_end;

    if (got <= 0)
        return true;
    text[got] = '\0';
    name_end = strrchr(text, ')');
    return !name_end || strncmp(name_end, ") R", 3) != 0;
}

int64_t thread_cpu_ns(pthread_t thread)
{
    struct timespec used;
    clockid_t clock;

    if (pthread_getcpuclockid(thread, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec;
}
