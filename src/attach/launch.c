#include "attach/launch_private.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attach/loader_file.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

/* Above what shells and programs use for themselves. */
#define FIRST_DESCRIPTOR 200
#define LOW_DESCRIPTOR   20
#define VARIABLE         "LD_PRELOAD"

static int memory_file(const char *name)
{
    int fd = (int)memfd_create(name, MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    return fd < 0 && errno == EINVAL ? (int)memfd_create(name, MFD_CLOEXEC) : fd;
}

static int write_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return -1;
        bytes += written;
        length -= (size_t)written;
    }
    return 0;
}

static int make_loader(struct err *err)
{
    struct agent_image *image = xcalloc(1, sizeof(*image));
    struct loader_file file = {NULL, 0};
    int fd = -1;

    if (agent_image_build(image, err) == 0 &&
        loader_file_build(image, 0, 0, &file, err) == 0) {
        fd = memory_file("heaptop-loader");
        if (fd < 0 || write_all(fd, file.bytes, file.length) != 0)
            err_set_errno(err, ERR_FAILED, errno, "cannot make a memory file");
    }
    loader_file_release(&file);
    free(image);
    if (err->code == ERR_NONE)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static int make_page(struct launch *launch, struct err *err)
{
    void *page;

    launch->page_fd = memory_file("heaptop-page");
    if (launch->page_fd < 0 || ftruncate(launch->page_fd, LAUNCH_PAGE_BYTES) != 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot make a memory file");
    page = mmap(NULL, LAUNCH_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
                launch->page_fd, 0);
    if (page == MAP_FAILED)
        return err_set_errno(err, ERR_FAILED, errno, "cannot map a memory file");
    launch->page = page;
    launch->page->version = AGENT_PROTOCOL_VERSION;
    launch->page->magic = LOADER_PAGE_MAGIC;
    return 0;
}

/* A file for what the program writes, as nohup makes one. */
static int open_output(struct launch *launch, struct err *err)
{
    const char *folder = getenv("TMPDIR");

    if (!launch->beside_screen || !isatty(STDERR_FILENO))
        return 0;
    snprintf(launch->output, sizeof(launch->output), "%s/heaptop-XXXXXX.out",
             folder && folder[0] == '/' ? folder : "/tmp");
    launch->output_fd = mkostemps(launch->output, 4, O_CLOEXEC | O_APPEND);
    if (launch->output_fd >= 0)
        return 0;
    err_set_errno(err, ERR_FAILED, errno, "cannot write %.200s", launch->output);
    return err_remedy(err, "set TMPDIR, or send the program's output elsewhere: 2>FILE");
}

/* Everything below runs in the child, which has one thread and no other business. */

static int inherit(int fd, int number)
{
    return dup2(fd, number) == number ? 0 : -1;
}

/* Two free numbers side by side: the loader's, and the page's. */
static int free_pair(void)
{
    for (int number = FIRST_DESCRIPTOR; number > LOW_DESCRIPTOR; number -= 2)
        if (fcntl(number, F_GETFD) < 0 && fcntl(number + 1, F_GETFD) < 0 &&
            dup2(STDIN_FILENO, number + 1) == number + 1)
            return number;
    return -1;
}

static int preload(int loader_fd, int page_fd)
{
    const char *old = getenv(VARIABLE);
    char value[PATH_MAX];
    int number = free_pair();

    if (number < 0 || inherit(loader_fd, number) != 0 ||
        inherit(page_fd, number + 1) != 0)
        return -1;
    if (snprintf(value, sizeof(value), LOADER_PATH "%d%s%s", number,
                 old && *old ? ":" : "", old ? old : "") >= (int)sizeof(value))
        return -1;
    return setenv(VARIABLE, value, 1);
}

static int arrange_files(const struct launch *launch)
{
    int nothing, output = launch->output_fd >= 0 ? launch->output_fd : STDERR_FILENO;

    if (dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        return -1;
    if (!launch->beside_screen)
        return 0;
    setsid();
    nothing = open("/dev/null", O_RDONLY);
    return nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 ? -1 : 0;
}

static void run(const struct launch *launch, char **command, int loader_fd, int tell_fd)
{
    int problem;

    if (arrange_files(launch) == 0 &&
        (loader_fd < 0 || preload(loader_fd, launch->page_fd) == 0))
        execvp(command[0], command);
    problem = errno;
    if (write(tell_fd, &problem, sizeof(problem)) < 0)
        _exit(126);
    _exit(127);
}

/* Starts the child; a message on the pipe says that it could not run the program. */
static int start(struct launch *launch, char **command, int loader_fd, struct err *err)
{
    int tell[2], problem = 0;

    if (pipe2(tell, O_CLOEXEC) != 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot make a pipe");
    launch->pid = fork();
    if (launch->pid == 0)
        run(launch, command, loader_fd, tell[1]);
    if (launch->pid < 0)
        problem = errno;
    close(tell[1]);
    if (!problem && read(tell[0], &problem, sizeof(problem)) <= 0)
        problem = 0;
    close(tell[0]);
    if (!problem)
        return 0;
    launch_has_ended(launch);
    err_set_errno(err, ERR_USAGE, problem, "cannot run %s", launch->name);
    return err_remedy(err, "what follows -- is a program and its arguments");
}

static void copy_name(struct launch *launch, const char *command)
{
    struct strbuf clean = STRBUF_INIT;

    utf8_clean(&clean, command, strlen(command));
    snprintf(launch->name, sizeof(launch->name), "%s", strbuf_text(&clean));
    strbuf_release(&clean);
}

int launch_start(const struct launch_options *options, struct launch **result,
                 struct err *err)
{
    struct launch *launch = xcalloc(1, sizeof(*launch));
    int loader_fd = -1, status;

    launch->page_fd = launch->output_fd = -1;
    launch->beside_screen = options->beside_screen;
    copy_name(launch, options->command[0]);
    status = open_output(launch, err);
    if (status == 0 && options->with_agent) {
        loader_fd = make_loader(err);
        status = loader_fd < 0 ? -1 : make_page(launch, err);
    }
    if (status == 0)
        status = start(launch, options->command, loader_fd, err);
    if (loader_fd >= 0)
        close(loader_fd);
    if (status == 0) {
        *result = launch;
        return 0;
    }
    if (launch->output_fd >= 0)
        unlink(launch->output);
    launch_free(launch);
    return -1;
}

bool launch_has_ended(struct launch *launch)
{
    if (!launch->has_ended && launch->pid > 0)
        launch->has_ended =
            waitpid(launch->pid, &launch->wait_status, WNOHANG) == launch->pid;
    return launch->has_ended;
}

void launch_free(struct launch *launch)
{
    if (launch->page)
        munmap(launch->page, LAUNCH_PAGE_BYTES);
    if (launch->page_fd >= 0)
        close(launch->page_fd);
    if (launch->output_fd >= 0)
        close(launch->output_fd);
    free(launch);
}
