/*
 * decode.h - which variables a small function reads, from its machine code.
 *
 * Not a disassembler: it finds the loads from fixed addresses, which is what a
 * function that sums static counters consists of. Since it does not know where
 * instructions begin it may also find some that are not there, so the caller
 * keeps only addresses that make sense. One file per architecture.
 */
#ifndef HEAPTOP_LAYOUT_DECODE_H
#define HEAPTOP_LAYOUT_DECODE_H

#include <stddef.h>
#include <stdint.h>

struct code_load {
    uint64_t address; /* of the variable */
    uint32_t bytes;   /* 4 or 8 */
};

/* `at` is the run-time address of code[0]. Returns how many were found, <= max. */
size_t decode_loads(const uint8_t *code, size_t length, uint64_t at,
                    struct code_load *loads, size_t max);

/* Addresses that are taken, or to which an index is added; as careless. */
size_t decode_tables(const uint8_t *code, size_t length, uint64_t at, uint64_t *addresses,
                     size_t max);

/* Where calls and jumps with a 32-bit distance lead; as careless as decode_loads(). */
size_t decode_jumps(const uint8_t *code, size_t length, uint64_t at, uint64_t *targets,
                    size_t max);

#endif
