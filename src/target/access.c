#include "target/access.h"

#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target/procfs.h"

/* Reading where nothing is mapped: the kernel checks the permission first, so
 * EFAULT means that reading is permitted. Returns 0 or the errno value. */
int access_try(pid_t pid)
{
    char byte;
    struct iovec local = {&byte, 1}, remote = {(void *)16, 1};

    if (process_vm_readv(pid, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT)
        return 0;
    return errno;
}

/* /proc/self/status, line CapEff: hexadecimal. */
static bool has_ptrace_capability(void)
{
    char text[PROCFS_TEXT_BYTES];
    const char *line;

    if (procfs_read_file("self/status", text, sizeof(text)) < 0)
        return false;
    line = strstr(text, "\nCapEff:");
    return line && strtoull(line + 8, NULL, 16) >> CAP_SYS_PTRACE & 1;
}

/* -1 where there is no Yama. */
static int yama_scope(void)
{
    char text[32];

    if (procfs_read_file("sys/kernel/yama/ptrace_scope", text, sizeof(text)) <= 0)
        return -1;
    return (int)strtol(text, NULL, 10);
}

static bool real_uid_of(pid_t pid, uint64_t *uid)
{
    char path[64], text[PROCFS_TEXT_BYTES];

    snprintf(path, sizeof(path), "%d/status", (int)pid);
    return procfs_read_file(path, text, sizeof(text)) > 0 &&
           procfs_field(text, "Uid", uid);
}

/* The kernel gives the files of /proc/PID of a process that is not dumpable to root. */
static bool is_undumpable(pid_t pid, uint64_t uid)
{
    char path[64];
    struct stat status;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    return uid && !stat(path, &status) && status.st_uid == 0;
}

static void explain_uid(pid_t pid, uint64_t uid, char word[16], struct err *err)
{
    char name[33];

    access_user_name((uid_t)uid, name);
    snprintf(word, 16, "uid");
    err_set(err, ERR_DENIED, "process %d belongs to %s: you may not read its memory",
            (int)pid, name);
    if (uid)
        err_remedy(err, "run heaptop as %s or as root: sudo heaptop %d", name, (int)pid);
    else
        err_remedy(err, "run heaptop as root: sudo heaptop %d", (int)pid);
}

static void explain_yama(pid_t pid, int scope, char word[16], struct err *err)
{
    snprintf(word, 16, "Yama");
    err_set(err, ERR_DENIED,
            "the kernel forbids reading process %d: kernel.yama.ptrace_scope is %d",
            (int)pid, scope);
    if (scope >= 3)
        err_remedy(err, "it can be lowered only by a restart of the machine");
    else
        err_remedy(err,
                   "run heaptop as root: sudo heaptop %d; or, for all your processes: "
                   "sudo sysctl kernel.yama.ptrace_scope=0",
                   (int)pid);
}

static void explain_container(pid_t pid, char word[16], struct err *err)
{
    snprintf(word, 16, "container");
    err_set(err, ERR_DENIED,
            "root of this container may not read process %d: CAP_SYS_PTRACE is missing",
            (int)pid);
    err_remedy(err, "give the container the capability (docker: --cap-add SYS_PTRACE; "
                    "Kubernetes: securityContext.capabilities), or run heaptop on the "
                    "host");
}

void access_explain(pid_t pid, char word[16], struct err *err)
{
    bool has_capability = has_ptrace_capability();
    int scope = yama_scope();
    uint64_t uid;

    if (!real_uid_of(pid, &uid)) {
        snprintf(word, 16, "gone");
        err_set(err, ERR_GONE, "process %d has ended", (int)pid);
    } else if (scope >= 3) {
        explain_yama(pid, scope, word, err);
    } else if (!geteuid() && !has_capability) {
        explain_container(pid, word, err);
    } else if (!has_capability && uid != geteuid()) {
        explain_uid(pid, uid, word, err);
    } else if (!has_capability && scope > 0) {
        explain_yama(pid, scope, word, err);
    } else if (!has_capability && is_undumpable(pid, uid)) {
        snprintf(word, 16, "dumpable");
        err_set(err, ERR_DENIED,
                "process %d has changed its credentials or is set not dumpable, so only "
                "root may read it",
                (int)pid);
        err_remedy(err, "run heaptop as root: sudo heaptop %d", (int)pid);
    } else {
        snprintf(word, 16, "policy");
        err_set(err, ERR_DENIED,
                "a security policy or another user namespace forbids reading process %d",
                (int)pid);
        err_remedy(err, "run heaptop as root on the host; look for SELinux or AppArmor "
                        "denials in the kernel log");
    }
}

void access_user_name(uid_t uid, char name[33])
{
    char buffer[4096];
    struct passwd entry, *found = NULL;

    if (!getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found) && found)
        snprintf(name, 33, "%.32s", entry.pw_name);
    else
        snprintf(name, 33, "%u", (unsigned)uid);
}
