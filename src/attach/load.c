#include "attach/load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "attach/faultpoint.h"
#include "attach/poke.h"
#include "util/clock.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

#define STEP_WAIT_NS (3 * NS_PER_S)
#define FILE_NAME    "heaptop"
#define FILE_LINK    "/memfd:heaptop"

int region_put(struct scene *scene, uint64_t region, uint64_t offset, uint64_t value,
               size_t bytes)
{
    return scene_write(scene, region + offset, &value, bytes);
}

/* The agent's memory went with the process, or with the agent, which found no Python to
 * work with. */
static int gone(struct scene *scene, struct err *err)
{
    int pid = (int)scene->target->pid;

    if (target_state(scene->target) == TARGET_ENDED)
        return err_set(err, ERR_GONE, "process %d ended while attaching", pid);
    err_set(err, ERR_FAILED,
            "the agent found no Python at work in process %d, and left it", pid);
    return err_remedy(err, "try again when it has started; --agent=never needs none");
}

int region_wait(struct scene *scene, uint64_t region, uint32_t wanted,
                struct agent_region *copy, struct err *err)
{
    int64_t deadline = clock_monotonic_ns() + STEP_WAIT_NS;
    const struct timespec nap = {0, 25000};
    int pid = (int)scene->target->pid;

    while (clock_monotonic_ns() < deadline) {
        if (scene_read(scene, region, copy, sizeof(*copy)) != 0)
            return gone(scene, err);
        if (copy->state == REGION_STATE_FAILED) {
            err_set_errno(err, ERR_FAILED, (int)copy->trouble,
                          "process %d has no room for the agent's code", pid);
            return err_remedy(err, copy->trouble == EACCES || copy->trouble == EPERM
                                       ? "a security policy forbids new code in it; see "
                                         "the kernel log (SELinux: execmem)"
                                       : "see its memory limits (RLIMIT_AS, cgroup)");
        }
        if (copy->state >= wanted)
            return 0;
        nanosleep(&nap, NULL);
    }
    return err_set(err, ERR_FAILED, "the agent's thread in process %d does not answer",
                   pid);
}

static bool is_agents_file(const char *path)
{
    char link[64];
    ssize_t length = readlink(path, link, sizeof(link) - 1);

    if (length < 0)
        return false;
    link[length] = '\0';
    return !strncmp(link, FILE_LINK, strlen(FILE_LINK));
}

/* In a thread's table of descriptors. */
static int open_file_of(const struct scene *scene, long tid, int number)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/task/%ld/fd/%d", (int)scene->target->pid, tid,
             number);
    if (number < 0 || !is_agents_file(path))
        return -1;
    fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (is_agents_file(path) && fcntl(fd, F_GET_SEALS) >= 0)
        return fd;
    close(fd);
    return -1;
}

/* In the table of the thread that made it, which a target in a PID namespace knows by
 * another number. */
static int search_file(const struct scene *scene, int number)
{
    struct dirent *entry;
    char path[64];
    int fd = -1;
    DIR *tasks;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)scene->target->pid);
    tasks = opendir(path);
    while (fd < 0 && tasks && (entry = readdir(tasks)))
        fd = open_file_of(scene, strtol(entry->d_name, NULL, 10), number);
    if (tasks)
        closedir(tasks);
    return fd;
}

int load_open_file(struct scene *scene, int tid, int number)
{
    int fd = open_file_of(scene, tid > 0 ? tid : (long)scene->target->pid, number);

    return fd < 0 && tid > 0 ? search_file(scene, number) : fd;
}

/* The new thread waits for a command now, whatever came of the one before. */
static int command(struct scene *scene, uint64_t region, uint32_t number, uint32_t wanted,
                   struct agent_region *copy, struct err *err)
{
    region_put(scene, region, REGION_STATE, REGION_STATE_READY, 4);
    region_put(scene, region, REGION_COMMAND, number, 4);
    return region_wait(scene, region, wanted, copy, err);
}

/* The new thread makes anonymous room without being asked: the stub knows how much. */
static int wait_for_room(struct scene *scene, uint64_t region, struct agent_region *copy,
                         struct err *err)
{
    if (region_wait(scene, region, REGION_STATE_READY, copy, err) != 0)
        return -1;
    faultpoint_reach(FAULTPOINT_thread_ready);
    return region_wait(scene, region, REGION_STATE_MAPPED, copy, err);
}

