/*
 * debugger_layout.h - where CPython 3.14+ takes the request to execute a script
 * (PEP 768), for the main thread of the main interpreter.
 */
#ifndef HEAPTOP_LAYOUT_DEBUGGER_LAYOUT_H
#define HEAPTOP_LAYOUT_DEBUGGER_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "heaptop/err.h"
#include "target/target.h"

#define DEBUGGER_PLEASE_STOP UINT64_C(32) /* _PY_EVAL_PLEASE_STOP_BIT, pycore_ceval.h */

struct layout_debugger {
    struct raddr pending;      /* i32: 1 asks for the script */
    struct raddr path;         /* text, path_bytes long */
    struct raddr eval_breaker; /* u64 */
    uint64_t path_bytes;
    bool is_enabled;
};

/* ERR_UNSUPPORTED with a sentence when this Python has no such place. */
int layout_find_debugger(struct target *target, struct layout_debugger *layout,
                         struct err *err);

#endif
