#include "attach/seccomp.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#define FILTERS_MAX      64
#define GET_FILTER       0x420c /* PTRACE_SECCOMP_GET_FILTER, linux/ptrace.h */
#define INSTRUCTIONS_MAX 4096   /* BPF_MAXINSNS */

#if defined(__x86_64__)
#define THIS_MACHINE AUDIT_ARCH_X86_64
#else
#define THIS_MACHINE AUDIT_ARCH_AARCH64
#endif

struct call {
    uint32_t number;
    uint64_t arguments[6];
};

/* What the stub, pthread_create and the end of a thread do, with the arguments
 * that filters look at. */
static const struct call attach_calls[] = {
    {SYS_mmap, {0, 65536, 3, 0x22, UINT64_MAX, 0}},
    {SYS_mmap, {0, 8392704, 0, 0x20022, UINT64_MAX, 0}},
    {SYS_mmap, {0, 16384, 5, 0x22, UINT64_MAX, 0}},
    {SYS_mprotect, {0x7f0000001000, 8388608, 3, 0, 0, 0}},
    {SYS_munmap, {0x7f0000000000, 65536, 0, 0, 0, 0}},
    {SYS_madvise, {0x7f0000000000, 65536, 4, 0, 0, 0}},
    {SYS_futex, {0x7f0000000000, 128, 0, 0, 0, 0}},
    {SYS_futex, {0x7f0000000000, 129, 1, 0, 0, 0}},
    {SYS_clone3, {0x7f0000000000, 88, 0, 0, 0, 0}},
    {SYS_clone, {0x3d0f00, 0x7f0000000000, 0, 0, 0, 0}},
    {SYS_rseq, {0x7f0000000000, 32, 0, 0x53053053, 0, 0}},
    {SYS_set_robust_list, {0x7f0000000000, 24, 0, 0, 0, 0}},
    {SYS_rt_sigprocmask, {1, 0x7f0000000000, 0, 8, 0, 0}},
    {SYS_rt_sigprocmask, {2, 0x7f0000000000, 0, 8, 0, 0}},
    {SYS_gettid, {0, 0, 0, 0, 0, 0}},
    {SYS_exit, {0, 0, 0, 0, 0, 0}},
};

/* What code from a memory file needs besides (region.h: REGION_COMMAND_FILE). */
static const struct call file_calls[] = {
    {SYS_memfd_create, {0x7f0000000000, 9, 0, 0, 0, 0}},
    {SYS_mmap, {0, 16384, 5, 2, 5, 0}},
    {SYS_close, {5, 0, 0, 0, 0, 0}},
};

struct machine {
    uint32_t a, x, memory[BPF_MEMWORDS];
    struct seccomp_data data;
};

static uint32_t load(const struct machine *machine, uint32_t offset)
{
    uint32_t value = 0;

    if (offset <= sizeof(machine->data) - sizeof(value))
        memcpy(&value, (const char *)&machine->data + offset, sizeof(value));
    return value;
}

static bool jumps(const struct sock_filter *at, const struct machine *machine)
{
    uint32_t other = BPF_SRC(at->code) == BPF_X ? machine->x : at->k;

    switch (BPF_OP(at->code)) {
    case BPF_JEQ:
        return machine->a == other;
    case BPF_JGT:
        return machine->a > other;
    case BPF_JGE:
        return machine->a >= other;
    default:
        return machine->a & other;
    }
}

static void compute(const struct sock_filter *at, struct machine *machine)
{
    uint32_t other = BPF_SRC(at->code) == BPF_X ? machine->x : at->k;

    switch (BPF_OP(at->code)) {
    case BPF_ADD:
        machine->a += other;
        break;
    case BPF_SUB:
        machine->a -= other;
        break;
    case BPF_AND:
        machine->a &= other;
        break;
    case BPF_OR:
        machine->a |= other;
        break;
    case BPF_XOR:
        machine->a ^= other;
        break;
    case BPF_LSH:
        machine->a = other < 32 ? machine->a << other : 0;
        break;
    case BPF_RSH:
        machine->a = other < 32 ? machine->a >> other : 0;
        break;
    case BPF_NEG:
        machine->a = 0 - machine->a;
        break;
    default: /* mul, div: no filter in use has them; a guess errs to either side */
        machine->a = 0;
        break;
    }
}

