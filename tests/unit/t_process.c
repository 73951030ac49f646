/* The process source, on this very process, with getrusage() as the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "heaptop/source.h"
#include "model/builder.h"
#include "target/procfs.h"
#include "target/target.h"
#include "util/clock.h"

extern const struct source_ops source_process;

#define MORE_BYTES ((size_t)8 << 20)

static int open_self(const char *name)
{
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static void fill_self(struct target *target)
{
    char text[PROCFS_TEXT_BYTES];
    struct procfs_stat stat;

    memset(target, 0, sizeof(*target));
    target->pid = getpid();
    target->fds = (struct target_fds)TARGET_FDS_NONE;
    target->fds.stat = open_self("stat");
    target->fds.statm = open_self("statm");
    target->fds.status = open_self("status");
    target->fds.io = open_self("io");
    target->fds.smaps_rollup = open_self("smaps_rollup");
    assert_true(procfs_read(target->fds.stat, text, sizeof(text)) > 0);
    assert_true(procfs_parse_stat(text, &stat));
    target->start_ticks = stat.start_ticks;
}

static void close_self(const struct target *target)
{
    close(target->fds.stat);
    close(target->fds.statm);
    close(target->fds.status);
    close(target->fds.io);
    close(target->fds.smaps_rollup);
}

static const struct snapshot *sample(struct target *target, void *state)
{
    struct source_context context = {.target = target, .builder = builder_new(1)};
    struct err err;

    assert_int_equal(source_process.sample(state, &context, &err), SOURCE_DONE);
    return snapshot_seal(context.builder);
}

static void test_numbers(void **unused)
{
    struct target target;
    const struct snapshot *before, *after;
    struct rusage usage;
    void *state;
    char *more;
    struct err err;

    (void)unused;
    fill_self(&target);
    assert_int_equal(source_process.open(&target, &state, &err), 0);
    snapshot_unref(sample(&target, state)); /* brings in the pages of its own code */
    before = sample(&target, state);
    more = mmap(NULL, MORE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0);
    assert_ptr_not_equal(more, MAP_FAILED);
    memset(more, 1, MORE_BYTES);
    after = sample(&target, state);
    getrusage(RUSAGE_SELF, &usage);
    assert_int_equal(after->process->virt_bytes.value - before->process->virt_bytes.value,
                     MORE_BYTES);
    /* A sanitizer's shadow of it is an eighth more. */
    assert_in_range(after->process->res_bytes.value - before->process->res_bytes.value,
                    MORE_BYTES - (1 << 20), MORE_BYTES + MORE_BYTES / 8 + (1 << 20));
    assert_in_range(after->process->anon_bytes.value - before->process->anon_bytes.value,
                    MORE_BYTES - (1 << 20), MORE_BYTES + MORE_BYTES / 8 + (1 << 20));
    assert_int_equal(after->process->threads.value, 1);
    assert_in_range(after->process->minor_faults.value, usage.ru_minflt - 200,
                    usage.ru_minflt);
    assert_in_range(after->process->peak_res_bytes.value,
                    after->process->res_bytes.value - (1 << 20),
                    (int64_t)usage.ru_maxrss * 1024 + (1 << 20));
    assert_true(reading_is_known(before->process->pss_bytes));
    assert_true(reading_is_known(before->process->pss_age_ns));
    assert_in_range(before->process->uss_bytes.value, 4096,
                    before->process->res_bytes.value);
    munmap(more, MORE_BYTES);
    snapshot_unref(before);
    snapshot_unref(after);
    source_process.close(state);
    close_self(&target);
}

/* One thread that computes is one core; the first sample knows no share. */
static void test_cpu(void **unused)
{
    struct target target;
    const struct snapshot *first, *second;
    int64_t began_ns, cpu_ns, end_ns, used_ns, share;
    void *state;
    struct err err;

    (void)unused;
    fill_self(&target);
    assert_int_equal(source_process.open(&target, &state, &err), 0);
    first = sample(&target, state);
    assert_false(reading_is_known(first->process->cpu_milli_percent));
    began_ns = clock_monotonic_ns();
    cpu_ns = clock_thread_cpu_ns();
    end_ns = began_ns + 200 * NS_PER_MS;
    while (clock_monotonic_ns() < end_ns)
        ;
    second = sample(&target, state);
    share = (clock_thread_cpu_ns() - cpu_ns) * 100000 / (clock_monotonic_ns() - began_ns);
    assert_true(reading_is_known(second->process->cpu_milli_percent));
    used_ns = second->process->cpu_ns.value - first->process->cpu_ns.value;
    assert_true(llabs(used_ns - (clock_thread_cpu_ns() - cpu_ns)) < 50 * NS_PER_MS);
    assert_true(llabs((int64_t)second->process->cpu_milli_percent.value - share) <= 5000);
    snapshot_unref(first);
    snapshot_unref(second);
    source_process.close(state);
    close_self(&target);
}

/* What cannot be read is unknown, not zero. */
static void test_nothing_readable(void **unused)
{
    struct target target = {.pid = 0x3ffffff,
                            .fds = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1}};
    const struct snapshot *snapshot;
    void *state;
    struct err err;

    (void)unused;
    assert_int_equal(source_process.open(&target, &state, &err), 0);
    snapshot = sample(&target, state);
    assert_false(reading_is_known(snapshot->process->virt_bytes));
    assert_false(reading_is_known(snapshot->process->res_bytes));
    assert_false(reading_is_known(snapshot->process->pss_bytes));
    assert_false(reading_is_known(snapshot->process->cpu_milli_percent));
    assert_false(reading_is_known(snapshot->process->io_read_bytes));
    assert_false(reading_is_known(snapshot->process->minor_faults));
    assert_false(reading_is_known(snapshot->process->threads));
    snapshot_unref(snapshot);
    source_process.close(state);
}

/* The name in stat is the target's: parentheses and spaces must not confuse. */
static void test_stat_names(void **unused)
{
    static const char text[] =
        "77 (a) R 1 (b)) S 12 77 77 0 -1 4194560 500 0 7 0 30 20 0 0 20 0 4 0 98765 0 0";
    struct procfs_stat stat;
    uint64_t value;

    (void)unused;
    assert_true(procfs_parse_stat(text, &stat));
    assert_string_equal(stat.comm, "a) R 1 (b)");
    assert_int_equal(stat.state, 'S');
    assert_int_equal(stat.parent, 12);
    assert_int_equal(stat.minor_faults, 500);
    assert_int_equal(stat.major_faults, 7);
    assert_int_equal(stat.user_ticks, 30);
    assert_int_equal(stat.system_ticks, 20);
    assert_int_equal(stat.threads, 4);
    assert_int_equal(stat.start_ticks, 98765);
    assert_false(procfs_parse_stat("", &stat));
    assert_false(procfs_parse_stat("77 a) S 1", &stat));
    assert_false(procfs_parse_stat("77 (a) S 1 2", &stat));
    assert_true(procfs_field("Name:\tVmSwap: 7\nVmSwap:\t 12 kB\n", "VmSwap", &value));
    assert_int_equal(value, 12);
    assert_false(procfs_field("VmSwap:\t-1 kB\n", "VmSwap", &value));
    assert_false(procfs_field("VmSwap:\tx\n", "VmSwap", &value));
    assert_false(procfs_field("", "VmSwap", &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_cpu),
        cmocka_unit_test(test_nothing_readable),
        cmocka_unit_test(test_stat_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
