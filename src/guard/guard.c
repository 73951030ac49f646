#include "guard/guard.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guard/filter.h"
#include "util/log.h"

#define FDS_MAX    256
#define FDS_MANY   1536
#define NOBODY_UID 65534 /* what every distribution of Linux calls nobody */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

/* What is in force, for people. */
static char words[256];

static void say(const char *text)
{
    size_t used = strlen(words);

    snprintf(words + used, sizeof(words) - used, "%s%s", used ? ", " : "", text);
}

const char *guard_words(void)
{
    return words;
}

int guard_check_start(struct err *err)
{
    if (!getauxval(AT_SECURE))
        return 0;
    err_set(err, ERR_DENIED,
            "heaptop does not run setuid, setgid or with capabilities of its file");
    return err_remedy(err, "take them off the file (chmod ug-s, setcap -r) and run it "
                           "with sudo where it needs more rights");
}

static uint64_t read_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) != 0)
        return 0;
    return (uint64_t)data[1].effective << 32 | data[0].effective;
}

bool guard_is_privileged(void)
{
    return geteuid() == 0 || read_capabilities() != 0;
}

static int clear_capabilities(struct err *err)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[2];

    memset(none, 0, sizeof(none));
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    if (syscall(SYS_capset, &header, none) != 0 || read_capabilities() != 0)
        return err_set_errno(err, ERR_FAILED, errno, "cannot give up capabilities");
    say("no capabilities");
    return 0;
}

/* The target's user, because a target that takes this process over has won nothing
 * then; nobody for root's own processes, and where the target is not known yet. */
static void choose_user(pid_t target, uid_t *uid, gid_t *gid)
{
    char path[32];
    struct stat status;

    *uid = *gid = NOBODY_UID;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)target);
    if (target > 0 && stat(path, &status) == 0 && status.st_uid != 0 &&
        status.st_gid != 0) {
        *uid = status.st_uid;
        *gid = status.st_gid;
    }
}

/* A user of a namespace in which nobody else exists stays who they are. */
static int change_user(pid_t target, struct err *err)
{
    char text[64];
    uid_t uid;
    gid_t gid;

    if (geteuid() != 0)
        return 0;
    choose_user(target, &uid, &gid);
    if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
        setresuid(uid, uid, uid) != 0) {
        say("still root: this namespace has no other user");
        return 0;
    }
    if (setuid(0) == 0 || geteuid() != uid)
        return err_set(err, ERR_FAILED, "the rights of root cannot be given up");
    snprintf(text, sizeof(text), "runs as uid %u", (unsigned)uid);
    say(text);
    return 0;
}

static void limit(int resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) != 0 || (now.rlim_max <= most && now.rlim_cur <= most))
        return;
    now.rlim_cur = now.rlim_max = most;
    setrlimit(resource, &now);
}

static void begin_filter(const struct guard_options *options)
{
    char text[64];
    int count;

    if (HAS_SANITIZER) {
        say("system calls not filtered: built with a sanitizer");
        return;
    }
    count = filter_begin(options->needs);
    if (count < 0)
        snprintf(text, sizeof(text), "system calls not filtered: %s", strerror(errno));
    else
        snprintf(text, sizeof(text), "%d system calls allowed", count);
    say(text);
}

int guard_give_up_rights(struct err *err)
{
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_NOFILE, FDS_MAX);
    if (!guard_is_privileged())
        return 0;
    return change_user(0, err) != 0 || clear_capabilities(err) != 0 ? -1 : 0;
}

/* The last step forbids the others. */
int guard_begin(const struct guard_options *options, struct err *err)
{
    bool is_privileged = guard_is_privileged() && !options->keeps_user;

    words[0] = '\0';
    limit(RLIMIT_CORE, 0);
    if (is_privileged && helper_start(options->services, err) != 0)
        return -1;
    limit(RLIMIT_NOFILE, options->watches_many ? FDS_MANY : FDS_MAX);
    if (is_privileged &&
        (change_user(options->target, err) != 0 || clear_capabilities(err) != 0))
        return -1;
    if (is_privileged)
        say("privileged helper beside it");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        say("no new privileges");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
        say("not dumpable");
    begin_filter(options);
    log_line("guard: %s", words);
    return 0;
}
