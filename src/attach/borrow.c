#include "attach/borrow.h"

#include <errno.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/region.h"
#include "attach/arch.h"
#include "attach/faultpoint.h"
#include "attach/mend.h"
#include "attach/rseq.h"
#include "attach/safepoint.h"
#include "attach/seccomp.h"
#include "attach/stops.h"
#include "attach/threads.h"
#include "attach/visit.h"
#include "target/procfs.h"
#include "target/access.h"
#include "util/clock.h"

#define PATIENCE_NS       (3 * NS_PER_S)
#define STUB_WAIT_NS      (5 * NS_PER_S / 2)
#define SPIN_NS           (300 * NS_PER_US) /* the stub takes a third of it */
#define LOOK_NS           (2 * NS_PER_US)   /* between two looks at the frame */
#define REFUSALS_MAX      10
#define LOOKS_MAX         30 /* at a thread that goes back by itself */
#define STUB_ENTRY        ((uint64_t)(stub_borrowed - stub_begin))
#define KERNEL_MASK_BYTES 8

#define SIGNAL_BIT(number) (UINT64_C(1) << ((number)-1))

/* Those that the processor itself raises. */
#define FAULTS                                                       \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGTRAP))

/* What glibc ends the process for is as deadly as a filter that kills: when futex is
 * refused (futex-internal.h, futex_fatal_error()), and when a new thread may not register
 * its struct rseq although the thread that starts it has one (rseq-internal.h, 2.35).
 * Where munmap is refused the agent could not leave. */
static bool filter_forbids(const struct scene *scene, pid_t tid)
{
    const uint64_t any[6] = {0}, wait[6] = {0, FUTEX_WAIT_PRIVATE};

    if (!scene->is_restricted)
        return false;
    switch (seccomp_judge(tid)) {
    case SECCOMP_DEADLY:
        return true;
    case SECCOMP_HARMLESS:
        return !seccomp_permits(tid, SYS_futex, wait) ||
               !seccomp_permits(tid, SYS_munmap, any) ||
               (rseq_address(tid) && !seccomp_permits(tid, SYS_rseq, any));
    default:
        return false;
    }
}

struct detour {
    struct scene *scene;
    pid_t tid;
    struct arch_registers original;
    uint64_t mask, frame_address, nonce;
    bool saw_stop_signal, hurried, may_spin;
    bool is_asked; /* to stop, and has not yet stopped for that */
    int owed;      /* a signal that it was to get when it stopped, 0 = none */
    int64_t began_ns;
};

/* On a busy machine an ordinary thread may wait long for its turn to run the
 * stub, and one at nice 5 for more than a second. The stub takes the priority back
 * by itself when nobody else does, and the new thread drops what it inherits; the
 * kernel keeps the nice value meanwhile. A seccomp filter must let it do so. */
static bool may_hurry(const struct detour *detour)
{
    const uint64_t calm_down[6] = {0, SCHED_OTHER, detour->frame_address};

    return sched_getscheduler(detour->tid) == SCHED_OTHER &&
           (!detour->scene->is_restricted ||
            seccomp_permits(detour->tid, SYS_sched_setscheduler, calm_down));
}

/* What is blocked in the stub, and in the thread that it starts. Who changes the groups
 * has the lock that pthread_create wants, until every thread has answered. */
static uint64_t detour_mask(const struct scene *scene)
{
    bool is_musl = scene->libc == scene->loader;

    return ~(FAULTS | SIGNAL_BIT(is_musl ? MUSL_SIGSYNCCALL : GLIBC_SIGSETXID));
}

static bool set_policy(struct detour *detour, int policy)
{
    const struct sched_param parameter = {.sched_priority = policy == SCHED_FIFO};

    return detour->hurried && sched_setscheduler(detour->tid, policy, &parameter) == 0;
}

/* A thread of the same real-time priority is woken on another processor than the one that
 * is kept busy here; an ordinary one would perhaps wait for this one. */
