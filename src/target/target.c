#include "target/target.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "target/identify.h"
#include "target/procfs.h"
#include "target/shared_pages.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

#define PF_KTHREAD      0x00200000 /* include/linux/sched.h; in field 9 of stat */
#define GONE_COLUMNS    80         /* of the new program's command line */
#define COMMAND_WAIT_NS (100 * NS_PER_MS)
#define COMMAND_TRIES   50

/* Everything that is built up by target_open(). */
struct opening {
    struct target *target;
    struct procfs_stat stat;
    char who[128]; /* "process 42 (name)", clean */
};

static void fill_command(const struct opening *opening)
{
    struct target_facts *facts = &opening->target->facts;
    struct strbuf command = STRBUF_INIT;

    procfs_add_command(&command, opening->target->fds.cmdline, opening->stat.comm);
    utf8_clean_copy(facts->command, sizeof(facts->command), strbuf_text(&command),
                    command.length);
    strbuf_release(&command);
}

static int fail_no_process(pid_t pid, struct err *err)
{
    err_set(err, ERR_GONE, "process %d does not exist", (int)pid);
    return err_remedy(err, "run heaptop without a process to choose from a list");
}

static int open_files(struct opening *opening, struct err *err)
{
    struct target *target = opening->target;
    struct target_files files;

    if (target_files_open(target->pid, &files, err) != 0)
        return -1;
    target->fds = files.fds;
    target->access_why = files.access_why;
    utf8_clean_copy(target->facts.exe, sizeof(target->facts.exe), files.exe,
                    strnlen(files.exe, sizeof(files.exe)));
    utf8_clean_copy(target->facts.user, sizeof(target->facts.user), files.user,
                    strnlen(files.user, sizeof(files.user)));
    return 0;
}

/* A thread's number has a directory in /proc too. */
static int check_is_process(const struct target *target, const char *status,
                            struct err *err)
{
    uint64_t group;

    if (!procfs_field(status, "Tgid", &group) || group == (uint64_t)target->pid)
        return 0;
    err_set(err, ERR_GONE, "%d is a thread of process %d", (int)target->pid, (int)group);
    return err_remedy(err, "run: heaptop %d", (int)group);
}

static int open_identity(struct opening *opening, struct err *err)
{
    struct target *target = opening->target;
    struct procfs_stat *stat = &opening->stat;
    char text[PROCFS_TEXT_BYTES], name[64 * 4];
    uint64_t uid;

    if (procfs_read(target->fds.stat, text, sizeof(text)) <= 0 ||
        !procfs_parse_stat(text, stat))
        return fail_no_process(target->pid, err);
    target->start_ticks = stat->start_ticks;
    utf8_clean_copy(name, sizeof(name), stat->comm, strlen(stat->comm));
    snprintf(opening->who, sizeof(opening->who), "process %d (%.64s)", (int)target->pid,
             name);
    if (stat->state == 'Z' || stat->state == 'X') {
        err_set(err, ERR_GONE, "%s has ended and waits for its parent (zombie)",
                opening->who);
        return err_remedy(err, "its parent, process %d, has not yet asked for its status",
                          (int)stat->parent);
    }
    if (stat->flags & PF_KTHREAD) {
        err_set(err, ERR_UNSUPPORTED, "%s is a thread of the kernel", opening->who);
        return err_remedy(err, "run heaptop without a process to choose from a list");
    }
    if (procfs_read(target->fds.status, text, sizeof(text)) <= 0)
        return fail_no_process(target->pid, err);
    if (check_is_process(target, text, err))
        return -1;
    target->uid = procfs_field(text, "Uid", &uid) ? (uid_t)uid : (uid_t)-1;
    return 0;
}

static int open_maps(struct opening *opening, struct err *err)
{
    struct target *target = opening->target;

    if (target->fds.maps < 0) {
        *err = target->access_why;
        return -1;
    }
    if (maps_read(&target->maps, target->fds.maps, err))
        return -1;
    if (target->maps.count)
        return 0;
    err_set(err, ERR_GONE, "%s has no memory: it is ending", opening->who);
    return -1;
}

/* Again whenever the mappings are read: a process may fork at any time. */
static void spare_shared_pages(struct target *target)
{
    if (target->reader)
        reader_live_spare(target->reader,
                          shared_pages_any(target->fds.pagemap, &target->maps),
                          target->fds.pagemap);
}

/* The reader, or the reason why there is none. */
static int open_reader(struct target *target, struct err *err)
{
    struct err failed = ERR_INIT;

    if (!reader_live_open(target->pid, target->fds.mem, &target->reader, &failed)) {
        reader_live_help(target->reader, target->start_ticks);
        spare_shared_pages(target);
        return 0;
    }
    target->reader = NULL;
    if (failed.code == ERR_GONE) {
        *err = failed;
        return -1;
    }
    return 0;
}

static int open_python(struct opening *opening, struct err *err)
{
    struct target *target = opening->target;
    struct reader *reader = target->reader;
    struct identity found;
    int result;

    if (!reader)
        reader = reader_files_new(&target->maps, target->fds.dir);
    result = identify(reader, &target->maps, target->reader != NULL, opening->who, &found,
                      err);
    if (!target->reader)
        reader_close(reader);
    if (result)
        return -1;
    target->python = found.python;
    target->runtime = found.runtime;
    target->type_type = found.type_type;
    target->version = found.version;
    target->is_free_threaded = found.is_free_threaded;
    snprintf(target->facts.python, sizeof(target->facts.python), "%s", found.text);
    return 0;
}

