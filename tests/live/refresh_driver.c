/*
 * refresh_driver PID WORKERS - walks the objects of one target again and again, as it is
 * told on standard input: a line with an `r` refreshes what was found before, one with a
 * `w` walks whole, with a walk of its own that keeps nothing. Answers with a line of tabs
 * for each kind (name, count, size, memory, parts, malloc's, tracked), one of what is
 * nobody's, and one that begins with `=`: arenas kept, bytes of heaps kept, age of the
 * oldest in ns, complete, refreshes that anything may be old, arenas. Heaps of any size
 * are kept.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "heaptop/snapshot.h"
#include "layout/layout.h"
#include "source/objects_walk.h"
#include "target/target.h"

static void print_kind(const struct kind_row *row)
{
    printf("%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64 "\t%" PRIu64
           "\n",
           row->kind->name, row->count, row->size_bytes, row->memory_bytes,
           row->parts_bytes, row->malloc_bytes, row->tracked);
}

static void print_section(const struct objects_section *section, size_t n_arenas)
{
    const struct walk_facts *facts = &section->walk;
    int64_t age_ns =
        facts->oldest_mono_ns ? facts->ended_mono_ns - facts->oldest_mono_ns : 0;

    for (size_t i = 0; i < section->n_kinds; i++)
        print_kind(&section->kinds[i]);
    printf("(unowned)\t%" PRIu64 "\t%" PRIu64 "\t0\t0\t0\t0\n", section->unowned_blocks,
           section->unowned_bytes);
    printf("(statics)\t%" PRIu64 "\t%" PRIu64 "\t0\t0\t0\t0\n", section->statics_blocks,
           section->statics_bytes);
    printf("=\t%" PRIu64 "\t%" PRIu64 "\t%" PRId64 "\t%d\t%d\t%zu\n", facts->kept_arenas,
           facts->kept_heap_bytes, age_ns, facts->complete, KEPT_TURNS, n_arenas);
    fflush(stdout);
}

static int walk_once(struct walk *walk, struct target *target, struct err *err)
{
    const struct objects_section *section;

    walk_set_target_regions(walk, target);
    walk_set_target_statics(walk, target);
    walk->rest.walks = 0; /* all static data each time: else new blocks wait for a turn */
    if (walk_begin(walk, err))
        return -1;
    walk_step(walk, 0);
    section = walk_finish(walk);
    if (!section)
        return err_set(err, ERR_FAILED, "out of memory");
    print_section(section, walk->table.count);
    objects_unref(section);
    return 0;
}

static void walk_open(struct walk *walk, struct target *target,
                      const struct layout *layout, size_t workers, bool is_refresh)
{
    walk_init(walk, target->reader, layout, target->type_type.value);
    walk_set_workers(walk, workers);
    walk_set_target_image(walk, target);
    walk_set_pagemap(walk, target->fds.pagemap);
    walk_set_refresh(walk, is_refresh, is_refresh);
}

static int serve(struct target *target, size_t workers, struct err *err)
{
    struct walk refresh, whole;
    struct layout layout;
    char line[16];
    int result = 0;

    if (!target->reader || layout_find(target, &layout, err))
        return err_set(err, ERR_FAILED, "the target cannot be walked: %s", err->text);
    walk_open(&refresh, target, &layout, workers, true);
    walk_open(&whole, target, &layout, workers, false);
    while (!result && fgets(line, sizeof(line), stdin))
        result = walk_once(line[0] == 'w' ? &whole : &refresh, target, err);
    walk_release(&refresh);
    walk_release(&whole);
    return result;
}

int main(int argc, char **argv)
{
    struct target *target = NULL;
    struct err err = ERR_INIT;
    int result;

    if (argc != 3) {
        fprintf(stderr, "usage: refresh_driver PID WORKERS\n");
        return 2;
    }
    result = target_open((pid_t)strtol(argv[1], NULL, 10), &target, &err);
    if (!result)
        result = serve(target, (size_t)strtoul(argv[2], NULL, 10), &err);
    if (result)
        fprintf(stderr, "refresh_driver: %s\n", err.text);
    target_close(target);
    return result ? 1 : 0;
}
