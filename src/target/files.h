/*
 * files.h - opening what is kept of one process: the one place in which a file of
 * /proc/PID is opened by the rights of who runs heaptop.
 *
 * The kernel checks most of these files when they are opened and never again, so
 * the descriptors go on after heaptop has given its rights up. They are opened by
 * the privileged helper when there is one (guard/helper.h), else right here. To
 * keep another file: a member in struct target_fds (target.h), a line in
 * files_kept[] (files.c).
 */
#ifndef HEAPTOP_TARGET_FILES_H
#define HEAPTOP_TARGET_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "guard/helper.h"
#include "heaptop/err.h"

/* Descriptors opened once and read with pread; -1 when it could not be opened. */
struct target_fds {
    int dir; /* /proc/PID */
    int pidfd;
    int stat, statm, status, io, smaps_rollup, maps, mem, pagemap, environ, cmdline;
};

#define TARGET_FDS_NONE                                \
    {                                                  \
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1 \
    }

struct target_files {
    struct target_fds fds;
    struct err access_why; /* why maps or mem are -1; ERR_NONE when both are open */
    char exe[1024];        /* what /proc/PID/exe names, raw; "" when not known */
    char user[33];         /* whose process it is */
};

/* Opens what may be opened: at least dir, stat and status. -1: there is no such
 * process (ERR_GONE), or it may not be seen at all; nothing is open then. */
int target_files_open(pid_t pid, struct target_files *files, struct err *err);
void target_fds_close(struct target_fds *fds);

/* Does the number still belong to the process that began then? */
bool target_is_same(pid_t pid, uint64_t start_ticks);

/* What the list of processes says of one: may its memory be read, and if not why. */
struct target_look {
    int32_t can_read;
    char word[16]; /* as access_explain() */
    char exe[128];
    char user[33];
    struct err why;
};
int target_look(pid_t pid, struct target_look *look, struct err *err);

/* The text of /proc/PID/io, which the kernel checks at each read. False when it may
 * not be read. */
bool target_read_io(pid_t pid, uint64_t start_ticks, int io_fd, char *text, size_t size);

/* Processor time that all this has cost in the helper so far; 0 without one. */
int64_t target_helper_cpu_ns(void);

/* For the helper's list of services. */
extern const struct helper_service target_files_service, target_look_service,
    target_io_service;

#endif
