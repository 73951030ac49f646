#include "attach/copy.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/region.h"
#include "heaptop/units.h"
#include "target/memory_room.h"
#include "target/procfs.h"

#define NS_PER_MIB \
    INT64_C(30000) /* of private pages: a guess from forks that were timed */
#define MIB            (INT64_C(1) << 20)
#define ROOM_SHARE     4 /* so much of the most that it can cost must be free */
#define ROOM_LEAST     (16 * MIB)
#define NAMESPACES_MAX 32

struct reading copy_pause_ns(struct reading anon_bytes)
{
    if (!reading_is_known(anon_bytes))
        return reading_unknown();
    return (struct reading){(anon_bytes.value / MIB + 1) * NS_PER_MIB, READING_ESTIMATE};
}

static int check_room(const struct target *target, const char *status, struct err *err)
{
    struct memory_room room = memory_room_of(target->fds.dir);
    uint64_t anon_kb = 0, tables_kb = 0;
    char most[UNITS_MAX], left[UNITS_MAX];
    int64_t anon, needed;

    procfs_field(status, "RssAnon", &anon_kb);
    procfs_field(status, "VmPTE", &tables_kb);
    anon = (int64_t)anon_kb * 1024;
    needed = (int64_t)tables_kb * 1024 + anon / ROOM_SHARE + ROOM_LEAST;
    if (!reading_is_known(room.bytes) || room.bytes.value >= needed)
        return 0;
    err_set(err, ERR_FAILED,
            "a copy of the process may come to cost %s, and %.80s leaves only %s",
            units_bytes(most, reading_exact(anon)), room.who,
            units_bytes(left, room.bytes));
    return err_remedy(err, "an ordinary walk (key Space) needs no memory in the target");
}

int copy_possible(struct target *target, struct session *session, struct err *err)
{
    char status[PROCFS_TEXT_BYTES];
    uint64_t mode = 0;

    if (target->is_free_threaded) {
        err_set(err, ERR_UNSUPPORTED,
                "the objects of free-threaded Python cannot be read from outside, in a "
                "copy neither");
        return err_remedy(err, "the agent counts what the collector tracks");
    }
    if (procfs_read(target->fds.status, status, sizeof(status)) <= 0)
        return err_set(err, ERR_GONE, "process %d ended", (int)target->pid);
    if ((procfs_field(status, "Seccomp", &mode) && mode) || !session_is_shared(session)) {
        err_set(err, ERR_UNSUPPORTED,
                "process %d has a seccomp filter, or no descriptor free: the agent makes "
                "no copy of it",
                (int)target->pid);
        return err_remedy(err, "an ordinary walk (key Space) needs none");
    }
    return check_room(target, status, err);
}

/* The last number of "NSpid:\t1234\t5": the process in its innermost namespace. */
static pid_t innermost_pid(const char *status)
{
    const char *line = strstr(status, "\nNSpid:");
    long pid = 0;

    if (!line)
        return 0;
    line += strlen("\nNSpid:");
    for (int i = 0; i < NAMESPACES_MAX && *line == '\t'; i++) {
        char *end;

        pid = strtol(line, &end, 10);
        line = end;
    }
    return (pid_t)pid;
}

/* Is process `pid` the target's copy? What the target says of its children is not
 * believed: the kernel is asked. */
static bool is_copy(const struct target *target, pid_t pid, pid_t inside)
{
    char path[32], status[PROCFS_TEXT_BYTES];
    uint64_t parent, uid;

    snprintf(path, sizeof(path), "%d/status", (int)pid);
    return procfs_read_file(path, status, sizeof(status)) > 0 &&
           !strncmp(status, "Name:\t" AGENT_THREAD_NAME "\n",
                    strlen("Name:\t" AGENT_THREAD_NAME "\n")) &&
           procfs_field(status, "PPid", &parent) && parent == (uint64_t)target->pid &&
           procfs_field(status, "Uid", &uid) && (uid_t)uid == target->uid &&
           innermost_pid(status) == inside;
}

/* In heaptop's own namespace the number may be another one. */
static pid_t find_copy(const struct target *target, pid_t inside)
{
    DIR *directory;
    struct dirent *entry;
    pid_t found = 0;

    if (is_copy(target, inside, inside))
        return inside;
    directory = opendir("/proc");
    while (directory && !found && (entry = readdir(directory))) {
        pid_t pid = (pid_t)strtol(entry->d_name, NULL, 10);

        if (pid > 0 && is_copy(target, pid, inside))
            found = pid;
    }
    if (directory)
        closedir(directory);
    return found;
}

int copy_open(const struct target *target, pid_t inside, struct target **copy,
              struct err *err)
{
    pid_t pid = find_copy(target, inside);

    *copy = NULL;
    if (!pid)
        return err_set(err, ERR_GONE, "the copy of process %d is not there any more",
                       (int)target->pid);
    if (target_open(pid, copy, err))
        return err_prefix(err, "the copy of the process cannot be read");
    if ((*copy)->reader)
        return 0;
    *err = (*copy)->access_why;
    target_close(*copy);
    *copy = NULL;
    return err_prefix(err, "the copy of the process cannot be read");
}

struct reading copy_own_bytes(const struct target *copy)
{
    char text[PROCFS_TEXT_BYTES];
    uint64_t clean_kb, dirty_kb;

    if (copy->fds.smaps_rollup < 0 ||
        procfs_read(copy->fds.smaps_rollup, text, sizeof(text)) <= 0 ||
        !procfs_field(text, "Private_Clean", &clean_kb) ||
        !procfs_field(text, "Private_Dirty", &dirty_kb))
        return reading_unknown();
    return reading_exact((int64_t)(clean_kb + dirty_kb) * 1024);
}
