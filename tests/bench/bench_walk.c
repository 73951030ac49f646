/*
 * bench_walk PID [TIMES [UID]] - walks the objects of a target that stands still with
 * one worker and with two, refreshes what was found with one, and copies the same arenas
 * (or pages of mimalloc) and the same heap with process_vm_readv alone, with one thread
 * and with two, in turns, so that all meet the same machine. Prints one line of figures:
 * the median and the least of each. With UID it becomes that user once the target is
 * open, as the guard does, so the reader has what is left then.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "heaptop/snapshot.h"
#include "heaptop/source.h"
#include "layout/layout.h"
#include "source/arenas.h"
#include "source/objects_walk.h"
#include "target/target.h"
#include "util/clock.h"
#include "util/window.h"
#include "util/xalloc.h"

#define TIMES_MAX 101
#define WARM_UPS  12

/* One thing that is measured. */
struct series {
    int64_t wall_ns[TIMES_MAX], cpu_ns[TIMES_MAX];
};

/* What is copied at once, and what of it is in memory. */
struct copy_piece {
    uint64_t address, length, copied;
    bool is_in_heap;
};

struct pieces {
    struct copy_piece *pieces;
    size_t count, capacity;
    size_t next; /* atomic */
};

struct figures {
    struct series walk, walk_two, refresh, copy, copy_two;
    struct pieces pieces;
    int64_t alone_ns[TIMES_MAX]; /* CPU time of the walk of two that only one had */
    uint64_t objects, blocks, arena_bytes, heap_bytes, read_bytes;
    uint64_t peak_bytes; /* of this process, over what it had before the first walk */
};

static int compare_ns(const void *left, const void *right)
{
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;

    return (a > b) - (a < b);
}

/* VmHWM: what getrusage() tells may be of the program that started this one. */
static uint64_t peak_rss_bytes(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    unsigned long kib = 0;
    char line[256];

    while (file && fgets(line, sizeof(line), file) &&
           sscanf(line, "VmHWM: %lu", &kib) != 1)
        continue;
    if (file)
        fclose(file);
    return (uint64_t)kib * 1024;
}

/* ---- the same reads as the walk's, and nothing else ---- */

static void pieces_add(struct pieces *pieces, uint64_t address, uint64_t length,
                       bool is_in_heap)
{
    if (pieces->count == pieces->capacity) {
        pieces->capacity = pieces->capacity * 2 + 1024;
        pieces->pieces =
            xreallocarray(pieces->pieces, pieces->capacity, sizeof(*pieces->pieces));
    }
    pieces->pieces[pieces->count++] = (struct copy_piece){address, length, 0, is_in_heap};
}

/* The main heap, window by window. */
static void pieces_of_heap(struct pieces *pieces, const struct walk *walk)
{
    const struct walk_region *region = walk->chunks.regions;
    uint64_t length;

    for (size_t i = 0; i < walk->chunks.count; i++, region++)
        for (uint64_t at = region->start; region->is_main_heap && at < region->end;
             at += length) {
            length = region->end - at;
            if (length > walk->window_capacity)
                length = walk->window_capacity;
            pieces_add(pieces, at, length, true);
        }
}

static void pieces_of_walk(struct pieces *pieces, const struct walk *walk)
{
    const struct mimalloc_map *map = &walk->mimalloc.map;

    pieces->count = 0;
    for (size_t i = 0; i < walk->table.count; i++) {
        const struct arena_row *row = &walk->table.rows[i];

        if (row->pool_high - row->first_pool <= walk->window_capacity)
            pieces_add(pieces, row->first_pool, row->pool_high - row->first_pool, false);
    }
    for (size_t i = 0; walk->method == WALK_BY_MIMALLOC && i < map->n_pages; i++) {
        uint64_t length = map->pages[i].capacity * map->pages[i].block_bytes;

        if (map->pages[i].used && length <= walk->window_capacity)
            pieces_add(pieces, map->pages[i].start, length, false);
    }
    pieces_of_heap(pieces, walk);
}

/* A page that was never touched would be mapped by reading it, and from then on the
 * target would have pages that it shares. */
static void copy_piece(struct walk_worker *worker, uint8_t *window,
                       struct copy_piece *piece)
{
    struct walk *walk = worker->walk;
    uint64_t absent_bytes = 0;

    pagemap_forget(&worker->pagemap);
    piece->copied = 0;
    if (!pagemap_read(&worker->pagemap, walk->reader, piece->address, window,
                      piece->length, &absent_bytes))
        piece->copied = piece->length - absent_bytes;
}

static void copy_pieces(struct walk_worker *worker, void *with)
{
    uint8_t *window = window_take(worker->walk->window_capacity);
    struct pieces *pieces = with;
    size_t next;

    while ((next = __atomic_fetch_add(&pieces->next, 1, __ATOMIC_RELAXED)) <
               pieces->count &&
           window)
        copy_piece(worker, window, &pieces->pieces[next]);
    window_give(window, worker->walk->window_capacity);
}

static void bench_copy(struct walk *walk, struct series *series, struct figures *figures,
                       size_t i)
{
    int64_t began_ns = clock_monotonic_ns(), began_cpu_ns = clock_thread_cpu_ns();
    int64_t helpers_ns = walk->helpers_cpu_ns;

    figures->pieces.next = 0;
    walk_parallel(walk, copy_pieces, &figures->pieces);
    series->wall_ns[i] = clock_monotonic_ns() - began_ns;
    series->cpu_ns[i] =
        clock_thread_cpu_ns() - began_cpu_ns + walk->helpers_cpu_ns - helpers_ns;
    figures->arena_bytes = figures->heap_bytes = 0;
    for (size_t n = 0; n < figures->pieces.count; n++)
        *(figures->pieces.pieces[n].is_in_heap ? &figures->heap_bytes
                                               : &figures->arena_bytes) +=
            figures->pieces.pieces[n].copied;
}

