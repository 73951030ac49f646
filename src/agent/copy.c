/*
 * A sleeping copy of the whole process, made in an instant in which no Python code runs:
 * who reads it from outside finds a heap at rest.
 *
 * It is a child that nobody but the agent knows: made by a plain clone, so that no
 * handler of the C library or of the target runs, and without a signal at its end, so
 * that neither SIGCHLD nor waitpid() tells of it. It has the table of descriptors in
 * common with the target until it has one of its own, which is empty: nothing that the
 * target closes is held open. It runs nothing but the loop below, and ends when heaptop,
 * the agent, or its time does; the first to go when memory is short.
 */
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/signal.h>
#include <linux/wait.h>

#include "agent/agent.h"

#ifndef __NR_close_range
#define __NR_close_range 436
#endif

#define COPY_FLAGS          (CLONE_FILES | CLONE_UNTRACED) /* no exit signal */
#define CLOSE_RANGE_UNSHARE (1U << 1) /* linux/close_range.h, Linux 5.9 */
#define LOOK_NS             INT64_C(100000000)
#define NS_PER_MS           INT64_C(1000000)
#define LIFE_MAX_MS         120000
#define OOM_FIRST           "1000" /* proc(5): oom_score_adj */

static long call3(long number, long a, long b, long c)
{
    return agent_system_call(number, a, b, c, 0, 0, 0);
}

/* On a kernel without close_range() the table stays shared, and untouched. */
static void leave_files(void)
{
    long file;

    if (call3(__NR_close_range, 0, -1, CLOSE_RANGE_UNSHARE) != 0)
        return;
    file = call3(__NR_openat, AT_FDCWD, (long)"/proc/self/oom_score_adj",
                 O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return;
    call3(__NR_write, file, (long)OOM_FIRST, sizeof(OOM_FIRST) - 1);
    call3(__NR_close, file, 0, 0);
}

static bool is_wanted(void)
{
    struct agent_page *page = agent.page;

    return __atomic_load_n(&page->copy, __ATOMIC_ACQUIRE) &&
           !(__atomic_load_n(&page->agent_owner, __ATOMIC_RELAXED) & FUTEX_OWNER_DIED) &&
           !agent_client_is_gone();
}

/* All that the copy does. The kernel kills it with the agent's thread, which made it. */
static void __attribute__((noreturn)) sleep_as_copy(int64_t end_ns)
{
    call3(__NR_prctl, PR_SET_PDEATHSIG, SIGKILL, 0);
    call3(__NR_setsid, 0, 0, 0); /* a stop of the target's group would be told to it */
    leave_files();
    while (is_wanted() && agent_now_ns() < end_ns)
        agent_wait(&agent.page->copy, 1, LOOK_NS, true);
    for (;;)
        call3(__NR_exit_group, 0, 0, 0);
}

/* The copy needs this code and the page, which other children do not get. */
static long make_copy(int64_t end_ns)
{
    long pid;

    agent_fork_allow();
    agent_channel_share(true);
    pid = agent_system_call(__NR_clone, COPY_FLAGS, 0, 0, 0, 0, 0);
    if (pid == 0)
        sleep_as_copy(end_ns);
    agent_channel_share(false);
    agent_fork_forbid();
    return pid;
}

void agent_copy(const int64_t *arguments, struct agent_answer *answer)
{
    int64_t began, life_ms = arguments[0];
    long pid;

    agent_copy_look();
    if (agent.copy_pid || agent.is_restricted || !agent.page_is_shared ||
        agent.is_free_threaded || life_ms < 1) {
        answer->status = AGENT_STATUS_UNAVAILABLE;
        return;
    }
    if (!agent_gil_take(&answer->gil_wait_ns)) {
        answer->status = AGENT_STATUS_FINALIZING;
        return;
    }
    if (life_ms > LIFE_MAX_MS)
        life_ms = LIFE_MAX_MS;
    began = agent_now_ns();
    __atomic_store_n(&agent.page->copy, 1, __ATOMIC_RELEASE);
    pid = make_copy(began + life_ms * NS_PER_MS);
    answer->elapsed_ns = agent_now_ns() - began;
    agent_gil_drop();
    answer->gil_held_ns = agent_now_ns() - began;
    answer->value = pid < 0 ? -pid : pid;
    agent.copy_pid = pid < 0 ? 0 : (int)pid;
    if (pid < 0)
        answer->status = AGENT_STATUS_REFUSED;
}

static bool is_over(long how)
{
    return agent_system_call(__NR_wait4, agent.copy_pid, 0, how | __WCLONE, 0, 0, 0) != 0;
}

void agent_copy_look(void)
{
    if (agent.copy_pid && is_over(WNOHANG))
        agent.copy_pid = 0;
}

/* If somebody has stopped it, only this ends it. */
void agent_copy_end(void)
{
    agent_copy_look();
    if (!agent.copy_pid)
        return;
    __atomic_store_n(&agent.page->copy, 0, __ATOMIC_RELEASE);
    call3(__NR_kill, agent.copy_pid, SIGKILL, 0);
    is_over(0);
    agent.copy_pid = 0;
}
