/* The walk as a source: when it begins, where it may look, what it gives. */
#include "heaptop/source.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model/builder.h"
#include "source/malloc_heaps.h"
#include "source/objects_agent.h"
#include "source/objects_walk.h"
#include "util/xalloc.h"

/* Smaller heaps are walked whole: that is fast, and nothing is ever old. */
#define REFRESH_LEAST_BYTES (UINT64_C(256) << 20)

struct objects_state {
    struct walk walk;
    struct agent_walk agent;
    bool is_open;    /* the walk is initialised for `arenas_word` */
    bool is_walking; /* between SOURCE_MORE and the next call */
    uint64_t arenas_word;
    uint32_t debug_prefix_bytes;
};

static int objects_open(struct target *target, void **state, struct err *err)
{
    (void)target;
    (void)err;
    *state = xcalloc(1, sizeof(struct objects_state));
    return 0;
}

static void objects_close(void *state)
{
    struct objects_state *objects = state;

    if (!objects)
        return;
    if (objects->is_open)
        walk_release(&objects->walk);
    agent_walk_release(&objects->agent);
    free(objects);
}

int walk_is_possible(const struct source_context *context, struct err *err)
{
    const struct layout *layout = context->layout;

    if (!context->target->reader) {
        *err = context->target->access_why;
        return err_prefix(err, "the objects cannot be counted");
    }
    if (!layout) {
        err_set(err, ERR_UNSUPPORTED,
                "the objects cannot be counted from outside: the layout of this "
                "interpreter is not proven");
        return err_remedy(err, "with the agent, what the collector tracks is counted");
    }
    if (layout->is_free_threaded) {
        err_set(err, ERR_UNSUPPORTED,
                "the objects cannot be counted from outside: free-threaded Python keeps "
                "them in mimalloc, and has no lists of them");
        return err_remedy(err, "with the agent, what the collector tracks is counted");
    }
    return 0;
}

void walk_set_target_image(struct walk *walk, const struct target *target)
{
    const struct image *image = &target->python;
    uint64_t start = UINT64_MAX, end = 0;

    for (size_t i = 0; i < image->n_loads && i < IMAGE_SEGMENTS_MAX; i++) {
        if (image->loads[i].start < start)
            start = image->loads[i].start;
        if (image->loads[i].end > end)
            end = image->loads[i].end;
    }
    walk_set_image(walk, start, end);
}

/* Where large objects may be: the main heap, then the rest, by address. */
void walk_set_target_regions(struct walk *walk, struct target *target)
{
    const struct maps *maps = &target->maps;
    struct walk_region *regions, region = {0, 0, false};
    struct err ignored = ERR_INIT;
    size_t count = 0, next = 0;

    if (target_refresh_maps(target, &ignored))
        return;
    regions = calloc(maps->count + 1, sizeof(*regions));
    for (size_t i = 0; regions && i < maps->count; i++) {
        const struct mapping *mapping = &maps->mappings[i];

        if (strcmp(mapping->path, "[heap]") != 0)
            continue;
        if (count && regions[count - 1].end == mapping->start)
            regions[count - 1].end = mapping->end;
        else
            regions[count++] = (struct walk_region){mapping->start, mapping->end, true};
    }
    while (regions && malloc_region_next(maps, &next, &region.start, &region.end))
        regions[count++] = region;
    walk_set_regions(walk, regions, regions ? count : 0);
    free(regions);
}

/* A second core halves the time; more would take what the target may need. */
static size_t objects_workers(void)
{
    return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? 2 : 1;
}

/* Starts a walk; a layout that was found anew brings new types. */
static int objects_begin(struct objects_state *objects,
                         const struct source_context *context, struct err *err)
{
    const struct layout_pymalloc *pymalloc = &context->layout->pymalloc;

    if (objects->is_open &&
        (objects->arenas_word != pymalloc->arenas_word.value ||
         objects->debug_prefix_bytes != pymalloc->debug_prefix_bytes ||
         objects->walk.reader != context->target->reader)) {
        walk_release(&objects->walk);
        objects->is_open = false;
    }
    if (!objects->is_open) {
        walk_init(&objects->walk, context->target->reader, context->layout,
                  context->target->type_type.value);
        walk_set_workers(&objects->walk, objects_workers());
        walk_set_target_image(&objects->walk, context->target);
        objects->arenas_word = pymalloc->arenas_word.value;
        objects->debug_prefix_bytes = pymalloc->debug_prefix_bytes;
        objects->is_open = true;
    }
    walk_set_refresh(&objects->walk, REFRESH_LEAST_BYTES, !context->wants_whole);
    walk_set_pagemap(&objects->walk, context->target->fds.pagemap);
    walk_set_target_regions(&objects->walk, context->target);
    walk_set_target_follow(&objects->walk, context->target);
    walk_set_target_statics(&objects->walk, context->target);
    return walk_begin(&objects->walk, err);
}

static enum source_result objects_end(struct objects_state *objects,
                                      const struct source_context *context,
                                      struct err *err)
{
    const struct walk *walk = &objects->walk;
    const struct objects_section *section;

    objects->is_walking = false;
    if (walk->table.count && walk->workers[0].counts.arenas_gone == walk->table.count) {
        err_set(err, ERR_FAILED,
                "none of the target's %zu arenas could be read: it changed or ended "
                "while it was walked",
                walk->table.count);
        return SOURCE_FAILED;
    }
    objects->walk.facts.is_exact = context->is_copy;
    objects->walk.facts.stopped_ns = context->stopped_ns;
    section = walk_finish(&objects->walk);
    if (!section) {
        err_set(err, ERR_FAILED, "out of memory for the kinds of the target's objects");
        return SOURCE_FAILED;
    }
    if (context->builder)
        builder_objects(context->builder, section);
    objects_unref(section);
    return SOURCE_DONE;
}

static enum source_result objects_sample(void *state, struct source_context *context,
                                         struct err *err)
{
    struct objects_state *objects = state;
    int64_t helpers_cpu_ns;
    bool is_over;

    if (objects->agent.is_walking)
        return agent_walk_sample(&objects->agent, context, err);
    if (walk_is_possible(context, err)) {
        if (!context->session)
            return SOURCE_FAILED;
        *err = (struct err)ERR_INIT;
        return agent_walk_sample(&objects->agent, context, err);
    }
    if (!objects->is_walking && objects_begin(objects, context, err))
        return SOURCE_FAILED;
    objects->is_walking = true;
    helpers_cpu_ns = objects->walk.helpers_cpu_ns;
    is_over = walk_step(&objects->walk, context->deadline_mono_ns);
    context->helpers_cpu_ns += objects->walk.helpers_cpu_ns - helpers_cpu_ns;
    return is_over ? objects_end(objects, context, err) : SOURCE_MORE;
}

const struct source_ops source_objects = {
    .name = "objects",
    .title = "Objects by kind",
    .cost = SOURCE_WALK,
    .open = objects_open,
    .sample = objects_sample,
    .close = objects_close,
};
