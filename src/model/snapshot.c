#include "model/builder.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/arena.h"
#include "util/utf8.h"

#define SNAPSHOT_MAX_BYTES ((size_t)4 << 20)
#define OBJECTS_MAX_BYTES  ((size_t)32 << 20)

static atomic_int *reference_count(const int *references)
{
    return (atomic_int *)(uintptr_t)references;
}

_Static_assert(sizeof(atomic_int) == sizeof(int),
               "references are plain ints in the header");

struct snapshot_builder *builder_new(uint64_t seq)
{
    struct snapshot_builder *builder = calloc(1, sizeof(*builder));
    struct arena *memory = arena_new(SNAPSHOT_MAX_BYTES);

    if (builder && memory)
        builder->snapshot = arena_alloc(memory, 1, sizeof(*builder->snapshot));
    if (!builder || !builder->snapshot) {
        arena_free(memory);
        free(builder);
        return NULL;
    }
    builder->snapshot->memory = memory;
    builder->snapshot->seq = seq;
    builder->snapshot->references = 1;
    return builder;
}

void builder_drop(struct snapshot_builder *builder)
{
    if (builder)
        snapshot_unref(snapshot_seal(builder));
}

struct process_section *builder_process(struct snapshot_builder *builder)
{
    struct process_section *section =
        arena_alloc(builder->snapshot->memory, 1, sizeof(*section));

    builder->snapshot->process = section;
    return section;
}

struct pymalloc_section *builder_pymalloc(struct snapshot_builder *builder)
{
    struct pymalloc_section *section =
        arena_alloc(builder->snapshot->memory, 1, sizeof(*section));

    builder->snapshot->pymalloc = section;
    return section;
}

struct gc_section *builder_gc(struct snapshot_builder *builder)
{
    struct gc_section *section =
        arena_alloc(builder->snapshot->memory, 1, sizeof(*section));

    builder->snapshot->gc = section;
    return section;
}

struct malloc_section *builder_malloc(struct snapshot_builder *builder)
{
    struct malloc_section *section =
        arena_alloc(builder->snapshot->memory, 1, sizeof(*section));

    builder->snapshot->malloc = section;
    return section;
}

struct account_section *builder_account(struct snapshot_builder *builder)
{
    struct account_section *section =
        arena_alloc(builder->snapshot->memory, 1, sizeof(*section));

    builder->snapshot->account = section;
    return section;
}

struct free_lists_section *builder_free_lists(struct snapshot_builder *builder)
{
    struct free_lists_section *section =
        arena_alloc(builder->snapshot->memory, 1, sizeof(*section));

    builder->snapshot->free_lists = section;
    return section;
}

const void *builder_copy(struct snapshot_builder *builder, const void *rows, size_t count,
                         size_t size)
{
    void *copy = arena_alloc(builder->snapshot->memory, count, size);

    if (copy && count)
        memcpy(copy, rows, count * size);
    return copy;
}

const struct mapping_row *builder_mappings(struct snapshot_builder *builder,
                                           const struct mapping_row *rows, size_t count)
{
    struct arena *memory = builder->snapshot->memory;
    struct mapping_row *copy = arena_alloc(memory, count, sizeof(*copy));
    struct strbuf name = STRBUF_INIT;

    for (size_t i = 0; copy && i < count; i++) {
        copy[i] = rows[i];
        strbuf_reset(&name);
        utf8_clean(&name, rows[i].name, strlen(rows[i].name));
        copy[i].name = arena_strdup(memory, strbuf_text(&name));
        if (!copy[i].name)
            copy = NULL;
    }
    strbuf_release(&name);
    return copy;
}

void builder_share_account(struct snapshot_builder *builder, const struct snapshot *owner)
{
    struct snapshot *snapshot = builder->snapshot;

    if (!owner)
        return;
    if (owner->account_owner)
        owner = owner->account_owner;
    snapshot->account_owner = snapshot_ref(owner);
    snapshot->malloc = owner->malloc;
    snapshot->account = owner->account;
    snapshot->free_lists = owner->free_lists;
}

void builder_objects(struct snapshot_builder *builder,
                     const struct objects_section *objects)
{
    const struct objects_section *old = builder->snapshot->objects;

    builder->snapshot->objects = objects ? objects_ref(objects) : NULL;
    objects_unref(old);
}

void builder_arenas(struct snapshot_builder *builder, const struct arenas_section *arenas)
{
    const struct arenas_section *old = builder->snapshot->arenas;

    builder->snapshot->arenas = arenas ? arenas_ref(arenas) : NULL;
    arenas_unref(old);
}

