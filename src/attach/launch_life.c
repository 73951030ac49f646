/* From the start of the program to its end, or to heaptop's. */
#include "attach/launch_private.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/target.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/utf8.h"

#define LOOK_MS       5
#define OUTSIDE_NS    (200 * NS_PER_MS) /* how often the program is looked at */
#define UNCLAIMED_NS  (1 * NS_PER_S)    /* a Python that does not take the page */
#define PATIENCE_NS   (10 * NS_PER_S)
#define MOMENT_NS     (100 * NS_PER_MS)
#define TAIL_BYTES    2000
#define SIGNAL_STATUS 128 /* as a shell says it */

static int watch_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void unwatch_signals(int fd, const sigset_t *old)
{
    if (fd >= 0)
        close(fd);
    sigprocmask(SIG_SETMASK, old, NULL);
}

/* The number of a signal that came within the time, or 0. What the terminal sends
 * to the foreground comes to the program by itself. */
static int next_signal(int fd, int wait_ms, bool *from_terminal)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    struct signalfd_siginfo info;

    if (poll(&poll_fd, 1, wait_ms) <= 0 || read(fd, &info, sizeof(info)) != sizeof(info))
        return 0;
    *from_terminal = info.ssi_code == SI_KERNEL;
    return (int)info.ssi_signo;
}

void launch_pass_on(const struct launch *launch, int number)
{
    kill(launch->beside_screen ? -launch->pid : launch->pid, number);
}