/* ---- walks ---- */

static const struct objects_section *walk_whole(struct walk *walk, struct target *target,
                                                struct err *err)
{
    const struct objects_section *section;

    walk_set_target_regions(walk, target);
    walk_set_target_statics(walk, target);
    if (walk_begin(walk, err))
        return NULL;
    walk_step(walk, 0);
    section = walk_finish(walk);
    if (!section)
        err_set(err, ERR_FAILED, "out of memory");
    return section;
}

static int bench_walk(struct walk *walk, struct target *target, struct series *series,
                      struct figures *figures, size_t i, struct err *err)
{
    int64_t shared_ns = walk->shared_cpu_ns;
    const struct objects_section *section = walk_whole(walk, target, err);

    if (!section)
        return -1;
    if (walk->n_workers > 1)
        figures->alone_ns[i] = section->walk.cpu_ns - (walk->shared_cpu_ns - shared_ns);
    series->wall_ns[i] = section->walk.wall_ns;
    series->cpu_ns[i] = section->walk.cpu_ns;
    figures->objects = section->count;
    figures->blocks = walk->workers[0].counts.used_blocks;
    figures->read_bytes = section->walk.read_bytes;
    objects_unref(section);
    return 0;
}

static double sorted_ms(int64_t *values, size_t times, size_t which)
{
    qsort(values, times, sizeof(*values), compare_ns);
    return (double)values[which] / 1e6;
}

static void print_series(const char *name, struct series *series, size_t times)
{
    printf("\"%s_ms\":%.2f,\"%s_least_ms\":%.2f,\"%s_cpu_ms\":%.2f,"
           "\"%s_cpu_least_ms\":%.2f,",
           name, sorted_ms(series->wall_ns, times, times / 2), name,
           sorted_ms(series->wall_ns, times, 0), name,
           sorted_ms(series->cpu_ns, times, times / 2), name,
           sorted_ms(series->cpu_ns, times, 0));
}

static void print_figures(struct figures *figures, size_t times)
{
    printf("{\"objects\":%" PRIu64 ",\"blocks\":%" PRIu64 ",\"arena_bytes\":%" PRIu64
           ",\"heap_bytes\":%" PRIu64 ",\"read_bytes\":%" PRIu64 ",",
           figures->objects, figures->blocks, figures->arena_bytes, figures->heap_bytes,
           figures->read_bytes);
    print_series("walk", &figures->walk, times);
    print_series("walk_two", &figures->walk_two, times);
    print_series("refresh", &figures->refresh, times);
    print_series("copy", &figures->copy, times);
    print_series("copy_two", &figures->copy_two, times);
    printf("\"alone_least_ms\":%.2f,", sorted_ms(figures->alone_ns, times, 0));
    printf("\"peak_bytes\":%" PRIu64 "}\n", figures->peak_bytes);
}

static void bench_walk_init(struct walk *walk, struct target *target,
                            const struct layout *layout, size_t workers)
{
    walk_init(walk, target->reader, layout, target->type_type.value);
    walk_set_workers(walk, workers);
    walk_set_target_image(walk, target);
    walk_set_pagemap(walk, target->fds.pagemap);
}

enum { ONE, TWO, REFRESH, WALKS };

static int bench_turn(struct walk walks[WALKS], struct target *target,
                      struct figures *figures, size_t i, struct err *err)
{
    if (bench_walk(&walks[REFRESH], target, &figures->refresh, figures, i, err) ||
        bench_walk(&walks[TWO], target, &figures->walk_two, figures, i, err) ||
        bench_walk(&walks[ONE], target, &figures->walk, figures, i, err))
        return -1;
    pieces_of_walk(&figures->pieces, &walks[ONE]);
    bench_copy(&walks[TWO], &figures->copy_two, figures, i);
    bench_copy(&walks[ONE], &figures->copy, figures, i);
    return 0;
}

/* The first walks learn, and are never refreshes. */
static int warm_up(struct walk *walk, struct target *target, struct err *err)
{
    struct figures ignored;

    for (int i = 0;
         i < WARM_UPS && (!i || !(walk->kept.n_kept || walk->stretches.kept_bytes)); i++)
        if (bench_walk(walk, target, &ignored.walk, &ignored, 0, err))
            return -1;
    return 0;
}

static int bench(struct target *target, size_t times, struct err *err)
{
    uint64_t before_bytes = peak_rss_bytes();
    struct walk walks[WALKS];
    struct figures figures = {0};
    struct layout layout;
    int result = 0;

    if (!target->reader || layout_find(target, &layout, err) ||
        walk_is_possible(&(struct source_context){.target = target, .layout = &layout},
                         err))
        return err_set(err, ERR_FAILED, "the target cannot be walked: %s", err->text);
    for (size_t i = 0; i < WALKS; i++)
        bench_walk_init(&walks[i], target, &layout, i == TWO ? 2 : 1);
    walk_set_refresh(&walks[REFRESH], 1, true);
    result = warm_up(&walks[REFRESH], target, err);
    figures.peak_bytes = peak_rss_bytes() - before_bytes;
    for (size_t i = 0; i < times && !result; i++)
        result = bench_turn(walks, target, &figures, i, err);
    for (size_t i = 0; i < WALKS; i++)
        walk_release(&walks[i]);
    free(figures.pieces.pieces);
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
    if (reader_live_open(target->pid, target->fds.mem, &target->reader, err))
        return -1;
    reader_live_spare(target->reader, false, -1);
    return 0;
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
