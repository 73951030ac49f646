/* One row of the list: what the process is, and its numbers of now. */
#include "target/candidates_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/access.h"
#include "target/identify.h"
#include "target/procfs.h"
#include "util/clock.h"
#include "util/strbuf.h"
#include "util/utf8.h"

/* A library of a runtime is larger; less than this is a process at its work. */
#define VIRT_CHANGE_KIB 1024

/* Shares of less time than this say nothing; the one before is shown. */
#define CPU_INTERVAL_MIN_NS (100 * NS_PER_MS)

static int open_process(pid_t pid)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void read_exe(int dir, char exe[128])
{
    ssize_t length = readlinkat(dir, "exe", exe, 127);

    exe[length > 0 ? length : 0] = '\0';
}

bool candidate_has_changed(const struct listed *listed, const struct known *known)
{
    uint64_t change = listed->virt_kib > known->virt_kib
                          ? listed->virt_kib - known->virt_kib
                          : known->virt_kib - listed->virt_kib;
    char exe[128];
    int dir;

    if (strcmp(listed->comm, known->comm) != 0)
        return true;
    /* A program that loads Python later grows by it. */
    if (!known->is_python)
        return change >= VIRT_CHANGE_KIB;
    dir = open_process(listed->pid);
    if (dir < 0)
        return true;
    read_exe(dir, exe);
    close(dir);
    return strcmp(exe, known->exe) != 0;
}

/* PYTHONMALLOC's words (Python/preconfig.c, Objects/obmalloc.c) as the name that
 * _PyMem_GetCurrentAllocatorName() would give. */
static const char *allocator_by_word(const char *word, bool is_dev_mode)
{
    static const char *const names[] = {"malloc",   "malloc_debug",
                                        "pymalloc", "pymalloc_debug",
                                        "mimalloc", "mimalloc_debug"};

    if (!*word || !strcmp(word, "default"))
        return is_dev_mode && !*word ? "pymalloc_debug" : "pymalloc";
    if (!strcmp(word, "debug"))
        return "pymalloc_debug";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!strcmp(word, names[i]))
            return names[i];
    return "-";
}

/* From the environment it was started with; "-" when that cannot be read. */
static void guess_allocator(int dir, bool is_free_threaded, char allocator[24])
{
    size_t size = (size_t)256 << 10;
    char *text = malloc(size);
    ssize_t length = text ? procfs_read_at(dir, "environ", text, size) : -1;
    const char *word = "";
    bool is_dev_mode = false;

    for (ssize_t at = 0; at < length; at += (ssize_t)strlen(text + at) + 1) {
        if (!strncmp(text + at, "PYTHONMALLOC=", 13))
            word = text + at + 13;
        else if (!strncmp(text + at, "PYTHONDEVMODE=", 14))
            is_dev_mode = text[at + 14] != '\0';
    }
    if (is_free_threaded)
        snprintf(allocator, 24, "mimalloc");
    else
        snprintf(allocator, 24, "%s",
                 length < 0 ? "-" : allocator_by_word(word, is_dev_mode));
    free(text);
}

/* For a process that may not be looked into: is it called like a Python? */
static bool is_called_python(int dir, const char *comm)
{
    char text[4096];
    const char *name;

    if (!strncmp(comm, "python", 6))
        return true;
    if (procfs_read_at(dir, "cmdline", text, sizeof(text)) <= 0)
        return false;
    name = strrchr(text, '/');
    return !strncmp(name ? name + 1 : text, "python", 6);
}

static bool identify_in(pid_t pid, int dir, const struct maps *maps,
                        struct identity *identity)
{
    struct reader *reader = NULL;
    struct err ignored;
    bool has_memory = !reader_live_open(pid, -1, &reader, &ignored);
    bool is_known;

    if (!has_memory)
        reader = reader_files_new(maps, dir);
    is_known = !identify(reader, maps, has_memory, "", identity, &ignored);
    reader_close(reader);
    return is_known;
}

