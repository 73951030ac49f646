/*
 * seccomp.h - would the target's seccomp filters kill it for what an attach does?
 *
 * The filters are read from the stopped thread and run here on the calls that
 * starting and ending a thread needs. Injector child only.
 */
#ifndef HEAPTOP_ATTACH_SECCOMP_H
#define HEAPTOP_ATTACH_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sock_filter;

enum seccomp_verdict {
    SECCOMP_UNKNOWN, /* the filters cannot be read: it takes CAP_SYS_ADMIN */
    SECCOMP_HARMLESS,
    SECCOMP_DEADLY,
};

/* The thread must be stopped by this process. */
enum seccomp_verdict seccomp_judge(pid_t tid);

/* Is it known that the target survives making and mapping a memory file? */
bool seccomp_permits_file(pid_t tid);

/* Do all filters allow the call? False also when they cannot be read. */
bool seccomp_permits(pid_t tid, uint32_t number, const uint64_t arguments[6]);

/* What one filter answers to a call; deadly when it makes no sense. */
uint32_t seccomp_run(const struct sock_filter *program, size_t length, uint32_t number,
                     const uint64_t arguments[6]);

#endif
