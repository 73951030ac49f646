/*
 * layout_driver PID [COUNT] - prints what was found of one target as JSON, one line a
 * sample: for looking at a layout by itself, without the program around it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "layout/layout.h"
#include "source/arenas.h"
#include "target/target.h"
#include "util/clock.h"

static void print_layout(const struct layout *layout, int64_t elapsed_ns,
                         const struct err *err)
{
    const struct layout_pymalloc *pymalloc = &layout->pymalloc;
    const struct layout_gc *gc = &layout->gc;

    printf("{\"find_us\":%" PRId64 ",\"allocator\":\"%s\",\"has_pymalloc\":%d,"
           "\"has_gc\":%d,\"err\":\"%s\",\"arenas_word\":%" PRIu64
           ",\"maxarenas_word\":%" PRIu64 ",\"raw_blocks_word\":%" PRIu64
           ",\"highwater_word\":%" PRIu64 ",\"debug_prefix\":%u,\"gc_state\":%" PRIu64
           ",\"gc_generation0\":%u",
           elapsed_ns / 1000, layout->allocator, layout->has_pymalloc, layout->has_gc,
           err->text, pymalloc->arenas_word.value, pymalloc->maxarenas_word.value,
           pymalloc->raw_blocks_word.value, pymalloc->highwater_word.value,
           pymalloc->debug_prefix_bytes, gc->state.value, gc->generations[0]);
}

static void print_arenas(const struct layout *layout, struct reader *reader)
{
    struct arena_table table;
    struct err err = ERR_INIT;
    size_t bad;

    if (arenas_read(&table, reader, layout, &bad, &err))
        printf(",\"arenas_err\":\"%s\"", err.text);
    else
        printf(",\"arenas\":%zu,\"slots\":%" PRIu64 ",\"bad\":%zu", table.count,
               table.n_slots, bad);
    arenas_release(&table);
}

int main(int argc, char **argv)
{
    struct target *target;
    struct layout layout;
    struct err err = ERR_INIT;
    int64_t began;

    if (argc < 2)
        return 2;
    if (target_open((pid_t)strtol(argv[1], NULL, 10), &target, &err)) {
        fprintf(stderr, "layout_driver: %s\n", err.text);
        return err.code;
    }
    began = clock_monotonic_ns();
    if (layout_find(target, &layout, &err)) {
        fprintf(stderr, "layout_driver: %s\n", err.text);
        target_close(target);
        return err.code;
    }
    print_layout(&layout, clock_monotonic_ns() - began, &err);
    print_arenas(&layout, target->reader);
    printf(",\"holds\":%d}\n", layout_still_holds(&layout, target));
    target_close(target);
    return 0;
}
