/*
 * Finds the GIL by its looks: its last holder is a thread state of the main interpreter.
 */
#include "layout/gil_layout.h"

#include <string.h>

#include "layout/find.h"

/* struct _gil_runtime_state, Include/internal/pycore_gil.h (3.8 - 3.15): interval in us,
 * last_holder, locked (an int), switch_number, ... */
struct gil_state {
    uint64_t interval, last_holder;
    uint32_t locked, padding;
    uint64_t switch_number;
};

/* _PyRuntime.ceval.gil (3.8 - 3.11); since 3.12 PyInterpreterState.ceval.gil points to
 * it, for the main interpreter to its own (pycore_interp.h: _gil). */
#define FIRST_MINOR_OF_POINTER 12
#define WORDS                  8192
#define OWN_BYTES              (UINT64_C(4) << 20)
#define INTERVAL_MAX           UINT64_C(1000000000)

/* struct _ts, Include/cpython/pystate.h: prev, next, interp (3.8 - 3.15); thread_id is
 * pthread_self(); native_thread_id is behind it (3.11+). */
#define THREAD_INTERPRETER      2
#define THREAD_WORDS            64
#define FIRST_MINOR_WITH_NATIVE 11
/* struct pthread, nptl/descr.h of glibc on x86_64: it begins with its own address
 * (tcbhead_t.tcb), tid is at 720 (2.4 - 2.43). */
#define PTHREAD_TID 720

static bool is_gil(struct target *target, const struct gil_state *state,
                   uint64_t interpreter)
{
    uint64_t thread[THREAD_INTERPRETER + 1];

    return state->interval && state->interval < INTERVAL_MAX && state->last_holder &&
           state->last_holder % 8 == 0 && state->locked <= 1 && state->switch_number &&
           reader_read(target->reader, raddr_of(state->last_holder), thread,
                       sizeof(thread)) == 0 &&
           thread[THREAD_INTERPRETER] == interpreter;
}

static bool is_gil_at(struct target *target, uint64_t address, uint64_t interpreter)
{
    struct gil_state state;

    return reader_read(target->reader, raddr_of(address), &state, sizeof(state)) == 0 &&
           is_gil(target, &state, interpreter);
}

static bool find_in_runtime(struct target *target, const uint64_t *words,
                            struct layout_gil *gil)
{
    struct gil_state state;

    for (size_t i = 0; i + sizeof(state) / 8 <= WORDS; i++) {
        memcpy(&state, words + i, sizeof(state));
        if (!is_gil(target, &state, gil->interpreter))
            continue;
        gil->state = raddr_add(target->runtime, (int64_t)i * 8);
        return true;
    }
    return false;
}

static bool find_by_pointer(struct target *target, const uint64_t *words,
                            struct layout_gil *gil)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i] % 8 || words[i] - gil->interpreter >= OWN_BYTES ||
            !is_gil_at(target, words[i], gil->interpreter))
            continue;
        gil->state = raddr_of(words[i]);
        return true;
    }
    return false;
}

bool layout_find_gil(struct target *target, struct layout_gil *gil)
{
    bool is_pointer = target->version.minor >= FIRST_MINOR_OF_POINTER;
    struct layout layout = {.version = target->version};
    struct err ignored = ERR_INIT;
    static uint64_t words[WORDS];

    memset(gil, 0, sizeof(*gil));
    if (!target->reader || target->is_free_threaded ||
        find_interpreter(target, &layout, &ignored))
        return false;
    gil->interpreter = layout.interpreter.value;
    if (reader_read(target->reader, is_pointer ? layout.interpreter : target->runtime,
                    words, sizeof(words)))
        return false;
    return is_pointer ? find_by_pointer(target, words, gil)
                      : find_in_runtime(target, words, gil);
}

/* The number in the kernel of the thread that has this thread state. */
static int64_t thread_number(struct target *target, uint64_t state)
{
    uint64_t words[THREAD_WORDS], self;
    uint32_t number;

    if (reader_read(target->reader, raddr_of(state), words, sizeof(words)))
        return -1;
    for (size_t i = THREAD_INTERPRETER + 1; i + 1 < THREAD_WORDS; i++) {
        if (words[i] < 4096 || words[i] % 8 ||
            !reader_u64(target->reader, raddr_of(words[i]), &self) || self != words[i])
            continue;
        if (target->version.minor >= FIRST_MINOR_WITH_NATIVE)
            return words[i + 1] <= INT32_MAX ? (int64_t)words[i + 1] : -1;
        if (reader_u32(target->reader, raddr_of(words[i] + PTHREAD_TID), &number))
            return number && number <= INT32_MAX ? (int64_t)number : -1;
    }
    return -1;
}

int64_t layout_gil_holder(struct target *target, const struct layout_gil *gil)
{
    struct gil_state state;

    if (raddr_is_null(gil->state) ||
        reader_read(target->reader, gil->state, &state, sizeof(state)) ||
        !is_gil(target, &state, gil->interpreter))
        return -1;
    return state.locked ? thread_number(target, state.last_holder) : 0;
}
