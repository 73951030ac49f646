#include "attach_fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "attach/faultpoint.h"

static struct {
    char point[32], action[8];
    int turn, milliseconds;
    pid_t driver;
} fault;

/* The continued process may wait for its children, so the helper is nobody's child. */
static void stop_for(int milliseconds)
{
    const struct timespec nap = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    pid_t self = getpid();
    sigset_t all;

    if (fork() == 0) {
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        if (fork() != 0)
            _exit(0);
        nanosleep(&nap, NULL);
        kill(self, SIGCONT);
        _exit(0);
    }
    raise(SIGSTOP);
}

static void crash(void)
{
    const struct rlimit none = {0, 0};
    sigset_t all;

    setrlimit(RLIMIT_CORE, &none);
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
}

static void reach(enum faultpoint point)
{
    if (strcmp(faultpoint_name(point), fault.point) || --fault.turn != 0)
        return;
    if (!strcmp(fault.action, "stop")) {
        stop_for(fault.milliseconds);
    } else if (!strcmp(fault.action, "crash")) {
        crash();
    } else {
        kill(fault.driver, SIGKILL);
        raise(SIGKILL);
    }
}

static int is_action(const char *action)
{
    return !strcmp(action, "kill") || !strcmp(action, "crash") || !strcmp(action, "stop");
}

int attach_fault_arm(const char *words)
{
    if (!words)
        return 0;
    fault.turn = 1;
    fault.driver = getpid();
    if (sscanf(words, "%31[a-z_]#%d=%7[a-z] %d", fault.point, &fault.turn, fault.action,
               &fault.milliseconds) < 3 &&
        sscanf(words, "%31[a-z_]=%7[a-z] %d", fault.point, fault.action,
               &fault.milliseconds) < 2)
        return -1;
    for (int i = 0; i < FAULTPOINT_COUNT && is_action(fault.action); i++)
        if (!strcmp(faultpoint_name((enum faultpoint)i), fault.point)) {
            faultpoint_hook = reach;
            return 0;
        }
    return -1;
}

int attach_fault_list(bool is_remote)
{
    for (int i = 0; i < FAULTPOINT_COUNT; i++) {
        const char *name = faultpoint_name((enum faultpoint)i);

        if (!strncmp(name, "remote_", strlen("remote_")) == is_remote)
            printf("%s\t%s\n", name, faultpoint_when((enum faultpoint)i));
    }
    return 0;
}
