#include "recording/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/xalloc.h"

#define TRIES_MAX 100 /* of names in one second */

int folder_file_name(const char *path, pid_t pid, int number,
                     char chosen[RECORDER_PATH_BYTES])
{
    time_t now = time(NULL);
    char stamp[32], more[16] = "";
    struct tm tm;

    if (!gmtime_r(&now, &tm) || !strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm))
        return -1;
    if (number)
        snprintf(more, sizeof(more), "-%d", number);
    return snprintf(chosen, RECORDER_PATH_BYTES, "%s/heaptop-%d-%s%s" RECORDER_SUFFIX,
                    path, (int)pid, stamp, more) < RECORDER_PATH_BYTES
               ? 0
               : -1;
}

int folder_choose(const char *path, pid_t pid, char chosen[RECORDER_PATH_BYTES],
                  bool *is_folder, struct err *err)
{
    struct stat status;

    *is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    if (!*is_folder) {
        snprintf(chosen, RECORDER_PATH_BYTES, "%s", path);
        return 0;
    }
    for (int number = 0; number < TRIES_MAX; number++) {
        if (folder_file_name(path, pid, number, chosen))
            break;
        if (lstat(chosen, &status) != 0 && errno == ENOENT)
            return 0;
    }
    return err_set(err, ERR_FAILED, "no name for a recording is left in %.200s", path);
}

struct old_file {
    char name[256];
    int64_t bytes, changed_ns;
};

static bool is_ours(const char *name)
{
    int pid, used = 0;
    size_t length = strlen(name);

    return sscanf(name, "heaptop-%d-%n", &pid, &used) == 1 && used && length > 4 &&
           !strcmp(name + length - 4, ".htr");
}

static int old_compare(const void *left, const void *right)
{
    const struct old_file *a = left, *b = right;

    return a->changed_ns < b->changed_ns ? -1 : a->changed_ns > b->changed_ns;
}

/* All recordings of the folder, the oldest first. */
static size_t list(DIR *folder, const char *current, struct old_file **files)
{
    const char *slash = strrchr(current, '/');
    const struct dirent *entry;
    size_t count = 0, capacity = 0;
    struct stat status;

    while ((entry = readdir(folder))) {
        if (!is_ours(entry->d_name) ||
            !strcmp(entry->d_name, slash ? slash + 1 : current))
            continue;
        if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(status.st_mode))
            continue;
        if (count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            *files = xreallocarray(*files, capacity, sizeof(**files));
        }
        snprintf((*files)[count].name, sizeof((*files)[count].name), "%s", entry->d_name);
        (*files)[count].bytes = status.st_size;
        (*files)[count++].changed_ns =
            status.st_mtim.tv_sec * NS_PER_S + status.st_mtim.tv_nsec;
    }
    if (count)
        qsort(*files, count, sizeof(**files), old_compare);
    return count;
}

void folder_forget_old(const char *path, const char *current, int64_t keep_bytes,
                       int64_t keep_ns)
{
    DIR *folder = opendir(path);
    struct old_file *files = NULL;
    size_t count;
    int64_t total = 0, now_ns = clock_wall_ns();

    if (!folder)
        return;
    count = list(folder, current, &files);
    for (size_t i = 0; i < count; i++)
        total += files[i].bytes;
    for (size_t i = 0; i < count; i++) {
        if (now_ns - files[i].changed_ns <= keep_ns && total <= keep_bytes)
            break;
        if (unlinkat(dirfd(folder), files[i].name, 0) == 0)
            total -= files[i].bytes;
    }
    free(files);
    closedir(folder);
}

/* Exactly as folder_file_name() makes them. */
static bool parse_name(const char *name, struct folder_file *file)
{
    char made[sizeof(file->name)], more[16] = "";
    int pid;

    memset(file, 0, sizeof(*file));
    if (sscanf(name, "heaptop-%d-%16[0-9TZ]-%d", &pid, file->stamp, &file->number) < 2)
        return false;
    file->pid = pid;
    if (file->number)
        snprintf(more, sizeof(more), "-%d", file->number);
    snprintf(made, sizeof(made), "heaptop-%d-%s%s" RECORDER_SUFFIX, pid, file->stamp,
             more);
    memcpy(file->name, made, sizeof(made));
    return !strcmp(made, name);
}

static int file_compare(const void *left, const void *right)
{
    const struct folder_file *a = left, *b = right;
    int order = strcmp(a->stamp, b->stamp);

    return order ? order : (a->number > b->number) - (a->number < b->number);
}

int folder_list(const char *path, struct folder_file **files, size_t *count,
                struct err *err)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    struct folder_file file;
    size_t capacity = 0;

    *files = NULL;
    *count = 0;
    if (!folder)
        return err_set_errno(err, ERR_FAILED, errno, "cannot read the folder %.200s",
                             path);
    while ((entry = readdir(folder))) {
        if (!parse_name(entry->d_name, &file))
            continue;
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            *files = xreallocarray(*files, capacity, sizeof(**files));
        }
        (*files)[(*count)++] = file;
    }
    closedir(folder);
    if (*count)
        qsort(*files, *count, sizeof(**files), file_compare);
    return 0;
}