void builder_pins(struct snapshot_builder *builder, const struct pins_section *pins)
{
    const struct pins_section *old = builder->snapshot->pins;

    builder->snapshot->pins = pins ? pins_ref(pins) : NULL;
    pins_unref(old);
}

void builder_events(struct snapshot_builder *builder, const struct event *events,
                    size_t count)
{
    struct snapshot *snapshot = builder->snapshot;
    struct event *copy = arena_alloc(snapshot->memory, count, sizeof(*copy));

    if (!copy || !count)
        return;
    memcpy(copy, events, count * sizeof(*copy));
    snapshot->events = copy;
    snapshot->n_events = count;
}

const struct snapshot *snapshot_seal(struct snapshot_builder *builder)
{
    const struct snapshot *snapshot = builder->snapshot;

    free(builder);
    return snapshot;
}

const struct snapshot *snapshot_ref(const struct snapshot *snapshot)
{
    atomic_fetch_add(reference_count(&snapshot->references), 1);
    return snapshot;
}

void snapshot_unref(const struct snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub(reference_count(&snapshot->references), 1) > 1)
        return;
    objects_unref(snapshot->objects);
    arenas_unref(snapshot->arenas);
    pins_unref(snapshot->pins);
    plugins_release(snapshot->plugins);
    snapshot_unref(snapshot->account_owner);
    arena_free(snapshot->memory);
}

const struct objects_section *objects_ref(const struct objects_section *objects)
{
    atomic_fetch_add(reference_count(&objects->references), 1);
    return objects;
}

void objects_unref(const struct objects_section *objects)
{
    if (objects && atomic_fetch_sub(reference_count(&objects->references), 1) == 1)
        arena_free(objects->memory);
}

int kind_row_compare(const void *left, const void *right)
{
    const struct kind_row *a = left, *b = right;

    if (a->memory_bytes != b->memory_bytes)
        return a->memory_bytes < b->memory_bytes ? 1 : -1;
    return strcmp(a->kind->name, b->kind->name);
}

/* Who has them in order already is not made to wait. */
static void sort_kinds(struct kind_row *rows, size_t count)
{
    for (size_t i = 1; i < count; i++)
        if (kind_row_compare(&rows[i - 1], &rows[i]) > 0) {
            qsort(rows, count, sizeof(*rows), kind_row_compare);
            return;
        }
}

static void objects_sum(struct objects_section *section)
{
    section->count = section->size_bytes = section->memory_bytes = section->tracked = 0;
    section->parts_bytes = section->malloc_bytes = section->immortal = 0;
    for (size_t i = 0; i < section->n_kinds; i++) {
        section->count += section->kinds[i].count;
        section->size_bytes += section->kinds[i].size_bytes;
        section->memory_bytes += section->kinds[i].memory_bytes;
        section->tracked += section->kinds[i].tracked;
        section->parts_bytes += section->kinds[i].parts_bytes;
        section->malloc_bytes += section->kinds[i].malloc_bytes;
        section->immortal += section->kinds[i].immortal;
    }
}

const struct objects_section *objects_seal(const struct objects_section *facts,
                                           const struct kind_row *rows, size_t count)
{
    struct arena *memory = arena_new(OBJECTS_MAX_BYTES);
    struct objects_section *section =
        memory ? arena_alloc(memory, 1, sizeof(*section)) : NULL;
    struct kind_row *copy = section ? arena_alloc(memory, count, sizeof(*copy)) : NULL;

    if (!copy) {
        arena_free(memory);
        return NULL;
    }
    *section = *facts;
    if (count)
        memcpy(copy, rows, count * sizeof(*copy));
    sort_kinds(copy, count);
    section->kinds = copy;
    section->n_kinds = count;
    section->memory = memory;
    section->references = 1;
    objects_sum(section);
    return section;
}

const char *target_state_name(enum target_state state)
{
    static const char *const names[] = {"live", "stopped", "ended"};

    return names[state];
}

const char *agent_state_name(enum agent_state state)
{
    static const char *const names[] = {"none", "attaching", "loaded", "lost"};

    return names[state];
}

const char *read_method_name(enum read_method method)
{
    static const char *const names[] = {"process-only", "outside", "agent"};

    return names[method];
}

const char *event_type_name(enum event_type type)
{
    static const char *const names[] = {"note", "attach", "mark",  "collect",
                                        "gc",   "state",  "error", "action"};

    return names[type];
}
