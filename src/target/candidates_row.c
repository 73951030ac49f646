/* One row of the list: what the process is, and its numbers of now. */
#include "target/candidates_private.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/files.h"
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

static int look_at(pid_t pid, struct look *look, struct err *err)
{
    if (!look->is_known && target_look(pid, &look->answer, err) != 0)
        return -1;
    look->is_known = true;
    return 0;
}

bool candidate_has_changed(const struct listed *listed, const struct known *known,
                           struct look *look)
{
    uint64_t change = listed->virt_kib > known->virt_kib
                          ? listed->virt_kib - known->virt_kib
                          : known->virt_kib - listed->virt_kib;
    struct err ignored = ERR_INIT;

    if (strcmp(listed->comm, known->comm) != 0)
        return true;
    /* A program that loads Python later grows by it. */
    if (!known->is_python)
        return change >= VIRT_CHANGE_KIB;
    return look_at(listed->pid, look, &ignored) != 0 ||
           strncmp(look->answer.exe, known->exe, sizeof(known->exe) - 1) != 0;
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
static void guess_allocator(int environ_fd, bool is_free_threaded, char allocator[24])
{
    size_t size = (size_t)256 << 10;
    char *text = malloc(size);
    ssize_t length = text && environ_fd >= 0 ? procfs_read(environ_fd, text, size) : -1;
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
static bool is_called_python(int cmdline_fd, const char *comm)
{
    char text[4096];
    const char *name;

    if (!strncmp(comm, "python", 6))
        return true;
    if (cmdline_fd < 0 || procfs_read(cmdline_fd, text, sizeof(text)) <= 0)
        return false;
    name = strrchr(text, '/');
    return !strncmp(name ? name + 1 : text, "python", 6);
}

static bool identify_in(pid_t pid, const struct target_fds *fds, const struct maps *maps,
                        struct identity *identity)
{
    struct reader *reader = NULL;
    struct err ignored;
    bool has_memory = !reader_live_open(pid, fds->mem, &reader, &ignored);
    bool is_known;

    if (!has_memory)
        reader = reader_files_new(maps, fds->dir);
    is_known = !identify(reader, maps, has_memory, "", identity, &ignored);
    reader_close(reader);
    return is_known;
}

void candidate_identify(const struct listed *listed, struct known *known)
{
    struct maps maps = {NULL, 0, false, NULL};
    struct target_files files;
    struct identity identity;
    struct err ignored;

    known->is_python = false;
    snprintf(known->python, sizeof(known->python), "-");
    snprintf(known->allocator, sizeof(known->allocator), "-");
    if (target_files_open(listed->pid, &files, &ignored) != 0)
        return;
    if (files.fds.maps < 0) {
        known->is_by_name = files.access_why.code == ERR_DENIED &&
                            is_called_python(files.fds.cmdline, listed->comm);
    } else if (!maps_read(&maps, files.fds.maps, &ignored) &&
               identify_in(listed->pid, &files.fds, &maps, &identity)) {
        known->is_python = true;
        snprintf(known->python, sizeof(known->python), "%.15s", identity.text);
        guess_allocator(files.fds.environ, identity.is_free_threaded, known->allocator);
        snprintf(known->exe, sizeof(known->exe), "%.127s", files.exe);
    }
    maps_release(&maps);
    target_fds_close(&files.fds);
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

/* `words` is a whole sentence; the buffer is large enough for the shorter ones. */
static void set_why(struct candidate *row, const char *text, const char *remedy)
{
    struct strbuf words = STRBUF_INIT;

    strbuf_addf(&words, "%s; %s", text, remedy);
    snprintf(row->access_why, sizeof(row->access_why), "%s", strbuf_text(&words));
    strbuf_release(&words);
}

static void fill_access(const struct listed *listed, const struct known *known,
                        struct look *look, struct candidate *row)
{
    const struct target_look *answer = &look->answer;
    struct err err = ERR_INIT;

    if (look_at(listed->pid, look, &err) != 0) {
        snprintf(row->access, sizeof(row->access), "helper");
        set_why(row, err.text, err.remedy);
        return;
    }
    snprintf(row->user, sizeof(row->user), "%s", answer->user);
    row->can_read = known->is_python && answer->can_read;
    if (!row->can_read) {
        snprintf(row->access, sizeof(row->access), "%s", answer->word);
        set_why(row, answer->why.text, answer->why.remedy);
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

bool candidate_fill(const struct listed *listed, struct known *known, struct look *look,
                    struct candidate *row)
{
    struct strbuf command = STRBUF_INIT;
    int dir = open_process(listed->pid), cmdline;

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
    fill_cpu(known, row);
    fill_access(listed, known, look, row);
    cmdline = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);
    procfs_add_command(&command, cmdline, listed->comm);
    row->command = strbuf_detach(&command);
    if (cmdline >= 0)
        close(cmdline);
    close(dir);
    return true;
}
