#include "attach/holder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "target/access.h"
#include "target/procfs.h"
#include "util/strbuf.h"
#include "util/utf8.h"

#define COMMAND_CELLS 60

/* A line of /proc/locks: "1: FLOCK ADVISORY WRITE 4711 00:17:81234 0 EOF". 0: not here.
 */
static pid_t holder_in_line(const char *line, const struct stat *status)
{
    unsigned device_major, device_minor;
    unsigned long inode;
    int pid;

    if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid, &device_major,
               &device_minor, &inode) != 4)
        return 0;
    return pid > 0 && inode == status->st_ino && device_major == major(status->st_dev) &&
                   device_minor == minor(status->st_dev)
               ? pid
               : 0;
}

static pid_t find_holder(int fd)
{
    FILE *locks = fopen("/proc/locks", "re");
    struct stat status;
    char line[256];
    pid_t pid = 0;

    if (!locks)
        return 0;
    if (fstat(fd, &status) == 0)
        while (!pid && fgets(line, sizeof(line), locks))
            pid = holder_in_line(line, &status);
    fclose(locks);
    return pid;
}

/* " (user root: heaptop -d 1 4711)"; nothing when the holder has gone, or may not be
 * looked at any more. */
static void add_who(struct strbuf *words, pid_t holder)
{
    struct strbuf command = STRBUF_INIT;
    struct stat status;
    char path[32], user[33];
    int cmdline;

    snprintf(path, sizeof(path), "/proc/%d/cmdline", (int)holder);
    cmdline = open(path, O_RDONLY | O_CLOEXEC);
    if (cmdline < 0)
        return;
    if (fstat(cmdline, &status) == 0) {
        access_user_name(status.st_uid, user);
        procfs_add_command(&command, cmdline, "heaptop");
        strbuf_addf(words, " (user %s: ", user);
        utf8_cut(words, strbuf_text(&command), COMMAND_CELLS);
        strbuf_add_char(words, ')');
    }
    strbuf_release(&command);
    close(cmdline);
}

int holder_name(int dir, pid_t pid, struct err *err)
{
    struct strbuf words = STRBUF_INIT;
    pid_t holder = find_holder(dir);

    if (holder)
        add_who(&words, holder);
    if (holder)
        err_set(err, ERR_FAILED, "heaptop with pid %d%s is attached to process %d",
                (int)holder, strbuf_text(&words), (int)pid);
    else
        err_set(err, ERR_FAILED, "another heaptop is attached to process %d", (int)pid);
    strbuf_release(&words);
    return err_remedy(err,
                      "quit that one and attach again (key a), or use --agent=never");
}
