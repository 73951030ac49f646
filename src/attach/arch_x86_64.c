/* Borrowing a thread on x86-64 Linux. */
#include "attach/arch.h"

#include <cpuid.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define USER_CODE_SEGMENT 0x33
#define DIRECTION_FLAG    UINT64_C(0x400)
#define TRAP_FLAG         UINT64_C(0x100)
#define SYSCALL_BYTES     2

/* The kernel's own codes (include/linux/errno.h). */
#define ERESTARTSYS           512
#define ERESTARTNOINTR        513
#define ERESTARTNOHAND        514
#define ERESTART_RESTARTBLOCK 516
#define EINTR_CODE            4

#define VECTOR_STATES 0xe7 /* as the stub: x87, SSE, AVX, AVX-512 */

/* A virtual machine answers each question to the processor slowly: when all that it can
 * save has room, nothing more is asked. */
static bool has_room_for_vectors(void)
{
    unsigned a, b, c, d;

    __cpuid(1, a, b, c, d);
    if (!(c & bit_OSXSAVE))
        return false;
    __cpuid_count(0xd, 0, a, b, c, d);
    if (b <= FRAME_BYTES - FRAME_VECTORS)
        return true;
    for (unsigned state = 2; state < 8; state++) {
        if (!(VECTOR_STATES & (1u << state)) ||
            !__get_cpuid_count(0xd, state, &a, &b, &c, &d))
            continue;
        if (a + b > FRAME_BYTES - FRAME_VECTORS)
            return false;
    }
    return true;
}

bool arch_is_usable(void)
{
    static enum { UNKNOWN, NO, YES } answer; /* the same in all threads */

    if (__atomic_load_n(&answer, __ATOMIC_RELAXED) == UNKNOWN)
        __atomic_store_n(&answer, has_room_for_vectors() ? YES : NO, __ATOMIC_RELAXED);
    return __atomic_load_n(&answer, __ATOMIC_RELAXED) == YES;
}

/* glibc's entry point: mov %rsp,%rdi; call _dl_start (sysdeps/x86_64/dl-machine.h). */
bool arch_cave(struct reader *reader, uint64_t loader_entry, uint64_t *cave)
{
    uint8_t code[8];
    int32_t distance;

    if (reader_read(reader, raddr_of(loader_entry), code, sizeof(code)) != 0 ||
        memcmp(code, "\x48\x89\xe7\xe8", 4))
        return false;
    memcpy(&distance, code + 4, sizeof(distance));
    *cave = loader_entry + 8 + (uint64_t)(int64_t)distance;
    return true;
}

/* jmp rel32 (E9) and the conditional ones (0F 80 - 0F 8F). */
bool arch_jump_target(const uint8_t *code, size_t length, uint64_t address,
                      uint64_t *target)
{
    size_t opcode_bytes = 0;
    int32_t distance;

    if (length >= 5 && code[0] == 0xe9)
        opcode_bytes = 1;
    else if (length >= 6 && code[0] == 0x0f && (code[1] & 0xf0) == 0x80)
        opcode_bytes = 2;
    if (!opcode_bytes)
        return false;
    memcpy(&distance, code + opcode_bytes, sizeof(distance));
    *target = address + opcode_bytes + sizeof(distance) + (uint64_t)(int64_t)distance;
    return true;
}

int arch_get(pid_t tid, struct arch_registers *registers)
{
    return ptrace(PTRACE_GETREGS, tid, NULL, &registers->user) == 0 ? 0 : -1;
}

int arch_set(pid_t tid, const struct arch_registers *registers)
{
    return ptrace(PTRACE_SETREGS, tid, NULL, &registers->user) == 0 ? 0 : -1;
}

uint64_t arch_sp(const struct arch_registers *registers)
{
    return registers->user.rsp;
}

uint64_t arch_pc(const struct arch_registers *registers)
{
    return registers->user.rip;
}

struct arch_registers arch_resumed(const struct arch_registers *registers,
                                   unw_cursor_t *cursor, uint64_t pc, uint64_t sp)
{
    struct arch_registers resumed = *registers;
    unw_word_t frame;

    /* The psABI's frame pointer: generated code leaves it alone or keeps it. */
    if (unw_get_reg(cursor, UNW_X86_64_RBP, &frame) == 0)
        resumed.user.rbp = frame;
    resumed.user.rip = pc;
    resumed.user.rsp = sp;
    return resumed;
}

bool arch_is_native(const struct arch_registers *registers)
{
    return registers->user.cs == USER_CODE_SEGMENT &&
           !(registers->user.eflags & TRAP_FLAG);
}