static void fill_facts(const struct opening *opening)
{
    struct target *target = opening->target;
    struct target_facts *facts = &target->facts;

    facts->pid = target->pid;
    facts->start_wall_ns = procfs_start_wall_ns(target->start_ticks);
    fill_command(opening);
    facts->state = target_state(target);
}

static int open_steps(struct opening *opening, struct err *err)
{
    if (open_files(opening, err) || open_identity(opening, err) ||
        open_maps(opening, err) || open_reader(opening->target, err) ||
        open_python(opening, err))
        return -1;
    fill_facts(opening);
    if (opening->target->facts.state == TARGET_ENDED)
        return err_set(err, ERR_GONE, "%s ended while it was opened", opening->who);
    return 0;
}

int target_open(pid_t pid, struct target **target, struct err *err)
{
    struct opening opening = {.target = xcalloc(1, sizeof(struct target))};
    struct target_fds none = TARGET_FDS_NONE;

    opening.target->pid = pid;
    opening.target->fds = none;
    if (open_steps(&opening, err)) {
        target_close(opening.target);
        *target = NULL;
        return -1;
    }
    *target = opening.target;
    return 0;
}

void target_close(struct target *target)
{
    if (!target)
        return;
    reader_close(target->reader);
    maps_release(&target->maps);
    target_fds_close(&target->fds);
    free(target);
}

int target_reread_maps(struct target *target, struct err *err)
{
    struct maps maps;

    if (maps_read(&maps, target->fds.maps, err))
        return -1;
    if (!maps.count) {
        maps_release(&maps);
        return err_set(err, ERR_GONE, "process %d has ended or runs another program now",
                       (int)target->pid);
    }
    maps_release(&target->maps);
    target->maps = maps;
    return 0;
}

int target_refresh_maps(struct target *target, struct err *err)
{
    if (target_reread_maps(target, err))
        return -1;
    spare_shared_pages(target);
    return 0;
}

static bool pidfd_says_ended(const struct target *target)
{
    struct pollfd poll_fd = {.fd = target->fds.pidfd, .events = POLLIN};

    return target->fds.pidfd >= 0 && poll(&poll_fd, 1, 0) > 0 &&
           (poll_fd.revents & POLLIN);
}

/* The kept descriptors belong to the old address space: after exec they are at
 * their end. Of `mem` that is told without writing a page of text first; where memory
 * is, nothing is mapped at 0, which is an error. */
static bool has_left_its_memory(const struct target *target)
{
    int fd = target->fds.mem >= 0 ? target->fds.mem : target->fds.maps;
    char byte;

    return pread(fd, &byte, 1, 0) == 0;
}

bool target_has_its_memory(const struct target *target)
{
    return !pidfd_says_ended(target) && !has_left_its_memory(target);
}

/* A process that ends lets go of its memory first and is there for a moment more. */
static bool has_other_memory(const struct target *target)
{
    char text[256];
    struct procfs_statm statm;

    return procfs_read(target->fds.statm, text, sizeof(text)) > 0 &&
           procfs_parse_statm(text, &statm) && statm.virt_bytes > 0;
}

static enum target_state observe(struct target *target)
{
    char text[PROCFS_TEXT_BYTES];
    struct procfs_stat stat;

    if (pidfd_says_ended(target) ||
        procfs_read(target->fds.stat, text, sizeof(text)) <= 0 ||
        !procfs_parse_stat(text, &stat) || stat.start_ticks != target->start_ticks)
        return TARGET_ENDED;
    /* With a pidfd, Z is a main thread that ended before the others. */
    if (stat.state == 'X' || (stat.state == 'Z' && target->fds.pidfd < 0))
        return TARGET_ENDED;
    if (has_left_its_memory(target)) {
        target->has_executed = has_other_memory(target);
        log_line("target %d: %s", (int)target->pid,
                 target->has_executed ? "exec" : "without memory");
        return TARGET_ENDED;
    }
    return stat.state == 'T' || stat.state == 't' ? TARGET_STOPPED : TARGET_LIVE;
}

enum target_state target_state(struct target *target)
{
    struct target_facts *facts = &target->facts;

    if (facts->state == TARGET_ENDED)
        return TARGET_ENDED;
    facts->state = observe(target);
    if (facts->state == TARGET_ENDED)
        facts->ended_wall_ns = clock_wall_ns();
    return facts->state;
}

/* In the middle of an exec a process has no command line for a moment. */
static void wait_for_command(const struct target *target)
{
    const struct timespec nap = {0, COMMAND_WAIT_NS / COMMAND_TRIES};
    char byte;

    for (int i = 0; i < COMMAND_TRIES && target->fds.cmdline >= 0 &&
                    pread(target->fds.cmdline, &byte, 1, 0) <= 0;
         i++)
        nanosleep(&nap, NULL);
}

void target_gone(const struct target *target, struct err *err)
{
    struct strbuf command = STRBUF_INIT, words = STRBUF_INIT;

    if (!target->has_executed) {
        err_set(err, ERR_GONE, "process %d ended", (int)target->pid);
        return;
    }
    wait_for_command(target);
    procfs_add_command(&command, target->fds.cmdline, "?");
    utf8_cut(&words, strbuf_text(&command), GONE_COLUMNS);
    err_set(err, ERR_GONE, "process %d executed another program: %s", (int)target->pid,
            strbuf_text(&words));
    err_remedy(err, "attach to it again");
    strbuf_release(&command);
    strbuf_release(&words);
}
