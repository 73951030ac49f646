#include "attach/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/region.h"
#include "attach/faultpoint.h"
#include "attach/holder.h"
#include "attach/launch.h"
#include "attach/session_private.h"
#include "layout/threads_layout.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/xalloc.h"

#define ATTACH_LIMIT_NS (12 * NS_PER_S)
#define STOP_LIMIT_NS   (3 * NS_PER_S)
#define CLOSE_LIMIT_NS  (2 * NS_PER_S)
#define REAP_NS         NS_PER_S
#define OWNER_DIED      UINT32_C(0x40000000) /* FUTEX_OWNER_DIED, linux/futex.h */

/* The lock dies with the descriptor of the directory, so with heaptop. */
static int lock_target(struct session *session, struct err *err)
{
    const struct target *target = session->target;

    if (flock(target->fds.dir, LOCK_EX | LOCK_NB) == 0) {
        session->is_locked = true;
        return 0;
    }
    return holder_name(target->fds.dir, target->pid, err);
}

static void session_free(struct session *session)
{
    if (session->is_connected)
        channel_close(&session->channel);
    injector_end(&session->injector);
    if (session->is_locked)
        flock(session->target->fds.dir, LOCK_UN);
    free(session);
}

/*
 * The first thread of a free-threaded 3.13 makes functions, classes and modules immortal
 * (gc_free_threading.c, _PyGC_ImmortalizeDeferredObjects()), and stops the world for it
 * outside of any lock that a fork takes: a child that is forked then can hang.
 */
static int check_threads(struct target *target, struct err *err)
{
    if (!target->is_free_threaded || target->version.minor != 13 ||
        layout_threads_made(target) != 1)
        return 0;
    err_set(
        err, ERR_UNSUPPORTED,
        "process %d is a free-threaded CPython 3.13 that has not started a thread: the "
        "agent's would be the first, which changes the process for good",
        (int)target->pid);
    return err_remedy(err, "attach (key a) when it has started a thread of its own");
}

static int check_target(struct target *target, struct err *err)
{
    int pid = (int)target->pid;

    if (!target->reader) {
        *err = target->access_why;
        return -1;
    }
    switch (target_state(target)) {
    case TARGET_ENDED:
        return err_set(err, ERR_GONE, "process %d has ended", pid);
    case TARGET_STOPPED:
        err_set(err, ERR_FAILED, "process %d is stopped (job control or a debugger)",
                pid);
        return err_remedy(err, "continue it (kill -CONT %d), or end the debugger", pid);
    default:
        return check_threads(target, err);
    }
}

int session_open(struct target *target, struct session **result, struct err *err)
{
    struct session *session;

    *result = NULL;
    if (check_target(target, err) != 0)
        return -1;
    session = xcalloc(1, sizeof(*session));
    session->target = target;
    session->injector = (struct injector)INJECTOR_NONE;
    session->began_ns = clock_monotonic_ns();
    if (lock_target(session, err) != 0) {
        session_free(session);
        return -1;
    }
    faultpoint_reach(FAULTPOINT_locked);
    if (injector_start(target, &session->injector, err) != 0) {
        session_free(session);
        return -1;
    }
    faultpoint_reach(FAULTPOINT_injector_started);
    *result = session;
    return 0;
}

int session_open_launched(struct target *target, struct launch *launch,
                          struct session **result, struct err *err)
{
    int page_fd = launch_take_page(launch, target->pid);
    struct session *session;
    int status;

    *result = NULL;
    if (page_fd < 0)
        return -1;
    session = xcalloc(1, sizeof(*session));
    session->target = target;
    session->injector = (struct injector)INJECTOR_NONE;
    session->is_launched = true;
    status = lock_target(session, err);
    if (status == 0)
        status = channel_open_shared(&session->channel, page_fd, err);
    close(page_fd);
    if (status != 0) {
        session_free(session);
        return -1;
    }
    session->is_connected = true;
    session->state = SESSION_WAITING_FOR_GIL;
    log_line("agent came with process %d", (int)target->pid);
    *result = session;
    return 0;
}