static bool has_other_processor(pid_t tid)
{
    cpu_set_t allowed;

    CPU_ZERO(&allowed);
    return sched_getaffinity(tid, sizeof(allowed), &allowed) == 0 &&
           CPU_COUNT(&allowed) > 1;
}

static int write_frame(struct detour *detour)
{
    struct stub_frame frame;
    uint64_t slot = arch_sp(&detour->original) - FRAME_RED_ZONE;

    detour->frame_address = arch_build_frame(&frame, &detour->original, detour->mask);
    detour->hurried = may_hurry(detour);
    frame.hurried = detour->hurried;
    frame.nonce = detour->nonce;
    if (scene_write(detour->scene, slot, &frame.pc, sizeof(frame.pc)) != 0)
        return -1;
    return scene_write(detour->scene, detour->frame_address, &frame, sizeof(frame));
}

/* The order matters: killed between the two, the thread is in the stub, whose
 * dead man's path restores the mask. */
static int divert(struct detour *detour)
{
    struct arch_registers diverted;
    uint64_t mask = detour_mask(detour->scene);

    if (ptrace(PTRACE_GETSIGMASK, detour->tid, KERNEL_MASK_BYTES, &detour->mask) != 0 ||
        write_frame(detour) != 0)
        return -1;
    faultpoint_reach(FAULTPOINT_frame_written);
    diverted = arch_diverted(&detour->original, detour->scene->cave + STUB_ENTRY,
                             detour->frame_address);
    if (arch_set(detour->tid, &diverted) != 0)
        return -1;
    faultpoint_reach(FAULTPOINT_registers_set);
    ptrace(PTRACE_SETSIGMASK, detour->tid, KERNEL_MASK_BYTES, &mask);
    faultpoint_reach(FAULTPOINT_mask_set);
    detour->may_spin = set_policy(detour, SCHED_FIFO) && has_other_processor(detour->tid);
    faultpoint_reach(FAULTPOINT_priority_set);
    if (ptrace(PTRACE_CONT, detour->tid, NULL, NULL) != 0)
        return -1;
    faultpoint_reach(FAULTPOINT_diverted);
    return 0;
}

/* A thread that went back by itself writes over its frame: what stands there is believed
 * only when it is what the stub has left. */
static uint32_t frame_done(struct detour *detour, struct stub_frame *head)
{
    if (scene_read(detour->scene, detour->frame_address, head, FRAME_ATTR) != 0 ||
        head->check != (detour->nonce ^ head->region ^ (uint32_t)head->result))
        return FRAME_AT_WORK;
    return head->done;
}

static bool is_fault(int number)
{
    return (FAULTS & SIGNAL_BIT(number)) != 0;
}

static bool stands_in_stub(const struct detour *detour,
                           const struct arch_registers *registers)
{
    return arch_pc(registers) - detour->scene->cave < (uint64_t)(stub_end - stub_begin);
}

/* From the moment on in which the stub gives the mask back, signals are the thread's own
 * again and are passed on. A stop signal is remembered and given again later. */
static void pass_on(struct detour *detour, int number)
{
    detour->saw_stop_signal |= number == SIGSTOP;
    ptrace(PTRACE_CONT, detour->tid, NULL,
           (void *)(uintptr_t)(number == SIGSTOP ? 0 : number));
}

/* A stop while the thread is in the stub, or on its way back. A fault ends the detour at
 * once. False: the thread is gone. */
static bool swallow_stop(struct detour *detour, bool *faulted)
{
    struct arch_registers now;
    int status;

    if (waitpid(detour->tid, &status, __WALL | WNOHANG) <= 0)
        return true;
    if (!WIFSTOPPED(status))
        return false;
    if (status >> 16 == PTRACE_EVENT_STOP && WSTOPSIG(status) != SIGTRAP)
        return true; /* the whole process was stopped, and the thread is outside */
    if (status >> 16)
        return ptrace(PTRACE_CONT, detour->tid, NULL, NULL) == 0;
    *faulted = is_fault(WSTOPSIG(status)) && arch_get(detour->tid, &now) == 0 &&
               stands_in_stub(detour, &now);
    if (!*faulted)
        pass_on(detour, WSTOPSIG(status));
    return true;
}

