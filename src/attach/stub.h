/*
 * stub.h - the few hundred bytes that run in the borrowed thread.
 *
 * The stub is written over code that can never run again. The borrowed thread
 * enters it with its frame's address in a fixed register, starts the agent's
 * thread and waits to be taken back; when nobody comes it restores itself from
 * the frame. Included by assembler and C.
 */
#ifndef HEAPTOP_ATTACH_STUB_H
#define HEAPTOP_ATTACH_STUB_H

/* Members of the frame on the borrowed thread's stack. */
#define FRAME_DONE    0  /* 0 at work, 1 waiting to be taken back, 2 restores itself */
#define FRAME_RESULT  4  /* negative: mmap's errno; positive: pthread_create's error */
#define FRAME_REGION  8  /* address of the region, 0 when there is none */
#define FRAME_MASK    16 /* the thread's own signal mask */
#define FRAME_REGS    24 /* 17 words in the order in which they are popped */
#define FRAME_SCRATCH 160
#define FRAME_HURRIED 164 /* the thread was given real-time priority for the detour */
#define FRAME_CHECK   176 /* what the nonce, the result and the region make together */
#define FRAME_NONCE   184
#define FRAME_ATTR    192 /* pthread_attr_t: 56 bytes in glibc, fewer in musl */
#define FRAME_THREAD  256
#define FRAME_VECTORS 320 /* XSAVE area, 64-byte aligned */
#define FRAME_BYTES   3136

#define FRAME_AT_WORK  0
#define FRAME_WAITING  1
#define FRAME_RESTORED 2

/* What the saved pc's slot lies below the thread's stack pointer: the red zone
 * and the slot itself. */
#define FRAME_RED_ZONE 136

/* Finalizers that run in the agent's thread find the stack that Python's own
 * threads have; a target that is short of address space gives less. */
#define STUB_STACK_BYTES       8388608
#define STUB_SMALL_STACK_BYTES 524288

/* "heaptop" and a version: how the remains of a killed heaptop are recognised. */
#define STUB_MAGIC            0x3330706f74706168
#define STUB_MAGIC_NAME_BYTES 6 /* the same in every version */

#ifndef __ASSEMBLER__
#include <stdint.h>

struct stub_frame {
    uint32_t done;
    int32_t result;
    uint64_t region;
    uint64_t mask;
    uint64_t registers[17];
    uint32_t scratch;
    uint32_t hurried;
    uint64_t pc; /* where the thread goes on: written above the frame as well */
    uint64_t check, nonce;
    uint8_t attributes[64];
    uint64_t thread[8];
    uint8_t vectors[FRAME_BYTES - FRAME_VECTORS] __attribute__((aligned(64)));
};

/* What a thread whose write was cut short has on its stack, as the stub pops it. */
struct stub_rest {
    uint64_t done_bytes; /* by the write that was cut */
    uint64_t buffer, length;
    uint64_t pc;
};

/* Functions of the target and the room that the agent needs, in the order of the table at
 * the stub's end. */
struct stub_table {
    uint64_t attr_init, attr_setstacksize, attr_setdetachstate, create, unmap;
    uint64_t clock_gettime; /* of the vDSO; 0: the stub counts its naps */
    uint64_t image_bytes, data_offset, data_bytes;
};

extern const uint8_t stub_begin[], stub_borrowed[], stub_rest[], stub_table_begin[],
    stub_end[];
#endif

#endif
