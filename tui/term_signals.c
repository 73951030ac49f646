#include "tui/term_signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* What each signal does; the order is that of signals[]. */
enum reaction {
    TELL,     /* the loop is told */
    ASK,      /* the loop is told and must answer */
    PUT_BACK, /* the hard path at once */
    TIME_OUT, /* the hard path for the signal that was not answered */
};

static const struct {
    int number;
    enum reaction reaction;
} signals[] = {
    {SIGUSR1, TELL},     {SIGWINCH, TELL},   {SIGTSTP, TELL},     {SIGCONT, TELL},
    {SIGTERM, ASK},      {SIGHUP, ASK},      {SIGINT, ASK},       {SIGQUIT, ASK},
    {SIGSEGV, PUT_BACK}, {SIGBUS, PUT_BACK}, {SIGILL, PUT_BACK},  {SIGFPE, PUT_BACK},
    {SIGABRT, PUT_BACK}, {SIGSYS, PUT_BACK}, {SIGALRM, TIME_OUT},
};

#define N_SIGNALS (sizeof(signals) / sizeof(signals[0]))

/* Handlers get no context, so this is the one place of the screen with file-level
 * state. The bytes are written while their length is 0, so a handler never sees half. */
static struct {
    int terminal, pipe_read, pipe_write;
    struct termios settings;
    char bytes[TERM_RESTORE_BYTES];
    atomic_size_t length;
    atomic_int unanswered; /* the signal that waits for the loop, or 0 */
    struct sigaction previous[N_SIGNALS];
    bool is_begun;
} state = {.terminal = -1, .pipe_read = -1, .pipe_write = -1};

static size_t index_of(int number)
{
    size_t i = 0;

    while (i + 1 < N_SIGNALS && signals[i].number != number)
        i++;
    return i;
}

static void put_back(void)
{
    size_t length = atomic_exchange(&state.length, 0);

    for (size_t done = 0; done < length;) {
        ssize_t written = write(state.terminal, state.bytes + done, length - done);

        if (written <= 0)
            break;
        done += (size_t)written;
    }
    if (length > 0)
        tcsetattr(state.terminal, TCSANOW, &state.settings);
}

/* Async-signal-safe: no curses, no stdio, no memory. */
static void take_hard_path(int number, bool is_sent)
{
    put_back();
    sigaction(number, &state.previous[index_of(number)], NULL);
    /* A fault repeats itself when the handler returns; what was sent must be sent again.
     */
    if (!is_sent)
        return;

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    raise(number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void tell(int number)
{
    unsigned char byte = (unsigned char)number;
    ssize_t written = write(state.pipe_write, &byte, 1);

    (void)written; /* a full pipe holds signals enough to wake the loop */
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    int saved_errno = errno, waiting = 0;
    (void)context;

    switch (signals[index_of(number)].reaction) {
    case TELL:
        tell(number);
        break;
    case ASK:
        if (!atomic_compare_exchange_strong(&state.unanswered, &waiting, number)) {
            take_hard_path(number, true);
            break;
        }
        alarm(1);
        tell(number);
        break;
    case PUT_BACK:
        take_hard_path(number, info->si_code <= 0);
        break;
    case TIME_OUT:
        waiting = atomic_load(&state.unanswered);
        if (waiting)
            take_hard_path(waiting, true);
        break;
    }
    errno = saved_errno;
}

static void install(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof(action));
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < N_SIGNALS; i++) {
        struct sigaction *previous = &state.previous[i];

        sigaction(signals[i].number, &action, previous);
        /* Who started us ignoring it (nohup, no job control) wants it ignored. */
        if (previous->sa_handler == SIG_IGN && signals[i].reaction != PUT_BACK)
            sigaction(signals[i].number, previous, NULL);
    }
}

/* So that an overflow of the stack can still put the terminal back. */
static void use_own_stack(void)
{
    static char own_stack[64 * 1024];
    stack_t stack = {.ss_sp = own_stack, .ss_flags = 0, .ss_size = sizeof(own_stack)};

    sigaltstack(&stack, NULL);
}

int term_signals_begin(int terminal, const struct termios *settings, struct err *err)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot make a pipe for signals");
    state.terminal = terminal;
    state.settings = *settings;
    state.pipe_read = ends[0];
    state.pipe_write = ends[1];
    atomic_store(&state.length, 0);
    atomic_store(&state.unanswered, 0);
    use_own_stack();
    install();
    state.is_begun = true;
    return 0;
}

void term_signals_end(void)
{
    if (!state.is_begun)
        return;
    alarm(0);
    for (size_t i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i].number, &state.previous[i], NULL);
    close(state.pipe_read);
    close(state.pipe_write);
    state.pipe_read = state.pipe_write = -1;
    state.is_begun = false;
}

void term_signals_prepare(const char *bytes, size_t length)
{
    if (length > sizeof(state.bytes))
        length = sizeof(state.bytes);
    atomic_store(&state.length, 0);
    if (length > 0)
        memcpy(state.bytes, bytes, length);
    atomic_store(&state.length, length);
}

int term_signals_fd(void)
{
    return state.pipe_read;
}

int term_signals_next(void)
{
    unsigned char byte;

    return read(state.pipe_read, &byte, 1) == 1 ? byte : 0;
}

void term_signals_answered(void)
{
    alarm(0);
}

void term_signals_stop(void)
{
    struct sigaction normal, ours;

    memset(&normal, 0, sizeof(normal));
    normal.sa_handler = SIG_DFL;
    sigemptyset(&normal.sa_mask);
    sigaction(SIGTSTP, &normal, &ours);
    raise(SIGTSTP);
    sigaction(SIGTSTP, &ours, NULL);
}

void term_signals_die(int number)
{
    struct sigaction normal;

    memset(&normal, 0, sizeof(normal));
    normal.sa_handler = SIG_DFL;
    sigemptyset(&normal.sa_mask);
    sigaction(number, &normal, NULL);
    raise(number);
}