void candidate_identify(const struct listed *listed, struct known *known)
{
    int dir = open_process(listed->pid);
    int maps_fd = dir < 0 ? -1 : openat(dir, "maps", O_RDONLY | O_CLOEXEC);
    struct identity identity;
    struct maps maps = {NULL, 0, false, NULL};
    struct err ignored;

    known->is_python = false;
    snprintf(known->python, sizeof(known->python), "-");
    snprintf(known->allocator, sizeof(known->allocator), "-");
    if (maps_fd < 0) {
        known->is_by_name = dir >= 0 && (errno == EACCES || errno == EPERM) &&
                            is_called_python(dir, listed->comm);
    } else if (!maps_read(&maps, maps_fd, &ignored) &&
               identify_in(listed->pid, dir, &maps, &identity)) {
        known->is_python = true;
        snprintf(known->python, sizeof(known->python), "%.15s", identity.text);
        guess_allocator(dir, identity.is_free_threaded, known->allocator);
        read_exe(dir, known->exe);
    }
    maps_release(&maps);
    if (maps_fd >= 0)
        close(maps_fd);
    if (dir >= 0)
        close(dir);
}

static bool fill_memory(int dir, struct candidate *row)
{
    char text[256];
    struct procfs_statm statm;

    if (procfs_read_at(dir, "statm", text, sizeof(text)) <= 0 ||
        !procfs_parse_statm(text, &statm))
        return false;
    row->virt_bytes = reading_exact(statm.virt_bytes);
    row->res_bytes = reading_exact(statm.res_bytes);
    return true;
}

static void fill_cpu(struct known *known, struct candidate *row)
{
    int64_t now = clock_monotonic_ns(), passed = now - known->cpu_mono_ns, cpu_ns;

    row->cpu_milli_percent = known->cpu_milli_percent;
    if (known->cpu_ns >= 0 && passed < CPU_INTERVAL_MIN_NS)
        return;
    if (!procfs_cpu_ns(row->pid, &cpu_ns))
        return;
    /* Thousandths of a per cent: a whole core is 100000. */
    if (known->cpu_ns >= 0 && cpu_ns >= known->cpu_ns)
        known->cpu_milli_percent = reading_exact(
            (int64_t)((double)(cpu_ns - known->cpu_ns) * 100000.0 / (double)passed));
    row->cpu_milli_percent = known->cpu_milli_percent;
    known->cpu_ns = cpu_ns;
    known->cpu_mono_ns = now;
}

static void fill_user(int dir, struct candidate *row)
{
    char text[PROCFS_TEXT_BYTES];
    uint64_t uid;

    if (procfs_read_at(dir, "status", text, sizeof(text)) > 0 &&
        procfs_field(text, "Uid", &uid))
        access_user_name((uid_t)uid, row->user);
}

/* `words` is a whole sentence; the buffer is large enough for the shorter ones. */
static void set_why(struct candidate *row, const char *text, const char *remedy)
{
    struct strbuf words = STRBUF_INIT;

    strbuf_addf(&words, "%s; %s", text, remedy);
    snprintf(row->access_why, sizeof(row->access_why), "%s", strbuf_text(&words));
    strbuf_release(&words);
}

static void fill_access(const struct listed *listed, const struct known *known,
                        struct candidate *row)
{
    struct err err;

    row->can_read = known->is_python && !access_try(listed->pid);
    if (!row->can_read) {
        access_explain(listed->pid, row->access, &err);
        set_why(row, err.text, err.remedy);
    } else if (listed->state == 'T' || listed->state == 't') {
        snprintf(row->access, sizeof(row->access), "stopped");
        snprintf(row->access_why, sizeof(row->access_why),
                 "process %d is stopped: its memory can be read, but the agent cannot be "
                 "loaded; to continue it: kill -CONT %d",
                 (int)listed->pid, (int)listed->pid);
    } else {
        snprintf(row->access, sizeof(row->access), "yes");
    }
}

bool candidate_fill(const struct listed *listed, struct known *known,
                    struct candidate *row)
{
    struct strbuf command = STRBUF_INIT;
    int dir = open_process(listed->pid);

    memset(row, 0, sizeof(*row));
    row->pid = listed->pid;
    row->start_ticks = listed->start_ticks;
    if (dir < 0 || !fill_memory(dir, row)) {
        if (dir >= 0)
            close(dir);
        return false;
    }
    row->uptime_ns = reading_exact(procfs_uptime_ns(listed->start_ticks));
    snprintf(row->python, sizeof(row->python), "%s", known->python);
    snprintf(row->allocator, sizeof(row->allocator), "%s", known->allocator);
    fill_user(dir, row);
    fill_cpu(known, row);
    fill_access(listed, known, row);
    procfs_add_command(&command, dir, listed->comm);
    row->command = strbuf_detach(&command);
    close(dir);
    return true;
}