enum outcome {
    OUTCOME_WAITING,  /* the thread waits to be taken back */
    OUTCOME_RESTORED, /* it has gone back by itself */
    OUTCOME_FAULTED,  /* it stands at a fault inside the stub */
    OUTCOME_GONE,
    OUTCOME_LATE,
};

/* To sleep and to be woken takes as long as the whole stub: at first no sleep. */
static void pause_watching(const struct detour *detour, int64_t began_ns)
{
    const struct timespec nap = {0, 10000};
    int64_t now = clock_monotonic_ns(), until = now + LOOK_NS;

    if (!detour->may_spin || now - began_ns > SPIN_NS) {
        nanosleep(&nap, NULL);
        return;
    }
    while (clock_monotonic_ns() < until)
        ;
}

static enum outcome watch(struct detour *detour, struct stub_frame *head)
{
    int64_t began = clock_monotonic_ns(), deadline = began + STUB_WAIT_NS;
    bool faulted = false;

    for (uint32_t turn = 1; clock_monotonic_ns() < deadline; turn++) {
        switch (frame_done(detour, head)) {
        case FRAME_WAITING:
            return OUTCOME_WAITING;
        case FRAME_RESTORED:
            return OUTCOME_RESTORED;
        default:
            break;
        }
        if (turn % 16 == 0 && !swallow_stop(detour, &faulted))
            return OUTCOME_GONE;
        if (faulted)
            return OUTCOME_FAULTED;
        pause_watching(detour, began);
    }
    return OUTCOME_LATE;
}

/* Mask first, registers second: see divert(). */
static void restore(struct detour *detour)
{
    visit_yield_signals(detour->scene, detour->tid, detour->mask);
    set_policy(detour, SCHED_OTHER);
    ptrace(PTRACE_SETSIGMASK, detour->tid, KERNEL_MASK_BYTES, &detour->mask);
    faultpoint_reach(FAULTPOINT_mask_restored);
    arch_set(detour->tid, &detour->original);
    faultpoint_reach(FAULTPOINT_registers_restored);
}

/* The frame alone does not tell: the thread's own calls write over it later. */
static bool waits_in_stub(struct detour *detour, const struct arch_registers *now)
{
    struct stub_frame head;

    return stands_in_stub(detour, now) && frame_done(detour, &head) == FRAME_WAITING;
}

/* Is it still in the stub, or in a signal handler that returns there? The stub lies in
 * the dynamic loader, which is not safe. */
static bool is_on_the_way_back(const struct detour *detour)
{
    bool is_main = detour->tid == detour->scene->target->pid;

    return safepoint_objection(detour->scene->safepoint, &detour->original, is_main) !=
           NULL;
}

/* Stops it. Where a signal stops it first, that stop is as good: the signal is delivered
 * when the thread goes on, and does not find it in the stub. */
static enum stop stop_again(struct detour *detour)
{
    int number = 0;
    enum stop stop;

    if (!detour->is_asked && ptrace(PTRACE_INTERRUPT, detour->tid, NULL, NULL) != 0)
        return STOP_NOT_YET;
    stop = stops_wait(detour->tid, clock_monotonic_ns() + STUB_WAIT_NS, &number);
    detour->is_asked = stop == STOP_SIGNAL;
    if (stop != STOP_SIGNAL)
        return stop;
    detour->saw_stop_signal |= number == SIGSTOP;
    detour->owed = number == SIGSTOP ? 0 : number;
    return STOP_TRAP;
}

static void go_on(struct detour *detour, enum __ptrace_request request)
{
    ptrace(request, detour->tid, NULL, (void *)(uintptr_t)detour->owed);
    detour->owed = 0;
}

