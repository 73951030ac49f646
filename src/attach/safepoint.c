#include "attach/safepoint.h"

#include <stdlib.h>
#include <string.h>

#include "attach/threads.h"
#include "attach/unwinder.h"
#include "util/xalloc.h"

#define STACK_ROOM_BYTES 24576
#define NO_STACK         4096 /* an address at which there is nothing */
#define OTHERS_MAX       4

const char safepoint_no_python[] = "code without Python";

struct safepoint {
    struct scene *scene;
    struct unwinder *unwinder;
    uint8_t *stack; /* the copy of [stack_start, stack_start + stack_bytes) */
    uint64_t stack_start;
    size_t stack_bytes;
    bool is_rehearsed;
    uint64_t rehearsed_pc, rehearsed_sp; /* the last ones */
};

struct safepoint *safepoint_new(struct scene *scene)
{
    struct safepoint *safepoint = xcalloc(1, sizeof(*safepoint));

    safepoint->scene = scene;
    safepoint->stack = xcalloc(1, UNWINDER_STACK_BYTES_MAX);
    safepoint->unwinder = unwinder_new(scene);
    return safepoint;
}

void safepoint_free(struct safepoint *safepoint)
{
    if (!safepoint)
        return;
    unwinder_free(safepoint->unwinder);
    free(safepoint->stack);
    free(safepoint);
}

/* NULL, or why the stack cannot be used. */
static const char *copy_stack(struct safepoint *safepoint, uint64_t sp)
{
    struct target *target = safepoint->scene->target;
    uint64_t end = unwinder_stack_end(target, sp);
    const struct mapping *mapping = end ? maps_find(&target->maps, raddr_of(sp)) : NULL;

    if (!mapping)
        return "a strange stack";
    if (sp - mapping->start < STACK_ROOM_BYTES && strcmp(mapping->path, "[stack]"))
        return "the end of its stack";
    safepoint->stack_start = sp;
    safepoint->stack_bytes = 0;
    if (scene_read(safepoint->scene, sp, safepoint->stack, end - sp) != 0)
        return "a strange stack";
    safepoint->stack_bytes = end - sp;
    return NULL;
}

/* Looks for return addresses into unsafe code in a part of the stack. */
static const char *scan(struct safepoint *safepoint, uint64_t from, uint64_t to)
{
    uint64_t end = to - safepoint->stack_start;

    for (uint64_t i = from - safepoint->stack_start;
         i < end && i + 8 <= safepoint->stack_bytes; i += 8) {
        const char *name;
        uint64_t word;

        memcpy(&word, safepoint->stack + i, sizeof(word));
        name = scene_unsafe_caller(safepoint->scene, word);
        if (name && unwinder_follows_call(safepoint->unwinder, word))
            return name;
    }
    return NULL;
}

struct walk {
    int frames, python_frames;
    bool is_lost, reached_end;
    bool is_waiting; /* the frame below is in a function of libc that waits, or one that a
                        sanitizer has put around it */
    const char *objection;
};

/* Why no thread with this frame may be borrowed; NULL: no reason. */
static const char *judge_frame(const struct safepoint *safepoint,
                               const struct unwinder_frame *frame, struct walk *walk)
{
    /* A return address may lie just behind a function that does not return. */
    uint64_t ip = walk->frames ? frame->ip - 1 : frame->ip;
    const char *name = walk->frames ? scene_unsafe_caller(safepoint->scene, frame->ip)
                                    : scene_unsafe_name(safepoint->scene, ip);

    if (name == scene_sanitizer && walk->is_waiting)
        return NULL;
    walk->is_waiting = scene_is_wait(safepoint->scene, ip);
    if (!name && frame->is_signal_handler_return)
        return "a signal handler";
    return name;
}

/* One frame up; what was passed over is scanned. */
static enum unwinder_step step(struct safepoint *safepoint, struct walk *walk)
{
    uint64_t from, to;
    enum unwinder_step step = unwinder_step(safepoint->unwinder, &from, &to);

    if (to)
        walk->objection = scan(safepoint, from, to);
    walk->is_lost |= step == UNWINDER_LOST;
    return step;
}

static void unwind(struct safepoint *safepoint, const struct arch_registers *registers,
                   struct walk *walk)
{
    const struct unwinder_stack stack = {safepoint->stack, safepoint->stack_start,
                                         safepoint->stack_bytes, true};
    enum unwinder_step next = UNWINDER_FRAME;
    struct unwinder_frame frame;

