/*
 * arch.h - what differs between machines when a thread is borrowed.
 *
 * One implementation, arch_MACHINE.c, with its stub_MACHINE.S. Only the
 * injector child calls these.
 */
#ifndef HEAPTOP_ATTACH_ARCH_H
#define HEAPTOP_ATTACH_ARCH_H

#include <libunwind.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

#include "attach/stub.h"
#include "target/reader.h"

struct arch_registers {
    struct user_regs_struct user;
};

/* Can this processor save its vector state as the stub does it? Asked once a process. */
bool arch_is_usable(void);

/* The address of the loader's function that runs once, from its entry point. */
bool arch_cave(struct reader *reader, uint64_t loader_entry, uint64_t *cave);

/* Do these bytes look like a jump? Where to? */
bool arch_jump_target(const uint8_t *code, size_t length, uint64_t address,
                      uint64_t *target);

int arch_get(pid_t tid, struct arch_registers *registers);
int arch_set(pid_t tid, const struct arch_registers *registers);
/* A thread of which only this is known. */
struct arch_registers arch_imagined(uint64_t pc, uint64_t sp);
uint64_t arch_sp(const struct arch_registers *registers);
uint64_t arch_pc(const struct arch_registers *registers);
bool arch_is_native(const struct arch_registers *registers);
bool arch_unwind_register(const struct arch_registers *registers, unw_regnum_t number,
                          unw_word_t *value);
/* The same thread after the function that the cursor stands in returned to pc. */
struct arch_registers arch_resumed(const struct arch_registers *registers,
                                   unw_cursor_t *cursor, uint64_t pc, uint64_t sp);

/* A call that the kernel would end with EINTR although it need not, for it has no
 * time-out: made restartable again. False: it is no such call. */
bool arch_fix_restart(struct arch_registers *registers);

/* The kernel was about to let the thread begin its call anew: taken back, for a signal
 * that has come since must end the call. False: it was not. */
bool arch_undo_restart(struct arch_registers *registers, struct reader *reader);

/* Has the stop cut a write short, which would tell a part as its result? */
bool arch_is_cut_short(const struct arch_registers *registers, struct reader *reader);
/* Registers with which the write goes on in the stub, at stub_rest, and gives its whole
 * result; the address on the thread's stack where the rest must lie. */
uint64_t arch_go_on(struct arch_registers *registers, uint64_t stub_rest_address,
                    struct stub_rest *rest);

/* Calls that end early or with EINTR when a thread is only stopped and let go. */
bool arch_call_is_awkward(long number, const uint64_t arguments[6]);
/* Those of them whose result is a part then, and nothing can be done about it. */
bool arch_call_is_fragile(long number);

/* Builds the frame for the dead man's path, gives its address on the thread's
 * stack, and the registers that send the thread into the stub. */
uint64_t arch_build_frame(struct stub_frame *frame,
                          const struct arch_registers *registers, uint64_t mask);
struct arch_registers arch_diverted(const struct arch_registers *registers,
                                    uint64_t stub_entry, uint64_t frame_address);

#endif
