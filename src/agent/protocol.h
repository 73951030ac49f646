/*
 * protocol.h - what the agent and heaptop say to each other.
 *
 * The one file that both sides include. It is freestanding: only <stdint.h>.
 * The channel page is shared memory (or private memory of the target, read and
 * written from outside, where seccomp forbids a memfd). heaptop treats all of
 * it as hostile: copy out, validate, bound.
 *
 * Commands are numbered: heaptop writes command and argument, then `asked`;
 * wakes the futex on `asked`; the agent runs it and writes the answer, then
 * `answered` = the number, and wakes `answered`. One command at a time.
 * Counters are published under a sequence lock: `sequence` is odd while the
 * agent writes.
 *
 * `struct agent_place` is the loader's side: written by the injector into the
 * agent's image before it runs.
 */
#ifndef HEAPTOP_AGENT_PROTOCOL_H
#define HEAPTOP_AGENT_PROTOCOL_H

#include <stdint.h>

#define AGENT_PROTOCOL_VERSION 1
#define AGENT_MAGIC            0x6874706167656e74ull /* "htpagent" */
#define AGENT_GENERATIONS      3
#define AGENT_PAUSES           256 /* ring of the last pauses */

enum agent_command {
    AGENT_NOTHING = 0,
    AGENT_SAMPLE,  /* publish the counters */
    AGENT_COLLECT, /* gc.collect(argument) */
    AGENT_LEAVE,   /* undo everything and go */
};

enum agent_status {
    AGENT_STATUS_OK = 0,
    AGENT_STATUS_PYTHON_ERROR, /* a Python call failed; the exception was cleared */
    AGENT_STATUS_FINALIZING,   /* the interpreter is going down: nothing was done */
    AGENT_STATUS_UNKNOWN_COMMAND,
};

/* Life of the agent, in `life`. */
enum agent_life {
    AGENT_LIFE_STARTING = 0,
    AGENT_LIFE_WAITING_FOR_GIL,
    AGENT_LIFE_READY,
    AGENT_LIFE_LEAVING,
    AGENT_LIFE_GONE,
};

struct agent_generation {
    int64_t count, threshold, collections, collected, uncollectable;
};

/* -1 where a value could not be had. */
struct agent_counters {
    int64_t published_ns; /* CLOCK_MONOTONIC of the target */
    int64_t gil_wait_ns, gil_held_ns; /* for this publication */
    int64_t allocated_blocks; /* sys.getallocatedblocks() */
    int64_t gc_enabled, gc_frozen;
    struct agent_generation generations[AGENT_GENERATIONS];
    uint64_t interpreter; /* PyInterpreterState_Main() */
    char allocator[32];   /* _PyMem_GetCurrentAllocatorName() */
    char version[64];     /* Py_GetVersion(), first words */
};

struct agent_pause {
    int64_t began_ns, ended_ns; /* CLOCK_MONOTONIC */
    int64_t collected, uncollectable;
    int32_t generation;
    int32_t reserved;
};

struct agent_answer {
    uint32_t number;
    int32_t status;  /* enum agent_status */
    int64_t value;   /* collect: objects found unreachable */
    int64_t elapsed_ns; /* of the Python call itself */
    int64_t uncollectable;
};

struct agent_page {
    uint64_t magic;
    uint32_t version;
    uint32_t life; /* enum agent_life */
    uint32_t asked; /* futex: number of the newest command */
    uint32_t answered; /* futex: number of the newest answer */
    uint32_t command; /* enum agent_command */
    uint32_t client_beat; /* heaptop increments at least every 250 ms */
    int64_t argument;
    struct agent_answer answer;
    uint32_t sequence; /* of counters: odd while being written */
    uint32_t pauses_written; /* total; the ring index is this modulo AGENT_PAUSES */
    struct agent_counters counters;
    struct agent_pause pauses[AGENT_PAUSES];
    uint32_t client_owner; /* robust futex: heaptop's life */
    uint32_t agent_owner;  /* robust futex: the agent's life */
};

#endif
