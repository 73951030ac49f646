#include "target/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/strbuf.h"
#include "util/utf8.h"

ssize_t procfs_read(int fd, char *buffer, size_t size)
{
    size_t used = 0;

    while (used < size - 1) {
        ssize_t got = pread(fd, buffer + used, size - 1 - used, (off_t)used);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (!got)
            break;
        used += (size_t)got;
    }
    buffer[used] = '\0';
    return (ssize_t)used;
}

ssize_t procfs_read_file(const char *path, char *buffer, size_t size)
{
    char full[128];

    snprintf(full, sizeof(full), "/proc/%s", path);
    return procfs_read_at(AT_FDCWD, full, buffer, size);
}

ssize_t procfs_read_at(int dir, const char *name, char *buffer, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t got;
    int problem;

    if (fd < 0)
        return -1;
    got = procfs_read(fd, buffer, size);
    problem = errno;
    close(fd);
    errno = problem;
    return got;
}

void procfs_add_command(struct strbuf *out, int cmdline_fd, const char *comm)
{
    char text[4096];
    ssize_t length = cmdline_fd < 0 ? -1 : procfs_read(cmdline_fd, text, sizeof(text));

    while (length > 0 && !text[length - 1])
        length--;
    if (length <= 0) {
        strbuf_add_char(out, '[');
        utf8_clean(out, comm, strlen(comm));
        strbuf_add_char(out, ']');
        return;
    }
    for (ssize_t i = 0; i < length; i++)
        if (!text[i])
            text[i] = ' ';
    utf8_clean(out, text, (size_t)length);
}

bool procfs_cpu_ns(pid_t pid, int64_t *cpu_ns)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used))
        return false;
    *cpu_ns = (int64_t)used.tv_sec * NS_PER_S + used.tv_nsec;
    return true;
}

bool procfs_parse_stat(const char *text, struct procfs_stat *stat)
{
    /* The name stands in parentheses and may hold parentheses and spaces. */
    const char *open = strchr(text, '('), *close = strrchr(text, ')');
    size_t length;
    int parent;

    memset(stat, 0, sizeof(*stat));
    if (!open || !close || close < open)
        return false;
    length = (size_t)(close - open - 1);
    if (length > sizeof(stat->comm) - 1)
        length = sizeof(stat->comm) - 1;
    memcpy(stat->comm, open + 1, length);
    if (sscanf(close + 1,
               " %c %d %*d %*d %*d %*d %" SCNu32 " %" SCNu64 " %*u %" SCNu64
               " %*u %" SCNu64 " %" SCNu64 " %*d %*d %*d %*d %" SCNu64 " %*d %" SCNu64,
               &stat->state, &parent, &stat->flags, &stat->minor_faults,
               &stat->major_faults, &stat->user_ticks, &stat->system_ticks,
               &stat->threads, &stat->start_ticks) != 9)
        return false;
    stat->parent = parent;
    return true;
}

bool procfs_parse_statm(const char *text, struct procfs_statm *statm)
{
    int64_t page_bytes = sysconf(_SC_PAGESIZE);

    if (sscanf(text, "%" SCNd64 " %" SCNd64 " %" SCNd64, &statm->virt_bytes,
               &statm->res_bytes, &statm->shr_bytes) != 3)
        return false;
    statm->virt_bytes *= page_bytes;
    statm->res_bytes *= page_bytes;
    statm->shr_bytes *= page_bytes;
    return true;
}

struct reading procfs_res(int statm_fd)
{
    char text[256];
    struct procfs_statm statm;

    if (statm_fd < 0 || procfs_read(statm_fd, text, sizeof(text)) <= 0 ||
        !procfs_parse_statm(text, &statm))
        return reading_unknown();
    return reading_exact(statm.res_bytes);
}

bool procfs_field(const char *text, const char *name, uint64_t *value)
{
    size_t length = strlen(name);

    while (text) {
        if (!strncmp(text, name, length) && text[length] == ':') {
            char *end;
            const char *digits = text + length + 1;

            digits += strspn(digits, " \t");
            errno = 0;
            *value = strtoull(digits, &end, 10);
            return end != digits && *digits != '-' && !errno;
        }
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return false;
}

int64_t procfs_uptime_ns(uint64_t start_ticks)
{
    uint64_t hertz = (uint64_t)sysconf(_SC_CLK_TCK);
    struct timespec now;
    int64_t started_ns;

    clock_gettime(CLOCK_BOOTTIME, &now);
    started_ns = (int64_t)(start_ticks / hertz) * NS_PER_S +
                 (int64_t)(start_ticks % hertz) * (NS_PER_S / (int64_t)hertz);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec - started_ns;
}

int64_t procfs_start_wall_ns(uint64_t start_ticks)
{
    return clock_wall_ns() - procfs_uptime_ns(start_ticks);
}
