#include "attach/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "attach/stops.h"
#include "attach/visit.h"
#include "attach/witness_private.h"
#include "guard/filter.h"
#include "guard/guard.h"
#include "target/procfs.h"
#include "util/clock.h"

#define LOOKS_MAX     3 /* at a thread that runs while it is looked at */
#define STOPPING_NS   (2 * NS_PER_S)
#define PAGE_BYTES    UINT64_C(4096)
#define MOVED         "it ran while it was looked at"
#define RUNS          "it runs: only a stop shows its frames"
#define STRANGE_STACK "its stack cannot be read"

/* By write(), which is on the guard's list; all signals are blocked here. */
static void send_all(int socket, const char *text, size_t length)
{
    while (length) {
        ssize_t sent = write(socket, text, length);

        if (sent < 0 && errno != EINTR)
            return;
        text += sent > 0 ? sent : 0;
        length -= sent > 0 ? (size_t)sent : 0;
    }
}

void witness_refuse(int socket, const char *sentence)
{
    char line[512];

    snprintf(line, sizeof(line), "! %.400s\n", sentence);
    send_all(socket, line, strlen(line));
    _exit(0);
}

static bool read_status(struct target *target, pid_t tid, char *text, size_t size)
{
    char path[64];

    snprintf(path, sizeof(path), "task/%d/status", (int)tid);
    return procfs_read_at(target->fds.dir, path, text, size) > 0;
}

/* Of a thread that does not move it stays the same. */
static uint64_t switches(struct target *target, pid_t tid)
{
    uint64_t voluntary = 0, other = 0;
    char text[PROCFS_TEXT_BYTES];

    if (!read_status(target, tid, text, sizeof(text)))
        return 0;
    procfs_field(text, "voluntary_ctxt_switches", &voluntary);
    procfs_field(text, "nonvoluntary_ctxt_switches", &other);
    return voluntary + other;
}

/* In a container the target has other numbers: the last one of the line. */
static int64_t own_number(struct target *target, pid_t tid)
{
    char text[PROCFS_TEXT_BYTES], *line, *last;

    if (!read_status(target, tid, text, sizeof(text)) ||
        !(line = strstr(text, "\nNSpid:")))
        return tid;
    line[1 + strcspn(line + 1, "\n")] = '\0';
    last = strrchr(line, '\t');
    return last ? strtoll(last, NULL, 10) : tid;
}

static bool read_stat(struct target *target, struct seen_thread *thread)
{
    char path[64], text[PROCFS_TEXT_BYTES];
    struct procfs_stat stat;

    snprintf(path, sizeof(path), "task/%d/stat", (int)thread->tid);
    if (procfs_read_at(target->fds.dir, path, text, sizeof(text)) <= 0 ||
        !procfs_parse_stat(text, &stat))
        return false;
    thread->own_number = own_number(target, thread->tid);
    thread->state = stat.state;
    memcpy(thread->name, stat.comm, sizeof(thread->name));
    return stat.state != 'Z' && stat.state != 'X';
}

static void forget_stack(struct seen_thread *thread, const char *why)
{
    free((void *)(uintptr_t)thread->stack.bytes);
    memset(&thread->stack, 0, sizeof(thread->stack));
    thread->why = why;
}

/* As much of it as there is: the kernel shows neighbouring stacks of threads as one
 * mapping, and what guards them cannot be read (glibc 2.42+, MADV_GUARD_INSTALL). */
static size_t copy_readable(struct reader *reader, uint64_t sp, uint8_t *bytes,
                            size_t length)
{
    uint64_t first = sp & ~(PAGE_BYTES - 1);
    size_t low = 0, high = (sp + length - first) / PAGE_BYTES;

    if (reader_read(reader, raddr_of(sp), bytes, length) == 0)
        return length;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (reader_read(reader, raddr_of(sp), bytes, first + middle * PAGE_BYTES - sp))
            high = middle;
        else
            low = middle;
    }
    return low ? first + low * PAGE_BYTES - sp : 0;
}

static bool copy_stack(struct target *target, struct seen_thread *thread)
{
    uint64_t sp = arch_sp(&thread->registers), end = unwinder_stack_end(target, sp);
    uint8_t *bytes = end ? malloc(end - sp) : NULL;
    size_t length = bytes ? copy_readable(target->reader, sp, bytes, end - sp) : 0;

    if (!length) {
        free(bytes);
        thread->why = STRANGE_STACK;
        return false;
    }
    thread->stack =
        (struct unwinder_stack){.bytes = bytes, .start = sp, .length = length};
    return true;
}