/* The thread that could not make room waits for another command. */
static int make_file(struct scene *scene, uint64_t region, uint32_t flags,
                     struct agent_region *copy, struct err *err)
{
    *err = (struct err)ERR_INIT;
    scene_write(scene, region + REGION_FILE_NAME, FILE_NAME, sizeof(FILE_NAME));
    region_put(scene, region, REGION_FILE_FLAGS, flags, 4);
    return command(scene, region, REGION_COMMAND_FILE, REGION_STATE_FILE, copy, err);
}

/* The code is complete before it is mapped, and sealed, so that it never changes. */
static int fill_file(struct scene *scene, const struct agent_image *image, int number,
                     struct err *err)
{
    int fd = load_open_file(scene, 0, number);
    bool is_filled =
        fd >= 0 && ftruncate(fd, (off_t)image->length) == 0 &&
        write(fd, image->bytes, image->data_offset) == (ssize_t)image->data_offset &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;

    if (fd >= 0)
        close(fd);
    if (is_filled)
        return 0;
    return err_set_errno(err, ERR_FAILED, errno,
                         "cannot fill the memory file of process %d",
                         (int)scene->target->pid);
}

static int map_by_file(struct scene *scene, const struct agent_image *image,
                       uint64_t region, struct agent_region *copy, struct err *err)
{
    if (make_file(scene, region, MFD_CLOEXEC | MFD_NOEXEC_SEAL, copy, err) != 0 &&
        (copy->trouble != EINVAL || /* Linux before 6.3 */
         make_file(scene, region, MFD_CLOEXEC | MFD_ALLOW_SEALING, copy, err) != 0))
        return -1;
    if (fill_file(scene, image, copy->file - 1, err) != 0)
        return -1;
    region_put(scene, region, REGION_MAP_FLAGS, MAP_PRIVATE, 4);
    return command(scene, region, REGION_COMMAND_MAP, REGION_STATE_MAPPED, copy, err);
}

static bool is_forbidden(const struct agent_region *copy)
{
    return copy->state == REGION_STATE_FAILED &&
           (copy->trouble == EACCES || copy->trouble == EPERM);
}

static int write_code(struct scene *scene, const struct agent_image *image,
                      uint64_t region, uint64_t address, struct err *err)
{
    if (!scene->must_poke &&
        scene_write_code(scene, address, image->bytes, image->data_offset) == 0)
        return 0;
    scene->must_poke = true;
    if (poke_by_agent(scene, region, address, image->bytes, image->data_offset) == 0)
        return 0;
    return err_set_errno(err, ERR_DENIED, errno,
                         "the kernel forbids writing code into process %d",
                         (int)scene->target->pid);
}

static int write_data(struct scene *scene, struct agent_image *image, uint64_t region,
                      uint64_t address, struct err *err)
{
    struct agent_place *place = &scene->place;

    place->image = address;
    place->image_bytes = image->length;
    place->region = region;
    memcpy(image->bytes + image->place, place, sizeof(*place));
    if (scene_write(scene, address + image->data_offset,
                    image->bytes + image->data_offset,
                    image->filled_bytes - image->data_offset) == 0)
        return 0;
    return err_set_errno(err, ERR_DENIED, errno, "cannot write into process %d",
                         (int)scene->target->pid);
}

int load_agent(struct scene *scene, struct agent_image *image, uint64_t region,
               uint64_t *address, struct err *err)
{
    struct agent_region copy;
    bool by_file = false;

    if (wait_for_room(scene, region, &copy, err) != 0) {
        by_file = is_forbidden(&copy) && scene->may_make_file;
        if (!by_file || map_by_file(scene, image, region, &copy, err) != 0)
            return -1;
    }
    faultpoint_reach(FAULTPOINT_room_mapped);
    if (copy.image % 4096 || !copy.image)
        return err_set(err, ERR_FAILED, "the agent's place in process %d is wrong",
                       (int)scene->target->pid);
    if ((!by_file && write_code(scene, image, region, copy.image, err) != 0) ||
        write_data(scene, image, region, copy.image, err) != 0)
        return -1;
    faultpoint_reach(FAULTPOINT_code_written);
    *address = copy.image;
    region_put(scene, region, REGION_ENTRY, copy.image + image->entry, 8);
    region_put(scene, region, REGION_GO, REGION_GO_RUN, 4);
    return region_wait(scene, region, REGION_STATE_RUNNING, &copy, err);
}
