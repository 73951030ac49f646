#include "target/memory_room.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/procfs.h"
#include "util/utf8.h"

#define GROUP_ROOT      "/sys/fs/cgroup"
#define GROUP_PATH_MAX  512
#define GROUP_TEXT_MAX  4096
#define LEVELS_MAX      32
#define STRICT          2 /* proc(5): overcommit_memory */
#define UNLIMITED_BYTES (INT64_C(1) << 60)

/* The same of both versions of control groups (Documentation/admin-guide/cgroup-v2.rst,
 * cgroup-v1/memory.rst). */
struct group_files {
    const char *folder, *limit, *used, *reclaimable;
};

static const struct group_files version_1 = {
    "/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
static const struct group_files version_2 = {"", "memory.max", "memory.current",
                                             "inactive_file"};

static bool read_number(const char *folder, const char *name, int64_t *number)
{
    char path[2 * GROUP_PATH_MAX], text[64], *end;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (procfs_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return false;
    *number = strtoll(text, &end, 10);
    return end != text && *number >= 0 && *number < UNLIMITED_BYTES;
}

/* "inactive_file 4096": pages of files that would make room. */
static int64_t read_reclaimable(const char *folder, const char *name)
{
    char path[2 * GROUP_PATH_MAX], text[GROUP_TEXT_MAX];
    size_t length = strlen(name);

    snprintf(path, sizeof(path), "%s/memory.stat", folder);
    if (procfs_read_at(AT_FDCWD, path, text, sizeof(text)) <= 0)
        return 0;
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, name, length) && line[length] == ' ')
            return strtoll(line + length, NULL, 10);
        if (!*line)
            break;
    }
    return 0;
}

static void take_least(struct memory_room *room, int64_t bytes, const char *who)
{
    if (bytes < 0)
        bytes = 0;
    if (reading_is_known(room->bytes) && room->bytes.value <= bytes)
        return;
    room->bytes = reading_exact(bytes);
    utf8_clean_copy(room->who, sizeof(room->who), who, strlen(who));
}

static void take_group(struct memory_room *room, const struct group_files *files,
                       const char *root, const char *path)
{
    char folder[GROUP_PATH_MAX + 64], who[GROUP_PATH_MAX + 32];
    int64_t limit, used;

    snprintf(folder, sizeof(folder), "%s%s%s", root, files->folder, path);
    if (!read_number(folder, files->limit, &limit) ||
        !read_number(folder, files->used, &used))
        return;
    snprintf(who, sizeof(who), "the memory group %.64s", *path ? path : "/");
    take_least(room, limit - used + read_reclaimable(folder, files->reclaimable), who);
}

/* The group and all above it. */
static void take_groups(struct memory_room *room, const struct group_files *files,
                        const char *root, const char *path)
{
    char at[GROUP_PATH_MAX];

    if (path[0] != '/' || strstr(path, "/..") || strlen(path) >= sizeof(at))
        return;
    snprintf(at, sizeof(at), "%s", path);
    if (!strcmp(at, "/"))
        at[0] = '\0';
    for (int level = 0; level < LEVELS_MAX; level++) {
        char *slash = strrchr(at, '/');

        take_group(room, files, root, at);
        if (!slash)
            return;
        *slash = '\0';
    }
}

/* "0::/x.service" of version 2, "9:cpu,memory:/x" of version 1. */
static void take_line(struct memory_room *room, char *line, const char *root)
{
    char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

    if (!path)
        return;
    *path++ = '\0';
    if (!strncmp(line, "0:", 2) && !names[1]) {
        take_groups(room, &version_2, root, path);
        return;
    }
    for (char *save, *name = strtok_r(names + 1, ",", &save); name;
         name = strtok_r(NULL, ",", &save))
        if (!strcmp(name, "memory"))
            take_groups(room, &version_1, root, path);
}

struct memory_room memory_room_of_groups(const char *text, const char *root)
{
    struct memory_room room = {.bytes = reading_unknown()};
    char copy[GROUP_TEXT_MAX], *save;

    snprintf(copy, sizeof(copy), "%s", text);
    for (char *line = strtok_r(copy, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save))
        take_line(&room, line, root);
    return room;
}

static void take_machine(struct memory_room *room)
{
    char text[PROCFS_TEXT_BYTES], mode[16];
    uint64_t available_kb, limit_kb, promised_kb;

    if (procfs_read_file("meminfo", text, sizeof(text)) <= 0)
        return;
    if (procfs_field(text, "MemAvailable", &available_kb))
        take_least(room, (int64_t)available_kb * 1024, "the machine");
    if (procfs_read_file("sys/vm/overcommit_memory", mode, sizeof(mode)) > 0 &&
        strtol(mode, NULL, 10) == STRICT &&
        procfs_field(text, "CommitLimit", &limit_kb) &&
        procfs_field(text, "Committed_AS", &promised_kb))
        take_least(room, ((int64_t)limit_kb - (int64_t)promised_kb) * 1024,
                   "vm.overcommit_memory=2");
}

struct memory_room memory_room_of(int dir_fd)
{
    struct memory_room room = {.bytes = reading_unknown()};
    char text[GROUP_TEXT_MAX];

    if (procfs_read_at(dir_fd, "cgroup", text, sizeof(text)) > 0)
        room = memory_room_of_groups(text, GROUP_ROOT);
    take_machine(&room);
    return room;
}
