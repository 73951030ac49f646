#include "attach/remote.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "agent/loader.h"
#include "attach/faultpoint.h"
#include "attach/remote_script.h"
#include "layout/debugger_layout.h"
#include "util/clock.h"

#define PATIENCE_NS   (2 * NS_PER_S)
#define LAST_LOOK_NS  (200 * NS_PER_MS) /* after the request was taken back */
#define OTHERS_NS     NS_PER_S          /* for another tool's request to be executed */
#define REMIND_NS     (50 * NS_PER_MS)
#define MAILBOX_BYTES 64

struct request {
    struct scene *scene;
    struct layout_debugger layout;
    uint64_t mailbox, ticket;
    struct remote_script script;
};

/* Of another tool, or of a killed heaptop: the main thread ends it soon. */
static int wait_for_others(struct request *request, struct err *err)
{
    int64_t deadline = clock_monotonic_ns() + OTHERS_NS;
    const struct timespec nap = {0, NS_PER_MS};
    uint32_t pending = 1;

    while (
        reader_u32(request->scene->target->reader, request->layout.pending, &pending) &&
        pending && clock_monotonic_ns() < deadline)
        nanosleep(&nap, NULL);
    if (!pending)
        return 0;
    err_set(err, ERR_FAILED, "another tool has asked process %d to execute a script",
            (int)request->scene->target->pid);
    return err_remedy(err, "wait until that is done, or use --agent-via=ptrace");
}

static int check(struct request *request, struct err *err)
{
    struct target *target = request->scene->target;
    int pid = (int)target->pid;

    if (layout_find_debugger(target, &request->layout, err) != 0)
        return -1;
    if (!request->layout.is_enabled) {
        err_set(err, ERR_DENIED, "process %d executes no scripts on request", pid);
        return err_remedy(err, "it was started with PYTHON_DISABLE_REMOTE_DEBUG or "
                               "-X disable-remote-debug, or built so");
    }
    if (request->scene->is_restricted)
        return err_set(err, ERR_DENIED,
                       "process %d has a seccomp filter, which may kill it for what a "
                       "script does",
                       pid);
    return wait_for_others(request, err);
}

/* Asked anew from time to time: the target writes the same word, and may have lost it. */
static bool remind(struct request *request)
{
    uint64_t breaker;

    if (!reader_u64(request->scene->target->reader, request->layout.eval_breaker,
                    &breaker))
        return false;
    breaker |= DEBUGGER_PLEASE_STOP;
    return scene_write(request->scene, request->layout.eval_breaker.value, &breaker,
                       sizeof(breaker)) == 0;
}

static bool set_pending(struct request *request, uint32_t pending)
{
    return scene_write(request->scene, request->layout.pending.value, &pending,
                       sizeof(pending)) == 0;
}

static bool is_pending(struct request *request)
{
    uint32_t pending;

    return reader_u32(request->scene->target->reader, request->layout.pending,
                      &pending) &&
           pending == 1;
}

static bool ask(struct request *request)
{
    static const uint8_t nothing[MAILBOX_BYTES];

    if (scene_write(request->scene, request->mailbox, nothing,
                    sizeof(struct loader_answer)) != 0 ||
        scene_write(request->scene, request->layout.path.value, request->script.path,
                    strlen(request->script.path) + 1) != 0)
        return false;
    faultpoint_reach(FAULTPOINT_remote_path_set);
    if (!set_pending(request, 1) || !remind(request))
        return false;
    faultpoint_reach(FAULTPOINT_remote_asked);
    return true;
}

/* Waits for the answer with our ticket. */
static bool wait_answer(struct request *request, int64_t limit_ns,
                        struct loader_answer *answer)
{
    int64_t deadline = clock_monotonic_ns() + limit_ns, reminded = clock_monotonic_ns();
    const struct timespec nap = {0, 500000};

    while (clock_monotonic_ns() < deadline) {
        if (scene_read(request->scene, request->mailbox, answer, sizeof(*answer)) == 0 &&
            answer->ticket == request->ticket)
            return true;
        if (clock_monotonic_ns() - reminded > REMIND_NS && is_pending(request)) {
            remind(request);
            reminded = clock_monotonic_ns();
        }
        nanosleep(&nap, NULL);
    }
    return false;
}

/* The script may have begun in the same moment, so the mailbox is looked at again. */
static bool take_back(struct request *request, struct loader_answer *answer,
                      struct err *err)
{
    int pid = (int)request->scene->target->pid;
    bool was_pending = is_pending(request);

    if (was_pending)
        set_pending(request, 0);
    faultpoint_reach(FAULTPOINT_remote_taken_back);
    if (wait_answer(request, LAST_LOOK_NS, answer))
        return true;
    if (was_pending) {
        err_set(err, ERR_FAILED,
                "the main thread of process %d did not come back to Python within 2 s; "
                "the request was taken back",
                pid);
        err_remedy(err, "it waits in C code or computes there; try again, or use "
                        "--agent-via=ptrace");
    } else {
        err_set(err, ERR_FAILED, "process %d executed the script, but no agent came",
                pid);
        err_remedy(err, "it may forbid memory files, /proc or new code");
    }
    return false;
}

static int run(struct request *request, uint64_t *region, struct err *err)
{
    int pid = (int)request->scene->target->pid;
    struct loader_answer answer;

    if (!ask(request)) {
        err_set_errno(err, ERR_DENIED, errno, "cannot write to the memory of process %d",
                      pid);
        return -1;
    }
    if (!wait_answer(request, PATIENCE_NS, &answer) && !take_back(request, &answer, err))
        return -1;
    if (answer.region <= 0 || answer.region % 4096)
        return err_set_errno(err, ERR_FAILED, (int)-answer.region,
                             "the agent found no place in process %d", pid);
    *region = (uint64_t)answer.region;
    faultpoint_reach(FAULTPOINT_remote_answered);
    return 0;
}

/* The mailbox lies at the end of the place for the path, behind the path itself. */
static int prepare(struct request *request, struct agent_image *image,
                   struct loader_file *loader, struct err *err)
{
    const struct layout_debugger *layout = &request->layout;

    if (getrandom(&request->ticket, sizeof(request->ticket), 0) !=
        sizeof(request->ticket))
        return err_set_errno(err, ERR_FAILED, errno, "no random number");
    request->ticket |= 1;
    request->mailbox =
        (layout->path.value + layout->path_bytes - MAILBOX_BYTES) & ~UINT64_C(7);
    memcpy(image->bytes + image->place, &request->scene->place,
           sizeof(request->scene->place));
    if (loader_file_build(image, request->mailbox, request->ticket, loader, err) != 0 ||
        remote_script_write(&request->script, request->scene->target, loader, err) != 0)
        return -1;
    if (strlen(request->script.path) + 1 + MAILBOX_BYTES <= layout->path_bytes)
        return 0;
    return err_set(err, ERR_UNSUPPORTED, "process %d has no room for a script's path",
                   (int)request->scene->target->pid);
}

int remote_load(struct scene *scene, struct agent_image *image, uint64_t *region,
                struct err *err)
{
    struct request request = {.scene = scene, .script = {.folder_fd = -1}};
    struct loader_file loader = {NULL, 0};
    int status = check(&request, err);

    if (status == 0)
        status = prepare(&request, image, &loader, err);
    if (status == 0) {
        faultpoint_reach(FAULTPOINT_remote_written);
        status = run(&request, region, err);
    }
    remote_script_remove(&request.script);
    faultpoint_reach(FAULTPOINT_remote_cleared);
    loader_file_release(&loader);
    return status;
}