static void describe_end(const struct launch *launch, char *words, size_t size)
{
    int status = launch->wait_status;

    if (WIFSIGNALED(status))
        snprintf(words, size, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(words, size, "ended with status %d", WEXITSTATUS(status));
}

/* The page is hostile, so the process that took it must have it mapped. */
static bool has_our_page(const struct target *target, int page_fd)
{
    struct stat page;

    if (fstat(page_fd, &page) != 0)
        return false;
    for (size_t i = 0; i < target->maps.count; i++)
        if (target->maps.mappings[i].inode == page.st_ino &&
            strstr(target->maps.mappings[i].path, "heaptop-page"))
            return true;
    return false;
}

static bool is_up(pid_t pid, const struct launch *launch, bool has_agent)
{
    struct err ignored = ERR_INIT;
    struct target *target;
    bool is_ours;

    if (pid <= 0 || target_open(pid, &target, &ignored) != 0)
        return false;
    is_ours = !has_agent || has_our_page(target, launch->page_fd);
    target_close(target);
    return is_ours;
}

struct waiting {
    int64_t began_ns, looked_ns, seen_ns;
};

/* The process that holds the agent, else the program when it is a Python without. */
static pid_t find_python(struct launch *launch, struct waiting *waiting)
{
    int64_t now = clock_monotonic_ns();
    uint32_t life = launch->page ? __atomic_load_n(&launch->page->life, __ATOMIC_ACQUIRE)
                                 : AGENT_LIFE_GONE;
    pid_t claimed = launch->page ? (pid_t)launch->page->launched_pid : 0;

    if (claimed > 0 && (life == AGENT_LIFE_WAITING_FOR_GIL || life == AGENT_LIFE_READY))
        return is_up(claimed, launch, true) ? claimed : 0;
    if (now - waiting->looked_ns < OUTSIDE_NS)
        return 0;
    waiting->looked_ns = now;
    if (!is_up(launch->pid, launch, false))
        return 0;
    if (!waiting->seen_ns)
        waiting->seen_ns = now;
    if (launch->page && (claimed > 0 || now - waiting->seen_ns < UNCLAIMED_NS))
        return 0;
    return launch->pid;
}

static int no_python(struct launch *launch, struct err *err)
{
    char words[80];

    if (launch_has_ended(launch)) {
        describe_end(launch, words, sizeof(words));
        err_set(err, ERR_GONE, "%s %s before a Python was up in it", launch->name, words);
        return err_remedy(err, "a script that ends at once leaves nothing to look at");
    }
    err_set(err, ERR_UNSUPPORTED, "%s (process %d) has not become a CPython within %d s",
            launch->name, (int)launch->pid, (int)(PATIENCE_NS / NS_PER_S));
    return err_remedy(err,
                      "static, set-user-ID and musl programs take no agent with them; "
                      "when Python is up in it, run: heaptop PID");
}

static int interrupted(struct launch *launch, int number, bool from_terminal,
                       struct err *err)
{
    if (launch->beside_screen || !from_terminal)
        launch_pass_on(launch, number);
    return err_set(err, ERR_FAILED, "interrupted by signal %d before a Python was up",
                   number);
}

int launch_wait(struct launch *launch, pid_t *pid, struct err *err)
{
    struct waiting waiting = {clock_monotonic_ns(), 0, 0};
    bool from_terminal = false;
    int status = -1, fd, number;
    sigset_t old;

    sigprocmask(SIG_BLOCK, NULL, &old);
    fd = watch_signals();
    for (;;) {
        launch->python = find_python(launch, &waiting);
        if (launch->python) {
            log_line("%s: Python is up in process %d", launch->name, (int)launch->python);
            *pid = launch->python;
            status = 0;
            break;
        }
        number = next_signal(fd, LOOK_MS, &from_terminal);
        if (number) {
            interrupted(launch, number, from_terminal, err);
            break;
        }
        if (launch_has_ended(launch) ||
            clock_monotonic_ns() - waiting.began_ns > PATIENCE_NS) {
            no_python(launch, err);
            break;
        }
    }
    unwatch_signals(fd, &old);
    return status;
}

int launch_take_page(struct launch *launch, pid_t pid)
{
    int fd = launch->page_fd;

    if (pid != launch->python || !launch->page ||
        (pid_t)launch->page->launched_pid != pid)
        return -1;
    launch->page_fd = -1;
    return fd;
}

/* The last lines of what the program wrote. */
static void print_tail(const struct launch *launch)
{
    struct strbuf clean = STRBUF_INIT;
    char text[TAIL_BYTES];
    struct stat file;
    off_t from;
    ssize_t got;

    if (fstat(launch->output_fd, &file) != 0)
        return;
    from = file.st_size > TAIL_BYTES ? file.st_size - TAIL_BYTES : 0;
    got = pread(launch->output_fd, text, sizeof(text), from);
    for (char *line = text, *end; got > 0; got -= end + 1 - line, line = end + 1) {
        end = memchr(line, '\n', (size_t)got);
        if (!end)
            end = line + got - 1;
        strbuf_reset(&clean);
        utf8_clean(&clean, line, (size_t)(end - line) + (*end != '\n'));
        fprintf(stderr, "  %s\n", strbuf_text(&clean));
    }
    strbuf_release(&clean);
}

static void speak_of_output(const struct launch *launch)
{
    struct stat file;

    if (launch->output_fd < 0)
        return;
    if (launch->has_ended && fstat(launch->output_fd, &file) == 0 && file.st_size == 0) {
        unlink(launch->output);
        return;
    }
    fprintf(stderr, "heaptop: its output is in %s\n", launch->output);
    if (launch->has_ended)
        print_tail(launch);
}

static void wait_for_end(struct launch *launch)
{
    bool from_terminal = false;
    sigset_t old;
    int fd, number;

    sigprocmask(SIG_BLOCK, NULL, &old);
    fd = watch_signals();
    while (!launch_has_ended(launch)) {
        number = next_signal(fd, LOOK_MS * 4, &from_terminal);
        if (number && !from_terminal)
            launch_pass_on(launch, number);
    }
    unwatch_signals(fd, &old);
}

/* A program that has just lost its terminal or was told to end may need a moment. */
static void wait_a_moment(struct launch *launch)
{
    int64_t deadline = clock_monotonic_ns() + MOMENT_NS;

    while (!launch_has_ended(launch) && clock_monotonic_ns() < deadline)
        poll(NULL, 0, LOOK_MS);
}

int launch_end(struct launch *launch)
{
    char words[80];
    int status = 0;

    if (launch->beside_screen)
        wait_a_moment(launch);
    else
        wait_for_end(launch);
    if (launch->has_ended) {
        status = WIFSIGNALED(launch->wait_status)
                     ? SIGNAL_STATUS + WTERMSIG(launch->wait_status)
                     : WEXITSTATUS(launch->wait_status);
        describe_end(launch, words, sizeof(words));
        if (launch->beside_screen)
            fprintf(stderr, "heaptop: %s %s\n", launch->name, words);
    } else {
        fprintf(stderr, "heaptop: %s goes on as process %d (kill %d ends it)\n",
                launch->name, (int)launch->pid, (int)launch->pid);
    }
    speak_of_output(launch);
    launch_free(launch);
    return status;
}