/* It has restored itself: the stub may be taken away once it has been seen outside, with
 * no signal handler that returns to the stub. Ends with the thread stopped, or gone. */
static enum stop see_outside(struct detour *detour, struct borrowed *borrowed)
{
    const struct timespec nap = {0, 2000000};
    enum stop stop = STOP_TRAP;

    for (int looks = 0; looks < LOOKS_MAX && stop == STOP_TRAP; looks++) {
        bool is_outside;

        if (arch_get(detour->tid, &detour->original) != 0)
            break;
        is_outside = !is_on_the_way_back(detour);
        if (!detour->owed)
            visit_mend(detour->scene, detour->tid, &detour->original, borrowed);
        if (is_outside || borrowed->left_alone)
            return STOP_TRAP;
        go_on(detour, PTRACE_CONT);
        nanosleep(&nap, NULL);
        stop = stop_again(detour);
    }
    borrowed->left_alone = true;
    return stop;
}

/* Stops the thread in the stub and puts it back, or lets it go where it is when it has
 * restored itself. False: it does not stop, and only the end of this process lets go. */
static bool take_back(struct detour *detour, struct borrowed *borrowed)
{
    struct arch_registers now;
    enum stop stop = stop_again(detour);

    if (stop == STOP_NOT_YET)
        return false;
    faultpoint_reach(FAULTPOINT_stopped_again);
    if (stop == STOP_GONE || arch_get(detour->tid, &now) != 0) {
        borrowed->left_alone = true;
        return true;
    }
    borrowed->diverted_ns = clock_monotonic_ns() - detour->began_ns;
    if (waits_in_stub(detour, &now)) {
        restore(detour);
        borrowed->diverted_ns = clock_monotonic_ns() - detour->began_ns;
    } else if (see_outside(detour, borrowed) == STOP_NOT_YET) {
        return false;
    }
    go_on(detour, PTRACE_DETACH);
    return true;
}

static int late(const struct detour *detour, struct borrowed *borrowed, struct err *err)
{
    borrowed->left_alone = true;
    return err_set(err, ERR_FAILED, "a thread of process %d did not return in time",
                   (int)detour->scene->target->pid);
}

/* It may have gone back by itself and have ended then; who it has started is in the stub
 * still. */
static int gone(const struct detour *detour, struct borrowed *borrowed, struct err *err)
{
    int pid = (int)detour->scene->target->pid;

    borrowed->left_alone = true;
    if (target_state(detour->scene->target) == TARGET_ENDED)
        return err_set(err, ERR_GONE, "process %d ended while attaching", pid);
    err_set(err, ERR_FAILED,
            "a thread of process %d was not taken back in time, and has ended", pid);
    return err_remedy(err, "try again");
}

static int describe_result(struct detour *detour, const struct stub_frame *head,
                           struct borrowed *borrowed, struct err *err)
{
    int pid = (int)detour->scene->target->pid;
    const uint32_t taken = 1;

    borrowed->no_room = head->result != 0;
    if (head->result < 0) {
        err_set_errno(err, ERR_FAILED, -head->result,
                      "process %d has no address space left for the agent", pid);
        return err_remedy(err, "see its RLIMIT_AS and its memory limit");
    }
    if (head->result > 0) {
        err_set_errno(err, ERR_FAILED, head->result,
                      "process %d may not create another thread", pid);
        return err_remedy(err, "see its RLIMIT_NPROC, pids.max and RLIMIT_AS");
    }
    borrowed->region = head->region;
    scene_write(detour->scene, head->region + REGION_TAKEN, &taken, sizeof(taken));
    return 0;
}

