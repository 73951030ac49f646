#include "attach/injector.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "agent/region.h"
#include "attach/agent_image.h"
#include "attach/arch.h"
#include "attach/borrow.h"
#include "attach/heart.h"
#include "attach/faultpoint.h"
#include "attach/load.h"
#include "attach/remote.h"
#include "attach/safepoint.h"
#include "attach/scene.h"
#include "attach/stops.h"
#include "attach/threads.h"
#include "attach/unwinder.h"
#include "attach/ways.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define FAREWELL_NS     (5 * NS_PER_S / 2) /* the new thread waits for two seconds */
#define REMOTE_MINOR    14                 /* executes scripts on request: PEP 768 */
#define PAGE_FILE_BYTES ((sizeof(struct agent_page) + 4095) & ~(size_t)4095)

struct injection {
    struct target *target;
    struct scene scene;
    struct borrowed borrowed;
    struct agent_image *image;
    struct injector_report report;
    int page_fd;
};

/* In the process that forks injectors. */
static struct {
    pthread_once_t once;
    struct agent_image image; /* each injector has its own copy */
    struct err err;           /* that image's */
} prepared = {.once = PTHREAD_ONCE_INIT};

static void prepare(void)
{
    prepared.err = (struct err)ERR_INIT;
    agent_image_build(&prepared.image, &prepared.err);
    arch_is_usable();
    unwinder_prepare();
}

void injector_prepare(void)
{
    pthread_once(&prepared.once, prepare);
}

/* The number comes from the target, so what lies behind it is proven to be a
 * memory file of that name before anything is done to it. Until it is sealed the
 * target can take its memory away: a page without memory would kill the target. */
static int open_channel(struct injection *injection, const struct agent_region *region)
{
    int fd = load_open_file(&injection->scene, region->channel_tid, region->channel_fd);
    struct stat sealed;

    if (fd < 0)
        return -1;
    if (!(fcntl(fd, F_GET_SEALS) & F_SEAL_SEAL) && ftruncate(fd, PAGE_FILE_BYTES) == 0 &&
        fallocate(fd, 0, 0, PAGE_FILE_BYTES) == 0 &&
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0 &&
        fstat(fd, &sealed) == 0 && sealed.st_size == PAGE_FILE_BYTES)
        return fd;
    close(fd);
    return -1;
}

static int take_channel(struct injection *injection, struct err *err)
{
    struct agent_region region;

    if (region_wait(&injection->scene, injection->borrowed.region, REGION_STATE_OFFERED,
                    &region, err) != 0)
        return -1;
    if (region.state == REGION_STATE_OFFERED) {
        injection->page_fd = open_channel(injection, &region);
        faultpoint_reach(FAULTPOINT_page_offered);
        region_put(&injection->scene, injection->borrowed.region,
                   offsetof(struct agent_region, channel_taken),
                   injection->page_fd >= 0 ? 1 : 2, 4);
        if (injection->page_fd < 0)
            return err_set(err, ERR_FAILED,
                           "cannot share memory with the agent in process %d",
                           (int)injection->target->pid);
    }
    if (region_wait(&injection->scene, injection->borrowed.region, REGION_STATE_CONNECTED,
                    &region, err) != 0)
        return -1;
    injection->report.page_is_private = region.page_is_private != 0;
    faultpoint_reach(FAULTPOINT_page_connected);
    return 0;
}

/* After a failure: tell the new thread to go, and take the stub away only when
 * the region's end proves that nobody is in it. */
static void retreat(struct injection *injection)
{
    int64_t deadline = clock_monotonic_ns() + FAREWELL_NS;
    const struct timespec nap = {0, 500000};
    uint32_t word;

    if (injection->borrowed.region) {
        region_put(&injection->scene, injection->borrowed.region, REGION_GO,
                   REGION_GO_LEAVE, 4);
        region_put(&injection->scene, injection->borrowed.region, REGION_COMMAND,
                   REGION_COMMAND_LEAVE, 4);
        while (scene_read(&injection->scene, injection->borrowed.region, &word,
                          sizeof(word)) == 0) {
            if (clock_monotonic_ns() > deadline)
                return;
            nanosleep(&nap, NULL);
        }
    }
    if (!injection->borrowed.left_alone)
        cave_restore(&injection->scene);
}

