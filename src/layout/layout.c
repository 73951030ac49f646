#include "layout/layout.h"

#include <stdio.h>
#include <string.h>

#include "layout/find.h"
#include "layout/pymalloc_layout.h"
#include "target/procfs.h"

#define ENVIRON_BYTES ((size_t)128 << 10)

static int find_pymalloc(struct target *target, struct layout *layout, struct err *err)
{
    if (layout->is_free_threaded)
        return err_set(err, ERR_UNSUPPORTED,
                       "free-threaded Python keeps its objects in mimalloc: there are no "
                       "arenas");
    if (find_arenas(target, layout, err))
        return -1;
    if (find_counters(target, layout, err)) {
        /* Without the counter everything but allocated_blocks is still right. */
        if (layout->version.minor >= 12)
            return -1;
    }
    find_states(target, layout);
    if (find_debug_hooks(target, layout, err))
        return -1;
    return prove_arenas(&layout->pymalloc, target->reader, err);
}

/* The value of PYTHONMALLOC at the start of the process; false when not set. */
static bool environ_allocator(const struct target *target, char *value, size_t size)
{
    static const char name[] = "PYTHONMALLOC=";
    char text[ENVIRON_BYTES];
    ssize_t length;

    if (target->fds.environ < 0)
        return false;
    length = procfs_read(target->fds.environ, text, sizeof(text));
    if (length <= 0)
        return false;
    for (const char *at = text; at < text + length; at += strlen(at) + 1)
        if (!strncmp(at, name, sizeof(name) - 1)) {
            snprintf(value, size, "%s", at + sizeof(name) - 1);
            return true;
        }
    return false;
}

/* Names the allocator when it is proven, or when its absence fits what was asked. */
static void name_allocator(const struct target *target, struct layout *layout)
{
    static const char *const others[] = {"malloc", "malloc_debug", "mimalloc",
                                         "mimalloc_debug"};
    char asked[32];

    if (layout->has_pymalloc) {
        snprintf(layout->allocator, sizeof(layout->allocator), "%s",
                 layout->pymalloc.debug_prefix_bytes ? "pymalloc_debug" : "pymalloc");
        return;
    }
    if (layout->is_free_threaded)
        snprintf(layout->allocator, sizeof(layout->allocator), "mimalloc");
    if (layout->is_free_threaded || !environ_allocator(target, asked, sizeof(asked)))
        return;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (!strcmp(asked, others[i]))
            snprintf(layout->allocator, sizeof(layout->allocator), "%s", others[i]);
}

static void explain_no_pymalloc(const struct layout *layout, struct err *err)
{
    if (layout->is_free_threaded || !layout->allocator[0]) {
        err_remedy(err, layout->is_free_threaded
                            ? "the agent counts what the garbage collector tracks"
                        : layout->has_gc
                            ? "without arenas, objects are looked for in malloc's heap"
                            : "the process and its memory are still shown");
        return;
    }
    err_set(err, ERR_UNSUPPORTED,
            "the target was started with PYTHONMALLOC=%s: there are no arenas",
            layout->allocator);
    err_remedy(err, "to see arenas, start the target without PYTHONMALLOC");
}

int layout_find(struct target *target, struct layout *layout, struct err *err)
{
    struct err gc_err = ERR_INIT;

    *layout = (struct layout){.version = target->version};
    *err = (struct err)ERR_INIT;
    if (!target->reader)
        return err_set(err, ERR_DENIED, "the target's memory may not be read");
    if (!object_layout_for(target->version.major, target->version.minor,
                           &layout->object) ||
        !layout_runtime_table(target->version.minor))
        return err_set(err, ERR_UNSUPPORTED, "no layout is known for Python %u.%u",
                       target->version.major, target->version.minor);
    if (!find_interpreter(target, layout, &gc_err))
        layout->has_gc = !find_gc(target, layout, &gc_err);
    layout->has_pymalloc = !find_pymalloc(target, layout, err);
    find_free_lists(target, layout);
    name_allocator(target, layout);
    if (!layout->has_pymalloc)
        explain_no_pymalloc(layout, err);
    else if (err->code == ERR_NONE)
        *err = gc_err;
    return 0;
}

static bool gc_still_holds(const struct layout *layout, struct reader *reader)
{
    struct err err = ERR_INIT;
    size_t count;
    const struct layout_gc_table *tables = layout_gc_tables(&count);

    for (size_t i = 0; i < count; i++) {
        const struct layout_gc_table *table = &tables[i];

        if (layout->version.minor >= table->minor_first &&
            layout->version.minor <= table->minor_last &&
            table->gc.generations[0] == layout->gc.generations[0] &&
            table->gc.is_incremental == layout->gc.is_incremental)
            return !prove_gc(&layout->gc, table, reader, &err);
    }
    return false;
}

bool layout_still_holds(const struct layout *layout, struct target *target)
{
    struct err err = ERR_INIT;

    if (!target->reader)
        return false;
    if (layout->has_gc && !gc_still_holds(layout, target->reader))
        return false;
    return !layout->has_pymalloc ||
           !prove_arenas(&layout->pymalloc, target->reader, &err);
}

bool layout_uses_mimalloc(const struct layout *layout)
{
    return layout && !layout->has_pymalloc &&
           !strncmp(layout->allocator, "mimalloc", strlen("mimalloc"));
}