    if (!unwinder_begin(safepoint->unwinder, registers, &stack))
        return;
    while (next == UNWINDER_FRAME && walk->frames < UNWINDER_FRAMES_MAX) {
        if (!unwinder_frame(safepoint->unwinder, &frame))
            return;
        walk->objection = judge_frame(safepoint, &frame, walk);
        if (walk->objection)
            return;
        walk->frames++;
        walk->python_frames += scene_is_python_text(safepoint->scene, frame.ip);
        next = step(safepoint, walk);
        if (walk->objection)
            return;
    }
    walk->reached_end = next == UNWINDER_OUTERMOST;
}

const char *safepoint_objection(struct safepoint *safepoint,
                                const struct arch_registers *registers, bool is_main)
{
    struct walk walk = {0};
    const char *objection;

    if (!arch_is_native(registers))
        return "code of another machine";
    objection = copy_stack(safepoint, arch_sp(registers));
    if (objection)
        return objection;
    unwind(safepoint, registers, &walk);
    if (walk.objection)
        return walk.objection;
    if (!walk.reached_end &&
        (walk.is_lost || walk.frames < UNWINDER_FRAMES_MAX || walk.python_frames < 3)) {
        objection = scan(safepoint, safepoint->stack_start,
                         safepoint->stack_start + safepoint->stack_bytes);
        if (objection)
            return objection;
    }
    if (walk.python_frames || (is_main && walk.reached_end && walk.frames > 1))
        return NULL;
    return safepoint_no_python;
}

/* What is found on the stack of nearly every thread of Python's. */
static const char *const likely[] = {
    "_PyEval_EvalFrameDefault",
    "PyEval_EvalCode",
    "_PyFunction_Vectorcall",
    "PyObject_Vectorcall",
    "PyObject_Call",
    "Py_RunMain",
    "Py_BytesMain",
    "PyThread_acquire_lock_timed",
};

/* One step out of the function's last instruction, with a stack on which there is
 * nothing: all of its rules are read for it. */
static void rehearse_function(struct safepoint *safepoint, const char *name)
{
    static const uint8_t nothing[64];
    const struct unwinder_stack stack = {nothing, NO_STACK, sizeof(nothing), false};
    struct scene *scene = safepoint->scene;
    struct arch_registers registers;
    struct image_symbol symbol;
    uint64_t start, end;

    if (!image_symbol(&scene->target->python, scene->kept, name, &symbol) ||
        !safepoint_function(safepoint, symbol.address.value, &start, &end) ||
        end <= start)
        return;
    registers = arch_imagined(end - 1, NO_STACK);
    if (unwinder_begin(safepoint->unwinder, &registers, &stack))
        unwinder_step(safepoint->unwinder, &start, &end);
}

/* Of a thread that runs it is not known where, and its stack has functions in common with
 * those of others, which wait. */
static bool rehearse_blindly(struct safepoint *safepoint, pid_t tid, uint64_t *pc,
                             uint64_t *sp)
{
    struct target *target = safepoint->scene->target;
    pid_t tids[THREADS_MAX];
    size_t n = threads_list(target, tids);

    for (size_t i = 0; i < sizeof(likely) / sizeof(likely[0]); i++)
        rehearse_function(safepoint, likely[i]);
    for (size_t i = 0; i < n && i < OTHERS_MAX; i++)
        if (tids[i] != tid && threads_where(target, tids[i], pc, sp))
            return true;
    return false;
}

void safepoint_rehearse(struct safepoint *safepoint, pid_t tid)
{
    struct arch_registers registers;
    uint64_t pc = 0, sp = 0;
    bool is_known = tid > 0 && threads_where(safepoint->scene->target, tid, &pc, &sp);

    if (!is_known && !safepoint->is_rehearsed)
        is_known = rehearse_blindly(safepoint, tid, &pc, &sp);
    safepoint->is_rehearsed = true;
    if (!is_known || (pc == safepoint->rehearsed_pc && sp == safepoint->rehearsed_sp))
        return;
    safepoint->rehearsed_pc = pc;
    safepoint->rehearsed_sp = sp;
    registers = arch_imagined(pc, sp);
    safepoint_objection(safepoint, &registers, false);
}

bool safepoint_function(struct safepoint *safepoint, uint64_t address, uint64_t *start,
                        uint64_t *end)
{
    return unwinder_function(safepoint->unwinder, address, start, end);
}
