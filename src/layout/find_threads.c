/* Finds where CPython numbers its thread states, by the table that it itself carries. */
#include "layout/find.h"
#include "layout/threads_layout.h"

/* struct _Py_DebugOffsets, Include/internal/pycore_debug_offsets.h (3.13+): see
 * find_gc.c. */
#define DEBUG_THREADS_HEAD 72 /* .interpreter_state.threads_head */

#define FIRST_MINOR 13
#define OFFSET_MAX  (UINT64_C(1) << 20)

/* struct _is, Include/internal/pycore_interp.h (3.13+): threads.next_unique_id, the
 * number of the newest thread state, is in front of threads.head. */
int64_t layout_threads_made(struct target *target)
{
    struct layout layout = {.version = target->version};
    struct err ignored = ERR_INIT;
    uint64_t head, made;

    if (target->version.minor < FIRST_MINOR || !target->reader ||
        find_interpreter(target, &layout, &ignored) != 0 ||
        !reader_u64(target->reader, raddr_add(target->runtime, DEBUG_THREADS_HEAD),
                    &head) ||
        head < sizeof(made) || head > OFFSET_MAX ||
        !reader_u64(target->reader,
                    raddr_add(layout.interpreter, (int64_t)head - (int64_t)sizeof(made)),
                    &made) ||
        made > INT64_MAX)
        return -1;
    return (int64_t)made;
}
