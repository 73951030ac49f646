#include "model/mark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/difference.h"
#include "util/strbuf.h"
#include "util/utf8.h"
#include "util/xalloc.h"

void marks_release(struct marks *marks)
{
    for (size_t i = 0; i < marks->count; i++)
        snapshot_unref(marks->items[i].snapshot);
    free(marks->items);
    memset(marks, 0, sizeof(*marks));
}

static void drop_one(struct marks *marks)
{
    size_t at = 0;

    while (at < marks->count && !marks->items[at].is_automatic)
        at++;
    if (at == marks->count)
        at = 0;
    snapshot_unref(marks->items[at].snapshot);
    marks->count--;
    memmove(marks->items + at, marks->items + at + 1,
            (marks->count - at) * sizeof(*marks->items));
}

static void name_mark(struct mark *mark, const char *name)
{
    struct strbuf clean = STRBUF_INIT;

    if (name)
        utf8_clean(&clean, name, strlen(name));
    snprintf(mark->name, sizeof(mark->name), "%s", strbuf_text(&clean));
    strbuf_release(&clean);
}

const struct mark *marks_add(struct marks *marks, const struct snapshot *snapshot,
                             const char *name, bool is_automatic)
{
    struct mark *mark;

    if (marks->count == MARKS_MAX)
        drop_one(marks);
    if (marks->count == marks->capacity) {
        marks->capacity = marks->capacity ? 2 * marks->capacity : 8;
        marks->items =
            xreallocarray(marks->items, marks->capacity, sizeof(*marks->items));
    }
    mark = &marks->items[marks->count++];
    *mark = (struct mark){.number = ++marks->last_number,
                          .is_automatic = is_automatic,
                          .snapshot = snapshot_ref(snapshot)};
    name_mark(mark, name);
    return mark;
}

const struct mark *marks_find(const struct marks *marks, uint32_t number)
{
    for (size_t i = 0; i < marks->count; i++)
        if (marks->items[i].number == number)
            return &marks->items[i];
    return NULL;
}

static struct reading difference(uint64_t newer, uint64_t older)
{
    return reading_exact((int64_t)(newer - older));
}

static void compare_pymalloc(struct mark_difference *change,
                             const struct pymalloc_section *older,
                             const struct pymalloc_section *newer)
{
    change->blocks = reading_difference(newer->allocated_blocks, older->allocated_blocks);
    change->block_bytes = difference(newer->used_bytes, older->used_bytes);
    change->arenas = difference(newer->arenas, older->arenas);
}

static void compare_objects(struct mark_difference *change,
                            const struct objects_section *older,
                            const struct objects_section *newer)
{
    change->objects = difference(newer->count, older->count);
    change->size_bytes = difference(newer->size_bytes, older->size_bytes);
    change->memory_bytes = difference(newer->memory_bytes, older->memory_bytes);
    change->walk_elapsed_ns =
        reading_exact(newer->walk.ended_mono_ns - older->walk.ended_mono_ns);
}

struct mark_difference mark_difference(const struct snapshot *older,
                                       const struct snapshot *newer)
{
    struct mark_difference change;

    memset(&change, 0, sizeof(change));
    if (!older || !newer)
        return change;
    change.elapsed_ns = difference_is_within_one(older, newer)
                            ? newer->mono_ns - older->mono_ns
                            : newer->wall_ns - older->wall_ns;
    if (older->pymalloc && newer->pymalloc)
        compare_pymalloc(&change, older->pymalloc, newer->pymalloc);
    if (older->objects && newer->objects)
        compare_objects(&change, older->objects, newer->objects);
    if (older->process && newer->process)
        change.res_bytes =
            reading_difference(newer->process->res_bytes, older->process->res_bytes);
    return change;
}
