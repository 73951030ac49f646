/* Tables of plugins: shared, and dying with the last snapshot that has them. */
#include "heaptop/plugins.h"

#include <stdatomic.h>
#include <string.h>

#include "model/builder.h"
#include "util/arena.h"

static atomic_int *reference_count(const struct plugin_table *table)
{
    return (atomic_int *)(uintptr_t)&table->references;
}

const struct plugin_table *plugin_table_ref(const struct plugin_table *table)
{
    atomic_fetch_add(reference_count(table), 1);
    return table;
}

void plugin_table_unref(const struct plugin_table *table)
{
    if (table && atomic_fetch_sub(reference_count(table), 1) == 1)
        arena_free(table->memory);
}

const char *plugin_state_name(enum plugin_state state)
{
    static const char *const names[] = {"found", "starting", "ready", "failed"};

    return names[state];
}

void builder_plugins(struct snapshot_builder *builder, const struct plugin_view *views,
                     size_t count)
{
    struct arena *memory = builder->snapshot->memory;
    struct plugins_section *section = arena_alloc(memory, 1, sizeof(*section));
    struct plugin_view *copy = arena_alloc(memory, count, sizeof(*copy));

    if (!section || !copy)
        return;
    for (size_t i = 0; i < count; i++) {
        copy[i] = views[i];
        if (copy[i].table)
            plugin_table_ref(copy[i].table);
    }
    section->views = copy;
    section->n_views = count;
    builder->snapshot->plugins = section;
}

void plugins_release(const struct plugins_section *section)
{
    for (size_t i = 0; section && i < section->n_views; i++)
        plugin_table_unref(section->views[i].table);
}