/* Did it stand still while its stack was copied? It has not been away from its place, for
 * who wakes and waits again has been switched once more. */
static bool has_stayed(struct target *target, const struct seen_thread *thread,
                       uint64_t switched)
{
    uint64_t pc, sp;

    return threads_where(target, thread->tid, &pc, &sp) &&
           sp == arch_sp(&thread->registers) && switches(target, thread->tid) == switched;
}

/* False: it runs. */
static bool look_at_waiting(struct target *target, struct seen_thread *thread)
{
    for (int i = 0; i < LOOKS_MAX; i++) {
        uint64_t switched = switches(target, thread->tid), pc, sp;

        forget_stack(thread, MOVED);
        if (!threads_where(target, thread->tid, &pc, &sp))
            return false;
        thread->registers = arch_imagined(pc, sp);
        if (!copy_stack(target, thread) || has_stayed(target, thread, switched))
            return true;
    }
    forget_stack(thread, MOVED);
    return false;
}

/* A write that the stop cut short goes on in the stub, which is only then written. */
static void let_go(struct witness *witness, struct seen_thread *thread)
{
    struct arch_registers registers = thread->registers;
    struct scene *scene = &witness->scene;
    struct borrowed borrowed = {0};
    struct err ignored = ERR_INIT;

    visit_yield_signals(scene, thread->tid, 0);
    if (arch_is_cut_short(&registers, witness->target->reader) && !scene->must_poke &&
        cave_write_stub(scene, &ignored))
        ptrace(PTRACE_DETACH, thread->tid, NULL, NULL);
    else
        visit_let_go(scene, thread->tid, &registers, &borrowed);
}

static void look_at_stopped(struct witness *witness, struct seen_thread *thread,
                            int64_t began_ns)
{
    if (arch_get(thread->tid, &thread->registers)) {
        thread->why = "it has ended";
    } else if (!arch_is_native(&thread->registers)) {
        thread->why = "it runs code of another machine";
    } else {
        copy_stack(witness->target, thread);
        thread->stack.knows_all_registers = true;
    }
    let_go(witness, thread);
    thread->stopped_ns = clock_monotonic_ns() - began_ns;
    witness->n_stopped++;
    if (thread->stopped_ns > witness->longest_stop_ns)
        witness->longest_stop_ns = thread->stopped_ns;
}

/* -1: only the end of this process lets go of it. */
static int stop_and_look(struct witness *witness, struct seen_thread *thread)
{
    pid_t tid = thread->tid;
    enum stop stop;

    stops_hurry(true);
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        thread->why = "it may not be stopped";
        stops_hurry(false);
        return 0;
    }
    stop = visit_interrupt(&witness->scene, tid);
    if (stop == STOP_TRAP)
        look_at_stopped(witness, thread, clock_monotonic_ns());
    else if (stop == STOP_GROUP)
        ptrace(PTRACE_DETACH, tid, NULL, NULL);
    stops_hurry(false);
    return stop == STOP_NOT_YET ? -1 : 0;
}

/* Is there a register that only a stop would show? */
static bool is_cut(struct unwinder *unwinder, const struct seen_thread *thread)
{
    enum unwinder_step next = UNWINDER_FRAME;
    uint64_t from, to;

    if (!thread->stack.bytes ||
        !unwinder_begin(unwinder, &thread->registers, &thread->stack))
        return false;
    for (int i = 0; next == UNWINDER_FRAME && i < UNWINDER_FRAMES_MAX; i++)
        next = unwinder_step(unwinder, &from, &to);
    return next == UNWINDER_FAILED;
}

/* One that waits is stopped only where its call does not notice. What was seen of it is
 * kept when that comes to nothing. */
static int look_at_cut(struct witness *witness, struct seen_thread *thread)
{
    struct seen_thread before = *thread;
    int status;

    if (threads_is_awkward(witness->target, thread->tid))
        return 0;
    memset(&thread->stack, 0, sizeof(thread->stack));
    status = stop_and_look(witness, thread);
    if (thread->stack.bytes) {
        free((void *)(uintptr_t)before.stack.bytes);
    } else {
        before.stopped_ns = thread->stopped_ns;
        *thread = before;
    }
    return status;
}

