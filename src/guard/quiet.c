#include "guard/quiet.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

/* The terminal and the pipes are the client's: who waits for their end must not wait
 * for this one. */
static void let_go_of_terminal(void)
{
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int fd = 0; fd <= 2 && nothing >= 0; fd++)
        dup2(nothing, fd);
    if (nothing > 2)
        close(nothing);
}

/* Keys of the terminal mean the client. Only time and faults end it. */
static void settle_signals(void)
{
    static const int wanted[] = {SIGALRM, SIGSEGV, SIGBUS, SIGILL,
                                 SIGFPE,  SIGABRT, SIGSYS};
    struct sigaction normal;
    sigset_t all;

    memset(&normal, 0, sizeof(normal));
    normal.sa_handler = SIG_DFL;
    sigfillset(&all);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        sigaction(wanted[i], &normal, NULL);
        sigdelset(&all, wanted[i]);
    }
    sigprocmask(SIG_SETMASK, &all, NULL);
}

void quiet_become(const char *name)
{
    let_go_of_terminal();
    settle_signals();
    prctl(PR_SET_NAME, name, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
