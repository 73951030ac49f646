/*
 * Reads what is mapped from files, from those files: for processes whose maps
 * may be seen but whose memory may not (Yama). A file counts only when it is
 * the very one that is mapped, by device and inode; what the process changed
 * after mapping is not seen.
 */
#include "target/identify.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/xalloc.h"

struct reader_files {
    struct reader reader;
    const struct maps *maps;
    int proc_dir;
    int fd; /* the file read last, or -1 */
    uint64_t inode;
    uint32_t device_major, device_minor;
};

static bool is_mapped_file(int fd, const struct mapping *mapping)
{
    struct stat status;

    return !fstat(fd, &status) && S_ISREG(status.st_mode) &&
           status.st_ino == mapping->inode &&
           major(status.st_dev) == mapping->device_major &&
           minor(status.st_dev) == mapping->device_minor;
}

static int open_mapped_file(const struct reader_files *files,
                            const struct mapping *mapping)
{
    /* O_PATH first: opening a device or a FIFO may do something. */
    int flags = O_PATH | O_CLOEXEC;
    int root = openat(files->proc_dir, "root", flags | O_DIRECTORY);
    int path = root < 0 ? -1 : openat(root, mapping->path + 1, flags);
    char again[64];
    int fd = -1;

    if (path < 0)
        path = open(mapping->path, flags);
    if (path >= 0 && is_mapped_file(path, mapping)) {
        snprintf(again, sizeof(again), "/proc/self/fd/%d", path);
        fd = open(again, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    }
    if (path >= 0)
        close(path);
    if (root >= 0)
        close(root);
    return fd;
}

static bool files_choose(struct reader_files *files, const struct mapping *mapping)
{
    if (files->fd >= 0 && files->inode == mapping->inode &&
        files->device_major == mapping->device_major &&
        files->device_minor == mapping->device_minor)
        return true;
    if (files->fd >= 0)
        close(files->fd);
    files->fd = open_mapped_file(files, mapping);
    files->inode = mapping->inode;
    files->device_major = mapping->device_major;
    files->device_minor = mapping->device_minor;
    return files->fd >= 0;
}

static int files_read(struct reader *reader, struct raddr address, void *buffer,
                      size_t length)
{
    struct reader_files *files = (struct reader_files *)reader;

    while (length) {
        const struct mapping *mapping = maps_find(files->maps, address);
        uint64_t inside;
        size_t step = length;

        if (!mapping || !mapping->inode || mapping->path[0] != '/')
            return -1;
        inside = address.value - mapping->start;
        if (step > mapping->end - address.value)
            step = (size_t)(mapping->end - address.value);
        if (inside > (uint64_t)INT64_MAX - mapping->offset ||
            !files_choose(files, mapping) ||
            pread(files->fd, buffer, step, (off_t)(mapping->offset + inside)) !=
                (ssize_t)step)
            return -1;
        buffer = (char *)buffer + step;
        address.value += step;
        length -= step;
    }
    return 0;
}

static void files_close(struct reader *reader)
{
    struct reader_files *files = (struct reader_files *)reader;

    if (files->fd >= 0)
        close(files->fd);
    free(files);
}

static const struct reader_ops files_ops = {
    .name = "files",
    .read = files_read,
    .close = files_close,
};

struct reader *reader_files_new(const struct maps *maps, int proc_dir)
{
    struct reader_files *files = xcalloc(1, sizeof(*files));

    files->reader.ops = &files_ops;
    files->maps = maps;
    files->proc_dir = proc_dir;
    files->fd = -1;
    return &files->reader;
}
