/*
 * layout_driver PID [COUNT] - prints what was found of one target as JSON, one line a
 * sample: for looking at a layout by itself, without the program around it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "layout/layout.h"
#include "source/gc.h"
#include "source/pymalloc.h"
#include "target/target.h"
#include "util/clock.h"

/* Wider than the program's own budget, so that a busy machine does not decide what a
 * test sees. */
#define LISTS_BUDGET_NS (50 * NS_PER_MS)

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

static void print_size_classes(const struct pymalloc_section *section)
{
    printf(",\"size_classes\":[");
    for (size_t i = 0; i < section->n_size_classes; i++) {
        const struct size_class_row *row = &section->size_classes[i];

        printf("%s[%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "]", i ? "," : "",
               row->block_bytes, row->pools, row->blocks_used, row->blocks_free);
    }
    printf("]");
}

static void print_reading(const char *name, struct reading reading)
{
    if (reading_is_known(reading))
        printf(",\"%s\":%" PRId64, name, reading.value);
    else
        printf(",\"%s\":null", name);
}

static void print_pymalloc(const struct layout *layout, struct reader *reader,
                           struct pymalloc_state *state)
{
    struct pymalloc_section section = {0};
    struct err err = ERR_INIT;
    int64_t began = clock_monotonic_ns();

    if (pymalloc_count_section(&section, NULL, state, reader, layout, &err)) {
        printf(",\"pymalloc\":null,\"pymalloc_err\":\"%s\"", err.text);
        return;
    }
    printf(",\"pymalloc\":{\"sample_us\":%" PRId64 ",\"arenas\":%" PRIu64
           ",\"arena_bytes\":%" PRIu64 ",\"pools_used\":%" PRIu64
           ",\"pools_free\":%" PRIu64 ",\"pools_untouched\":%" PRIu64,
           (clock_monotonic_ns() - began) / 1000, section.arenas, section.arena_bytes,
           section.pools_used, section.pools_free, section.pools_untouched);
    printf(",\"blocks_used\":%" PRIu64 ",\"blocks_free\":%" PRIu64
           ",\"used_bytes\":%" PRIu64 ",\"free_block_bytes\":%" PRIu64
           ",\"free_pool_bytes\":%" PRIu64 ",\"header_bytes\":%" PRIu64
           ",\"torn_pools\":%" PRIu64,
           section.blocks_used, section.blocks_free, section.used_bytes,
           section.free_block_bytes, section.free_pool_bytes, section.header_bytes,
           section.torn_pools);
    print_reading("arenas_peak", section.arenas_peak);
    print_reading("allocated_blocks", section.allocated_blocks);
    print_size_classes(&section);
    printf("}");
}

static void print_gc(const struct layout *layout, struct reader *reader,
                     struct gc_lists *lists)
{
    struct gc_section section = {0};
    struct err err = ERR_INIT;
    int64_t began = clock_monotonic_ns();

    if (gc_read_section(&section, lists, reader, layout, LISTS_BUDGET_NS, &err)) {
        printf(",\"gc\":null,\"gc_err\":\"%s\"", err.text);
        return;
    }
    printf(",\"gc\":{\"sample_us\":%" PRId64, (clock_monotonic_ns() - began) / 1000);
    print_reading("enabled", section.enabled);
    print_reading("frozen", section.frozen);
    print_reading("debug", section.debug);
    printf(",\"generations\":[");
    for (size_t i = 0; i < section.n_generations; i++) {
        const struct generation_row *row = &section.generations[i];

        printf("%s{\"generation\":%zu", i ? "," : "", i);
        print_reading("count", row->count);
        print_reading("threshold", row->threshold);
        print_reading("objects", row->objects);
        print_reading("collections", row->collections);
        print_reading("collected", row->collected);
        print_reading("uncollectable", row->uncollectable);
        printf("}");
    }
    printf("]}");
}

static int drive(struct target *target, int n_samples, struct err *err)
{
    struct pymalloc_state *state = pymalloc_state_new();
    struct gc_lists *lists = gc_lists_new();
    int64_t began = clock_monotonic_ns();
    struct layout layout;
    int status = -1;

    if (state && lists && !layout_find(target, &layout, err)) {
        int64_t elapsed_ns = clock_monotonic_ns() - began;

        for (int i = 0; i < n_samples; i++) {
            print_layout(&layout, elapsed_ns, err);
            print_pymalloc(&layout, target->reader, state);
            print_gc(&layout, target->reader, lists);
            printf(",\"holds\":%d}\n", layout_still_holds(&layout, target));
        }
        status = 0;
    }
    pymalloc_state_free(state);
    free(lists);
    return status;
}

int main(int argc, char **argv)
{
    struct target *target;
    struct err err = ERR_INIT;
    int status;

    if (argc < 2)
        return 2;
    if (target_open((pid_t)strtol(argv[1], NULL, 10), &target, &err)) {
        fprintf(stderr, "layout_driver: %s\n", err.text);
        return err.code;
    }
    status = drive(target, argc > 2 ? (int)strtol(argv[2], NULL, 10) : 1, &err);
    if (status)
        fprintf(stderr, "layout_driver: %s\n", err.text);
    target_close(target);
    return status ? 1 : 0;
}
