#include "target/children.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/procfs.h"

#define THREADS_MAX 1024 /* that are asked for theirs */

static int compare_pids(const void *a, const void *b)
{
    pid_t one = *(const pid_t *)a, other = *(const pid_t *)b;

    return one < other ? -1 : one > other;
}

/* The name of the program, until another one is executed or it calls itself otherwise. */
static bool has_name(pid_t pid, const char *name)
{
    char path[32], text[64];

    snprintf(path, sizeof(path), "%d/comm", (int)pid);
    return procfs_read_file(path, text, sizeof(text)) > 0 && !strcmp(text, name);
}

static void add_of_thread(struct target *target, const char *tid, const char *name,
                          struct children *children)
{
    char path[300], text[PROCFS_TEXT_BYTES];
    const char *at = text;
    char *end;

    snprintf(path, sizeof(path), "task/%s/children", tid);
    if (procfs_read_at(target->fds.dir, path, text, sizeof(text)) <= 0)
        return;
    while (children->count < CHILDREN_MAX) {
        long pid = strtol(at, &end, 10);

        if (end == at || pid <= 0)
            return;
        at = end;
        if (has_name((pid_t)pid, name))
            children->pids[children->count++] = (pid_t)pid;
    }
}

static void read_all(struct target *target, struct children *children)
{
    int fd = openat(target->fds.dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    char name[64];

    if (!directory) {
        if (fd >= 0)
            close(fd);
        return;
    }
    if (procfs_read_at(target->fds.dir, "comm", name, sizeof(name)) > 0)
        for (int n = 0; n < THREADS_MAX && (entry = readdir(directory)); n++)
            if (entry->d_name[0] != '.')
                add_of_thread(target, entry->d_name, name, children);
    closedir(directory);
    qsort(children->pids, children->count, sizeof(children->pids[0]), compare_pids);
}

size_t children_look(struct target *target, struct children *children, pid_t *first)
{
    struct children before = *children;
    size_t more = 0;

    children->count = 0;
    read_all(target, children);
    children->is_known = true;
    for (size_t i = 0; before.is_known && i < children->count; i++) {
        if (bsearch(&children->pids[i], before.pids, before.count, sizeof(pid_t),
                    compare_pids))
            continue;
        if (!more++)
            *first = children->pids[i];
    }
    return more;
}
