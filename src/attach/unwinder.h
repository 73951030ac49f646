/*
 * unwinder.h - the stack of one thread of the target, frame by frame, the innermost
 * first.
 *
 * The stack was copied whole; it is unwound here with libunwind's remote interface and
 * our own accessors, which read the copy, and of the target only code and unwind tables.
 * Injector and witness only: a crash here costs that child.
 */
#ifndef HEAPTOP_ATTACH_UNWINDER_H
#define HEAPTOP_ATTACH_UNWINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "attach/arch.h"
#include "attach/scene.h"

#define UNWINDER_STACK_BYTES_MAX 262144
#define UNWINDER_FRAMES_MAX      512

struct unwinder;

/* A stack from its innermost byte on. */
struct unwinder_stack {
    const uint8_t *bytes; /* borrowed */
    uint64_t start;
    size_t length;
    bool knows_all_registers; /* of a thread that was only looked at: pc and sp */
};

struct unwinder_frame {
    uint64_t ip, sp;
    bool is_signal_handler_return;
};

enum unwinder_step {
    UNWINDER_FRAME,     /* there is one more */
    UNWINDER_OUTERMOST, /* that was the last one */
    UNWINDER_FAILED,    /* libunwind gives up: a register or a word is not known */
    UNWINDER_LOST,      /* no unwind table, or what led here was no frame */
};

/* What all unwinders of a process need is made by the first one, or by who forks the
 * process that unwinds, which then touches some thirty pages less. */
void unwinder_prepare(void);
struct unwinder *unwinder_new(struct scene *scene);
void unwinder_free(struct unwinder *unwinder); /* NULL is allowed */

/* Begins at the innermost frame. The registers are borrowed until the last step. False:
 * nothing can be unwound. */
bool unwinder_begin(struct unwinder *unwinder, const struct arch_registers *registers,
                    const struct unwinder_stack *stack);
bool unwinder_frame(struct unwinder *unwinder, struct unwinder_frame *frame);
/* One frame up, also past generated code. What was passed over by a guess is in
 * [*from, *to); *to is 0 when nothing was. */
enum unwinder_step unwinder_step(struct unwinder *unwinder, uint64_t *from, uint64_t *to);

/* Where the copy of a thread's stack ends, whose sp this is; 0: it is no stack. */
uint64_t unwinder_stack_end(struct target *target, uint64_t sp);

/* Is there a call instruction before the address? True when it cannot be read. */
bool unwinder_follows_call(struct unwinder *unwinder, uint64_t address);

/* Start and end of the function around the address, from the unwind table. */
bool unwinder_function(struct unwinder *unwinder, uint64_t address, uint64_t *start,
                       uint64_t *end);

#endif
