/* Finds the place of PEP 768's request by the table that CPython itself carries. */
#include "layout/debugger_layout.h"

#include <string.h>

/* struct _Py_DebugOffsets, Include/internal/pycore_debug_offsets.h (3.14+): see
 * find_gc.c. All members are u64. */
enum debug_offsets_offset {
    DEBUG_INTERPRETERS_HEAD = 40,
    DEBUG_INTERPRETER_ID = 56,
    DEBUG_INTERPRETER_NEXT = 64,
    DEBUG_INTERPRETER_MAIN_THREAD = 80,
    DEBUG_SUPPORT_3_14 = 712, /* .debugger_support */
    DEBUG_SUPPORT_3_15 = 840,
};

struct support {
    uint64_t eval_breaker;         /* in the thread state */
    uint64_t support;              /* in the thread state */
    uint64_t remote_debug_enabled; /* in the interpreter: an int */
    uint64_t pending;              /* in the support struct: an i32 */
    uint64_t path;                 /* in the support struct */
    uint64_t path_bytes;
};

#define FIRST_MINOR      14
#define LAST_MINOR       15
#define OFFSET_MAX       (UINT64_C(1) << 20)
#define PATH_BYTES_MIN   64
#define PATH_BYTES_MAX   65536
#define INTERPRETERS_MAX 1024

static bool offset_is(struct target *target, uint64_t at, uint64_t *offset)
{
    return reader_u64(target->reader, raddr_add(target->runtime, (int64_t)at), offset) &&
           *offset < OFFSET_MAX;
}

static bool read_support(struct target *target, struct support *support)
{
    int64_t at =
        target->version.minor == FIRST_MINOR ? DEBUG_SUPPORT_3_14 : DEBUG_SUPPORT_3_15;

    return reader_read(target->reader, raddr_add(target->runtime, at), support,
                       sizeof(*support)) == 0 &&
           support->eval_breaker < OFFSET_MAX && support->support < OFFSET_MAX &&
           support->remote_debug_enabled < OFFSET_MAX && support->pending < OFFSET_MAX &&
           support->path < OFFSET_MAX && support->path_bytes >= PATH_BYTES_MIN &&
           support->path_bytes <= PATH_BYTES_MAX;
}

/* The head of the list is the newest interpreter; the main one has the number 0. */
static uint64_t find_main_interpreter(struct target *target)
{
    uint64_t head, id, next, at, number;

    if (!offset_is(target, DEBUG_INTERPRETERS_HEAD, &head) ||
        !offset_is(target, DEBUG_INTERPRETER_ID, &id) ||
        !offset_is(target, DEBUG_INTERPRETER_NEXT, &next) ||
        !reader_u64(target->reader, raddr_add(target->runtime, (int64_t)head), &at))
        return 0;
    for (int i = 0; at && i < INTERPRETERS_MAX; i++) {
        if (!reader_u64(target->reader, raddr_of(at + id), &number))
            return 0;
        if (!number)
            return at;
        if (!reader_u64(target->reader, raddr_of(at + next), &at))
            return 0;
    }
    return 0;
}

int layout_find_debugger(struct target *target, struct layout_debugger *layout,
                         struct err *err)
{
    uint64_t interpreter, main_thread, thread;
    struct support support;
    uint32_t enabled;

    memset(layout, 0, sizeof(*layout));
    if (target->version.minor < FIRST_MINOR || target->version.minor > LAST_MINOR) {
        err_set(err, ERR_UNSUPPORTED,
                "CPython %s does not execute scripts on request (3.14 and later do)",
                target->facts.python);
        return err_remedy(err, "use --agent-via=ptrace");
    }
    interpreter = find_main_interpreter(target);
    if (!interpreter || !read_support(target, &support) ||
        !offset_is(target, DEBUG_INTERPRETER_MAIN_THREAD, &main_thread) ||
        !reader_u64(target->reader, raddr_of(interpreter + main_thread), &thread) ||
        !thread || thread % 8 ||
        !reader_u32(target->reader, raddr_of(interpreter + support.remote_debug_enabled),
                    &enabled))
        return err_set(err, ERR_UNSUPPORTED,
                       "process %d does not say where it takes requests for scripts",
                       (int)target->pid);
    layout->is_enabled = enabled == 1;
    layout->eval_breaker = raddr_of(thread + support.eval_breaker);
    layout->pending = raddr_of(thread + support.support + support.pending);
    layout->path = raddr_of(thread + support.support + support.path);
    layout->path_bytes = support.path_bytes;
    return 0;
}