static void fail(struct session *session)
{
    injector_end(&session->injector);
    session->state = SESSION_FAILED;
    log_line("attach failed: %s", session->err.text);
}

static void connect_channel(struct session *session, int page_fd)
{
    const struct injector_report *report = &session->report;

    if (report->page_is_private) {
        channel_open_private(&session->channel, session->target, &session->injector,
                             report->region + REGION_PAGE);
    } else if (page_fd < 0 ||
               channel_open_shared(&session->channel, page_fd, &session->err) != 0) {
        if (page_fd < 0)
            err_set(&session->err, ERR_FAILED, "the agent's memory did not arrive");
        fail(session);
        return;
    }
    session->is_connected = true;
    faultpoint_reach(FAULTPOINT_channel_open);
    session->state = SESSION_WAITING_FOR_GIL;
    if (report->found_leftover)
        log_line("what an interrupted attach left was found and taken over");
    if (report->page_is_private)
        log_line(
            "no shared memory: the target has a seccomp filter or no descriptor free");
    log_line("agent is in process %d at 0x%llx; one thread diverted for %lld us",
             (int)session->target->pid, (unsigned long long)report->image,
             (long long)(report->diverted_ns / NS_PER_US));
}

/* A thread that did not stop in time keeps its injector from trying others: another one
 * does so, within the bound. */
static bool begin_again(struct session *session)
{
    if (!session->report.did_not_stop ||
        clock_monotonic_ns() - session->began_ns > STOP_LIMIT_NS)
        return false;
    injector_end(&session->injector);
    log_line("attaching again: %s", session->err.text);
    if (injector_start(session->target, &session->injector, &session->err) != 0)
        return false;
    session->err = (struct err)ERR_INIT;
    return true;
}

static void step_attaching(struct session *session)
{
    struct injector_report *report = &session->report;
    int page_fd, got = injector_receive(session->injector.socket, report, &page_fd);

    if (got == 0) {
        if (clock_monotonic_ns() - session->began_ns < ATTACH_LIMIT_NS)
            return;
        err_set(&session->err, ERR_FAILED, "attach to process %d took too long",
                (int)session->target->pid);
        err_remedy(&session->err, "try again");
        fail(session);
        return;
    }
    if (got < 0) {
        err_set(&session->err, ERR_FAILED, "the injector of process %d died",
                (int)session->target->pid);
        fail(session);
    } else if (session->report.err.code != ERR_NONE) {
        session->err = session->report.err;
        session->err.text[sizeof(session->err.text) - 1] = '\0';
        session->err.remedy[sizeof(session->err.remedy) - 1] = '\0';
        if (!begin_again(session))
            fail(session);
    } else {
        session_clean(report->other_malloc, sizeof(report->other_malloc));
        report->why_remote[sizeof(report->why_remote) - 1] = '\0';
        connect_channel(session, page_fd);
    }
    if (page_fd >= 0)
        close(page_fd);
}

/* It ends by itself when the page is shared, else it beats on (heart.h). Its end is not
 * waited for until the agent is ready and that was told, for a process takes its time to
 * end. */
static void reap_injector(struct session *session)
{
    if (session->injector.socket < 0 || session->report.page_is_private)
        return;
    if (session->state == SESSION_READY ||
        clock_monotonic_ns() - session->began_ns > REAP_NS)
        injector_end(&session->injector);
}

static void lose(struct session *session)
{
    int pid = (int)session->target->pid;
    uint32_t reason = 0;

    channel_get(&session->channel, MEMBER(reason), &reason);
    session->state = SESSION_LOST;
    if (target_state(session->target) == TARGET_ENDED) {
        target_gone(session->target, &session->err);
        return;
    }
    switch (reason) {
    case AGENT_REASON_CLIENT_GONE:
        session->was_late = true;
        err_set(&session->err, ERR_FAILED,
                "the agent left process %d: heaptop gave no sign of life", pid);
        break;
    case AGENT_REASON_FINALIZING:
        err_set(&session->err, ERR_GONE, "Python is shutting down in process %d", pid);
        break;
    case AGENT_REASON_NOT_INITIALIZED:
        err_set(&session->err, ERR_FAILED, "Python is still starting in process %d", pid);
        break;
    case AGENT_REASON_PYTHON_ERROR:
        err_set(&session->err, ERR_UNSUPPORTED,
                "Python in process %d refused the agent a thread or its gc module", pid);
        break;
    default:
        err_set(&session->err, ERR_FAILED, "the agent left process %d", pid);
        break;
    }
    err_remedy(&session->err, "attach again");
}

