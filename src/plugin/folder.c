#include "plugin/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const plugin_folder_installed = HEAPTOP_PLUGIN_DIR;

#define ENTRIES_MAX 1000 /* of a folder that are looked at */

/* Can somebody else change it? In a sticky folder only what they own. */
static bool is_others(const struct stat *status, bool has_rights)
{
    bool is_sticky = S_ISDIR(status->st_mode) && (status->st_mode & S_ISVTX);

    if (status->st_uid != 0 && (has_rights || status->st_uid != geteuid()))
        return true;
    return (status->st_mode & 022) && !is_sticky;
}

static int refuse(const char *path, const struct stat *status, bool has_rights,
                  struct err *err)
{
    if (status->st_uid != 0 && (has_rights || status->st_uid != geteuid())) {
        err_set(err, ERR_DENIED, "%.200s belongs to another user", path);
        return err_remedy(err, has_rights ? "chown it to root"
                                          : "chown it to yourself, or to root");
    }
    err_set(err, ERR_DENIED, "%.200s can be written by others", path);
    return err_remedy(err, "chmod go-w %.200s", path);
}

/* The folders above it, up to the root. */
static int check_above(const char *path, bool has_rights, struct err *err)
{
    char place[PATH_MAX];
    struct stat status;

    if (!realpath(path, place))
        return err_set_errno(err, ERR_FAILED, errno, "cannot find %.200s", path);
    for (char *slash = strrchr(place, '/'); slash; slash = strrchr(place, '/')) {
        bool is_root = slash == place;

        slash[is_root] = '\0';
        if (stat(place, &status) != 0)
            return err_set_errno(err, ERR_FAILED, errno, "cannot look at %.200s", place);
        if (is_others(&status, has_rights))
            return refuse(place, &status, has_rights, err);
        if (is_root)
            return 0;
    }
    return 0;
}

int plugin_file_open(const char *path, bool has_rights, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat status;

    if (fd < 0 && errno == ELOOP)
        return err_set(err, ERR_DENIED, "%.200s is a symbolic link", path);
    if (fd < 0 || fstat(fd, &status) != 0)
        err_set_errno(err, ERR_FAILED, errno, "cannot open %.200s", path);
    else if (!S_ISREG(status.st_mode))
        err_set(err, ERR_DENIED, "%.200s is no plain file", path);
    else if (is_others(&status, has_rights))
        refuse(path, &status, has_rights, err);
    else if (check_above(path, has_rights, err) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The length of the name in "NAME.so"; 0: it is no plugin's. */
static size_t name_length(const char *entry)
{
    size_t length = strspn(entry, "abcdefghijklmnopqrstuvwxyz0123456789-");

    if (strcmp(entry + length, ".so") != 0 || length >= PLUGIN_NAME_BYTES)
        return 0;
    return length;
}

static int compare_names(const void *left, const void *right)
{
    const struct plugin_file *a = left, *b = right;

    return strcmp(a->name, b->name);
}

static bool has_name(const struct plugin_files *found, const char *name, size_t length)
{
    for (size_t i = 0; i < found->count; i++)
        if (strlen(found->files[i].name) == length &&
            !strncmp(found->files[i].name, name, length))
            return true;
    return false;
}

static void add_file(struct plugin_files *found, const char *folder, const char *entry,
                     bool has_rights)
{
    struct plugin_file *file = &found->files[found->count];
    size_t length = name_length(entry);
    struct err err = ERR_INIT;
    int fd;

    if (!length || found->count == PLUGINS_MAX || has_name(found, entry, length))
        return;
    memset(file, 0, sizeof(*file));
    memcpy(file->name, entry, length);
    if (snprintf(file->path, sizeof(file->path), "%s/%s", folder, entry) >=
        (int)sizeof(file->path))
        return;
    fd = plugin_file_open(file->path, has_rights, &err);
    if (fd >= 0)
        close(fd);
    else
        snprintf(file->why, sizeof(file->why), "%.200s; %.100s", err.text, err.remedy);
    found->count++;
}

static void add_folder(struct plugin_files *found, const char *folder, bool has_rights)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    for (int i = 0; entries && i < ENTRIES_MAX && (entry = readdir(entries)); i++)
        add_file(found, folder, entry->d_name, has_rights);
    if (entries)
        closedir(entries);
}

static void add_home(struct plugin_files *found, bool has_rights)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    char folder[PLUGIN_PATH_BYTES];

    if (data && data[0] == '/')
        snprintf(folder, sizeof(folder), "%s/heaptop/plugins", data);
    else if (home && home[0] == '/')
        snprintf(folder, sizeof(folder), "%s/.local/share/heaptop/plugins", home);
    else
        return;
    add_folder(found, folder, has_rights);
}

void plugin_files_find(struct plugin_files *found, const char *extra, bool has_rights)
{
    found->count = 0;
    if (extra)
        add_folder(found, extra, has_rights);
    if (!has_rights)
        add_home(found, has_rights);
    add_folder(found, plugin_folder_installed, has_rights);
    qsort(found->files, found->count, sizeof(found->files[0]), compare_names);
}
