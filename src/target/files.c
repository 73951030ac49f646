#include "target/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/access.h"
#include "target/procfs.h"
#include "target/scope.h"

#define IO_TEXT_BYTES 512

struct files_question {
    int32_t pid;
    int32_t reserved;
    uint64_t start_ticks; /* io: of which process the number is meant */
};

struct files_answer {
    struct err err, access_why;
    uint32_t opened; /* bit i: files_kept[i] comes with the answer */
    char exe[1024];
    char user[33];
};

struct io_answer {
    uint32_t length; /* 0: may not be read */
    char text[IO_TEXT_BYTES];
};

_Static_assert(sizeof(struct files_answer) <= HELPER_BYTES_MAX, "an answer must fit");

/* In the order in which they are opened: pidfd first. While it says "alive", all that
 * is opened after it is of the same process, whatever happens to the number. */
static const struct {
    const char *name; /* in /proc/PID; NULL: the process or the directory itself */
    size_t member;
} files_kept[] = {
    {NULL, offsetof(struct target_fds, pidfd)},
    {NULL, offsetof(struct target_fds, dir)},
    {"stat", offsetof(struct target_fds, stat)},
    {"status", offsetof(struct target_fds, status)},
    {"maps", offsetof(struct target_fds, maps)},
    {"statm", offsetof(struct target_fds, statm)},
    {"io", offsetof(struct target_fds, io)},
    {"smaps_rollup", offsetof(struct target_fds, smaps_rollup)},
    {"mem", offsetof(struct target_fds, mem)},
    {"pagemap", offsetof(struct target_fds, pagemap)},
    {"environ", offsetof(struct target_fds, environ)},
    {"cmdline", offsetof(struct target_fds, cmdline)},
};

#define N_FILES (sizeof(files_kept) / sizeof(files_kept[0]))

_Static_assert(N_FILES <= HELPER_FDS_MAX, "all descriptors come with one answer");
_Static_assert(N_FILES * sizeof(int) == sizeof(struct target_fds), "none is forgotten");

static int *member_of(struct target_fds *fds, size_t i)
{
    return (int *)((char *)fds + files_kept[i].member);
}

void target_fds_close(struct target_fds *fds)
{
    static const struct target_fds none = TARGET_FDS_NONE;

    for (size_t i = 0; i < N_FILES; i++)
        if (*member_of(fds, i) >= 0)
            close(*member_of(fds, i));
    *fds = none;
}

static int open_process(pid_t pid)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void read_exe(int dir, char *exe, size_t size)
{
    ssize_t length = readlinkat(dir, "exe", exe, size - 1);

    exe[length > 0 ? length : 0] = '\0';
}

static void read_user(int status_fd, char user[33])
{
    char text[PROCFS_TEXT_BYTES];
    uint64_t uid;

    if (status_fd >= 0 && procfs_read(status_fd, text, sizeof(text)) > 0 &&
        procfs_field(text, "Uid", &uid))
        access_user_name((uid_t)uid, user);
}

static int fail_no_process(pid_t pid, struct err *err)
{
    err_set(err, ERR_GONE, "process %d does not exist", (int)pid);
    return err_remedy(err, "run heaptop without a process to choose from a list");
}

/* Of a process that ends, or a thread of the kernel, some cannot be opened: what that
 * means is the caller's to say. */
static int open_all(pid_t pid, struct target_fds *fds, struct err *err)
{
    if (pid <= 0)
        return fail_no_process(pid, err);
    fds->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fds->pidfd < 0 && errno == ESRCH)
        return fail_no_process(pid, err);
    fds->dir = open_process(pid);
    if (fds->dir < 0 && (errno == ENOENT || errno == ESRCH))
        return fail_no_process(pid, err);
    if (fds->dir < 0)
        return err_set_errno(err, ERR_DENIED, errno, "cannot open /proc/%d", (int)pid);
    if (scope_check(pid, err))
        return -1;
    for (size_t i = 0; i < N_FILES; i++)
        if (files_kept[i].name)
            *member_of(fds, i) =
                openat(fds->dir, files_kept[i].name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    return fds->stat < 0 || fds->status < 0 ? fail_no_process(pid, err) : 0;
}

/* Why the map or the memory could not be opened; ERR_NONE when they could. */
static void explain(pid_t pid, const struct target_fds *fds, struct err *why)
{
    const char *name = fds->maps < 0 ? "maps" : "mem";
    char word[16];
    int fd;

    if (fds->maps >= 0 && fds->mem >= 0)
        return;
    fd = openat(fds->dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == EACCES || errno == EPERM))
        access_explain(pid, word, why);
    else
        err_set(why, ERR_GONE, "process %d has no memory: it is ending", (int)pid);
    if (fd >= 0)
        close(fd);
}