/* Borrows a thread that starts the agent's, and loads the agent's code. */
static int inject_by_ptrace(struct injection *injection, struct err *err)
{
    struct scene *scene = &injection->scene;
    int status;

    if (!arch_is_usable())
        return err_set(err, ERR_UNSUPPORTED, "this processor lacks what an attach needs");
    if (scene_prepare_borrowing(scene, err) != 0)
        return -1;
    scene->table.image_bytes = injection->image->length;
    scene->table.data_offset = injection->image->data_offset;
    scene->table.data_bytes = injection->image->data_bytes;
    faultpoint_reach(FAULTPOINT_scene_open);
    if (cave_write_stub(scene, err) != 0)
        return -1;
    faultpoint_reach(FAULTPOINT_stub_written);
    injection->report.found_leftover = scene->found_leftover;
    safepoint_rehearse(scene->safepoint, threads_choose(scene->target, 0));
    stops_hurry(true);
    faultpoint_reach(FAULTPOINT_hurried);
    status = borrow_thread(scene, &injection->borrowed, err);
    injection->report.diverted_ns = injection->borrowed.diverted_ns;
    injection->report.stops = injection->borrowed.stops;
    injection->report.did_not_stop = injection->borrowed.must_end;
    injection->report.region = injection->borrowed.region;
    injection->report.image_bytes = injection->image->length;
    if (status == 0)
        status = load_agent(scene, injection->image, injection->borrowed.region,
                            &injection->report.image, err);
    stops_hurry(false);
    if (status != 0) {
        retreat(injection);
        return -1;
    }
    faultpoint_reach(FAULTPOINT_agent_runs);
    if (!injection->borrowed.left_alone)
        cave_restore(scene);
    faultpoint_reach(FAULTPOINT_cave_restored);
    return 0;
}

static int inject_by_remote(struct injection *injection, struct err *err)
{
    struct agent_region region;

    if (remote_load(&injection->scene, injection->image, &injection->borrowed.region,
                    err) != 0 ||
        region_wait(&injection->scene, injection->borrowed.region, REGION_STATE_RUNNING,
                    &region, err) != 0)
        return -1;
    injection->report.is_remote = true;
    injection->report.region = injection->borrowed.region;
    injection->report.image = region.image;
    injection->report.image_bytes = injection->image->length;
    return 0;
}

/* Nothing of the first attempt is left in a target that can still be asked. */
static bool may_try_remote(const struct injection *injection, const struct err *err)
{
    return attach_way() == ATTACH_AUTO && err->code != ERR_GONE &&
           !injection->borrowed.region && !injection->borrowed.left_alone &&
           !injection->borrowed.must_end && !injection->borrowed.no_room &&
           injection->target->version.minor >= REMOTE_MINOR &&
           !injection->scene.is_restricted;
}

static int inject(struct injection *injection, struct err *err)
{
    struct injector_report *report = &injection->report;
    struct err second = ERR_INIT;

    injector_prepare();
    *err = prepared.err;
    if (err->code != ERR_NONE ||
        scene_open(&injection->scene, injection->target, err) != 0)
        return -1;
    snprintf(report->other_malloc, sizeof(report->other_malloc), "%s",
             scene_other_malloc(&injection->scene));
    if (attach_way() == ATTACH_REMOTE) {
        if (inject_by_remote(injection, err) != 0)
            return -1;
    } else if (inject_by_ptrace(injection, err) != 0) {
        if (!may_try_remote(injection, err) || inject_by_remote(injection, &second) != 0)
            return -1;
        snprintf(report->why_remote, sizeof(report->why_remote), "%s", err->text);
        *err = (struct err)ERR_INIT;
    }
    return take_channel(injection, err);
}

void injector_send(int socket, const struct injector_report *report, int fd)
{
    struct iovec piece = {(void *)(uintptr_t)report, sizeof(*report)};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    if (fd >= 0) {
        struct cmsghdr *header;

        memset(&control, 0, sizeof(control));
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);
        header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &fd, sizeof(fd));
    }
    while (sendmsg(socket, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

void injector_main(struct target *target, int socket, uint64_t *region)
{
    /* Each page of a forked child that is touched for the first time costs some 20 us. */
    struct injection *injection = xmap_large(sizeof(*injection));
    const struct timespec farewell = {0, 100000};

    prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    stops_start_ticking();
    injection->target = target;
    injection->image = &prepared.image;
    injection->page_fd = -1;
    inject(injection, &injection->report.err);
    if (region)
        *region = injection->report.region;
    injector_send(socket, &injection->report, injection->page_fd);
    faultpoint_reach(FAULTPOINT_reported);
    if (injection->report.page_is_private) {
        stops_stop_ticking();
        heart_beat(target, injection->report.region + REGION_PAGE, socket);
    }
    /* Who waits for the report may be woken on this processor, and an end takes long. */
    nanosleep(&farewell, NULL);
    _exit(0);
}

int injector_receive(int socket, struct injector_report *report, int *page_fd)
{
    struct iovec piece = {report, sizeof(*report)};
    union {
        char bytes[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control;
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *header;

    *page_fd = -1;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return 0;
    if (got != sizeof(*report))
        return -1;
    header = CMSG_FIRSTHDR(&message);
    if (header && header->cmsg_type == SCM_RIGHTS &&
        header->cmsg_len == CMSG_LEN(sizeof(int)))
        memcpy(page_fd, CMSG_DATA(header), sizeof(int));
    return 1;
}
