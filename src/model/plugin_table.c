/* Tables of plugins: shared, and dying with the last snapshot that has them. */
#include "heaptop/plugins.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
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

/* "12, 3)" and nothing behind it. */
static bool read_numbers(const char *text, struct plugin_call *call)
{
    if (!strcmp(text, ")"))
        return true;
    for (size_t i = 0; i < PLUGIN_CALL_NUMBERS; i++) {
        char *end;

        errno = 0;
        if (*text < '0' || *text > '9')
            return false;
        call->numbers[i] = strtoll(text, &end, 10);
        if (errno)
            return false;
        if (*end == ')')
            return !end[1];
        if (*end != ',')
            return false;
        text = end + 1 + strspn(end + 1, " ");
    }
    return false;
}

bool plugin_call_read(const char *text, struct plugin_call *call)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_.");

    for (size_t i = 0; i < PLUGIN_CALL_NUMBERS; i++)
        call->numbers[i] = -1;
    if (!length || length >= sizeof(call->name) || text[length] != '(')
        return false;
    memcpy(call->name, text, length);
    call->name[length] = '\0';
    return read_numbers(text + length + 1, call);
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
