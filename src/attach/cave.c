/*
 * The cave: the loader's first function, which has run once and can never run
 * again. The stub is written there and the original bytes come back as soon as
 * no thread can be in it. The original bytes are taken from the file when it
 * can be had, so the remains of a killed heaptop are never taken for them.
 */
#include "attach/scene.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "attach/arch.h"
#include "attach/poke.h"
#include "attach/safepoint.h"

static size_t stub_bytes(void)
{
    return (size_t)(stub_end - stub_begin);
}

/* The file behind the mapping, only when it is the very same one. */
static int open_file(const struct scene *scene, const struct mapping *mapping)
{
    char path[768];
    struct stat status;
    int fd;

    snprintf(path, sizeof(path), "map_files/%llx-%llx",
             (unsigned long long)mapping->start, (unsigned long long)mapping->end);
    fd = openat(scene->target->fds.dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        return fd;
    if (snprintf(path, sizeof(path), "root%s", mapping->path) >= (int)sizeof(path))
        return -1;
    fd = openat(scene->target->fds.dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    if (fstat(fd, &status) == 0 && status.st_ino == mapping->inode &&
        major(status.st_dev) == mapping->device_major &&
        minor(status.st_dev) == mapping->device_minor && S_ISREG(status.st_mode))
        return fd;
    close(fd);
    return -1;
}

static bool original_from_file(struct scene *scene)
{
    const struct mapping *mapping =
        maps_find(&scene->target->maps, raddr_of(scene->cave));
    uint64_t offset;
    ssize_t got;
    int fd;

    if (!mapping || mapping->end - scene->cave < stub_bytes())
        return false;
    fd = open_file(scene, mapping);
    if (fd < 0)
        return false;
    offset = mapping->offset + (scene->cave - mapping->start);
    got = pread(fd, scene->cave_original, stub_bytes(), (off_t)offset);
    close(fd);
    return got == (ssize_t)stub_bytes();
}

static int no_cave(const struct scene *scene, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED,
                   "process %d: its dynamic loader is not one that heaptop knows",
                   (int)scene->target->pid);
}

static bool find_first_function(struct scene *scene)
{
    uint64_t start, end;
    bool found = arch_cave(scene->kept, scene->loader->entry, &scene->cave) &&
                 safepoint_function(scene->safepoint, scene->cave, &start, &end) &&
                 start == scene->cave;

    if (found)
        scene->cave_bytes = end - start;
    return found;
}

int cave_find(struct scene *scene, struct err *err)
{
    uint8_t now[SCENE_STUB_MAX];
    const uint64_t magic = STUB_MAGIC;
    struct image_symbol symbol;

    if (!find_first_function(scene)) {
        if (!image_symbol(scene->loader, scene->kept, "__dls3", &symbol))
            return no_cave(scene, err);
        scene->cave = symbol.address.value; /* musl */
        scene->cave_bytes = symbol.size_bytes;
    }
    if (scene->cave_bytes < stub_bytes() || stub_bytes() > sizeof(now) ||
        !image_contains(scene->loader, raddr_of(scene->cave)) ||
        scene_read(scene, scene->cave, now, stub_bytes()) != 0)
        return no_cave(scene, err);
    scene->found_leftover = !memcmp(now, &magic, STUB_MAGIC_NAME_BYTES);
    scene->has_original = original_from_file(scene);
    if (!scene->has_original && !scene->found_leftover) {
        memcpy(scene->cave_original, now, stub_bytes());
        scene->has_original = true;
    }
    return 0;
}

#define OLD_STUB_NAPS 30 /* of 100 ms: longer than a thread can be in the stub */

/* The kernel tells the pc of a thread that waits as the last word. */
static bool a_thread_is_inside(const struct scene *scene)
{
    int fd = openat(scene->target->fds.dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    bool inside = false;

    if (!directory) {
        if (fd >= 0)
            close(fd);
        return true;
    }
    while (!inside && (entry = readdir(directory))) {
        char path[300], text[256];
        const char *last;
        ssize_t got;
        int call;

        snprintf(path, sizeof(path), "%s/syscall", entry->d_name);
        call = openat(fd, path, O_RDONLY | O_CLOEXEC);
        got = call < 0 ? -1 : read(call, text, sizeof(text) - 1);
        if (call >= 0)
            close(call);
        if (entry->d_name[0] == '.' || got <= 0)
            continue;
        text[got] = '\0';
        last = strrchr(text, ' ');
        inside = last && strtoull(last, NULL, 16) - scene->cave < stub_bytes();
    }
    closedir(directory);
    return inside;
}

/* Another version's stub may be replaced only when nobody can be in it. */
static bool old_stub_is_empty(const struct scene *scene)
{
    const struct timespec nap = {0, 100000000};

    for (int i = 0; i < OLD_STUB_NAPS; i++) {
        if (a_thread_is_inside(scene))
            return false;
        nanosleep(&nap, NULL);
    }
    return true;
}

static void make_stub(const struct scene *scene, uint8_t *stub)
{
    memcpy(stub, stub_begin, stub_bytes());
    memcpy(stub + (stub_table_begin - stub_begin), &scene->table, sizeof(scene->table));
}

int cave_write_stub(struct scene *scene, struct err *err)
{
    uint8_t stub[SCENE_STUB_MAX], now[SCENE_STUB_MAX];

    make_stub(scene, stub);
    if (scene->found_leftover) {
        if (scene_read(scene, scene->cave, now, stub_bytes()) == 0 &&
            !memcmp(now, stub, stub_bytes()))
            return 0;
        if (!old_stub_is_empty(scene)) {
            err_set(err, ERR_FAILED,
                    "process %d is still busy with an interrupted attach",
                    (int)scene->target->pid);
            return err_remedy(err, "try again in a few seconds");
        }
    }
    /* Else it is written when a thread stands still. */
    scene->must_poke =
        scene->must_poke || scene_write_code(scene, scene->cave, stub, stub_bytes()) != 0;
    return 0;
}

int cave_poke_stub(struct scene *scene, pid_t tid, struct err *err)
{
    uint8_t stub[SCENE_STUB_MAX];

    make_stub(scene, stub);
    if (poke_stopped(tid, scene->cave, stub, stub_bytes()) == 0)
        return 0;
    return err_set_errno(err, ERR_DENIED, errno,
                         "the kernel forbids writing to the memory of process %d",
                         (int)scene->target->pid);
}

/* Beside the remains of a killed heaptop another thread may be in the stub for
 * two more seconds, and nobody can say when it is out: the stub stays then. It
 * lies in code that never runs. */
void cave_restore(struct scene *scene)
{
    if (!scene->has_original || scene->found_leftover)
        return;
    if (!scene->must_poke)
        scene_write_code(scene, scene->cave, scene->cave_original, stub_bytes());
    else if (scene->agent_tid > 0)
        poke_by_agent(scene, 0, scene->cave, scene->cave_original, stub_bytes());
}
