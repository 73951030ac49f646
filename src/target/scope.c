#include "target/scope.h"

#include <stdint.h>
#include <stdio.h>

#include "target/procfs.h"

#define ANCESTORS_MAX 64
#define SEEN_MOST     1024 /* the oldest is forgotten */

struct identity_of {
    pid_t pid;
    uint64_t start_ticks;
};

static struct {
    struct identity_of root; /* pid 0: no bound */
    struct identity_of seen[SEEN_MOST];
    size_t n_seen; /* so many in all */
} scope;

static bool read_stat(pid_t pid, struct procfs_stat *stat)
{
    char path[32], text[PROCFS_TEXT_BYTES];

    snprintf(path, sizeof(path), "%d/stat", (int)pid);
    return procfs_read_file(path, text, sizeof(text)) > 0 &&
           procfs_parse_stat(text, stat);
}

void scope_set_root(pid_t root)
{
    struct procfs_stat stat;

    scope.root = (struct identity_of){.pid = root};
    if (root && read_stat(root, &stat))
        scope.root.start_ticks = stat.start_ticks;
}

bool scope_is_below(pid_t pid, pid_t root)
{
    struct procfs_stat stat;

    for (int i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
        if (!read_stat(pid, &stat))
            return false;
        pid = stat.parent;
        if (pid == root)
            return true;
    }
    return false;
}

static bool is_same(const struct identity_of *known, pid_t pid)
{
    struct procfs_stat stat;

    return known->pid == pid && read_stat(pid, &stat) &&
           stat.start_ticks == known->start_ticks;
}

static bool was_seen(pid_t pid)
{
    for (size_t i = 0; i < SEEN_MOST && i < scope.n_seen; i++)
        if (is_same(&scope.seen[i], pid))
            return true;
    return false;
}

static void remember(pid_t pid)
{
    struct procfs_stat stat;

    if (read_stat(pid, &stat))
        scope.seen[scope.n_seen++ % SEEN_MOST] =
            (struct identity_of){pid, stat.start_ticks};
}

int scope_check(pid_t pid, struct err *err)
{
    if (!scope.root.pid || is_same(&scope.root, pid) || was_seen(pid))
        return 0;
    if (is_same(&scope.root, scope.root.pid) && scope_is_below(pid, scope.root.pid)) {
        remember(pid);
        return 0;
    }
    err_set(err, ERR_DENIED, "process %d is not in the tree of %d", (int)pid,
            (int)scope.root.pid);
    return err_remedy(err, "look at it with a heaptop of its own: heaptop %d", (int)pid);
}