static void move(const struct sock_filter *at, struct machine *machine)
{
    uint32_t word = at->k < BPF_MEMWORDS ? at->k : 0;
    uint32_t value = at->k;

    if (BPF_MODE(at->code) == BPF_ABS)
        value = load(machine, at->k);
    else if (BPF_MODE(at->code) == BPF_MEM)
        value = machine->memory[word];
    else if (BPF_MODE(at->code) == BPF_LEN)
        value = sizeof(machine->data);
    switch (BPF_CLASS(at->code)) {
    case BPF_LD:
        machine->a = value;
        break;
    case BPF_LDX:
        machine->x = value;
        break;
    case BPF_ST:
        machine->memory[word] = machine->a;
        break;
    case BPF_STX:
        machine->memory[word] = machine->x;
        break;
    default: /* BPF_MISC */
        if (BPF_MISCOP(at->code) == BPF_TAX)
            machine->x = machine->a;
        else
            machine->a = machine->x;
        break;
    }
}

uint32_t seccomp_run(const struct sock_filter *program, size_t length, uint32_t number,
                     const uint64_t arguments[6])
{
    struct machine machine;

    memset(&machine, 0, sizeof(machine));
    machine.data.nr = (int)number;
    machine.data.arch = THIS_MACHINE;
    for (int i = 0; i < 6; i++)
        machine.data.args[i] = arguments[i];
    /* Jumps only go forward, so this ends. */
    for (size_t i = 0; i < length; i++) {
        const struct sock_filter *at = &program[i];

        if (BPF_CLASS(at->code) == BPF_RET)
            return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
        if (at->code == (BPF_JMP | BPF_JA))
            i += at->k;
        else if (BPF_CLASS(at->code) == BPF_JMP)
            i += jumps(at, &machine) ? at->jt : at->jf;
        else if (BPF_CLASS(at->code) == BPF_ALU)
            compute(at, &machine);
        else
            move(at, &machine);
    }
    return SECCOMP_RET_KILL_PROCESS;
}

static bool is_deadly(const struct sock_filter *program, size_t length,
                      const struct call *calls, size_t n_calls)
{
    for (size_t i = 0; i < n_calls; i++)
        switch (seccomp_run(program, length, calls[i].number, calls[i].arguments) &
                SECCOMP_RET_ACTION_FULL) {
        case SECCOMP_RET_KILL_PROCESS:
        case SECCOMP_RET_KILL_THREAD:
        case SECCOMP_RET_TRAP:
            return true;
        default:
            break;
        }
    return false;
}

/* Its length; 0 when there are no more, -1 when it can't be read. */
static long filter_at(pid_t tid, unsigned long index, struct sock_filter *program)
{
    long length = ptrace((enum __ptrace_request)GET_FILTER, tid, index, NULL);

    if (length < 0 && errno == ENOENT)
        return 0;
    if (length <= 0 || length > INSTRUCTIONS_MAX ||
        ptrace((enum __ptrace_request)GET_FILTER, tid, index, program) != length)
        return -1;
    return length;
}

static enum seccomp_verdict judge(pid_t tid, const struct call *calls, size_t n_calls)
{
    static struct sock_filter program[INSTRUCTIONS_MAX];

    for (unsigned long index = 0; index < FILTERS_MAX; index++) {
        long length = filter_at(tid, index, program);

        if (length <= 0)
            return length == 0 ? SECCOMP_HARMLESS : SECCOMP_UNKNOWN;
        if (is_deadly(program, (size_t)length, calls, n_calls))
            return SECCOMP_DEADLY;
    }
    return SECCOMP_UNKNOWN;
}

enum seccomp_verdict seccomp_judge(pid_t tid)
{
    return judge(tid, attach_calls, sizeof(attach_calls) / sizeof(attach_calls[0]));
}

bool seccomp_permits_file(pid_t tid)
{
    return judge(tid, file_calls, sizeof(file_calls) / sizeof(file_calls[0])) ==
           SECCOMP_HARMLESS;
}

bool seccomp_permits(pid_t tid, uint32_t number, const uint64_t arguments[6])
{
    static struct sock_filter program[INSTRUCTIONS_MAX];

    for (unsigned long index = 0; index < FILTERS_MAX; index++) {
        long length = filter_at(tid, index, program);

        if (length <= 0)
            return length == 0;
        if ((seccomp_run(program, (size_t)length, number, arguments) &
             SECCOMP_RET_ACTION_FULL) != SECCOMP_RET_ALLOW)
            return false;
    }
    return false;
}