static void step_connected(struct session *session)
{
    uint32_t life = AGENT_LIFE_GONE, owner = OWNER_DIED;

    reap_injector(session);
    if (session->channel.shared) { /* else the injector does it: heart.h */
        session->beat++;
        channel_put(&session->channel, MEMBER(client_beat), &session->beat,
                    sizeof(session->beat));
    }
    channel_get(&session->channel, MEMBER(life), &life);
    channel_get(&session->channel, MEMBER(agent_owner), &owner);
    if (life >= AGENT_LIFE_GONE || (owner & OWNER_DIED))
        lose(session);
    else if (life == AGENT_LIFE_READY && session->state != SESSION_READY) {
        session->state = SESSION_READY;
        faultpoint_reach(FAULTPOINT_agent_ready);
    }
}

enum session_state session_step(struct session *session)
{
    if (session->state == SESSION_ATTACHING)
        step_attaching(session);
    if (session->state == SESSION_WAITING_FOR_GIL || session->state == SESSION_READY)
        step_connected(session);
    return session->state;
}

int session_fd(const struct session *session)
{
    return session->state == SESSION_ATTACHING ? session->injector.socket : -1;
}

const struct err *session_err(const struct session *session)
{
    return &session->err;
}

bool session_was_late(const struct session *session)
{
    return session->was_late;
}

const char *session_other_malloc(const struct session *session)
{
    return session->report.other_malloc;
}

const char *session_way(const struct session *session)
{
    return session->is_launched        ? "launch"
           : session->report.is_remote ? "remote"
                                       : "ptrace";
}

const char *session_why_remote(const struct session *session)
{
    return session->report.why_remote;
}

int64_t session_diverted_ns(const struct session *session)
{
    return session->report.diverted_ns;
}

/* The image's end is the last thing that the agent does. */
static bool is_unmapped(struct session *session)
{
    uint32_t stays = 0;
    uint8_t byte;

    if (session->is_launched)
        return true;
    channel_get(&session->channel, MEMBER(image_stays), &stays);
    return stays || reader_read(session->target->reader, raddr_of(session->report.image),
                                &byte, sizeof(byte)) != 0;
}

static bool wait_gone(struct session *session)
{
    int64_t deadline = clock_monotonic_ns() + CLOSE_LIMIT_NS;
    const struct timespec nap = {0, 200000};
    uint32_t life;

    while (clock_monotonic_ns() < deadline) {
        life = AGENT_LIFE_GONE;
        if (session->state == SESSION_LOST ||
            !channel_get(&session->channel, MEMBER(life), &life) ||
            life >= AGENT_LIFE_GONE) {
            if (is_unmapped(session))
                return true;
        } else if (session_step(session) == SESSION_LOST) {
            continue;
        }
        nanosleep(&nap, NULL);
    }
    return false;
}

int session_close(struct session *session, struct err *err)
{
    int64_t deadline = clock_monotonic_ns() + CLOSE_LIMIT_NS;
    const struct timespec nap = {0, 500000};
    int status = 0;

    while (session_step(session) == SESSION_ATTACHING && clock_monotonic_ns() < deadline)
        nanosleep(&nap, NULL);
    if (session->is_connected) {
        session_send(session, AGENT_LEAVE, NULL);
        faultpoint_reach(FAULTPOINT_leave_asked);
        if (!wait_gone(session))
            status = err_set(err, ERR_FAILED,
                             "the agent leaves process %d as soon as it gets the GIL; "
                             "the process is not blocked",
                             (int)session->target->pid);
    }
    faultpoint_reach(FAULTPOINT_agent_gone);
    session_free(session);
    return status;
}
