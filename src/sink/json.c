/* One object a line and sample, schema heaptop.sample/1; doc/json.md says what is in it.
 */
#include "heaptop/sink.h"

#include <stdlib.h>
#include <string.h>

#include "model/history.h"
#include "sink/columns.h"
#include "sink/json.h"
#include "sink/json_arenas.h"
#include "sink/json_history.h"
#include "sink/json_account.h"
#include "sink/json_heaps.h"
#include "sink/json_pins.h"
#include "sink/json_plugins.h"
#include "sink/json_value.h"
#include "util/xalloc.h"

struct json_sink {
    struct sink_options options;
    struct partition_options partition;
    struct event_cursor events;
};

static int json_sink_open(const struct sink_options *options, void **state,
                          struct err *err)
{
    struct partition_options partition = {.filter = options->filter};
    struct json_sink *sink;

    if (columns_sort(options->sort, &partition, err))
        return -1;
    sink = xcalloc(1, sizeof(*sink));
    sink->options = *options;
    sink->partition = partition;
    *state = sink;
    return 0;
}

static json_t *json_target(const struct target_facts *facts)
{
    json_t *object = json_object();

    json_add_count(object, "pid", (uint64_t)facts->pid);
    json_add_time(object, "start_time", facts->start_wall_ns);
    json_add_text(object, "command", facts->command);
    json_add_text(object, "exe", facts->exe);
    json_add_text(object, "user", facts->user);
    json_add_text(object, "python", facts->python);
    json_add_text(object, "allocator", facts->allocator);
    json_add_text(object, "state", target_state_name(facts->state));
    return object;
}

static json_t *json_access(const struct access_facts *facts)
{
    json_t *object = json_object();

    json_add_text(object, "agent", agent_state_name(facts->agent));
    json_add_text(object, "method", read_method_name(facts->method));
    json_add_text(object, "why", facts->why);
    return object;
}

static json_t *json_process(const struct process_section *process)
{
    json_t *object;

    if (!process)
        return json_null();
    object = json_object();
    json_add_reading(object, "virt_bytes", process->virt_bytes);
    json_add_reading(object, "res_bytes", process->res_bytes);
    json_add_reading(object, "shr_bytes", process->shr_bytes);
    json_add_reading(object, "anon_bytes", process->anon_bytes);
    json_add_reading(object, "file_bytes", process->file_bytes);
    json_add_reading(object, "shmem_bytes", process->shmem_bytes);
    json_add_reading(object, "swap_bytes", process->swap_bytes);
    json_add_reading(object, "pss_bytes", process->pss_bytes);
    json_add_reading(object, "uss_bytes", process->uss_bytes);
    json_add_reading(object, "peak_res_bytes", process->peak_res_bytes);
    json_add(object, "cpu_percent",
             reading_is_known(process->cpu_milli_percent)
                 ? json_real((double)process->cpu_milli_percent.value / 1000)
                 : json_null());
    json_add_seconds(object, "cpu_s", process->cpu_ns);
    json_add_reading(object, "threads", process->threads);
    json_add_reading(object, "minor_faults", process->minor_faults);
    json_add_reading(object, "major_faults", process->major_faults);
    json_add_reading(object, "io_read_bytes", process->io_read_bytes);
    json_add_reading(object, "io_write_bytes", process->io_write_bytes);
    return object;
}