/* From the safe stop to the thread's return. */
static int run_detour(struct detour *detour, struct borrowed *borrowed, struct err *err)
{
    struct stub_frame head;
    enum outcome outcome;
    int pid = (int)detour->scene->target->pid;

    memset(&head, 0, sizeof(head));
    if (detour->scene->must_poke &&
        cave_poke_stub(detour->scene, detour->tid, err) != 0) {
        visit_let_go(detour->scene, detour->tid, &detour->original, borrowed);
        return -1;
    }
    mend_call(detour->scene, detour->tid, &detour->original, borrowed);
    if (divert(detour) != 0)
        return err_set(err, ERR_FAILED, "cannot divert a thread of process %d", pid);
    outcome = watch(detour, &head);
    if (outcome == OUTCOME_GONE)
        return gone(detour, borrowed, err);
    if (outcome == OUTCOME_LATE)
        return late(detour, borrowed, err);
    if (outcome == OUTCOME_FAULTED) {
        borrowed->left_alone = true;
        restore(detour);
        ptrace(PTRACE_DETACH, detour->tid, NULL, NULL);
        return err_set(err, ERR_FAILED, "the stub failed in process %d", pid);
    }
    faultpoint_reach(FAULTPOINT_stub_done);
    if (!take_back(detour, borrowed))
        return late(detour, borrowed, err);
    faultpoint_reach(FAULTPOINT_let_go);
    if (detour->saw_stop_signal)
        kill(pid, SIGSTOP);
    return describe_result(detour, &head, borrowed, err);
}

enum attempt {
    ATTEMPT_TAKEN,
    ATTEMPT_FAILED, /* err is set */
    ATTEMPT_UNSAFE, /* try again */
};

static const char uninterruptible[] = "an uninterruptible kernel call";

static int explain_uninterruptible(struct target *target, pid_t tid, struct err *err)
{
    char channel[64];

    threads_wait_channel(target, tid, channel, sizeof(channel));
    err_set(err, ERR_FAILED, "thread %d of process %d is in %s (%.40s)", (int)tid,
            (int)target->pid, uninterruptible,
            channel[0] ? channel : "the kernel does not say which");
    return err_remedy(err, "try again later");
}

static enum attempt refuse_stop(struct scene *scene, pid_t tid, enum stop stop,
                                struct borrowed *borrowed, const char **why,
                                struct err *err)
{
    int pid = (int)scene->target->pid;

    if (stop == STOP_GROUP) {
        ptrace(PTRACE_DETACH, tid, NULL, NULL);
        err_set(err, ERR_FAILED, "process %d is stopped (job control)", pid);
        err_remedy(err, "continue it (kill -CONT %d) and try again", pid);
        return ATTEMPT_FAILED;
    }
    if (stop == STOP_NOT_YET) { /* only the end of this process lets go of it */
        borrowed->must_end = true;
        explain_uninterruptible(scene->target, tid, err);
        return ATTEMPT_FAILED;
    }
    *why = "a thread that ended";
    return ATTEMPT_UNSAFE;
}

/* The kernel also refuses a thread that is just ending, so one refusal says
 * nothing about the process. */
static enum attempt refuse_seize(struct scene *scene, struct borrowed *borrowed,
                                 const char **why, struct err *err)
{
    char word[16];

    *why = "a thread that ended";
    if (errno == ESRCH || ++borrowed->refusals < REFUSALS_MAX)
        return ATTEMPT_UNSAFE;
    access_explain(scene->target->pid, word, err);
    return ATTEMPT_FAILED;
}

static enum attempt refuse_filter(struct detour *detour, struct borrowed *borrowed,
                                  struct err *err)
{
    visit_let_go(detour->scene, detour->tid, &detour->original, borrowed);
    err_set(err, ERR_DENIED,
            "the seccomp filter of process %d does not let a thread start and end in it",
            (int)detour->scene->target->pid);
    err_remedy(err, "run heaptop with --agent=never");
    return ATTEMPT_FAILED;
}