/* What waits by now is not stopped, nor one in a call that would take it badly. */
static int look_at_running(struct witness *witness, struct seen_thread *thread)
{
    if (look_at_waiting(witness->target, thread))
        return 0;
    if (threads_is_uninterruptible(witness->target, thread->tid)) {
        thread->why = "it is in an uninterruptible kernel call";
        return 0;
    }
    return stop_and_look(witness, thread);
}

/* May it be known where threads wait? */
static bool may_look(struct target *target)
{
    char path[64], text[PROCFS_TEXT_BYTES];

    snprintf(path, sizeof(path), "task/%d/syscall", (int)target->pid);
    return procfs_read_at(target->fds.dir, path, text, sizeof(text)) > 0;
}

static void list(struct witness *witness)
{
    pid_t tids[THREADS_MAX];
    size_t n = threads_list(witness->target, tids);

    for (size_t i = 0; i < n; i++) {
        struct seen_thread *thread = &witness->threads[witness->n_threads];

        thread->tid = tids[i];
        witness->n_threads += read_stat(witness->target, thread);
    }
}

/* Without a stop. */
static void look(struct witness *witness)
{
    for (size_t i = 0; i < witness->n_threads; i++) {
        struct seen_thread *thread = &witness->threads[i];

        thread->is_running = !look_at_waiting(witness->target, thread);
        if (thread->is_running)
            thread->why = RUNS;
    }
}

static int look_by_stops(struct witness *witness, struct err *err)
{
    int64_t deadline_ns = clock_monotonic_ns() + STOPPING_NS;
    struct unwinder *unwinder = unwinder_new(&witness->scene);
    int status = 0;

    for (size_t i = 0; i < witness->n_threads && !status; i++) {
        struct seen_thread *thread = &witness->threads[i];

        if (clock_monotonic_ns() > deadline_ns)
            break;
        if (thread->is_running)
            status = look_at_running(witness, thread);
        else if (is_cut(unwinder, thread))
            status = look_at_cut(witness, thread);
        if (status)
            err_set(err, ERR_FAILED,
                    "thread %d of process %d did not stop in time; it runs on",
                    (int)thread->tid, (int)witness->target->pid);
    }
    unwinder_free(unwinder);
    return status;
}

/* What is needed to stop a thread as harmlessly as for an attach. */
static int prepare_stops(struct witness *witness, struct err *err)
{
    stops_start_ticking();
    witness->has_scene = true;
    return target_reread_maps(witness->target, err) ||
                   scene_open(&witness->scene, witness->target, err) ||
                   scene_prepare_borrowing(&witness->scene, err)
               ? -1
               : 0;
}

/* Nothing of the target has been taken apart so far. */
static int give_up_rights(struct witness *witness, struct err *err)
{
    stops_stop_ticking();
    if (guard_give_up_rights(err))
        return -1;
    filter_begin(GUARD_ALWAYS);
    /* A descriptor keeps its rights. */
    reader_live_spare(witness->target->reader, true, -1);
    if (witness->has_scene)
        return 0;
    witness->has_scene = true;
    if (target_reread_maps(witness->target, err))
        return -1;
    scene_look(&witness->scene, witness->target);
    return 0;
}

static int witness_all(struct witness *witness, bool stops, struct strbuf *text,
                       struct err *err)
{
    struct target *target = witness->target;

    witness->began_ns = clock_monotonic_ns();
    if (!target->reader)
        return err_set(err, ERR_DENIED, "%s", target->access_why.text);
    if (!may_look(target))
        return err_set(err, ERR_DENIED,
                       "the kernel does not tell where the threads of process %d wait",
                       (int)target->pid);
    if (target_refresh_maps(target, err) || (stops && prepare_stops(witness, err)))
        return -1;
    list(witness);
    look(witness);
    if (stops && look_by_stops(witness, err))
        return -1;
    if (give_up_rights(witness, err))
        return -1;
    witness_write(witness, text);
    return 0;
}

void witness_main(struct target *target, int socket, bool stops)
{
    struct witness *witness = calloc(1, sizeof(*witness));
    struct strbuf text = STRBUF_INIT;
    struct err err = ERR_INIT;

    if (!witness)
        _exit(1);
    witness->target = target;
    if (witness_all(witness, stops, &text, &err))
        witness_refuse(socket, err.text);
    send_all(socket, strbuf_text(&text), text.length);
    _exit(0);
}