static json_t *json_size_classes(const struct pymalloc_section *pymalloc)
{
    json_t *array = json_array();

    for (size_t i = 0; i < pymalloc->n_size_classes && i < SIZE_CLASSES_MAX; i++) {
        const struct size_class_row *row = &pymalloc->size_classes[i];
        json_t *object = json_object();

        json_add_count(object, "index", row->index);
        json_add_count(object, "block_size", row->block_bytes);
        json_add_count(object, "pools", row->pools);
        json_add_count(object, "blocks_used", row->blocks_used);
        json_add_count(object, "blocks_free", row->blocks_free);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_pymalloc(const struct json_sink *sink,
                             const struct snapshot *snapshot)
{
    const struct pymalloc_section *pymalloc = snapshot->pymalloc;
    json_t *object;

    if (!pymalloc)
        return json_null();
    object = json_object();
    json_add_count(object, "arena_size", pymalloc->arena_bytes_each);
    json_add_count(object, "pool_size", pymalloc->pool_bytes_each);
    json_add_count(object, "arenas", pymalloc->arenas);
    json_add_reading(object, "arenas_peak", pymalloc->arenas_peak);
    json_add_count(object, "arena_bytes", pymalloc->arena_bytes);
    json_add_count(object, "pools_used", pymalloc->pools_used);
    json_add_count(object, "pools_free", pymalloc->pools_free);
    json_add_count(object, "blocks_used", pymalloc->blocks_used);
    json_add_count(object, "blocks_free", pymalloc->blocks_free);
    json_add_count(object, "used_bytes", pymalloc->used_bytes);
    json_add_count(object, "free_block_bytes", pymalloc->free_block_bytes);
    json_add_count(object, "free_pool_bytes", pymalloc->free_pool_bytes);
    json_add_count(object, "header_bytes", pymalloc->header_bytes);
    json_add_reading(object, "allocated_blocks", pymalloc->allocated_blocks);
    json_add(object, "size_classes", json_size_classes(pymalloc));
    if (sink->options.pane && !strcmp(sink->options.pane, "arenas"))
        json_add(object, "arenas_detail",
                 json_arenas(snapshot->arenas, snapshot->mono_ns, sink->options.rows));
    return object;
}

/* Every heap is long, so only where it is asked for. */
static json_t *json_malloc_with_heaps(const struct json_sink *sink,
                                      const struct snapshot *snapshot)
{
    json_t *object = json_malloc(snapshot);

    if (snapshot->malloc && sink->options.pane && !strcmp(sink->options.pane, "heaps"))
        json_add(object, "heaps_detail",
                 json_heaps(snapshot->malloc, sink->options.rows));
    return object;
}

static json_t *json_generations(const struct gc_section *gc)
{
    json_t *array = json_array();

    for (size_t i = 0; i < gc->n_generations && i < GENERATIONS_MAX; i++) {
        const struct generation_row *row = &gc->generations[i];
        json_t *object = json_object();

        json_add_count(object, "generation", i);
        json_add_reading(object, "count", row->count);
        json_add_reading(object, "threshold", row->threshold);
        json_add_reading(object, "objects", row->objects);
        json_add_reading(object, "collections", row->collections);
        json_add_reading(object, "collected", row->collected);
        json_add_reading(object, "uncollectable", row->uncollectable);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_gc(const struct gc_section *gc)
{
    json_t *object, *pauses;

    if (!gc)
        return json_null();
    object = json_object();
    json_add(object, "enabled",
             reading_is_known(gc->enabled) ? json_boolean(gc->enabled.value != 0)
                                           : json_null());
    json_add_reading(object, "frozen", gc->frozen);
    json_add_reading(object, "debug", gc->debug);
    json_add(object, "generations", json_generations(gc));
    pauses = json_object();
    json_add_reading(pauses, "count", gc->pauses.count);
    json_add_seconds(pauses, "total_s", gc->pauses.total_ns);
    json_add_seconds(pauses, "last_s", gc->pauses.last_ns);
    json_add_seconds(pauses, "max_s", gc->pauses.max_ns);
    json_add_seconds(pauses, "p50_s", gc->pauses.p50_ns);
    json_add_seconds(pauses, "p99_s", gc->pauses.p99_ns);
    json_add(pauses, "exact", json_boolean(gc->pauses.exact));
    json_add(object, "pauses", pauses);
    return object;
}

static json_t *json_walk(const struct objects_section *objects, int64_t now_mono_ns)
{
    const struct walk_facts *walk = &objects->walk;
    json_t *object = json_object();

    json_add_text(object, "method", walk->method);
    json_add_seconds(object, "seconds", reading_exact(walk->wall_ns));
    json_add_seconds(object, "cpu_s", reading_exact(walk->cpu_ns));
    json_add_seconds(object, "age_s", reading_exact(now_mono_ns - walk->ended_mono_ns));
    json_add_count(object, "read_bytes", walk->read_bytes);
    json_add(object, "complete", json_boolean(walk->complete));
    json_add(object, "exact", json_boolean(walk->is_exact));
    json_add_count(object, "arenas", walk->arenas);
    json_add_count(object, "arenas_kept", walk->kept_arenas);
    json_add_count(object, "heap_kept_bytes", walk->kept_heap_bytes);
    json_add_seconds(object, "oldest_s",
                     walk->oldest_mono_ns
                         ? reading_exact(now_mono_ns - walk->oldest_mono_ns)
                         : reading_unknown());
    json_add_count(object, "pools", walk->pools);
    json_add_count(object, "torn", walk->torn_pools);
    json_add(object, "torn_share",
             walk->pools ? json_real((double)walk->torn_pools / (double)walk->pools)
                         : json_null());
    json_add_count(object, "healed", walk->healed_pools);
    json_add_count(object, "absent_bytes", walk->absent_bytes);
    json_add_seconds(object, "stopped_s", reading_exact(walk->stopped_ns));
    return object;
}

/* As the screen does it: the same partition, sorted, filtered and cut. */
static json_t *json_kinds(const struct json_sink *sink,
                          const struct objects_section *objects)
{
    struct partition partition;
    json_t *array = json_array();

    if (partition_make(&partition, objects, NULL, &sink->partition))
        return array;
    for (size_t i = 0; i < partition.count; i++) {
        const struct kind_row *row = &partition.rows[i].now;
        json_t *object;

        if (sink->options.rows > 0 && i >= (size_t)sink->options.rows)
            break;
        object = json_object();
        json_add_text(object, "kind", row->kind->name);
        json_add_count(object, "count", row->count);
        json_add_count(object, "size_bytes", row->size_bytes);
        json_add_count(object, "memory_bytes", row->memory_bytes);
        json_add_count(object, "parts_bytes", row->parts_bytes);
        json_add_count(object, "malloc_bytes", row->malloc_bytes);
        json_add_count(object, "tracked", row->tracked);
        json_add_count(object, "immortal", row->immortal);
        json_array_append_new(array, object);
    }
    partition_release(&partition);
    return array;
}

static json_t *json_objects(const struct json_sink *sink, const struct snapshot *snapshot)
{
    const struct objects_section *objects = snapshot->objects;
    json_t *object;

    if (!objects)
        return json_null();
    object = json_object();
    json_add_count(object, "count", objects->count);
    json_add_count(object, "size_bytes", objects->size_bytes);
    json_add_count(object, "memory_bytes", objects->memory_bytes);
    json_add_count(object, "parts_bytes", objects->parts_bytes);
    json_add_count(object, "malloc_bytes", objects->malloc_bytes);
    json_add_count(object, "immortal", objects->immortal);
    json_add_count(object, "interned", objects->interned);
    json_add_count(object, "unowned_blocks", objects->unowned_blocks);
    json_add_count(object, "unowned_bytes", objects->unowned_bytes);
    json_add_count(object, "statics_blocks", objects->statics_blocks);
    json_add_count(object, "statics_bytes", objects->statics_bytes);
    json_add_count(object, "freelist_objects", objects->freelist_objects);
    json_add_count(object, "freelist_bytes", objects->freelist_bytes);
    json_add(object, "walk", json_walk(objects, snapshot->mono_ns));
    json_add(object, "kinds", json_kinds(sink, objects));
    return object;
}

/*
 * All events since the line before: those of samples that were not written (not
 * complete yet) are in the history.
 */
static json_t *json_events(struct json_sink *sink, const struct snapshot *snapshot,
                           const struct history *history)
{
    const struct event *events = snapshot->events;
    size_t count = history ? history_new_events(history, &sink->events, &events)
                           : snapshot->n_events;
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++) {
        json_t *object = json_object();

        json_add_time(object, "time", events[i].wall_ns);
        json_add_text(object, "event", event_type_name(events[i].type));
        json_add_text(object, "words", events[i].words);
        json_array_append_new(array, object);
    }
    return array;
}

static json_t *json_cost(const struct cost_facts *cost)
{
    json_t *object = json_object();

    json_add_seconds(object, "cpu_s", reading_exact(cost->cpu_ns));
    json_add_seconds(object, "sample_s", reading_exact(cost->sample_ns));
    json_add(object, "walk_share",
             cost->walk_period_ns > 0
                 ? json_real((double)cost->walk_cpu_ns / (double)cost->walk_period_ns)
                 : json_null());
    json_add_seconds(object, "target_stopped_s", reading_exact(cost->target_stopped_ns));
    json_add_seconds(object, "gil_held_s", cost->gil_held_ns);
    json_add_seconds(object, "gil_wait_s", cost->gil_wait_ns);
    return object;
}

#define GROWTH_ROWS 20 /* unless --rows says otherwise */

static size_t rows_of_growth(const struct json_sink *sink)
{
    return sink->options.rows > 0 ? (size_t)sink->options.rows : GROWTH_ROWS;
}

json_t *json_sample(void *state, const struct snapshot *snapshot,
                    const struct history *history)
{
    struct json_sink *sink = state;
    json_t *object = json_object();

    json_add_text(object, "schema", "heaptop.sample/1");
    json_add_count(object, "seq", snapshot->seq);
    json_add_time(object, "time", snapshot->wall_ns);
    json_add_seconds(object, "interval_s", reading_exact(snapshot->interval_ns));
    json_add(object, "target", json_target(&snapshot->target));
    json_add(object, "access", json_access(&snapshot->access));
    json_add(object, "process", json_process(snapshot->process));
    json_add(object, "account", json_account(snapshot));
    json_add(object, "pymalloc", json_pymalloc(sink, snapshot));
    json_add(object, "pins",
             json_pins(snapshot->pins, snapshot->mono_ns, sink->options.rows));
    json_add(object, "malloc", json_malloc_with_heaps(sink, snapshot));
    json_add(object, "gc", json_gc(snapshot->gc));
    json_add(object, "free_lists", json_free_lists(snapshot));
    json_add(object, "objects", json_objects(sink, snapshot));
    json_add(object, "growth", json_growth(history, rows_of_growth(sink)));
    json_add(object, "plugins",
             json_plugins(snapshot->plugins, snapshot->mono_ns, sink->options.rows));
    json_add(object, "marks", json_marks(history));
    json_add(object, "verdicts", json_verdicts(history));
    json_add(object, "events", json_events(sink, snapshot, history));
    json_add(object, "cost", json_cost(&snapshot->cost));
    return object;
}

static int json_sink_snapshot(void *state, const struct snapshot *snapshot,
                              const struct history *history, struct err *err)
{
    const struct json_sink *sink = state;

    return json_write_line(sink->options.out, json_sample(state, snapshot, history), err);
}

static int json_sink_close(void *state, struct err *err)
{
    (void)err;
    free(state);
    return 0;
}

const struct sink_ops sink_json = {
    .name = "json",
    .open = json_sink_open,
    .snapshot = json_sink_snapshot,
    .close = json_sink_close,
};
