/*
 * bench_walk PID [TIMES [UID]] - walks the objects of a target that stands still, and
 * copies the same arenas with process_vm_readv alone, in turns, so that both meet the
 * same machine. Prints one line of figures: the median of each. With UID it becomes that
 * user once the target is open, as the guard does, so the reader has what is left then.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "source/arenas.h"
#include "source/objects_walk.h"
#include "target/target.h"
#include "util/clock.h"

#define TIMES_MAX 101

struct figures {
    int64_t walk_ns[TIMES_MAX], walk_cpu_ns[TIMES_MAX], copy_ns[TIMES_MAX];
    uint64_t objects, blocks, arena_bytes, read_bytes;
};

static int compare_ns(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

static double median_ns(int64_t *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_ns);
    return (double)values[count / 2];
}

/* The same reads as the walk's, and nothing else. */
static uint64_t copy_arenas(struct reader *reader, const struct arena_table *table,
                            void *buffer, uint64_t buffer_bytes)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < table->count; i++) {
        uint64_t length = table->rows[i].pool_high - table->rows[i].first_pool;

        if (length <= buffer_bytes &&
            !reader_read(reader, raddr_of(table->rows[i].first_pool), buffer,
                         (size_t)length))
            bytes += length;
    }
    return bytes;
}

static int bench_once(struct walk *walk, struct figures *figures, size_t i,
                      struct err *err)
{
    const struct objects_section *section;
    int64_t began;

    if (walk_begin(walk, err))
        return -1;
    walk_step(walk, 0);
    section = walk_finish(walk);
    if (!section)
        return err_set(err, ERR_FAILED, "out of memory");
    figures->walk_ns[i] = section->walk.wall_ns;
    figures->walk_cpu_ns[i] = section->walk.cpu_ns;
    figures->objects = section->count;
    figures->blocks =
        section->count + section->unowned_blocks + section->freelist_objects;
    figures->read_bytes = section->walk.read_bytes;
    objects_unref(section);
    began = clock_monotonic_ns();
    figures->arena_bytes = copy_arenas(walk->reader, &walk->table,
                                       walk->workers[0].window, walk->window_capacity);
    figures->copy_ns[i] = clock_monotonic_ns() - began;
    return 0;
}

static void print_figures(struct figures *figures, size_t times)
{
    double walk_ns = median_ns(figures->walk_ns, times);
    double cpu_ns = median_ns(figures->walk_cpu_ns, times);
    double copy_ns = median_ns(figures->copy_ns, times);
    double bytes = (double)figures->arena_bytes;
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("{\"objects\":%" PRIu64 ",\"blocks\":%" PRIu64 ",\"arena_mib\":%.1f,"
           "\"read_mib\":%.1f,\"walk_ms\":%.2f,\"walk_cpu_ms\":%.2f,"
           "\"ns_per_block\":%.2f,\"ns_per_object\":%.2f,\"gb_per_s\":%.2f,"
           "\"copy_ms\":%.2f,\"copy_gb_per_s\":%.2f,\"share_of_copy\":%.3f,"
           "\"peak_rss_mib\":%.1f}\n",
           figures->objects, figures->blocks, bytes / 1048576,
           (double)figures->read_bytes / 1048576, walk_ns / 1e6, cpu_ns / 1e6,
           walk_ns / (double)figures->blocks, walk_ns / (double)figures->objects,
           bytes / walk_ns, copy_ns / 1e6, bytes / copy_ns, copy_ns / walk_ns,
           (double)usage.ru_maxrss / 1024);
}

static int bench(struct target *target, size_t times, struct err *err)
{
    struct figures figures = {0};
    struct layout layout;
    struct walk walk;
    int result = 0;

    if (!target->reader || layout_find(target, &layout, err) || !layout.has_pymalloc)
        return err_set(err, ERR_FAILED, "the target cannot be walked: %s", err->text);
    walk_init(&walk, target->reader, &layout, target->type_type.value);
    walk_set_pagemap(&walk, target->fds.pagemap);
    for (size_t i = 0; i < times && !result; i++)
        result = bench_once(&walk, &figures, i, err);
    walk_release(&walk);
    if (!result)
        print_figures(&figures, times);
    return result;
}

/* The reader chooses again between process_vm_readv and the kept descriptor. */
static int become(struct target *target, uid_t uid, struct err *err)
{
    if (setresgid(uid, uid, uid) != 0 || setresuid(uid, uid, uid) != 0)
        return err_set(err, ERR_FAILED, "cannot become another user");
    reader_close(target->reader);
    target->reader = NULL;
    return reader_live_open(target->pid, target->fds.mem, &target->reader, err);
}

int main(int argc, char **argv)
{
    long times = argc > 2 ? strtol(argv[2], NULL, 10) : 9;
    struct target *target = NULL;
    struct err err = ERR_INIT;
    int result;

    if (argc < 2 || times < 1 || times > TIMES_MAX) {
        fprintf(stderr, "usage: bench_walk PID [TIMES [UID]]\n");
        return 2;
    }
    result = target_open((pid_t)strtol(argv[1], NULL, 10), &target, &err);
    if (!result && argc > 3)
        result = become(target, (uid_t)strtol(argv[3], NULL, 10), &err);
    if (!result)
        result = bench(target, (size_t)times, &err);
    if (result)
        fprintf(stderr, "bench_walk: %s\n", err.text);
    target_close(target);
    return result ? 1 : 0;
}
