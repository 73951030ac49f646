/*
 * The process section, from descriptors that were opened once: what the kernel
 * says of the target, a few microseconds a sample. A file that cannot be read
 * leaves its readings unknown.
 *
 * PSS and USS are dear: the kernel walks every resident page and holds the
 * target's memory lock for reading meanwhile. They are read again only when a
 * hundred times their last cost has passed, and carry their age.
 *
 * CPU time comes from the process's CPU clock: stat counts in ticks, and
 * schedstat of a process is that of its first thread only.
 */
#include "heaptop/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "model/builder.h"
#include "target/procfs.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/xalloc.h"

#define ROLLUP_DUTY       100 /* at most 1 % of the time */
#define ROLLUP_FIRST_NS   (10 * NS_PER_MS)
#define ROLLUP_PAGE_NS    60 /* a cautious guess for the first time */
#define KIB               1024
#define MILLI_PERCENT_ONE 100000.0 /* of one core */

struct process_state {
    int64_t cpu_ns, cpu_mono_ns; /* of the previous sample; cpu_ns -1 = none */
    int64_t page_bytes;
    struct reading pss_bytes, uss_bytes;
    int64_t rollup_mono_ns, rollup_cost_ns; /* when it was read last; cost 0 = never */
};

static int process_open(struct target *target, void **state, struct err *err)
{
    struct process_state *process = xcalloc(1, sizeof(*process));

    (void)target;
    (void)err;
    process->cpu_ns = -1;
    process->page_bytes = sysconf(_SC_PAGESIZE);
    *state = process;
    return 0;
}

static struct reading field(const char *text, const char *name, int64_t unit)
{
    uint64_t value;

    if (!procfs_field(text, name, &value) || value > (uint64_t)(INT64_MAX / unit))
        return reading_unknown();
    return reading_exact((int64_t)value * unit);
}

static struct reading sum(struct reading one, struct reading other)
{
    if (!reading_is_known(one) || !reading_is_known(other))
        return reading_unknown();
    return reading_exact(one.value + other.value);
}

static void read_statm(const struct target *target, struct process_section *section)
{
    char text[256];
    struct procfs_statm statm;

    if (target->fds.statm < 0 ||
        procfs_read(target->fds.statm, text, sizeof(text)) <= 0 ||
        !procfs_parse_statm(text, &statm))
        return;
    section->virt_bytes = reading_exact(statm.virt_bytes);
    section->res_bytes = reading_exact(statm.res_bytes);
    section->shr_bytes = reading_exact(statm.shr_bytes);
}

static void read_status(const struct target *target, struct process_section *section)
{
    char text[PROCFS_TEXT_BYTES];

    if (target->fds.status < 0 ||
        procfs_read(target->fds.status, text, sizeof(text)) <= 0)
        return;
    section->anon_bytes = field(text, "RssAnon", KIB);
    section->file_bytes = field(text, "RssFile", KIB);
    section->shmem_bytes = field(text, "RssShmem", KIB);
    section->swap_bytes = field(text, "VmSwap", KIB);
    section->peak_res_bytes = field(text, "VmHWM", KIB);
    section->threads = field(text, "Threads", 1);
}

static void read_stat(const struct target *target, struct process_section *section)
{
    char text[PROCFS_TEXT_BYTES];
    struct procfs_stat stat;

    if (target->fds.stat < 0 || procfs_read(target->fds.stat, text, sizeof(text)) <= 0 ||
        !procfs_parse_stat(text, &stat))
        return;
    section->minor_faults = reading_exact((int64_t)stat.minor_faults);
    section->major_faults = reading_exact((int64_t)stat.major_faults);
}

static void read_io(const struct target *target, struct process_section *section)
{
    char text[1024];

    if (!target_read_io(target->pid, target->start_ticks, target->fds.io, text,
                        sizeof(text)))
        return;
    section->io_read_bytes = field(text, "read_bytes", 1);
    section->io_write_bytes = field(text, "write_bytes", 1);
}

static void read_cpu(struct process_state *process, const struct target *target,
                     struct process_section *section)
{
    int64_t now = clock_monotonic_ns(), cpu_ns;

    if (!procfs_cpu_ns(target->pid, &cpu_ns)) {
        process->cpu_ns = -1;
        return;
    }
    section->cpu_ns = reading_exact(cpu_ns);
    if (process->cpu_ns >= 0 && now > process->cpu_mono_ns && cpu_ns >= process->cpu_ns)
        section->cpu_milli_percent = reading_exact(
            (int64_t)((double)(cpu_ns - process->cpu_ns) * MILLI_PERCENT_ONE /
                      (double)(now - process->cpu_mono_ns)));
    process->cpu_ns = cpu_ns;
    process->cpu_mono_ns = now;
}

/* Never read: the cost is guessed, and a large target waits its turn. */
static bool is_rollup_due(const struct process_state *process,
                          const struct process_section *section, int64_t now)
{
    int64_t cost_ns = process->rollup_cost_ns;

    if (!cost_ns) {
        if (!reading_is_known(section->res_bytes))
            return false;
        cost_ns = section->res_bytes.value / process->page_bytes * ROLLUP_PAGE_NS;
        if (cost_ns <= ROLLUP_FIRST_NS)
            return true;
    }
    return now - process->rollup_mono_ns >= cost_ns * ROLLUP_DUTY;
}

static void read_rollup(struct process_state *process, const struct target *target,
                        struct process_section *section)
{
    int64_t now = clock_monotonic_ns();
    char text[PROCFS_TEXT_BYTES];

    if (target->fds.smaps_rollup < 0)
        return;
    if (!process->rollup_mono_ns)
        process->rollup_mono_ns = now;
    if (is_rollup_due(process, section, now)) {
        bool is_read = procfs_read(target->fds.smaps_rollup, text, sizeof(text)) > 0;

        process->pss_bytes = is_read ? field(text, "Pss", KIB) : reading_unknown();
        process->uss_bytes = is_read ? sum(field(text, "Private_Clean", KIB),
                                           field(text, "Private_Dirty", KIB))
                                     : reading_unknown();
        process->rollup_mono_ns = clock_monotonic_ns();
        process->rollup_cost_ns = process->rollup_mono_ns - now;
    }
    section->pss_bytes = process->pss_bytes;
    section->uss_bytes = process->uss_bytes;
    if (reading_is_known(process->pss_bytes))
        section->pss_age_ns =
            reading_exact(clock_monotonic_ns() - process->rollup_mono_ns);
}

static enum source_result process_sample(void *state, struct source_context *context,
                                         struct err *err)
{
    struct process_section *section = builder_process(context->builder);
    struct process_state *process = state;
    struct target *target = context->target;

    if (!section) {
        err_set(err, ERR_FAILED, "no memory for the process section");
        return SOURCE_FAILED;
    }
    section->uptime_ns = reading_exact(procfs_uptime_ns(target->start_ticks));
    read_statm(target, section);
    read_status(target, section);
    read_stat(target, section);
    read_io(target, section);
    read_cpu(process, target, section);
    read_rollup(process, target, section);
    return SOURCE_DONE;
}

static void process_close(void *state)
{
    free(state);
}

const struct source_ops source_process = {
    .name = "process",
    .title = "Process",
    .cost = SOURCE_CHEAP,
    .open = process_open,
    .sample = process_sample,
    .close = process_close,
};
