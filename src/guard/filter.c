#include "guard/filter.h"

#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/guard.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41 /* linux/prctl.h, since 5.17 */
#endif
/* linux/fs.h, since 6.7 and 6.11: _IOWR('f', 16, struct pm_scan_arg), _IOWR('f', 17,
 * struct procmap_query). */
#define PAGEMAP_SCAN_REQUEST  0xc0606610u
#define PROCMAP_QUERY_REQUEST 0xc0686611u
#define FILTER_OWN_PID        0 /* put in when the filter is made */

/* One line of syscalls.def; mask 0: the arguments do not matter. */
struct row {
    uint32_t number;
    unsigned need;
    uint32_t argument, mask, value;
};

static const struct row rows[] = {
#define SYSCALL(need, name, why) {SYS_##name, need, 0, 0, 0},
#define SYSCALL_IF(need, name, argument, mask, value, why) \
    {SYS_##name, need, argument, (uint32_t)(mask), (uint32_t)(value)},
#include "guard/syscalls.def"
#undef SYSCALL
#undef SYSCALL_IF
};

#define N_ROWS          (sizeof(rows) / sizeof(rows[0]))
#define CODE_PER_ROW    6
#define CODE_BEFORE     4
#define CODE_MAX        (CODE_BEFORE + N_ROWS * CODE_PER_ROW + 1)
#define OFFSET_OF(what) ((uint32_t)offsetof(struct seccomp_data, what))

struct program {
    struct sock_filter code[CODE_MAX];
    unsigned short length;
};

static void add(struct program *program, uint16_t code, uint8_t if_true, uint8_t if_false,
                uint32_t operand)
{
    program->code[program->length++] =
        (struct sock_filter){code, if_true, if_false, operand};
}

static void add_row(struct program *program, const struct row *row)
{
    uint32_t value = row->value;

    if (row->number == SYS_tgkill && row->mask)
        value = (uint32_t)getpid();
    add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, OFFSET_OF(nr));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, row->mask ? 4 : 1, row->number);
    if (row->mask) {
        add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0,
            OFFSET_OF(args) + row->argument * (uint32_t)sizeof(uint64_t));
        add(program, BPF_ALU | BPF_AND | BPF_K, 0, 0, row->mask);
        add(program, BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value);
    }
    add(program, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW);
}

/* Gives the number of different calls that are allowed. */
static int make_program(struct program *program, unsigned needs)
{
    int count = 0;

    program->length = 0;
    add(program, BPF_LD | BPF_W | BPF_ABS, 0, 0, OFFSET_OF(arch));
    add(program, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AUDIT_ARCH_X86_64);
    add(program, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < N_ROWS; i++) {
        bool is_again = false;

        if (rows[i].need != GUARD_ALWAYS && !(rows[i].need & needs))
            continue;
        for (size_t j = 0; j < i; j++)
            is_again |= rows[j].number == rows[i].number;
        count += !is_again;
        add_row(program, &rows[i]);
    }
    add(program, BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS);
    return count;
}

int filter_begin(unsigned needs)
{
    struct program program;
    int count = make_program(&program, needs);
    struct sock_fprog filter = {program.length, program.code};

    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                &filter) != 0)
        return -1;
    return count;
}
