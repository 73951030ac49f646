/*
 * Finds the main interpreter and its garbage collector's state, by the tables and,
 * from 3.13 on, by the table that CPython itself carries for debuggers.
 */
#include "layout/find.h"

#include <string.h>

/* struct _Py_DebugOffsets, Include/internal/pycore_debug_offsets.h (3.13+), the
 * first member of _PyRuntime: all members are u64. */
enum debug_offsets_offset {
    DEBUG_FREE_THREADED = 16,
    DEBUG_INTERPRETERS_HEAD = 40,
    DEBUG_INTERPRETER_ID = 56,
    DEBUG_INTERPRETER_NEXT = 64,
    DEBUG_GC_3_13 = 80,
    DEBUG_GC_3_14 = 88,
    DEBUG_GC_BYTES_3_13 = 568,
    DEBUG_GC_BYTES_3_14 = 648,
    DEBUG_GC_BYTES_3_15 = 752,
};

#define DEBUG_COOKIE       "xdebugpy"
#define OFFSET_MAX         (UINT64_C(1) << 20)
#define INTERPRETER_SEARCH 12000 /* bytes in which 3.1x keeps the collector's state */
#define INTERPRETERS_MAX   1024

/* What is used, from the tables and then from the target's own table. */
struct gc_place {
    uint64_t main, id, next, gc, gc_bytes;
};

static bool offset_is(struct target *target, uint64_t at, uint64_t *offset)
{
    uint64_t value;

    if (!reader_u64(target->reader, raddr_add(target->runtime, (int64_t)at), &value) ||
        value > OFFSET_MAX)
        return false;
    *offset = value;
    return true;
}

static bool has_debug_offsets(struct target *target)
{
    char cookie[8];

    return !reader_read(target->reader, target->runtime, cookie, sizeof(cookie)) &&
           !memcmp(cookie, DEBUG_COOKIE, sizeof(cookie));
}

/* The target's own table goes before ours, member by member. */
static struct gc_place gc_place(struct target *target, uint8_t minor)
{
    const struct layout_runtime_table *table = layout_runtime_table(minor);
    struct gc_place place = {table->main_interpreter, table->interpreter_id,
                             table->interpreter_next, table->gc, 0};
    uint64_t head;

    if (minor < 13 || !has_debug_offsets(target))
        return place;
    /* struct pyinterpreters: head and main are neighbours. */
    if (offset_is(target, DEBUG_INTERPRETERS_HEAD, &head))
        place.main = head + 8;
    offset_is(target, DEBUG_INTERPRETER_ID, &place.id);
    offset_is(target, DEBUG_INTERPRETER_NEXT, &place.next);
    offset_is(target, minor == 13 ? DEBUG_GC_3_13 : DEBUG_GC_3_14, &place.gc);
    offset_is(target,
              minor == 13   ? DEBUG_GC_BYTES_3_13
              : minor == 14 ? DEBUG_GC_BYTES_3_14
                            : DEBUG_GC_BYTES_3_15,
              &place.gc_bytes);
    return place;
}

int find_interpreter(struct target *target, struct layout *layout, struct err *err)
{
    struct gc_place place = gc_place(target, layout->version.minor);
    uint64_t interpreter, id, free_threaded;

    if (layout->version.minor >= 13 && has_debug_offsets(target) &&
        offset_is(target, DEBUG_FREE_THREADED, &free_threaded))
        layout->is_free_threaded = free_threaded == 1;
    if (!reader_u64(target->reader, raddr_add(target->runtime, (int64_t)place.main),
                    &interpreter) ||
        !interpreter || interpreter % 8)
        return err_set(err, ERR_UNSUPPORTED,
                       "_PyRuntime does not point to a main interpreter");
    if (!reader_u64(target->reader, raddr_of(interpreter + place.id), &id) || id)
        return err_set(err, ERR_UNSUPPORTED,
                       "the main interpreter does not have the number 0");
    layout->interpreter = raddr_of(interpreter);
    layout->interpreters = raddr_add(target->runtime, (int64_t)place.main - 8);
    layout->interpreter_next = (uint32_t)place.next;
    return 0;
}

static bool gc_table_fits(const struct layout_gc_table *table, uint8_t minor,
                          uint64_t gc_bytes)
{
    if (minor < table->minor_first || minor > table->minor_last)
        return false;
    return !table->state_bytes || table->state_bytes == gc_bytes;
}

/* Tries each table of the version at one address. */
static int gc_try(struct target *target, struct layout *layout, uint64_t state,
                  uint64_t gc_bytes, struct err *err)
{
    size_t count;
    const struct layout_gc_table *tables = layout_gc_tables(&count);

    for (size_t i = 0; i < count; i++) {
        struct layout_gc gc = tables[i].gc;

        if (!gc_table_fits(&tables[i], layout->version.minor, gc_bytes))
            continue;
        gc.state = raddr_of(state);
        if (prove_gc(&gc, &tables[i], target->reader, err))
            continue;
        layout->gc = gc;
        *err = (struct err)ERR_INIT;
        return 0;
    }
    return -1;
}

/* A micro version that is not known moved the state: every word that points back to
 * where a first generation would be is tried. */
static int gc_search(struct target *target, struct layout *layout, uint64_t base,
                     struct err *err)
{
    size_t count;
    const struct layout_gc_table *tables = layout_gc_tables(&count);
    uint64_t words[INTERPRETER_SEARCH / 8];

    if (reader_read(target->reader, raddr_of(base), words, sizeof(words)))
        return err_set(err, ERR_FAILED, "gc: the main interpreter cannot be read");
    for (size_t i = 0; i < count; i++) {
        const struct layout_gc_table *table = &tables[i];

        if (!table->generation0 || !gc_table_fits(table, layout->version.minor, 0))
            continue;
        for (size_t word = table->generation0 / 8u; word < sizeof(words) / 8; word++) {
            uint64_t state = base + word * 8 - table->generation0;

            if (words[word] == state + table->gc.generations[0] &&
                !gc_try(target, layout, state, 0, err))
                return 0;
        }
    }
    return -1;
}

int find_gc(struct target *target, struct layout *layout, struct err *err)
{
    struct gc_place place = gc_place(target, layout->version.minor);
    uint64_t base =
        layout->version.minor == 8 ? target->runtime.value : layout->interpreter.value;
    struct err search_err = ERR_INIT;

    if (layout->is_free_threaded)
        return err_set(err, ERR_UNSUPPORTED,
                       "gc: free-threaded Python has no lists of generations");
    err_set(err, ERR_UNSUPPORTED, "gc: no layout is known for this version");
    if (!gc_try(target, layout, base + place.gc, place.gc_bytes, err))
        return 0;
    if (gc_search(target, layout, base, &search_err))
        return -1;
    *err = (struct err)ERR_INIT;
    return 0;
}
