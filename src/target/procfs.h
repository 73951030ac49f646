/*
 * procfs.h - small files of /proc, read whole and taken apart.
 *
 * The kernel writes them, but names in them come from the target. A field that
 * is not there is "not known", never 0.
 */
#ifndef HEAPTOP_TARGET_PROCFS_H
#define HEAPTOP_TARGET_PROCFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "heaptop/reading.h"

struct strbuf;

#define PROCFS_TEXT_BYTES 8192 /* no file that is read with this has more */

/* Reads from the beginning of a kept descriptor; the text ends with a NUL.
 * Gives the length, or -1 with errno set. */
ssize_t procfs_read(int fd, char *buffer, size_t size);

/* As procfs_read() for /proc/<path>, opened and closed again. */
ssize_t procfs_read_file(const char *path, char *buffer, size_t size);

/* As procfs_read() for a file of the directory, opened and closed again. */
ssize_t procfs_read_at(int dir, const char *name, char *buffer, size_t size);

/* Appends the arguments with spaces between, or "[comm]" when there are none;
 * clean text. `cmdline_fd` is a descriptor of /proc/PID/cmdline, or -1. */
void procfs_add_command(struct strbuf *out, int cmdline_fd, const char *comm);

/* CPU time that all threads of the process used; finer than the ticks of stat.
 * False when the process is gone. */
bool procfs_cpu_ns(pid_t pid, int64_t *cpu_ns);

/* The first three numbers of /proc/PID/statm. */
struct procfs_statm {
    int64_t virt_bytes, res_bytes, shr_bytes;
};

bool procfs_parse_statm(const char *text, struct procfs_statm *statm);

/* RES from a kept descriptor of statm; unknown when it cannot be read. */
struct reading procfs_res(int statm_fd);

/* /proc/PID/stat. */
struct procfs_stat {
    char comm[64]; /* raw */
    char state;
    pid_t parent;
    uint32_t flags;
    uint64_t minor_faults, major_faults;
    uint64_t user_ticks, system_ticks;
    uint64_t threads;
    uint64_t start_ticks;
};

bool procfs_parse_stat(const char *text, struct procfs_stat *stat);

/* The number after "Name:" at the beginning of a line of status, io, smaps_rollup. */
bool procfs_field(const char *text, const char *name, uint64_t *value);

/* Wall clock time of `start_ticks`. */
int64_t procfs_start_wall_ns(uint64_t start_ticks);

/* How long ago that was. */
int64_t procfs_uptime_ns(uint64_t start_ticks);

#endif
