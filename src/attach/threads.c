#include "attach/threads.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/region.h"
#include "attach/arch.h"
#include "target/procfs.h"
#include "util/clock.h"

void threads_wait_channel(struct target *target, pid_t tid, char *text, size_t size)
{
    char path[64];
    ssize_t got = -1;
    int fd;

    snprintf(path, sizeof(path), "task/%d/wchan", (int)tid);
    fd = openat(target->fds.dir, path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = read(fd, text, size - 1);
        close(fd);
    }
    text[got > 0 ? got : 0] = '\0';
    if (!text[strspn(text, "0")])
        text[0] = '\0';
}

bool threads_is_uninterruptible(struct target *target, pid_t tid)
{
    char path[64], text[PROCFS_TEXT_BYTES];
    struct procfs_stat stat;

    snprintf(path, sizeof(path), "task/%d/stat", (int)tid);
    return procfs_read_at(target->fds.dir, path, text, sizeof(text)) > 0 &&
           procfs_parse_stat(text, &stat) && stat.state == 'D';
}

/* "running", or number, six arguments, sp and pc; "-1", sp and pc outside of a call. */
static bool read_call_text(struct target *target, pid_t tid, char *text, size_t size)
{
    char path[64];
    ssize_t got;
    int fd;

    snprintf(path, sizeof(path), "task/%d/syscall", (int)tid);
    fd = openat(target->fds.dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = read(fd, text, size - 1);
    close(fd);
    text[got > 0 ? got : 0] = '\0';
    return got > 0;
}

bool threads_where(struct target *target, pid_t tid, uint64_t *pc, uint64_t *sp)
{
    char text[256], *last;

    if (!read_call_text(target, tid, text, sizeof(text)) || !(last = strrchr(text, ' ')))
        return false;
    *pc = strtoull(last, NULL, 16);
    *last = '\0';
    last = strrchr(text, ' ');
    *sp = last ? strtoull(last, NULL, 16) : 0;
    return last != NULL;
}

/* The thread's system call, seen without stopping it; -1 = it is in none. */
static long read_call(struct target *target, pid_t tid, uint64_t arguments[6])
{
    char text[256], *p;
    long number;

    if (!read_call_text(target, tid, text, sizeof(text)))
        return -1;
    number = strtol(text, &p, 10);
    if (p == text) /* "running" */
        return -1;
    for (int i = 0; i < 6; i++)
        arguments[i] = strtoull(p, &p, 16);
    return number;
}

/* A FUSE file system is told of the interrupt, and may make the call fail. */
static bool waits_for_fuse(struct target *target, pid_t tid)
{
    char text[64];

    threads_wait_channel(target, tid, text, sizeof(text));
    return !strcmp(text, "request_wait_answer");
}

bool threads_is_awkward(struct target *target, pid_t tid)
{
    uint64_t arguments[6];
    long number = read_call(target, tid, arguments);

    return number >= 0 &&
           (arch_call_is_awkward(number, arguments) || waits_for_fuse(target, tid) ||
            threads_is_uninterruptible(target, tid));
}

/* The C library does not know all threads of an agent's, and their stacks are small. */
static bool is_agents(struct target *target, pid_t tid)
{
    char path[64], name[PROCFS_TEXT_BYTES];

    snprintf(path, sizeof(path), "task/%d/comm", (int)tid);
    return procfs_read_at(target->fds.dir, path, name, sizeof(name)) > 0 &&
           !strcmp(name, AGENT_THREAD_NAME "\n");
}

static bool is_fragile(struct target *target, pid_t tid)
{
    uint64_t arguments[6];
    long number = read_call(target, tid, arguments);

    return number >= 0 && arch_call_is_fragile(number);
}

size_t threads_list(struct target *target, pid_t tids[THREADS_MAX])
{
    int fd = openat(target->fds.dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    size_t n = 0;

    if (!directory) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    while (n < THREADS_MAX && (entry = readdir(directory))) {
        long tid = strtol(entry->d_name, NULL, 10);

        if (tid > 0)
            tids[n++] = (pid_t)tid;
    }
    closedir(directory);
    return n;
}

size_t threads_any(size_t n)
{
    uint64_t mixed = (uint64_t)clock_monotonic_ns() * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(mixed >> 32) % n;
}

/* A thread other than the main one that is not in an awkward call; -1 = none. */
static pid_t choose_helper(struct target *target, const pid_t *tids, size_t n)
{
    size_t at = threads_any(n);

    for (size_t i = 0; i < n; i++) {
        pid_t tid = tids[(at + i) % n];

        if (tid != target->pid && !threads_is_awkward(target, tid) &&
            !is_agents(target, tid))
            return tid;
    }
    return -1;
}

/* All are in awkward calls: the main one at every second turn, for Python's own
 * wrappers, which it is nearly always in, call again. 0 = none may be stopped. */
static pid_t choose_least_evil(struct target *target, const pid_t *tids, size_t n,
                               uint32_t turn)
{
    size_t at = threads_any(n);

    if (turn % 2 == 0 && !is_fragile(target, target->pid))
        return target->pid;
    for (size_t i = 0; i < n; i++) {
        pid_t tid = tids[(at + i) % n];

        if (!is_fragile(target, tid) && (tid == target->pid || !is_agents(target, tid)))
            return tid;
    }
    return 0;
}

/*
 * The main thread last: a signal for the process that comes while the main thread
 * is away would be given to another thread, and Python's handler, which runs only
 * in the main thread, would wait until that wakes for some other reason. A target
 * without other threads keeps the signal pending.
 */
pid_t threads_choose(struct target *target, uint32_t turn)
{
    pid_t tids[THREADS_MAX];
    size_t n = threads_list(target, tids);
    pid_t helper;

    if (!n)
        return -1;
    helper = n > 1 && turn % 4 != 3 ? choose_helper(target, tids, n) : -1;
    if (helper >= 0)
        return helper;
    if (!threads_is_awkward(target, target->pid))
        return target->pid;
    return choose_least_evil(target, tids, n, turn);
}

pid_t threads_find_waiting(struct target *target, uint64_t from, uint64_t to)
{
    pid_t tids[THREADS_MAX];
    size_t n = threads_list(target, tids);
    uint64_t arguments[6];

    while (n--) /* new threads come last */
        if (read_call(target, tids[n], arguments) >= 0 && arguments[0] >= from &&
            arguments[0] < to)
            return tids[n];
    return -1;
}