static void serve_files(const void *asked, void *answered, struct helper_fds *out)
{
    const struct files_question *question = asked;
    struct files_answer *answer = answered;
    struct target_fds fds = TARGET_FDS_NONE;

    if (open_all(question->pid, &fds, &answer->err) != 0) {
        target_fds_close(&fds);
        return;
    }
    explain(question->pid, &fds, &answer->access_why);
    read_exe(fds.dir, answer->exe, sizeof(answer->exe));
    read_user(fds.status, answer->user);
    for (size_t i = 0; i < N_FILES; i++) {
        if (*member_of(&fds, i) < 0)
            continue;
        answer->opened |= UINT32_C(1) << i;
        out->fds[out->count++] = *member_of(&fds, i);
    }
}

const struct helper_service target_files_service = {
    .name = "open the files of a process",
    .question_bytes = sizeof(struct files_question),
    .answer_bytes = sizeof(struct files_answer),
    .serve = serve_files,
};

int target_files_open(pid_t pid, struct target_files *files, struct err *err)
{
    static const struct target_fds none = TARGET_FDS_NONE;
    struct files_question question = {.pid = pid};
    struct files_answer answer;
    struct helper_fds come;
    size_t next = 0;

    files->fds = none;
    if (helper_call(&target_files_service, &question, &answer, &come, err) != 0)
        return -1;
    for (size_t i = 0; i < N_FILES && next < come.count; i++)
        if (answer.opened >> i & 1)
            *member_of(&files->fds, i) = come.fds[next++];
    files->access_why = answer.access_why;
    memcpy(files->exe, answer.exe, sizeof(files->exe));
    memcpy(files->user, answer.user, sizeof(files->user));
    if (answer.err.code == ERR_NONE)
        return 0;
    *err = answer.err;
    return -1;
}

static void serve_look(const void *asked, void *answered, struct helper_fds *out)
{
    const struct files_question *question = asked;
    struct target_look *look = answered;
    int dir = open_process(question->pid);
    int status = dir < 0 ? -1 : openat(dir, "status", O_RDONLY | O_CLOEXEC);

    (void)out;
    look->can_read = access_try(question->pid) == 0;
    if (!look->can_read)
        access_explain(question->pid, look->word, &look->why);
    if (dir >= 0)
        read_exe(dir, look->exe, sizeof(look->exe));
    read_user(status, look->user);
    if (status >= 0)
        close(status);
    if (dir >= 0)
        close(dir);
}

const struct helper_service target_look_service = {
    .name = "say who may read a process",
    .question_bytes = sizeof(struct files_question),
    .answer_bytes = sizeof(struct target_look),
    .serve = serve_look,
};

int target_look(pid_t pid, struct target_look *look, struct err *err)
{
    struct files_question question = {.pid = pid};

    return helper_call(&target_look_service, &question, look, NULL, err);
}

static bool is_same(int dir, uint64_t start_ticks)
{
    char text[PROCFS_TEXT_BYTES];
    struct procfs_stat stat;

    return procfs_read_at(dir, "stat", text, sizeof(text)) > 0 &&
           procfs_parse_stat(text, &stat) && stat.start_ticks == start_ticks;
}

bool target_is_same(pid_t pid, uint64_t start_ticks)
{
    int dir = open_process(pid);
    bool result = dir >= 0 && is_same(dir, start_ticks);

    if (dir >= 0)
        close(dir);
    return result;
}

int64_t target_helper_cpu_ns(void)
{
    int64_t cpu_ns;

    return helper_is_running() && procfs_cpu_ns((pid_t)helper_pid(), &cpu_ns) ? cpu_ns
                                                                              : 0;
}

static void serve_io(const void *asked, void *answered, struct helper_fds *out)
{
    const struct files_question *question = asked;
    struct io_answer *answer = answered;
    int dir = open_process(question->pid);
    struct err ignored = ERR_INIT;
    ssize_t length;

    (void)out;
    if (dir < 0)
        return;
    if (scope_check(question->pid, &ignored)) {
        close(dir);
        return;
    }
    length = procfs_read_at(dir, "io", answer->text, sizeof(answer->text));
    if (length > 0 && is_same(dir, question->start_ticks))
        answer->length = (uint32_t)length;
    close(dir);
}

const struct helper_service target_io_service = {
    .name = "read what a process read and wrote",
    .question_bytes = sizeof(struct files_question),
    .answer_bytes = sizeof(struct io_answer),
    .serve = serve_io,
};

bool target_read_io(pid_t pid, uint64_t start_ticks, int io_fd, char *text, size_t size)
{
    struct files_question question = {.pid = pid, .start_ticks = start_ticks};
    struct err ignored = ERR_INIT;
    struct io_answer answer;

    if (io_fd >= 0 && procfs_read(io_fd, text, size) > 0)
        return true;
    if (!helper_is_running() ||
        helper_call(&target_io_service, &question, &answer, NULL, &ignored) != 0 ||
        !answer.length)
        return false;
    answer.text[sizeof(answer.text) - 1] = '\0';
    snprintf(text, size, "%s", answer.text);
    return true;
}
