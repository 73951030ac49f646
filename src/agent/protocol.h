/*
 * protocol.h - what the agent and heaptop say to each other.
 *
 * The one file that both sides include. It is freestanding: only <stdint.h>.
 * The channel page is shared memory (or private memory of the target, read and
 * written from outside, where seccomp forbids a memfd). heaptop treats all of
 * it as hostile: copy out, validate, bound.
 *
 * Commands are numbered: heaptop writes command and arguments, then `asked`;
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

#define AGENT_PROTOCOL_VERSION 6
#define AGENT_MAGIC            0x6874706167656e74ull /* "htpagent" */
#define AGENT_GENERATIONS      3
#define AGENT_ARGUMENTS        3
#define AGENT_PAUSES           256 /* ring of the last pauses */
#define AGENT_KINDS            24  /* of one slice of the partition */
#define AGENT_KIND_BYTES       128 /* longer names are cut */
#define AGENT_QUESTION_BYTES   256
#define AGENT_TEXT_BYTES       262144 /* longer answers are cut */

enum agent_command {
    AGENT_NOTHING = 0,
#define AGENT_COMMAND(name, function) AGENT_##name,
#include "agent/commands.def"
#undef AGENT_COMMAND
    AGENT_LEAVE, /* undo everything and go */
};

enum agent_status {
    AGENT_STATUS_OK = 0,
    AGENT_STATUS_PYTHON_ERROR, /* a Python call failed; the exception was cleared */
    AGENT_STATUS_FINALIZING,   /* the interpreter is going down: nothing was done */
    AGENT_STATUS_UNKNOWN_COMMAND,
    AGENT_STATUS_UNAVAILABLE, /* what the command calls is not there */
    AGENT_STATUS_REFUSED,     /* by the kernel: value is its errno */
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
    int64_t published_ns;                    /* CLOCK_MONOTONIC of the target */
    int64_t gil_wait_ns, gil_held_ns;        /* for this publication */
    int64_t allocated_blocks;                /* sys.getallocatedblocks() */
    int64_t gc_enabled, gc_frozen, gc_debug; /* gc_debug: gc.get_debug() */
    struct agent_generation generations[AGENT_GENERATIONS];
    uint64_t interpreter; /* PyInterpreterState_Main() */
    char allocator[32];   /* _PyMem_GetCurrentAllocatorName() */
    char version[64];     /* Py_GetVersion(), first words */
};

struct agent_pause {
    int64_t began_ns, ended_ns; /* CLOCK_MONOTONIC */
    int64_t collected, uncollectable;
    int64_t total_ns, max_ns; /* of all pauses up to this one: the ring may go round */
    int32_t generation;
    int32_t reserved;
};

/* A kind of objects that the collector tracks. size_bytes is of the objects themselves
 * and of lists' items, not of the tables of dicts and sets. */
struct agent_kind {
    char name[AGENT_KIND_BYTES];
    int64_t count, size_bytes;
};

/* -1 where a command has no such value. */
struct agent_answer {
    uint32_t number;
    int32_t status;                   /* enum agent_status */
    int64_t value;                    /* what the call returned */
    int64_t elapsed_ns;               /* of the call itself */
    int64_t gil_wait_ns, gil_held_ns; /* the whole command; 0 when it needs no GIL */
    int64_t uncollectable;            /* by collect */
    /* The setting that the command is about: enabled, frozen, the thresholds. Of the
     * partition: [0], is it complete. Of a text: value is its address, before is its
     * length, and whether it was cut. */
    int64_t before[AGENT_ARGUMENTS], after[AGENT_ARGUMENTS];
};

/* Why the agent left, or could not begin. */
enum agent_reason {
    AGENT_REASON_NONE = 0,
    AGENT_REASON_ASKED,
    AGENT_REASON_CLIENT_GONE, /* heaptop died, or did not beat: agent_client_is_gone() */
    AGENT_REASON_FINALIZING,
    AGENT_REASON_NOT_INITIALIZED,
    AGENT_REASON_PYTHON_ERROR, /* no thread state, or gc is not what it should be */
};

struct agent_page {
    uint64_t magic;
    uint32_t version;
    uint32_t life;        /* enum agent_life */
    uint32_t asked;       /* futex: number of the newest command */
    uint32_t answered;    /* futex: number of the newest answer */
    uint32_t command;     /* enum agent_command */
    uint32_t client_beat; /* incremented at least every 250 ms */
    int64_t arguments[AGENT_ARGUMENTS];
    struct agent_answer answer;
    uint32_t sequence;       /* of counters: odd while being written */
    uint32_t pauses_written; /* total; the ring index is this modulo AGENT_PAUSES */
    struct agent_counters counters;
    struct agent_pause pauses[AGENT_PAUSES];
    struct agent_kind kinds[AGENT_KINDS];
    uint32_t client_owner; /* robust futex: heaptop's life */
    uint32_t agent_owner;  /* robust futex: the agent's life */
    uint32_t reason;       /* enum agent_reason */
    uint32_t image_stays;  /* the callback is still referenced: the image stays mapped */
    uint32_t launched_pid; /* of a program that heaptop started: who took the page */
    uint32_t copy;         /* futex: 1 while the sleeping copy is to live */
    char question[AGENT_QUESTION_BYTES]; /* of the command, ends with a zero */
};

/* CPython's functions as the agent knows them: see python.def. */
enum agent_python {
#define AGENT_FUNCTION(need, result, name, arguments) AGENT_PYTHON_##name,
#include "agent/python.def"
#undef AGENT_FUNCTION
    AGENT_PYTHON_COUNT,
};

/* What it calls of the allocator: see allocator.def. */
enum agent_allocator {
#define AGENT_ALLOCATOR(name) AGENT_ALLOCATOR_##name,
#include "agent/allocator.def"
#undef AGENT_ALLOCATOR
    AGENT_ALLOCATOR_COUNT,
};

/* Written by the injector into the agent's image (its symbol agent_place). */
struct agent_place {
    uint64_t image, image_bytes;
    uint64_t region;
    uint64_t unmap;         /* munmap of the target's libc */
    uint64_t clock_gettime; /* of the vdso, 0 = use the system call */
    uint32_t is_restricted; /* seccomp: only mmap, munmap, futex */
    uint32_t reserved;
    uint64_t page; /* made by heaptop and mapped already; 0 = the agent makes it */
    uint64_t allocator[AGENT_ALLOCATOR_COUNT]; /* 0: it has none */
    uint64_t python[AGENT_PYTHON_COUNT];
};

#endif
