/*
 * What is known by version before the target is looked at. Everything here is a
 * starting point that prove.c must confirm: offsets move inside a minor version
 * and distributions patch them.
 */
#include "layout/find.h"

/* _PyRuntimeState.interpreters.main; PyInterpreterState.id, .next and .gc (3.8: gc is in
 * _PyRuntimeState). Include/internal/pycore_runtime.h, pycore_interp.h. From 3.13
 * on _Py_DebugOffsets tells all but the first. */
static const struct layout_runtime_table runtime_tables[] = {
    {8, 40, 16, 0, 344},         {9, 40, 24, 0, 616},         {10, 40, 24, 0, 616},
    {11, 48, 48, 0, 648},        {12, 48, 8, 0, 112},         {13, 640, 7272, 7264, 7400},
    {14, 816, 7280, 7272, 7408}, {15, 944, 7272, 7264, 7400},
};

/* struct _gc_runtime_state, Include/internal/pycore_gc.h (3.8 - 3.13),
 * pycore_interp_structs.h (3.14+). */
static const struct layout_gc_table gc_tables[] = {
    /* 3.8 - 3.13 as released. */
    {8,
     13,
     {.enabled = 12,
      .debug = 16,
      .generations = {24, 48, 72},
      .permanent = 104,
      .stats = 128,
      .collecting = 200,
      .has_permanent = true},
     96,
     0},
    /* 3.13 of Debian and Ubuntu: gchead-alignment.diff lowers PyGC_Head's alignment. */
    {13,
     13,
     {.enabled = 12,
      .debug = 16,
      .generations = {20, 44, 68},
      .permanent = 104,
      .stats = 128,
      .collecting = 200,
      .has_permanent = true},
     96,
     0},
    /* 3.14.0 - 3.14.4: young, old[0], old[1] of the incremental collector. */
    {14,
     14,
     {.enabled = 12,
      .debug = 16,
      .generations = {24, 48, 72},
      .permanent = 96,
      .stats = 120,
      .collecting = 192,
      .has_permanent = true,
      .is_incremental = true},
     0,
     240},
    /* 3.14.5 and later: three generations again. */
    {14,
     14,
     {.enabled = 12,
      .debug = 16,
      .generations = {24, 48, 72},
      .permanent = 96,
      .stats = 120,
      .collecting = 192,
      .has_permanent = true},
     256,
     0},
    /* 3.15: statistics lie behind a pointer. */
    {15,
     15,
     {.enabled = 0,
      .debug = 4,
      .generations = {8, 32, 56},
      .permanent = 80,
      .stats = 104,
      .collecting = 112,
      .stats_is_pointer = true,
      .has_permanent = true},
     168,
     0},
};

const struct layout_runtime_table *layout_runtime_table(uint8_t minor)
{
    for (size_t i = 0; i < sizeof(runtime_tables) / sizeof(runtime_tables[0]); i++)
        if (runtime_tables[i].minor == minor)
            return &runtime_tables[i];
    return NULL;
}

const struct layout_gc_table *layout_gc_tables(size_t *count)
{
    *count = sizeof(gc_tables) / sizeof(gc_tables[0]);
    return gc_tables;
}

/* ARENA_SIZE and POOL_SIZE: Objects/obmalloc.c, pycore_obmalloc.h. (3.15 built
 * with --with-pymalloc-hugepages has 2 MiB arenas; find_arenas tries that.) */
void layout_pymalloc_table(uint8_t minor, struct layout_pymalloc *pymalloc)
{
    *pymalloc = (struct layout_pymalloc){0};
    pymalloc->arena_bytes = minor < 10 ? 256 << 10 : 1 << 20;
    pymalloc->pool_bytes = minor < 10 ? 4 << 10 : 16 << 10;
}