static enum attempt try_thread(struct scene *scene, pid_t tid, struct borrowed *borrowed,
                               const char **why, struct err *err)
{
    struct detour detour = {
        .scene = scene, .tid = tid, .nonce = (uint64_t)clock_monotonic_ns() << 8 | 1};
    enum stop stop;

    if (threads_is_uninterruptible(scene->target, tid)) {
        *why = uninterruptible;
        return ATTEMPT_UNSAFE;
    }
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0)
        return refuse_seize(scene, borrowed, why, err);
    borrowed->refusals = 0;
    faultpoint_reach(FAULTPOINT_seized);
    stop = visit_interrupt(scene, tid);
    /* Until it stands still the thread goes on with its work, or waits for a processor.
     */
    detour.began_ns = clock_monotonic_ns();
    borrowed->stops++;
    if (stop != STOP_TRAP)
        return refuse_stop(scene, tid, stop, borrowed, why, err);
    faultpoint_reach(FAULTPOINT_stopped);
    if (arch_get(tid, &detour.original) != 0)
        *why = "a thread that ended";
    else if (rseq_is_inside(scene, tid))
        *why = "a restartable sequence";
    else
        *why = safepoint_objection(scene->safepoint, &detour.original,
                                   tid == scene->target->pid);
    if (!*why && filter_forbids(scene, tid))
        return refuse_filter(&detour, borrowed, err);
    if (!*why && scene->is_restricted)
        scene->may_make_file = seccomp_permits_file(tid);
    if (*why || !target_has_its_memory(scene->target)) {
        faultpoint_reach(FAULTPOINT_judged_unsafe);
        visit_yield_signals(scene, tid, detour.mask);
        visit_let_go(scene, tid, &detour.original, borrowed);
        return ATTEMPT_UNSAFE;
    }
    faultpoint_reach(FAULTPOINT_judged_safe);
    return run_detour(&detour, borrowed, err) == 0 ? ATTEMPT_TAKEN : ATTEMPT_FAILED;
}

static int no_safe_moment(const struct scene *scene, pid_t tid, const char *why,
                          struct err *err)
{
    if (why == uninterruptible)
        return explain_uninterruptible(scene->target, tid, err);
    if (why == safepoint_no_python && scene->libc == scene->loader) {
        err_set(
            err, ERR_UNSUPPORTED,
            "process %d uses musl, in which a thread that waits cannot be unwound, and "
            "none computed in Python for 3 s",
            (int)scene->target->pid);
        return err_remedy(err, "try again while it computes, or use --agent=never");
    }
    err_set(err, ERR_FAILED,
            "no safe moment to attach to process %d in 3 s (last: a thread was in %s)",
            (int)scene->target->pid, why ? why : "nothing that is known");
    return err_remedy(err, "try again");
}

int borrow_thread(struct scene *scene, struct borrowed *borrowed, struct err *err)
{
    int64_t deadline = clock_monotonic_ns() + PATIENCE_NS;
    enum attempt attempt = ATTEMPT_UNSAFE;
    const char *why = NULL;

    for (uint32_t turn = 0; attempt == ATTEMPT_UNSAFE; turn++) {
        const struct timespec pause = {0, 200000 + (long)threads_any(800000)};
        pid_t tid = threads_choose(scene->target, turn);

        if (tid < 0 || target_state(scene->target) == TARGET_ENDED) {
            err_set(err, ERR_GONE, "process %d ended while attaching",
                    (int)scene->target->pid);
            attempt = ATTEMPT_FAILED;
            break;
        }
        if (tid) {
            safepoint_rehearse(scene->safepoint, tid);
            attempt = try_thread(scene, tid, borrowed, &why, err);
        } else {
            why = "a call that a stop would cut short";
        }
        if (attempt != ATTEMPT_UNSAFE)
            break;
        if (clock_monotonic_ns() > deadline) {
            no_safe_moment(scene, tid, why, err);
            attempt = ATTEMPT_FAILED;
        }
        nanosleep(&pause, NULL);
    }
    return attempt == ATTEMPT_TAKEN ? 0 : -1;
}
