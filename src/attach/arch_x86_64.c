/* Borrowing a thread on x86-64 Linux. */
#include "attach/arch.h"

#include <cpuid.h>
#include <string.h>
#include <sys/ptrace.h>
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

bool arch_is_usable(void)
{
    unsigned a, b, c, d;

    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return false;
    for (unsigned state = 2; state < 8; state++) {
        if (!(VECTOR_STATES & (1u << state)) ||
            !__get_cpuid_count(0xd, state, &a, &b, &c, &d))
            continue;
        if (a + b > FRAME_BYTES - FRAME_VECTORS)
            return false;
    }
    return true;
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

static bool is_endless_epoll(long number, uint64_t timeout)
{
    return (number == SYS_epoll_wait || number == SYS_epoll_pwait) &&
           (int32_t)timeout == -1;
}

void arch_fix_restart(struct arch_registers *registers)
{
    struct user_regs_struct *user = &registers->user;

    if ((int64_t)user->orig_rax >= 0 && (int64_t)user->rax == -EINTR_CODE &&
        is_endless_epoll((long)user->orig_rax, user->r10))
        user->rax = (uint64_t)-ERESTARTNOHAND;
}

bool arch_call_is_awkward(long number, const uint64_t arguments[6])
{
    switch (number) {
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
        return !is_endless_epoll(number, arguments[3]);
    case 441: /* epoll_pwait2 */
    case SYS_semop:
    case SYS_semtimedop:
    case SYS_rt_sigtimedwait:
    case SYS_io_getevents:
    case SYS_io_uring_enter:
    case SYS_msgrcv:
    case SYS_msgsnd:
    case SYS_vfork:
    case SYS_clone: /* who is seen in these waits for a vfork child, uninterruptibly */
    case 435:       /* clone3 */
    case SYS_execve:
    case SYS_write: /* when it waits it has written a part, and would return that */
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_sendfile:
    case SYS_splice:
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