bool arch_unwind_register(const struct arch_registers *registers, unw_regnum_t number,
                          unw_word_t *value)
{
    const struct user_regs_struct *user = &registers->user;
    const uint64_t values[] = {
        [UNW_X86_64_RAX] = user->rax, [UNW_X86_64_RDX] = user->rdx,
        [UNW_X86_64_RCX] = user->rcx, [UNW_X86_64_RBX] = user->rbx,
        [UNW_X86_64_RSI] = user->rsi, [UNW_X86_64_RDI] = user->rdi,
        [UNW_X86_64_RBP] = user->rbp, [UNW_X86_64_RSP] = user->rsp,
        [UNW_X86_64_R8] = user->r8,   [UNW_X86_64_R9] = user->r9,
        [UNW_X86_64_R10] = user->r10, [UNW_X86_64_R11] = user->r11,
        [UNW_X86_64_R12] = user->r12, [UNW_X86_64_R13] = user->r13,
        [UNW_X86_64_R14] = user->r14, [UNW_X86_64_R15] = user->r15,
        [UNW_X86_64_RIP] = user->rip,
    };

    if (number < 0 || (size_t)number >= sizeof(values) / sizeof(values[0]))
        return false;
    *value = values[number];
    return true;
}

/* A wait that any interruption ends, and that has no time-out: it can begin anew. */
static bool waits_endlessly(long number, uint64_t third, uint64_t fourth)
{
    switch (number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return (int32_t)fourth == -1;
    case 441: /* epoll_pwait2 */
    case SYS_semtimedop:
        return !fourth;
    case SYS_rt_sigtimedwait:
        return !third;
    case SYS_semop:
        return true;
    default:
        return false;
    }
}

bool arch_fix_restart(struct arch_registers *registers)
{
    struct user_regs_struct *user = &registers->user;

    if ((int64_t)user->orig_rax < 0 || (int64_t)user->rax != -EINTR_CODE ||
        !waits_endlessly((long)user->orig_rax, user->rdx, user->r10))
        return false;
    user->rax = (uint64_t)-ERESTARTNOHAND;
    return true;
}

static bool is_syscall(struct reader *reader, uint64_t address)
{
    uint8_t code[SYSCALL_BYTES];

    return reader_read(reader, raddr_of(address), code, sizeof(code)) == 0 &&
           !memcmp(code, "\x0f\x05", sizeof(code));
}

/* What a call says that is to begin anew, by its number: with ERESTARTSYS also when a
 * signal with SA_RESTART is handled. */
static int64_t restart_code(const struct user_regs_struct *user)
{
    if (user->rax == SYS_restart_syscall)
        return -ERESTART_RESTARTBLOCK;
    switch ((long)user->orig_rax) {
    case SYS_select:
    case SYS_pselect6:
    case SYS_ppoll:
    case SYS_pause:
    case SYS_rt_sigsuspend:
        return -ERESTARTNOHAND;
    default:
        return waits_endlessly((long)user->orig_rax, user->rdx, user->r10)
                   ? -ERESTARTNOHAND
                   : -ERESTARTSYS;
    }
}

/* Then its number is where a result would be, and the pc at the instruction, not
 * behind it. */
bool arch_undo_restart(struct arch_registers *registers, struct reader *reader)
{
    struct user_regs_struct *user = &registers->user;

    if ((int64_t)user->orig_rax < 0 ||
        (user->rax != user->orig_rax && user->rax != SYS_restart_syscall) ||
        !is_syscall(reader, user->rip) || is_syscall(reader, user->rip - SYSCALL_BYTES))
        return false;
    user->rax = (uint64_t)restart_code(user);
    user->rip += SYSCALL_BYTES;
    return true;
}

/* Buffer and length are the second and the third argument. */
bool arch_is_cut_short(const struct arch_registers *registers, struct reader *reader)
{
    const struct user_regs_struct *user = &registers->user;

    if ((int64_t)user->rax <= 0 || user->rax >= user->rdx ||
        !is_syscall(reader, user->rip - SYSCALL_BYTES))
        return false;
    switch ((int64_t)user->orig_rax) {
    case SYS_write:
    case SYS_sendto:
        return true;
    case SYS_recvfrom:
        return user->r10 & MSG_WAITALL;
    default:
        return false;
    }
}

/* The kernel restarts the call at the instruction before stub_rest, or ends it there
 * with EINTR when a signal has come too: then the part is the result, as always. */
uint64_t arch_go_on(struct arch_registers *registers, uint64_t stub_rest_address,
                    struct stub_rest *rest)
{
    struct user_regs_struct *user = &registers->user;

