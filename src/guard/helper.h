/*
 * helper.h - the privileged helper: a small process that keeps the rights which
 * the process that reads foreign memory gives up.
 *
 * It is forked before the guard (guard.h) drops anything, answers a fixed list of
 * services with texts and descriptors over a socket pair, and ends when its client
 * ends. A service opens, compares and forks; it never takes an address or code from
 * the client and never parses what a target holds: only a child that it forks does.
 *
 * Without a helper - an ordinary user, a test - helper_call() serves in this very
 * process, so callers need not know. Calls are thread-safe, one after the other.
 */
#ifndef HEAPTOP_GUARD_HELPER_H
#define HEAPTOP_GUARD_HELPER_H

#include <stdbool.h>
#include <stddef.h>

#include "heaptop/err.h"

#define HELPER_BYTES_MAX    4096
#define HELPER_FDS_MAX      16
#define HELPER_SERVICES_MAX 16

/* Descriptors that come with an answer; the caller of helper_call() owns them. */
struct helper_fds {
    int fds[HELPER_FDS_MAX];
    size_t count;
};

/* One thing that may be asked. Both structs are plain bytes of a fixed size; the
 * question is hostile. Descriptors are added in the order in which they are named. */
struct helper_service {
    const char *name;
    size_t question_bytes, answer_bytes;
    void (*serve)(const void *question, void *answer, struct helper_fds *fds);
};

/* Forks the helper. While no other thread runs. The list ends with NULL and must
 * outlive the program. */
int helper_start(const struct helper_service *const *services, struct err *err);

/* Is there one? False also in the helper itself. */
bool helper_is_running(void);
int helper_pid(void);

/* Asks. 0, or -1 with a sentence when the helper has ended or does not answer. */
int helper_call(const struct helper_service *service, const void *question, void *answer,
                struct helper_fds *fds, struct err *err);

/* Closes what a failed caller does not want. */
void helper_fds_close(struct helper_fds *fds);

#endif
