/*
 * Interpreters with an allocator of their own (PEP 684, 3.12+): 3.12 embeds struct
 * _obmalloc_state in every PyInterpreterState and leaves it empty where the main one
 * is used; 3.13+ has a pointer, which sharing interpreters point at the main state.
 */
#include "layout/find.h"

#include "layout/pymalloc_layout.h"

#define INTERPRETER_WORDS 4096 /* of the main interpreter, in which obmalloc lies */
#define INTERPRETERS_MAX  1024 /* that are followed; more share the first states */
#define STATE_OFFSET_MAX  (UINT64_C(1) << 20)

void find_states(struct target *target, struct layout *layout)
{
    struct layout_pymalloc *pymalloc = &layout->pymalloc;
    uint64_t state = pymalloc->arenas_word.value - OBMALLOC_ARENAS;
    uint64_t words[INTERPRETER_WORDS];

    if (layout->version.minor < 12 || raddr_is_null(layout->interpreter))
        return;
    pymalloc->interpreter_next = layout->interpreter_next;
    if (layout->version.minor == 12) {
        if (state - layout->interpreter.value >= STATE_OFFSET_MAX)
            return;
        pymalloc->interpreter_state = (uint32_t)(state - layout->interpreter.value);
        pymalloc->interpreters = layout->interpreters;
        return;
    }
    if (reader_read(target->reader, layout->interpreter, words, sizeof(words)))
        return;
    for (uint32_t i = 0; i < INTERPRETER_WORDS; i++) {
        if (words[i] != state)
            continue;
        pymalloc->state_is_pointer = true;
        pymalloc->interpreter_state = i * 8;
        pymalloc->interpreters = layout->interpreters;
        return;
    }
}

/* The state that an interpreter uses; 0 = none that can be read. */
static uint64_t interpreter_state(const struct layout_pymalloc *pymalloc,
                                  struct reader *reader, uint64_t interpreter)
{
    uint64_t state = interpreter + pymalloc->interpreter_state;

    if (pymalloc->state_is_pointer && !reader_u64(reader, raddr_of(state), &state))
        return 0;
    return state;
}

static bool state_is_new(const struct layout_pymalloc *states, size_t count,
                         uint64_t arenas_word)
{
    for (size_t i = 0; i < count; i++)
        if (states[i].arenas_word.value == arenas_word)
            return false;
    return true;
}

/* Adds the state when it has arenas and they look like arenas. */
static size_t add_state(const struct layout_pymalloc *pymalloc, struct reader *reader,
                        uint64_t state, struct layout_pymalloc *states, size_t count)
{
    struct layout_pymalloc *added = &states[count];
    uint64_t arenas;
    uint32_t slots;

    if (!state || state % 8 || count == LAYOUT_OBMALLOC_STATES_MAX ||
        !state_is_new(states, count, state + OBMALLOC_ARENAS))
        return count;
    if (!reader_u64(reader, raddr_of(state + OBMALLOC_ARENAS), &arenas) || !arenas ||
        !reader_u32(reader, raddr_of(state + OBMALLOC_MAXARENAS), &slots) ||
        !pymalloc_is_slot_count(slots))
        return count;
    *added = *pymalloc;
    added->arenas_word = raddr_of(state + OBMALLOC_ARENAS);
    added->maxarenas_word = raddr_of(state + OBMALLOC_MAXARENAS);
    added->raw_blocks_word = raddr_of(state + OBMALLOC_RAW_BLOCKS);
    added->highwater_word = raddr_of(state + OBMALLOC_HIGHWATER);
    return count + 1;
}

size_t pymalloc_states(const struct layout_pymalloc *pymalloc, struct reader *reader,
                       struct layout_pymalloc states[LAYOUT_OBMALLOC_STATES_MAX])
{
    uint64_t interpreter;
    size_t count = 1;

    states[0] = *pymalloc;
    if (raddr_is_null(pymalloc->interpreters) ||
        !reader_u64(reader, pymalloc->interpreters, &interpreter))
        return count;
    for (int i = 0; i < INTERPRETERS_MAX && interpreter; i++) {
        count =
            add_state(pymalloc, reader, interpreter_state(pymalloc, reader, interpreter),
                      states, count);
        if (!reader_u64(reader, raddr_of(interpreter + pymalloc->interpreter_next),
                        &interpreter))
            break;
    }
    return count;
}