    *rest = (struct stub_rest){user->rax, user->rsi, user->rdx, user->rip};
    user->rsi += user->rax;
    user->rdx -= user->rax;
    user->rax = (uint64_t)-ERESTARTNOHAND;
    user->rip = stub_rest_address;
    user->rsp -= FRAME_RED_ZONE - sizeof(rest->pc) + sizeof(*rest);
    return user->rsp;
}

bool arch_call_is_awkward(long number, const uint64_t arguments[6])
{
    if (arch_call_is_fragile(number))
        return true;
    switch (number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case 441: /* epoll_pwait2 */
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_rt_sigtimedwait:
        return !waits_endlessly(number, arguments[2], arguments[3]);
    case SYS_io_getevents:
    case SYS_io_uring_enter:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_vfork:
    case SYS_clone: /* who is seen in these waits for a vfork child, uninterruptibly */
    case 435:       /* clone3 */
    case SYS_execve:
    case SYS_write: /* perhaps cut short, and then for a while in the stub */
    case SYS_sendto:
        return true;
    case SYS_recvfrom:
        return arguments[3] & MSG_WAITALL;
    default:
        return false;
    }
}

/* When they wait they have moved a part; what is left is not in the registers. */
bool arch_call_is_fragile(long number)
{
    switch (number) {
    case SYS_writev:
    case SYS_sendmsg:
    case SYS_sendmmsg:
    case SYS_sendfile:
    case SYS_splice:
    case SYS_tee:
    case SYS_vmsplice:
        return true;
    default:
        return false;
    }
}

/* The registers as they are once the interrupted call is restarted by hand. */
static struct user_regs_struct restarted(const struct user_regs_struct *user)
{
    struct user_regs_struct copy = *user;

    if ((int64_t)user->orig_rax < 0)
        return copy;
    switch (-(int64_t)user->rax) {
    case ERESTARTSYS:
    case ERESTARTNOINTR:
    case ERESTARTNOHAND:
        copy.rax = user->orig_rax;
        copy.rip -= SYSCALL_BYTES;
        break;
    case ERESTART_RESTARTBLOCK:
        copy.rax = SYS_restart_syscall;
        copy.rip -= SYSCALL_BYTES;
        break;
    default:
        break;
    }
    return copy;
}

uint64_t arch_build_frame(struct stub_frame *frame,
                          const struct arch_registers *registers, uint64_t mask)
{
    struct user_regs_struct user = restarted(&registers->user);
    const uint64_t popped[17] = {
        user.r15,
        user.r14,
        user.r13,
        user.r12,
        user.r11,
        user.r10,
        user.r9,
        user.r8,
        user.rax,
        user.rbx,
        user.rcx,
        user.rdx,
        user.rsi,
        user.rdi,
        user.rbp,
        user.eflags,
        user.rsp - FRAME_RED_ZONE,
    };

    _Static_assert(sizeof(struct stub_frame) == FRAME_BYTES, "the stub's frame");
    _Static_assert(offsetof(struct stub_frame, registers) == FRAME_REGS, "registers");
    _Static_assert(offsetof(struct stub_frame, check) == FRAME_CHECK, "check");
    _Static_assert(offsetof(struct stub_frame, nonce) == FRAME_NONCE, "nonce");
    _Static_assert(offsetof(struct stub_frame, attributes) == FRAME_ATTR, "attributes");
    _Static_assert(offsetof(struct stub_frame, thread) == FRAME_THREAD, "thread");
    _Static_assert(offsetof(struct stub_frame, vectors) == FRAME_VECTORS, "vectors");
    memset(frame, 0, sizeof(*frame));
    frame->mask = mask;
    memcpy(frame->registers, popped, sizeof(popped));
    frame->pc = user.rip;
    return (user.rsp - FRAME_RED_ZONE - FRAME_BYTES) & ~UINT64_C(63);
}

struct arch_registers arch_imagined(uint64_t pc, uint64_t sp)
{
    struct arch_registers registers;

    memset(&registers, 0, sizeof(registers));
    registers.user.rip = pc;
    registers.user.rsp = sp;
    registers.user.cs = USER_CODE_SEGMENT;
    return registers;
}

struct arch_registers arch_diverted(const struct arch_registers *registers,
                                    uint64_t stub_entry, uint64_t frame_address)
{
    struct arch_registers diverted = *registers;

    diverted.user.rip = stub_entry;
    diverted.user.rbx = frame_address;
    diverted.user.rsp = (frame_address - 256) & ~UINT64_C(15);
    diverted.user.rbp = 0;
    diverted.user.orig_rax = UINT64_MAX; /* else the kernel would restart our pc */
    diverted.user.eflags &= ~DIRECTION_FLAG;
    return diverted;
}
